//! Undoing what was done, over several commits.

use super::*;

/// A trip that is given up on the way: the hotel and the flight are undone, in this order.
fn trip() -> Value {
    json!([
        begin("flight"),
        element("flight", "serviceTask", "hotel", json!({ "job": "flight" })),
        element("no-flight", "boundaryEvent", "", undone("flight", "refund")),
        element("refund", "serviceTask", "", json!({ "job": "refund" })),
        element("hotel", "userTask", "give-up", json!({})),
        element("no-hotel", "boundaryEvent", "", undone("hotel", "cancel-hotel")),
        element("cancel-hotel", "userTask", "", json!({ "name": "Cancel the hotel" })),
        element(
            "give-up",
            "intermediateThrowEvent",
            "done",
            json!({ "name": "Give up", "event": { "compensation": {} } })
        ),
        end("done"),
    ])
}

fn undone(activity: &str, handler: &str) -> Value {
    json!({ "attachedTo": activity, "event": { "compensation": {} }, "handler": handler })
}

#[tokio::test]
async fn handlers_work_one_after_the_other_and_the_timeline_says_so() {
    let world = World::new().await;
    world.publish("trip", trip()).await;
    let id = world.start("trip", json!({})).await;
    world.work("flight", json!({})).await;
    world.complete(&world.ctx, &id, "hotel", json!({})).await.unwrap();
    world.settle().await;
    assert_eq!(world.waiting(&id).await, ["give-up", "cancel-hotel"]);
    let view = world.get(&id).await;
    assert_eq!(
        texts(&view["waits"], "waiting_for"),
        ["what \"Give up\" undoes to be undone", "a person to do \"Cancel the hotel\""]
    );
    assert_eq!(world.claim("refund", 1).await, Vec::<Value>::new());
    world.complete(&world.ctx, &id, "cancel-hotel", json!({})).await.unwrap();
    world.work("refund", json!({ "refunded": 80 })).await;
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.variable(&id, "refunded").await, json!(80));
    let said = world.timeline(&id).await;
    let wanted = ["give-up undoes 2 completed activities", "hotel is undone", "flight is undone"];
    let found: Vec<&String> = said.iter().filter(|it| wanted.contains(&it.as_str())).collect();
    assert_eq!(found, wanted, "{said:?}");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn what_cannot_be_undone_is_not_published() {
    let world = World::new().await;
    let mut process = trip();
    process[2] = element("no-flight", "boundaryEvent", "", undone("flight", "hotel"));
    process[7]["event"] = json!({ "compensation": { "activity": "nothing" } });
    let save = json!({ "compact": { "id": "trip", "elements": process } });
    world.answer("process_save", save).await;
    let refused = world.refusal("process_publish", json!({ "id": "trip" })).await;
    for code in ["flow_at_compensation_handler", "compensation_unreachable"] {
        assert!(format!("{refused:?}").contains(code), "{refused:?}");
    }
}
