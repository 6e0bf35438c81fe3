//! Same key, same answer, one effect: of every operation that changes something, sixteen times at
//! once, again after a restart, and with other arguments. The operations come from the catalogue,
//! so one without a call in `calls` fails here.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::calls::{Call, calls};
use crate::harness::{Answer, Caller, TestServer, code, database};
use crate::program::Running;

/// How many calls are made at once under one key.
const AT_ONCE: usize = 16;
/// What shows a secret, once.
const SHOW_ONCE: [&str; 2] = ["key_create", "subscription_save"];

async fn call(caller: &Caller, operation: &str, arguments: &Value) -> Answer {
    let key = format!("once {operation}");
    caller.try_call(operation, arguments.clone(), Some(&key)).await.unwrap()
}

/// The answer without what is shown once and never stored.
fn without_secret(operation: &str, answer: &Answer) -> Value {
    let mut answer = answer.clone().unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    if SHOW_ONCE.contains(&operation) {
        answer["secret"] = Value::Null;
    }
    answer
}

/// The operations that change something.
async fn mutating() -> Vec<String> {
    let server = TestServer::start().await;
    let offers = server.server.app.surface.dispatcher.offers();
    offers.filter(|it| it.tool.is_mutating()).map(|it| it.tool.name.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_has_one_effect_and_one_answer_under_a_key() {
    let operations = mutating().await;
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let server = Running::start(folder.path(), database.as_deref());
    let key = server.new_key.clone().unwrap();
    let admin = server.caller(&key);
    let table = calls(&admin).await;
    let known: Vec<String> = table.keys().map(|&name| name.to_owned()).collect();
    assert_eq!(known, operations, "the table of calls has every operation that changes something");

    let mut answers = BTreeMap::new();
    for (operation, Call { arguments, .. }) in &table {
        let all = join_all((0..AT_ONCE).map(|_| call(&admin, operation, arguments))).await;
        let answer = without_secret(operation, &all[0]);
        for one in &all {
            assert_eq!(without_secret(operation, one), answer, "{operation}");
        }
        if SHOW_ONCE.contains(operation) {
            let told = all.iter().flatten().filter_map(|answer| answer["secret"].as_str());
            assert_eq!(told.filter(|secret| !secret.is_empty()).count(), 1, "{all:?}");
        }
        answers.insert(*operation, answer);
    }
    server.kill();
    let server = Running::start(folder.path(), database.as_deref());
    let admin = server.caller(&key);
    for (operation, Call { arguments, other, seen }) in &table {
        let again = call(&admin, operation, arguments).await;
        assert_eq!(without_secret(operation, &again), answers[operation], "{operation}");
        let conflict = call(&admin, operation, other).await;
        assert_eq!(code(&conflict), "idempotency_conflict", "{operation}: {conflict:?}");
        assert_eq!(conflict.unwrap_err().0, 409, "{operation}");
        if *operation != "user_save" {
            let (key, user) = (format!("once {operation}"), json!({ "id": "x", "roles": [] }));
            let elsewhere = admin.try_call("user_save", user, Some(&key)).await.unwrap();
            assert_eq!(code(&elsewhere), "idempotency_conflict", "{operation}");
        }
        let shown = admin.call(seen.operation, seen.arguments.clone()).await.unwrap();
        assert_eq!((seen.pick)(&shown), seen.once, "{operation}: {shown}");
    }
}
