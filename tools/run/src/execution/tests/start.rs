//! Starting: contracts, idempotency, waiting for the end.

use super::*;
use flowmaster_kernel::Ctx;

#[tokio::test]
async fn a_process_runs_from_start_to_end() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let started = world
        .answer(
            "process_start",
            json!({ "process": "order", "variables": { "amount": 4 }, "business_key": "K-1" }),
        )
        .await;
    assert_eq!(started["state"], "active");
    assert_eq!(started["waiting_for"], json!(["a person to do \"Approve it\""]));
    let id = started["id"].as_str().unwrap();
    assert_eq!(world.variable(id, "total").await, json!(8));
    assert_eq!(world.get("K-1").await["id"], started["id"]);

    world.complete(&world.ctx, id, "approve", json!({ "approved": true })).await.unwrap();
    let ended = world.get(id).await;
    assert_eq!(ended["state"], "completed");
    assert_eq!(ended["result"], json!({ "amount": 4, "approved": true, "total": 8 }));
    assert_eq!(ended["ended_at"], "2026-07-10T08:00:00Z");
    assert_eq!(ended["started_by"], "ada");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn what_does_not_fit_the_contract_does_not_start() {
    let world = World::new().await;
    let mut order = json!({ "id": "order", "elements": approval() });
    order["input"] = json!({ "type": "object", "required": ["amount"],
        "properties": { "amount": { "type": "number", "minimum": 1 } } });
    order["result"] = json!(["total"]);
    world.publish_as(order).await;
    for (variables, problem) in [
        (json!({}), "\"amount\" is a required property"),
        (json!({ "amount": "7" }), "/amount"),
        (json!({ "amount": 0 }), "/amount"),
    ] {
        let refused = world
            .refusal("process_start", json!({ "process": "order", "variables": variables }))
            .await;
        assert_eq!(refused.code(), "invalid_variables");
        assert!(refused.body().why.as_ref().unwrap().contains(problem), "{refused}");
    }
    for (params, code) in [
        (json!({ "process": "nothing" }), "process_not_found"),
        (json!({ "process": "order", "version": 2 }), "process_not_found"),
        (json!({ "process": "order", "business_key": "k".repeat(501) }), "text_too_long"),
        (json!({ "process": "order", "colour": 1 }), "invalid_arguments"),
    ] {
        assert_eq!(world.refusal("process_start", params).await.code(), code);
    }
    world.answer("process_save", json!({ "compact": { "id": "draft", "elements": job() } })).await;
    let draft = world.refusal("process_start", json!({ "process": "draft" })).await;
    assert_eq!(draft.code(), "process_not_published");
    assert!(world.instances().await.is_empty());

    let id = world.start("order", json!({ "amount": 1, "other": true })).await;
    world.complete(&world.ctx, &id, "approve", json!({})).await.unwrap();
    assert_eq!(world.get(&id).await["result"], json!({ "total": 2 }));
}

#[tokio::test]
async fn the_same_key_starts_once() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let keyed = world.keyed("process_start", "k1");
    let params = json!({ "process": "order", "variables": { "amount": 1 } });
    let started = world.call(&keyed, "process_start", params.clone()).await.unwrap();
    // The answer is in the commit of the start.
    assert_eq!(world.db.recorded_answer(&keyed).await.unwrap(), Some(started.clone()));
    let again = world.call(&keyed, "process_start", params.clone()).await.unwrap_err();
    assert_eq!(again.code(), "idempotency_recorded");
    let once = || world.call(&keyed, "process_start", params.clone());
    assert_eq!(world.db.once(&keyed, once).await.unwrap(), started);
    assert_eq!(world.instances().await.len(), 1);
}

#[tokio::test]
async fn a_start_waits_for_the_result() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let start = world.answer("process_start", json!({ "process": "work", "wait_s": 20 }));
    let worker = async {
        let mut jobs = world.claim("work", 1).await;
        while jobs.is_empty() {
            tokio::task::yield_now().await;
            jobs = world.claim("work", 1).await;
        }
        let done = json!({ "id": jobs[0]["id"], "epoch": 1, "variables": { "answer": 42 } });
        world.answer("job_complete", done).await
    };
    let (started, _) = tokio::join!(start, worker);
    assert_eq!(started["state"], "completed");
    assert_eq!(started["result"], json!({ "answer": 42 }));
}

#[tokio::test]
async fn a_deadline_ends_the_wait_and_not_the_instance() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let hurried = Ctx { deadline: Some(world.ctx.now().plus_millis(400)), ..world.ctx.clone() };
    let params = json!({ "process": "work", "wait_s": 25 });
    let started = world.call(&hurried, "process_start", params).await.unwrap();
    assert_eq!(started["state"], "active");
}

#[tokio::test]
async fn new_instances_run_on_the_newest_version_and_old_ones_keep_theirs() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let old = world.start("order", json!({ "amount": 1 })).await;
    assert_eq!(world.publish("order", job()).await["version"], 2);
    let new = world.start("order", json!({})).await;
    assert_eq!(world.waiting(&old).await, ["approve"]);
    assert_eq!(world.waiting(&new).await, ["work"]);
    let pinned = json!({ "process": "order", "version": 1, "variables": { "amount": 1 } });
    assert_eq!(world.answer("process_start", pinned).await["process_version"], 1);
    assert_eq!(world.check_journals().await, 3);
}

#[tokio::test]
async fn every_item_of_a_multi_instance_task_is_done() {
    let world = World::new().await;
    let vote = json!({ "forEach": { "collection": "people", "item": "person",
        "collect": "votes", "collectValue": "vote" } });
    world
        .publish(
            "poll",
            json!([begin("ask"), element("ask", "userTask", "done", vote), end("done")]),
        )
        .await;
    let id = world.start("poll", json!({ "people": ["ann", "ben", "cy"] })).await;
    assert_eq!(world.waiting(&id).await, ["ask", "ask", "ask"]);
    for vote in [1, 2, 3] {
        world.complete(&world.ctx, &id, "ask", json!({ "vote": vote })).await.unwrap();
    }
    assert_eq!(world.get(&id).await["result"]["votes"], json!([1, 2, 3]));
    assert_eq!(world.check_journals().await, 1);
}
