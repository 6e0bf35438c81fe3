//! Who may call what: every operation × every role × every transport. The table itself is a
//! reviewed snapshot, so a new operation or a wider one shows in review.

use std::fmt::Write as _;

use flowmaster_kernel::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{TestServer, code};
use crate::transports::{Connection, Transport};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_is_for_its_roles_only_through_every_transport() {
    let server = TestServer::start().await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((Some(role), server.person(role.as_str(), &[role], &[]).await));
    }
    callers.push((None, server.person("nobody", &[], &[]).await));
    let mut cells = 0;
    for transport in Transport::ALL {
        for (role, caller) in &callers {
            let mut connection = Connection::open(&server, transport, caller).await.unwrap();
            for offer in server.server.app.surface.dispatcher.offers() {
                let tool = &offer.tool;
                // The arguments are wrong on purpose: what counts is whether the door opens at all.
                let wrong = json!({ "no_such_argument": 1 });
                let error = connection.call(&tool.name, wrong).await.unwrap_err();
                let is_for = role.is_some_and(|role| tool.roles.contains(&role));
                let expected = if is_for { "invalid_arguments" } else { "forbidden" };
                assert_eq!(error["code"], expected, "{} {transport:?} {role:?}", tool.name);
                cells += 1;
            }
        }
    }
    assert!(cells > 1_000, "{cells}");
}

#[tokio::test]
async fn the_table_of_operations_and_roles_is_the_reviewed_one() {
    let server = TestServer::start().await;
    let mut table =
        String::from("operation                      effect   scope              roles\n");
    for offer in server.server.app.surface.dispatcher.offers() {
        let tool = &offer.tool;
        let roles: Vec<&str> = tool.roles.iter().map(|role| role.as_str()).collect();
        let effect = serde_json::to_value(tool.effect).unwrap();
        let effect = effect.as_str().unwrap_or_default();
        writeln!(table, "{:<30} {effect:<8} {:<18} {}", tool.name, tool.scope, roles.join(" "))
            .unwrap();
    }
    insta::assert_snapshot!("authorization", table);
}

#[tokio::test]
async fn without_a_key_that_is_known_no_transport_lets_anybody_in() {
    let server = TestServer::start().await;
    let anonymous = server.with_key("fm_none");
    for transport in [Transport::Session, Transport::Sse, Transport::Stdio] {
        let refused = Connection::open(&server, transport, &anonymous).await;
        assert_eq!(refused.err(), Some(StatusCode::UNAUTHORIZED), "{transport:?}");
    }
    for transport in [Transport::Rest, Transport::Stateless] {
        let mut connection = Connection::open(&server, transport, &anonymous).await.unwrap();
        for offer in server.server.app.surface.dispatcher.offers() {
            let refused = connection.call(&offer.tool.name, json!({})).await.unwrap_err();
            assert_eq!(refused["code"], "invalid_key", "{} {transport:?}", offer.tool.name);
        }
    }
}

#[tokio::test]
async fn a_key_allows_no_more_than_its_scopes() {
    let server = TestServer::start().await;
    let narrow = json!({ "scopes": ["tasks:read"] });
    let key = server.admin.call("key_create", narrow).await.unwrap();
    let narrow = server.with_key(key["secret"].as_str().unwrap());
    for offer in server.server.app.surface.dispatcher.offers() {
        let tool = &offer.tool;
        let answer = narrow.call(&tool.name, json!({ "no_such_argument": 1 })).await;
        assert_eq!(
            code(&answer) == "forbidden",
            tool.scope != "tasks:read",
            "{}: {answer:?}",
            tool.name
        );
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let server = TestServer::start().await;
    let key = server.admin.call("key_create", json!({})).await.unwrap();
    let caller = server.with_key(key["secret"].as_str().unwrap());
    caller.call("me_get", json!({})).await.unwrap();
    server.admin.call("key_revoke", json!({ "id": key["id"] })).await.unwrap();
    assert_eq!(caller.call("me_get", json!({})).await.unwrap_err().0, 401);
}
