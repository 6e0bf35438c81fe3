//! The runtime record, through processes that run on a real database.

mod chain;
mod independent;

use flowmaster_kernel::{Ctx, PrincipalKind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Record;
use crate::testing::{World, begin, element, end, texts};

/// An approval with three policies, of a sum that the process computes.
fn guarded() -> Value {
    let policies = json!([
        { "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "starter": true } } },
        { "id": "limit", "on": ["complete"], "rule": { "condition": {
            "when": "amount <= 1000 and attempt.ok", "reason": "too much",
            "otherwise": "escalate", "approvers": ["board"] } } },
        { "id": "rate", "field": "rate", "rule": { "condition": {
            "when": "attempt.value < 1", "reason": "no" } } },
    ]);
    json!([
        begin("approve"),
        element("approve", "userTask", "done", json!({ "policies": policies })),
        end("done"),
    ])
}

async fn found(world: &World, arguments: Value) -> Vec<Value> {
    world.answer("record_search", arguments).await["items"].as_array().unwrap().clone()
}

fn sha256(text: &str) -> String {
    flowmaster_kernel::hex(&Sha256::digest(text))
}

#[tokio::test]
async fn what_was_tried_is_found_with_what_was_read_and_said() {
    let world = World::new().await;
    world.publish("order", guarded()).await;
    let long = "x".repeat(3_000);
    let id = world.start("order", json!({ "amount": 5000, "note": long })).await;
    let (ben, bob) = (world.person("ben", &[]), world.person("bob", &["board"]));
    let ok = json!({ "ok": true });
    world.complete(&world.ctx, &id, "approve", ok.clone()).await.unwrap_err();
    world.clock.advance_millis(1);
    let refused = world.complete(&ben, &id, "approve", ok).await.unwrap_err();
    assert_eq!(refused.body().details.as_ref().unwrap()["outcome"], "escalate");
    world.clock.advance_millis(1);
    world.complete(&bob, &id, "approve", json!({ "rate": 0.5 })).await.unwrap();

    let all = found(&world, json!({ "instance": id })).await;
    let outcomes: Vec<&Value> = all.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["allow", "escalate", "second_person"], "the newest first");
    for (filter, count) in [
        (json!({ "process": "order" }), 3),
        (json!({ "process": "other" }), 0),
        (json!({ "element": "approve", "actor": "ben" }), 1),
        (json!({ "policy": "rate" }), 1),
        (json!({ "policy": "rat" }), 0),
        (json!({ "policy": "eyes" }), 3),
        (json!({ "outcome": "escalate" }), 1),
        (json!({ "outcome": "refuse" }), 0),
        (json!({ "from": all[1]["at"] }), 2),
        (json!({ "before": all[1]["at"] }), 1),
        (json!({ "from": all[1]["at"], "before": all[0]["at"] }), 1),
    ] {
        assert_eq!(found(&world, filter.clone()).await.len(), count, "{filter}");
    }
    let first = world.answer("record_search", json!({ "limit": 2 })).await;
    let rest = json!({ "limit": 2, "cursor": first["next_cursor"] });
    assert_eq!(world.answer("record_search", rest).await["items"], json!([all[2]]));

    let allowed = world.answer("record_get", json!({ "id": all[0]["id"] })).await;
    let entry = &allowed["entry"];
    assert_eq!(entry["actor"], json!({ "id": "bob", "kind": "person" }));
    assert_eq!((&entry["seq"], &entry["process_version"]), (&json!(4), &json!(1)));
    let policies = json!([
        { "id": "eyes", "rule": "four_eyes", "outcome": "allow" },
        { "id": "limit", "rule": "condition", "outcome": "allow", "approved_by": "bob",
          "read": ["amount"] },
        { "id": "rate", "rule": "condition", "outcome": "allow", "field": "rate" },
    ]);
    assert_eq!(entry["policies"], policies);
    assert_eq!(entry["read"], json!({ "amount": { "hash": sha256("5000"), "value": 5000 } }));
    let merged = sha256(r#"{"ok":true,"rate":0.5}"#);
    assert_eq!(entry["attempt"], merged, "what was proposed counts as attempted");
    let lines =
        format!("\"amount\":{}\n\"note\":{}\n", sha256("5000"), sha256(&format!("\"{long}\"")));
    assert_eq!(entry["state"], sha256(&lines));
    let escalated = world.answer("record_get", json!({ "id": all[1]["id"] })).await;
    let entry = &escalated["entry"];
    assert_eq!((&entry["policy"], &entry["code"]), (&json!("limit"), &json!("escalate")));
    assert_eq!((&entry["reason"], &entry["approvers"]), (&json!("too much"), &json!(["board"])));
    let unknown = world.refusal("record_get", json!({ "id": "rec_none" })).await;
    assert_eq!(unknown.code(), "record_entry_not_found");
}

#[tokio::test]
async fn long_values_are_hashes_and_null_is_a_value() {
    let world = World::new().await;
    let rule =
        json!({ "condition": { "when": "string length(note) > 1 or none = null", "reason": "r" } });
    let policies = json!([{ "id": "long", "on": ["control"], "rule": rule }]);
    let elements =
        json!([begin("wait"), element("wait", "userTask", "done", json!({})), end("done")]);
    world.publish_as(json!({ "id": "p", "elements": elements, "policies": policies })).await;
    let note = "é".repeat(1_024);
    let id = world.start("p", json!({ "note": note, "none": null })).await;
    world.answer("instance_control", json!({ "id": id, "action": "pause" })).await;
    let all = found(&world, json!({})).await;
    let entry = world.answer("record_get", json!({ "id": all[0]["id"] })).await["entry"].clone();
    let note = json!({ "hash": sha256(&json!(note).to_string()) });
    assert_eq!(
        entry["read"],
        json!({ "none": { "hash": sha256("null"), "value": null }, "note": note })
    );
}

#[tokio::test]
async fn a_refused_start_is_in_the_record_alone_and_what_nobody_asks_about_is_not() {
    let world = World::new().await;
    let rule = json!({ "condition": { "when": "actor.id = \"ben\"", "reason": "only ben" } });
    let policies = json!([{ "id": "hours", "on": ["start"], "rule": rule }]);
    let elements =
        json!([begin("wait"), element("wait", "userTask", "done", json!({})), end("done")]);
    world.publish_as(json!({ "id": "closed", "elements": elements, "policies": policies })).await;
    world.refusal("process_start", json!({ "process": "closed" })).await;
    let ben = world.person("ben", &[]);
    let begun = world.call(&ben, "process_start", json!({ "process": "closed" })).await.unwrap();
    world.complete(&ben, begun["id"].as_str().unwrap(), "wait", json!({})).await.unwrap();
    let all = found(&world, json!({})).await;
    assert_eq!(texts(&json!(all), "outcome"), ["allow", "refuse"]);
    let refused = world.answer("record_get", json!({ "id": all[1]["id"] })).await;
    assert_eq!(refused["entry"]["seq"], 0);
    assert_eq!(world.instances().await.len(), 1);
    assert_eq!(world.check_journals().await, 1);
}

/// An agent's work, of which tools are guarded by name.
#[tokio::test]
async fn an_agent_is_told_what_would_be_allowed() {
    let world = World::new().await;
    let rule = json!({ "condition": { "when": "attempt.arguments.sum < limit", "reason": "too much",
        "otherwise": "escalate", "approvers": ["board"] } });
    let policies = json!([{ "id": "small", "tool": "payment_*", "rule": rule }]);
    let pay =
        element("pay", "agentTask", "done", json!({ "agent": "payer", "policies": policies }));
    world.publish("pay", json!([begin("pay"), pay, end("done")])).await;
    let id = world.start("pay", json!({ "limit": 100 })).await;
    let agent = world.principal("ten_a", "agent:payer", PrincipalKind::Agent, &[]);
    let work = world.wait_of(&id, "pay").await;
    let call =
        |tool: &str, sum: u32| json!({ "id": work, "tool": tool, "arguments": { "sum": sum } });
    for (tool, sum) in [("payment_start", 99), ("refund", 500)] {
        world.call(&agent, "job_authorize", call(tool, sum)).await.unwrap();
    }
    let told = world.call(&agent, "job_authorize", call("payment_start", 100)).await.unwrap_err();
    let details = told.body().details.clone().unwrap();
    assert_eq!((told.code(), &details["outcome"]), ("governance_refused", &json!("escalate")));
    assert_eq!(
        (&details["kept"], &details["refusal"]["approvers"]),
        (&json!(false), &json!(["board"]))
    );
    let would = "what fulfils attempt.arguments.sum < limit, or the same by board";
    assert_eq!(details["would_allow"], would);
    let all = found(&world, json!({ "actor": "agent:payer" })).await;
    assert_eq!(texts(&json!(all), "outcome"), ["escalate", "allow"], "nobody asks about a refund");
    assert_eq!(all[0]["tool"], "payment_start");
}

#[tokio::test]
async fn another_tenant_has_a_record_of_its_own() {
    let world = World::new().await;
    world.publish("order", guarded()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    world.complete(&world.ctx, &id, "approve", json!({})).await.unwrap_err();
    let mine = found(&world, json!({})).await;
    let eve = world.principal("ten_b", "eve", PrincipalKind::Person, &[]);
    let empty = world.call(&eve, "record_search", json!({})).await.unwrap();
    assert_eq!(empty["items"], json!([]));
    let hidden = world.call(&eve, "record_get", json!({ "id": mine[0]["id"] })).await.unwrap_err();
    assert_eq!(hidden.code(), "record_entry_not_found");
    let none = world.call(&eve, "record_export", json!({})).await.unwrap();
    assert_eq!(none["lines"].as_array().unwrap().len(), 2);
}

/// Seals everything.
async fn seal(world: &World, ctx: &Ctx) -> usize {
    Record::new(world.db.clone()).seal(ctx, None).await.unwrap()
}
