//! Lists, cursors, timelines, and what other tenants see.

use super::*;
use flowmaster_kernel::PrincipalKind;

#[tokio::test]
async fn instances_are_found_the_newest_first() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let by_message = json!([
        element(
            "ordered",
            "startEvent",
            "done",
            json!({ "event": { "message": { "name": "ordered" } } })
        ),
        end("done"),
    ]);
    world.publish("mail", by_message).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        world.clock.advance_millis(60_000);
        let params = json!({ "process": "order", "variables": { "amount": n }, "business_key": format!("K-{}", n % 2) });
        ids.insert(
            0,
            world.answer("process_start", params).await["id"].as_str().unwrap().to_owned(),
        );
    }
    world.clock.advance_millis(60_000);
    let mailed =
        world.answer("message_publish", json!({ "name": "ordered", "message_id": "x" })).await;
    ids.insert(0, mailed["started"][0].as_str().unwrap().to_owned());

    let mut seen = Vec::new();
    let mut params = json!({ "limit": 2 });
    loop {
        let page = world.answer("instance_search", params.clone()).await;
        seen.extend(texts(&page["items"], "id"));
        match page.get("next_cursor") {
            Some(cursor) => params["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    world.answer("instance_control", json!({ "id": ids[1], "action": "pause" })).await;
    for (filter, wanted) in [
        (json!({ "process": "mail" }), vec![0]),
        (json!({ "state": "completed" }), vec![0]),
        (json!({ "state": "paused" }), vec![1]),
        (json!({ "business_key": "K-1" }), vec![2, 4]),
        (json!({ "process": "order", "state": "active", "business_key": "K-0" }), vec![3, 5]),
        (json!({ "started_from": "2026-07-10T08:05:00Z" }), vec![0, 1]),
        (json!({ "started_before": "2026-07-10T08:02:00Z" }), vec![5]),
        (json!({ "with_incidents": true }), vec![]),
    ] {
        let page = world.answer("instance_search", filter.clone()).await;
        let wanted: Vec<&str> = wanted.into_iter().map(|at: usize| ids[at].as_str()).collect();
        assert_eq!(texts(&page["items"], "id"), wanted, "{filter}");
    }
    assert_eq!(world.get("K-1").await["id"], json!(ids[2]), "the newest of a business key");
    for (params, code) in [
        (json!({ "state": "sleepy" }), "invalid_state"),
        (json!({ "limit": 51 }), "invalid_limit"),
        (json!({ "cursor": "x" }), "invalid_cursor"),
    ] {
        assert_eq!(world.refusal("instance_search", params).await.code(), code);
    }
    assert_eq!(world.check_journals().await, 6);
}

#[tokio::test]
async fn a_timeline_tells_who_did_what() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let ben = world.person("ben", &[]);
    world.complete(&ben, &id, "approve", json!({ "ok": true })).await.unwrap();
    assert_eq!(
        world.timeline(&id).await,
        [
            "ada started the instance",
            "set amount",
            "begin completed",
            "set total",
            "double completed",
            "approve waits for a person",
            "ben completed approve",
            "set ok",
            "approve completed",
            "done completed",
            "the instance completed",
        ]
    );
    let first = world.answer("instance_timeline", json!({ "id": id, "limit": 1 })).await;
    assert_eq!(
        (&first["items"][0]["seq"], &first["items"][0]["actor"]),
        (&json!(1), &json!("ada"))
    );
    assert!(first["items"][0].get("events").is_none());
    let next = json!({ "id": id, "limit": 1, "cursor": first["next_cursor"], "response_format": "detailed" });
    let second = world.answer("instance_timeline", next).await;
    assert_eq!((&second["items"][0]["seq"], second.get("next_cursor")), (&json!(2), None));
    assert_eq!(second["items"][0]["events"][0]["type"], "work_completed");
    let bad = json!({ "id": id, "cursor": "x" });
    assert_eq!(world.refusal("instance_timeline", bad).await.code(), "invalid_cursor");
}

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let world = World::new().await;
    let waiting = json!([
        begin("fork"),
        element(
            "fork",
            "parallelGateway",
            "",
            json!({ "next": ["wait", "hear", "work", "which"] })
        ),
        element(
            "wait",
            "receiveTask",
            "done",
            json!({ "event": { "message": { "name": "paid", "correlation": "order" } } })
        ),
        element(
            "hear",
            "intermediateCatchEvent",
            "done",
            json!({ "event": { "signal": "closing" } })
        ),
        element("work", "serviceTask", "done", json!({ "job": "work" })),
        element(
            "which",
            "exclusiveGateway",
            "",
            json!({ "next": [{ "to": "done", "when": "false" }] })
        ),
        end("done"),
    ]);
    world.publish("order", waiting).await;
    let by_message = json!([
        element("m", "startEvent", "done", json!({ "event": { "message": { "name": "paid" } } })),
        end("done")
    ]);
    world.publish("mail", by_message).await;
    let params = json!({ "process": "order", "variables": { "order": "1" }, "business_key": "K" });
    let id = world.answer("process_start", params).await["id"].as_str().unwrap().to_owned();
    let before = world.get(&id).await;
    let job = world.wait_of(&id, "work").await;
    let incident = before["open_incidents"][0]["id"].clone();
    let eve = world.principal("ten_b", "ada", PrincipalKind::Person, &["director"]);
    for (operation, params) in [
        ("process_get", json!({ "id": "order" })),
        ("process_publish", json!({ "id": "order" })),
        ("process_validate", json!({ "id": "order" })),
        ("process_start", json!({ "process": "order" })),
        (
            "scenario_run",
            json!({ "scenario": "name: x\nmodels: [process.bpmn]", "process": "order" }),
        ),
        ("instance_get", json!({ "id": id })),
        ("instance_get", json!({ "id": "K" })),
        ("instance_timeline", json!({ "id": id })),
        ("instance_control", json!({ "id": id, "action": "cancel" })),
        ("instance_modify", json!({ "id": id, "variables": { "x": 1 } })),
        ("instance_modify", json!({ "id": id, "variables": { "x": 1 }, "dry_run": true })),
        ("incident_list", json!({ "instance": id })),
        ("incident_resolve", json!({ "id": incident })),
        ("job_complete", json!({ "id": job, "epoch": 1 })),
        ("job_fail", json!({ "id": job, "epoch": 1, "message": "no" })),
        ("job_authorize", json!({ "id": job, "tool": "x" })),
    ] {
        let refused = world.call(&eve, operation, params).await.unwrap_err();
        assert!(refused.code().ends_with("_not_found"), "{operation}: {refused}");
    }
    for (operation, params, empty) in [
        ("process_search", json!({}), json!({ "items": [] })),
        ("instance_search", json!({}), json!({ "items": [] })),
        ("incident_list", json!({}), json!({ "items": [] })),
        (
            "incident_resolve_all",
            json!({ "process": "order" }),
            json!({ "dry_run": false, "items": [] }),
        ),
        ("job_claim", json!({ "job_type": "work" }), json!({ "jobs": [] })),
        (
            "message_publish",
            json!({ "name": "paid", "correlation": "1", "ttl_s": 0 }),
            json!({ "correlated": [], "started": [], "buffered": false }),
        ),
        (
            "signal_broadcast",
            json!({ "name": "closing" }),
            json!({ "correlated": [], "started": [], "buffered": false }),
        ),
    ] {
        assert_eq!(world.call(&eve, operation, params).await.unwrap(), empty, "{operation}");
    }
    let (saved, draft) =
        ("process_save", json!({ "compact": { "id": "order", "elements": job_only() } }));
    world.call(&eve, saved, draft).await.unwrap();
    assert_eq!(world.get(&id).await, before);
    assert_eq!(world.answer("process_get", json!({ "id": "order" })).await["version"], 1);
}

fn job_only() -> Value {
    super::job()
}
