//! Processes that begin by a condition.

use super::*;

fn begun_when(condition: &str) -> Value {
    json!([
        {
            "id": "begin", "type": "startEvent", "next": "approve",
            "event": { "condition": condition }
        },
        element("approve", "userTask", "done", json!({})),
        end("done"),
    ])
}

#[tokio::test]
async fn each_process_whose_condition_holds_begins_once_for_a_call() {
    let world = World::new().await;
    world.publish("hot", begun_when("temperature > 40")).await;
    world.publish("warm", begun_when("temperature > 20")).await;
    world.publish("cold", begun_when("temperature < 5")).await;
    world.publish("wrong", begun_when("temperature + 1")).await;
    let evaluate = json!({ "variables": { "temperature": 30 }, "business_key": "R-1" });
    let answer = world.answer("condition_evaluate", evaluate.clone()).await;
    let begun = answer["started"].as_array().unwrap();
    assert_eq!(begun.len(), 1, "{answer}");
    assert_eq!((&begun[0]["process"], &begun[0]["event"]), (&json!("warm"), &json!("begin")));
    let failed = answer["not_started"].as_array().unwrap();
    assert_eq!((failed.len(), &failed[0]["process"]), (1, &json!("wrong")));
    let id = begun[0]["instance"].as_str().unwrap();
    assert_eq!(world.variable(id, "temperature").await, json!(30));
    let found = world.answer("instance_get", json!({ "id": "R-1" })).await;
    assert_eq!(found["id"], json!(id));

    let keyed = world.keyed("condition_evaluate", "k1");
    let first = world.call(&keyed, "condition_evaluate", evaluate.clone()).await.unwrap();
    assert_ne!(first["started"], answer["started"], "another call");

    let none = world.answer("condition_evaluate", json!({ "variables": {} })).await;
    assert_eq!(none["started"], json!([]), "a variable that is missing does not hold");
    let one = json!({ "variables": { "temperature": 50 }, "process": "hot" });
    let one = world.answer("condition_evaluate", one).await;
    assert_eq!(one["started"].as_array().unwrap().len(), 1);
    let gone = world.refusal("condition_evaluate", json!({ "process": "gone" })).await;
    assert_eq!(gone.code(), "process_not_found");
}

#[tokio::test]
async fn a_parallel_multiple_start_event_waits_for_what_has_not_happened() {
    let world = World::new().await;
    let message = |name: &str| json!({ "message": { "name": name, "correlation": "id" } });
    let start = json!({
        "id": "begin", "type": "startEvent", "next": "approve", "parallel": true,
        "events": [message("ordered"), message("paid"), { "condition": "limit > 10" }]
    });
    let approve = element("approve", "userTask", "done", json!({}));
    world.publish("both", json!([start, approve, end("done")])).await;
    let mail = |name: &str, variables: Value| json!({ "name": name, "correlation": "7", "variables": variables });
    let paid = mail("paid", json!({ "id": 7, "limit": 11 }));
    let begun = world.answer("message_publish", paid).await;
    let id = begun["started"][0].as_str().unwrap().to_owned();
    let ordered = mail("ordered", json!({}));
    let answer = world.answer("message_publish", ordered).await;
    assert_eq!(answer["correlated"], json!([id]));
    let waits =
        world.answer("instance_get", json!({ "id": id, "response_format": "detailed" })).await;
    assert!(waits.to_string().contains("approve"), "{waits}");
    assert_eq!(world.check_journals().await, 1);
}
