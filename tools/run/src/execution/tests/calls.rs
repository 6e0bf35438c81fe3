//! Call activities: a process calls another.

use super::*;

fn parent() -> Value {
    json!([
        begin("call"),
        element("call", "callActivity", "done", json!({ "process": "=target" })),
        element(
            "caught",
            "boundaryEvent",
            "rescued",
            json!({ "attachedTo": "call", "event": { "error": "BAD" } })
        ),
        end("rescued"),
        end("done"),
    ])
}

async fn world() -> World {
    let world = World::new().await;
    world.publish("parent", parent()).await;
    world.publish("child", job()).await;
    world
}

/// The instance that `id` calls now.
async fn child_of(world: &World, id: &str) -> String {
    let stored = world.execution.stored(&world.ctx, id).await.unwrap();
    let mut waits = stored.instance.waits();
    match &waits.next().unwrap().1.kind {
        flowmaster_engine::wait::WaitKind::Child { instance, .. } => instance.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn results_come_back_to_the_caller() {
    let world = world().await;
    let id = world.start("parent", json!({ "target": "child", "n": 1 })).await;
    let child = child_of(&world, &id).await;
    assert_eq!(world.variable(&child, "n").await, json!(1));
    assert!(world.timeline(&child).await[0].contains(&id));
    world.work("work", json!({ "answer": 42 })).await;
    assert_eq!(
        (world.state(&id).await.as_str(), world.state(&child).await.as_str()),
        ("completed", "completed")
    );
    assert_eq!(world.variable(&id, "answer").await, json!(42));
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn an_error_goes_up_to_whoever_catches_it() {
    let world = world().await;
    for (code, state, reached) in [("BAD", "completed", "rescued"), ("WORSE", "active", "")] {
        let id = world.start("parent", json!({ "target": "child" })).await;
        let job = world.claim("work", 1).await.remove(0);
        let failed =
            json!({ "id": job["id"], "epoch": job["epoch"], "message": "no", "error_code": code });
        assert_eq!(world.answer("job_fail", failed).await["state"], "failed");
        world.settle().await;
        assert_eq!(world.state(&id).await, state, "{code}");
        let said = world.timeline(&id).await.join("\n");
        assert!(said.contains(reached), "{said}");
    }
    let incidents = world.answer("incident_list", json!({})).await;
    assert_eq!(texts(&incidents["items"], "kind"), ["unhandled_error"]);
    assert_eq!(world.check_journals().await, 4);
}

#[tokio::test]
async fn a_cancelled_caller_takes_its_call_back() {
    let world = world().await;
    let id = world.start("parent", json!({ "target": "child" })).await;
    let child = child_of(&world, &id).await;
    world.answer("instance_control", json!({ "id": id, "action": "cancel" })).await;
    world.settle().await;
    assert_eq!(world.state(&child).await, "cancelled");
    assert!(world.claim("work", 1).await.is_empty());
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn a_cancelled_call_is_an_incident_that_calls_again() {
    let world = world().await;
    let id = world.start("parent", json!({ "target": "child" })).await;
    let child = child_of(&world, &id).await;
    world.answer("instance_control", json!({ "id": child, "action": "cancel" })).await;
    world.settle().await;
    assert_eq!(world.get(&id).await["incidents"], 1);
    world.answer("instance_control", json!({ "id": id, "action": "retry" })).await;
    world.settle().await;
    assert_ne!(child_of(&world, &id).await, child);
    world.work("work", json!({})).await;
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.check_journals().await, 3);
}

#[tokio::test]
async fn what_cannot_be_called_is_an_incident() {
    let world = world().await;
    let closed = json!({ "id": "closed", "elements": job(), "policies": [{ "id": "closed", "on": ["start"],
        "rule": { "condition": { "when": "false", "reason": "closed" } } }] });
    world.publish_as(closed).await;
    world.answer("process_save", json!({ "compact": { "id": "draft", "elements": job() } })).await;
    for (target, kind) in [
        ("nothing", "called_process_missing"),
        ("draft", "called_process_missing"),
        ("closed", "unhandled_error"),
    ] {
        let id = world.start("parent", json!({ "target": target })).await;
        assert_eq!(world.get(&id).await["open_incidents"][0]["kind"], kind, "{target}");
    }
    assert_eq!(world.check_journals().await, 3);
}

#[tokio::test]
async fn an_end_for_a_paused_caller_is_kept() {
    let world = world().await;
    let id = world.start("parent", json!({ "target": "child" })).await;
    let control = |action: &str| json!({ "id": id, "action": action });
    world.answer("instance_control", control("pause")).await;
    world.work("work", json!({ "answer": 1 })).await;
    world.after(60).await;
    assert_eq!(world.state(&id).await, "paused");
    // Paused once more before anything is carried out.
    world.answer("instance_control", control("resume")).await;
    world.answer("instance_control", control("pause")).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, "paused");
    world.answer("instance_control", control("resume")).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.variable(&id, "answer").await, json!(1));
    assert_eq!(world.check_journals().await, 2);
}
