//! Who may call what: every operation × every role, over the wire. The table itself is a reviewed
//! snapshot, so a new operation or a wider one shows in review.

use std::fmt::Write as _;

use flowmaster_kernel::Role;
use serde_json::json;

use crate::harness::{TestServer, code};

#[tokio::test]
async fn every_operation_is_for_its_roles_only() {
    let server = TestServer::start().await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((role, server.person(role.as_str(), &[role], &[]).await));
    }
    let nobody = server.person("nobody", &[], &[]).await;
    let anonymous = server.with_key("fm_none");
    let mut table =
        String::from("operation                      effect   scope              roles\n");
    let mut cells = 0;
    for offer in server.server.app.surface.dispatcher.offers() {
        let tool = &offer.tool;
        for (role, caller) in &callers {
            // The arguments are wrong on purpose: what counts is whether the door opens at all.
            let answer = caller.call(&tool.name, json!({ "no_such_argument": 1 })).await;
            let refused = code(&answer) == "forbidden";
            assert_eq!(
                refused,
                !tool.roles.contains(role),
                "{} as {role:?}: {answer:?}",
                tool.name
            );
            assert!(refused || code(&answer) == "invalid_arguments", "{}: {answer:?}", tool.name);
            cells += 1;
        }
        assert_eq!(code(&nobody.call(&tool.name, json!({})).await), "forbidden", "{}", tool.name);
        let unknown = anonymous.call(&tool.name, json!({})).await;
        assert_eq!(unknown.as_ref().unwrap_err().0, 401, "{}: {unknown:?}", tool.name);
        let roles: Vec<&str> = tool.roles.iter().map(|role| role.as_str()).collect();
        let effect = serde_json::to_value(tool.effect).unwrap();
        let effect = effect.as_str().unwrap_or_default();
        writeln!(table, "{:<30} {effect:<8} {:<18} {}", tool.name, tool.scope, roles.join(" "))
            .unwrap();
    }
    assert!(cells > 200, "{cells}");
    insta::assert_snapshot!("authorization", table);
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
