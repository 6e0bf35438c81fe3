//! Dispatch: who may call what, with which arguments, how often and for how long.

use std::time::Duration;

use flowmaster_kernel::ToolCaller as _;
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::dispatch::{LateCaller, Tool};
use serde_json::{Value, json};

use crate::harness::{Server, app, caller};

#[tokio::test]
async fn a_call_is_refused_with_the_reason_and_the_way_on() {
    let server = Server::start().await;
    let check =
        async |key: &str, operation: &str, arguments: Value, status, code: &str, why: &str| {
            let answer = server.rest(key, operation, arguments).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
            assert!(answer.body.contains(why), "{why}: {}", answer.body);
        };
    check("anna", "note_ad", json!({}), 404, "unknown_operation", "note_add").await;
    check("eve", "note_add", json!({"text": "x"}), 403, "forbidden", "notes:write").await;
    check("carl", "note_get", json!({"id": "x"}), 403, "forbidden", "employee").await;
    check("anna", "note_add", json!({}), 400, "invalid_arguments", "text").await;
    check("anna", "note_add", json!({"text": 5}), 400, "invalid_arguments", "/text").await;
    check("anna", "note_add", json!({"text": "x", "y": 1}), 400, "invalid_arguments", "y").await;
    check("anna", "note_add", json!([]), 400, "invalid_arguments", "object").await;
    check("anna", "note_get", json!({"id": "no"}), 404, "note_not_found", "note_search").await;
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    check("anna", "note_add", json!({ "text": deep }), 400, "arguments_too_deep", "flatten").await;
    let key = "k".repeat(129);
    let arguments = json!({"text": "x", "idempotency_key": key});
    check("anna", "note_add", arguments, 400, "invalid_idempotency_key", "128").await;
    let arguments = json!({"text": "x", "idempotency_key": 7});
    check("anna", "note_add", arguments, 400, "invalid_idempotency_key", "128").await;
}

#[tokio::test]
async fn a_panic_is_an_internal_error_of_one_call() {
    let server = Server::start().await;
    let answer = server.rest("anna", "note_explode", json!({})).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "verb_panicked"));
    assert!(!answer.body.contains("boom"), "the inside stays inside");
    assert_eq!(answer.json()["details"]["trace"].as_str().map(str::len), Some(32));
    assert_eq!(server.rest("anna", "note_search", json!({})).await.status, 200);
}

#[tokio::test]
async fn one_key_is_one_effect_and_another_body_is_a_conflict() {
    let server = Server::start().await;
    let add = async |key: &str, text: &str, idempotency: &str| {
        server.rest(key, "note_add", json!({"text": text, "idempotency_key": idempotency})).await
    };
    let first = add("anna", "milk", "k1").await;
    let again = add("anna", "milk", "k1").await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    let conflict = add("anna", "eggs", "k1").await;
    assert_eq!((conflict.status, conflict.code().as_str()), (409, "idempotency_conflict"));
    assert_ne!(add("anna", "milk", "k2").await.body, first.body);
    assert_ne!(add("bob", "milk", "k1").await.body, first.body, "keys are the principal's own");
}

#[tokio::test]
async fn many_calls_with_one_key_at_once_have_one_effect() {
    let server = Server::start().await;
    let arguments = json!({"text": "milk", "idempotency_key": "k"});
    let calls = (0..16).map(|_| server.rest("anna", "note_add", arguments.clone()));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:?}");
    let notes = server.rest("anna", "note_search", json!({})).await.json();
    assert_eq!(notes["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_that_takes_too_long_ends_and_a_write_is_of_unknown_outcome() {
    let (app, _, _) = app(Config::default());
    let check = async |operation: &str, code: &str, retryable| {
        let mut ctx = app.surface.ctx(&caller("anna").unwrap(), None);
        ctx.deadline = Some(ctx.now().plus_millis(20));
        let error = app.surface.dispatcher.call(ctx, operation, json!({})).await.unwrap_err();
        assert_eq!((error.code(), error.body().retryable), (code, retryable));
    };
    check("note_wait", "deadline_exceeded", true).await;
    check("note_store", "outcome_unknown", true).await;
}

#[tokio::test]
async fn a_principal_has_a_rate_and_others_have_theirs() {
    let config = Config { burst: 3, calls_per_second: 1, ..Config::default() };
    let server = Server::start_with(config).await;
    let call = async |key: &str| server.rest(key, "note_search", json!({})).await;
    for _ in 0..3 {
        assert_eq!(call("anna").await.status, 200);
    }
    let refused = call("anna").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(call("bob").await.status, 200);
}

#[tokio::test]
async fn writes_and_refusals_are_written_down_without_their_arguments() {
    let server = Server::start().await;
    server.rest("anna", "note_search", json!({})).await;
    server.rest("anna", "note_add", json!({"text": "secret"})).await;
    server.rest("eve", "note_add", json!({"text": "secret"})).await;
    server.rest("anna", "note_nothing", json!({})).await;
    let audit = server.notebook.audit.lock();
    let found: Vec<_> =
        audit.iter().map(|entry| (entry.operation.as_str(), entry.outcome.as_str())).collect();
    assert_eq!(
        found,
        [("note_add", "ok"), ("note_add", "forbidden"), ("note_nothing", "unknown_operation"),]
    );
    assert!(audit.iter().all(|entry| !format!("{entry:?}").contains("secret")));
    assert!(audit[0].duration > Duration::ZERO && audit[0].arguments_hash.len() == 64);
}

#[tokio::test]
async fn a_published_process_is_a_tool_of_its_tenant_only() {
    let server = Server::start().await;
    let run = async |key: &str, arguments| server.rest(key, "run_onboarding", arguments).await;
    assert_eq!(run("anna", json!({"name": "Zoe"})).await.json(), json!({"welcome": "Zoe"}));
    assert_eq!(run("anna", json!({})).await.code(), "invalid_arguments");
    assert_eq!(run("bob", json!({"name": "Zoe"})).await.code(), "unknown_operation");
    assert_eq!(run("eve", json!({"name": "Zoe"})).await.code(), "forbidden");
}

#[tokio::test]
async fn a_room_can_call_operations_once_the_server_is_there() {
    let (app, _, _) = app(Config::default());
    let ctx = app.surface.ctx(&caller("anna").unwrap(), None);
    let late = LateCaller::default();
    let early = late.call(&ctx, "note_search", json!({})).await.unwrap_err();
    assert_eq!(early.code(), "not_serving");
    late.bind(&app.surface.dispatcher);
    assert!(late.call(&ctx, "note_search", json!({})).await.is_ok());
    drop(app);
    let after = late.call(&ctx, "note_search", json!({})).await.unwrap_err();
    assert_eq!(after.code(), "not_serving", "it does not keep the server alive");
}

#[tokio::test]
async fn writes_need_somewhere_to_record_their_answers() {
    use std::sync::Arc;

    use flowmaster_mcp_server::dispatch::{Dispatcher, Foundations};

    let notebook = Arc::new(crate::notebook::Notebook::default());
    let refused = Dispatcher::new(&notebook.catalogue(), Foundations::default());
    assert_eq!(refused.err().unwrap().code(), "answer_book_missing");
    let first: Tool = notebook.catalogue().iter().next().unwrap().into();
    assert_eq!((first.name.as_ref(), first.is_mutating()), ("note_add", true));
}
