//! What is announced, to whom, and in which order.

use flowmaster_store::{WriteSet, listeners};

use super::*;

async fn listen(world: &World, begins: bool) {
    let mut writes = WriteSet::new();
    match begins {
        true => listeners::listen(&mut writes, "test"),
        false => listeners::leave(&mut writes, "test"),
    }
    world.db.submit(&world.ctx, writes).await.unwrap();
}

/// The types of what was announced since the last time, each with the element.
async fn heard(world: &World) -> Vec<String> {
    world.settle().await;
    let heard = std::mem::take(&mut *world.heard.lock());
    let told = |announced: &crate::announced::Announced| {
        let told = serde_json::to_value(announced).unwrap();
        let element = told["data"].get("element").and_then(Value::as_str).unwrap_or_default();
        format!("{} {element}", told["type"].as_str().unwrap()).trim_end().to_owned()
    };
    heard.iter().map(told).collect()
}

/// A person may reject; the script stops without a size.
fn steps() -> Value {
    json!([
        begin("ask"),
        element("ask", "userTask", "count", json!({})),
        element(
            "no",
            "boundaryEvent",
            "done",
            json!({ "attachedTo": "ask", "event": { "error": "REJECTED" } })
        ),
        element("count", "scriptTask", "done", json!({ "script": "size + 1", "result": "more" })),
        end("done"),
    ])
}

#[tokio::test]
async fn only_a_tenant_with_a_listener_is_announced_anything() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    world.start("steps", json!({})).await;
    assert_eq!(heard(&world).await, Vec::<String>::new());
    listen(&world, true).await;
    // What this node believes is found to be wrong by the first who writes.
    let id = world.start("steps", json!({})).await;
    assert_eq!(heard(&world).await, ["instance.started", "task.created ask"]);
    listen(&world, false).await;
    world.complete(&world.ctx, &id, "ask", json!({ "size": 1 })).await.unwrap();
    assert_eq!(heard(&world).await, Vec::<String>::new());
    listen(&world, true).await;
    let other = world.other_node();
    let id = world.start("steps", json!({})).await;
    heard(&world).await;
    let cancel = json!({ "id": id, "action": "cancel" });
    other.1.get("instance_control").unwrap().call(world.ctx.clone(), cancel).await.unwrap();
    assert_eq!(heard(&world).await, ["task.cancelled ask", "instance.cancelled"]);
    assert_eq!(world.check_journals().await, 3);
}

#[tokio::test]
async fn what_began_is_announced_as_gone_once_whatever_way_it_goes() {
    let world = World::new().await;
    listen(&world, true).await;
    world.publish("steps", steps()).await;
    assert_eq!(heard(&world).await, ["process.published"]);
    let id = world.start("steps", json!({})).await;
    assert_eq!(heard(&world).await, ["instance.started", "task.created ask"]);
    world.complete(&world.ctx, &id, "ask", json!({})).await.unwrap();
    assert_eq!(heard(&world).await, ["task.completed ask", "incident.raised count"]);
    let incident = world.get(&id).await["open_incidents"][0]["id"].clone();
    let resolve = |size: Value| json!({ "id": incident, "variables": { "size": size } });
    world.answer("incident_resolve", resolve(json!(1))).await;
    assert_eq!(heard(&world).await, ["incident.resolved count", "instance.completed"]);

    let id = world.start("steps", json!({})).await;
    heard(&world).await;
    let work: crate::execution::WorkRef = world.wait_of(&id, "ask").await.parse().unwrap();
    let nothing = |_: &crate::execution::Stored| Ok(WriteSet::new());
    let reject = world.execution.reject_human_task(&world.ctx, &work, "REJECTED", "no", &nothing);
    reject.await.unwrap();
    assert_eq!(heard(&world).await, ["task.rejected ask", "instance.completed"]);

    let id = world.start("steps", json!({})).await;
    world.complete(&world.ctx, &id, "ask", json!({})).await.unwrap();
    heard(&world).await;
    let away = json!({ "id": id, "instructions": [{ "action": "terminate", "element": "count" }] });
    world.answer("instance_modify", away).await;
    assert_eq!(heard(&world).await, ["incident.resolved count", "instance.cancelled"]);
    for action in ["pause", "resume"] {
        let id = world.start("steps", json!({})).await;
        world.answer("instance_control", json!({ "id": id, "action": "pause" })).await;
        heard(&world).await;
        if action == "resume" {
            world.answer("instance_control", json!({ "id": id, "action": "resume" })).await;
            assert_eq!(heard(&world).await, ["instance.resumed"]);
        }
    }
    assert_eq!(world.check_journals().await, 5);
}

#[tokio::test]
async fn an_instance_that_an_error_ended_is_announced_as_failed() {
    let world = World::new().await;
    listen(&world, true).await;
    let call = json!([
        begin("call"),
        element("call", "callActivity", "done", json!({ "process": "child" })),
        element(
            "caught",
            "boundaryEvent",
            "done",
            json!({ "attachedTo": "call", "event": { "error": "BAD" } })
        ),
        end("done"),
    ]);
    world.publish("child", job()).await;
    world.publish("parent", call).await;
    world.start("parent", json!({})).await;
    heard(&world).await;
    let job = world.claim("work", 1).await.remove(0);
    let failed =
        json!({ "id": job["id"], "epoch": job["epoch"], "message": "no", "error_code": "BAD" });
    world.answer("job_fail", failed).await;
    assert_eq!(heard(&world).await, ["instance.failed", "instance.completed"]);
}

#[tokio::test]
async fn many_announcements_of_one_step_go_out_in_parts_and_in_order() {
    let world = World::new().await;
    listen(&world, true).await;
    let many = json!({ "forEach": { "collection": "items", "item": "item" } });
    let steps = json!([begin("ask"), element("ask", "userTask", "done", many), end("done")]);
    world.publish("many", steps).await;
    heard(&world).await;
    let items: Vec<u32> = (0..250).collect();
    world.start("many", json!({ "items": items })).await;
    let told = heard(&world).await;
    assert_eq!((told.len(), &*told[0]), (251, "instance.started"));
    assert!(told[1..].iter().all(|told| told == "task.created ask"));
}
