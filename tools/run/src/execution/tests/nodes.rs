//! Concurrent commands, on one node and on two.

use futures::future::join_all;

use super::*;

#[tokio::test]
async fn commands_of_one_instance_are_serial() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    // Both know of the task before either completes it.
    let work = world.wait_of(&id, "approve").await;
    let (one, two) = tokio::join!(
        world.complete_work(&world.ctx, &work, json!({ "by": 1 })),
        world.complete_work(&world.ctx, &work, json!({ "by": 2 })),
    );
    let (ok, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    assert!(ok.is_ok());
    assert_eq!(refused.unwrap_err().code(), "instance_state");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn many_workers_complete_the_items_of_one_activity() {
    let world = World::new().await;
    let each = json!({ "job": "item", "forEach": { "times": "40", "collect": "results", "collectValue": "n" } });
    world
        .publish(
            "batch",
            json!([begin("item"), element("item", "serviceTask", "done", each), end("done")]),
        )
        .await;
    let id = world.start("batch", json!({})).await;
    let jobs = world.claim("item", 40).await;
    assert_eq!(jobs.len(), 40);
    let done = jobs.iter().zip(0..).map(|(job, n): (_, i32)| {
        world.answer(
            "job_complete",
            json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "n": n } }),
        )
    });
    join_all(done).await;
    let view = world.get(&id).await;
    assert_eq!(view["state"], "completed");
    assert_eq!(view["variables"]["results"].as_array().unwrap().len(), 40);
    assert_eq!(world.execution.turns.len(), 0, "no turn is left behind");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_node_that_lags_behind_looks_again() {
    let world = World::new().await;
    let elements = json!([
        begin("first"),
        element("first", "serviceTask", "second", json!({ "job": "first" })),
        element("second", "serviceTask", "done", json!({ "job": "second" })),
        end("done"),
    ]);
    world.publish("steps", elements).await;
    let (_, other) = world.other_node();
    let on_other = |operation: &str, arguments: Value| {
        other.get(operation).unwrap().call(world.ctx.clone(), arguments)
    };
    let id = world.start("steps", json!({})).await;
    // Now the other node knows the instance at its first step.
    on_other("instance_modify", json!({ "id": id, "variables": { "x": 1 } })).await.unwrap();
    world.work("first", json!({})).await;
    let job = world.claim("second", 1).await.remove(0);
    let done = json!({ "id": job["id"], "epoch": job["epoch"] });
    assert_eq!(on_other("job_complete", done).await.unwrap()["state"], "completed");
    assert_eq!(world.variable(&id, "x").await, json!(1));
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn two_nodes_that_change_one_instance_lose_nothing() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let (_, other) = world.other_node();
    let sets = (0..20).map(|n| {
        let mut variables = serde_json::Map::new();
        variables.insert(format!("v{n}"), json!(n));
        let catalogue = if n % 2 == 0 { &world.catalogue } else { &other };
        let arguments = json!({ "id": id, "variables": variables });
        catalogue.get("instance_modify").unwrap().call(world.ctx.clone(), arguments)
    });
    for set in join_all(sets).await {
        set.unwrap();
    }
    let variables = world.get(&id).await["variables"].as_object().unwrap().clone();
    assert!((0..20).all(|n| variables[&format!("v{n}")] == json!(n)));
    assert_eq!(world.check_journals().await, 1);
}
