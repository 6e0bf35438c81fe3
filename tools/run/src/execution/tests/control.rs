//! Pause, resume, cancel, retry, modify, incidents.

use super::*;

#[tokio::test]
async fn a_paused_instance_waits_and_goes_on() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let control = |action: &str| json!({ "id": id, "action": action, "reason": "holiday" });
    assert_eq!(world.answer("instance_control", control("pause")).await["state"], "paused");
    let refused = world.complete(&world.ctx, &id, "approve", json!({})).await.unwrap_err();
    assert_eq!(refused.code(), "instance_paused");
    assert_eq!(world.answer("instance_control", control("resume")).await["state"], "active");
    assert_eq!(
        world.refusal("instance_control", control("resume")).await.code(),
        "instance_not_paused"
    );
    assert_eq!(world.answer("instance_control", control("cancel")).await["state"], "cancelled");
    assert_eq!(world.refusal("instance_control", control("pause")).await.code(), "instance_state");
    let said = world.timeline(&id).await;
    for sentence in
        ["ada held the instance", "ada resumed the instance", "ada cancelled the instance: holiday"]
    {
        assert!(said.iter().any(|said| said == sentence), "{said:?}");
    }
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_keyed_command_records_its_answer() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let keyed = world.keyed("instance_control", "k1");
    let params = json!({ "id": id, "action": "cancel" });
    let answer = world.call(&keyed, "instance_control", params.clone()).await.unwrap();
    let again = world.call(&keyed, "instance_control", params).await.unwrap_err();
    assert_eq!(again.code(), "instance_state");
    assert_eq!(world.db.recorded_answer(&keyed).await.unwrap(), Some(answer));
}

#[tokio::test]
async fn a_running_instance_is_modified() {
    let world = World::new().await;
    let elements = json!([
        begin("first"),
        element("first", "userTask", "second", json!({})),
        element("second", "userTask", "done", json!({})),
        end("done"),
    ]);
    world.publish("steps", elements).await;
    let id = world.start("steps", json!({})).await;
    let modify = |change: Value| {
        let mut params = change;
        params["id"] = json!(id);
        params
    };
    world.answer("instance_modify", modify(json!({ "variables": { "x": 7 } }))).await;
    assert_eq!(world.variable(&id, "x").await, json!(7));
    world.answer("instance_modify", modify(json!({ "activate": "second" }))).await;
    assert_eq!(world.waiting(&id).await, ["first", "second"]);
    world.answer("instance_modify", modify(json!({ "terminate": "first" }))).await;
    assert_eq!(world.waiting(&id).await, ["second"]);
    for (change, code) in [
        (json!({}), "invalid_arguments"),
        (json!({ "activate": "second", "terminate": "second" }), "invalid_arguments"),
        (json!({ "terminate": "second", "variables": { "x": 1 } }), "invalid_arguments"),
        (json!({ "terminate": "first" }), "invalid_arguments"),
        (json!({ "activate": "nowhere" }), "unknown_element"),
    ] {
        assert_eq!(world.refusal("instance_modify", modify(change)).await.code(), code);
    }
    world.complete(&world.ctx, &id, "second", json!({})).await.unwrap();
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn incidents_are_listed_and_resolved() {
    let world = World::new().await;
    let elements = json!([
        begin("which"),
        element(
            "which",
            "exclusiveGateway",
            "",
            json!({ "next": [{ "to": "done", "when": "size > 3" }] })
        ),
        end("done"),
    ]);
    world.publish("sizes", elements).await;
    let (one, two) = (
        world.start("sizes", json!({ "size": 1 })).await,
        world.start("sizes", json!({ "size": 1 })).await,
    );
    let listed = world.answer("incident_list", json!({ "process": "sizes" })).await;
    assert_eq!(texts(&listed["items"], "kind"), ["no_flow_taken", "no_flow_taken"]);
    let page = world.answer("incident_list", json!({ "limit": 1 })).await;
    assert_eq!(texts(&page["items"], "instance"), [two.as_str()]);
    let next = json!({ "limit": 1, "cursor": page["next_cursor"] });
    let page = world.answer("incident_list", next).await;
    assert_eq!(
        (texts(&page["items"], "instance"), page.get("next_cursor")),
        (vec![one.clone()], None)
    );

    let incident = world.get(&one).await["open_incidents"][0]["id"].clone();
    let resolve = json!({ "id": incident, "variables": { "size": 5 } });
    assert_eq!(world.answer("incident_resolve", resolve.clone()).await["state"], "completed");
    assert_eq!(world.refusal("incident_resolve", resolve).await.code(), "instance_state");
    let unknown = json!({ "id": format!("{two}/999") });
    assert_eq!(world.refusal("incident_resolve", unknown).await.code(), "incident_not_found");

    world.answer("instance_modify", json!({ "id": two, "variables": { "size": 9 } })).await;
    let retry = json!({ "id": two, "action": "retry" });
    assert_eq!(world.answer("instance_control", retry).await["state"], "completed");
    assert_eq!(world.answer("incident_list", json!({})).await["items"], json!([]));
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn a_retry_without_incident_is_refused() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let retry = json!({ "id": id, "action": "retry" });
    assert_eq!(world.refusal("instance_control", retry).await.code(), "invalid_arguments");
}
