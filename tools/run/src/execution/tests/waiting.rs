//! What an instance waits for, with the reason.

use super::*;

/// The wait of an element.
async fn wait(world: &World, id: &str, element: &str) -> Value {
    let view = world.get(id).await;
    let waits = view["waits"].as_array().unwrap();
    waits.iter().find(|wait| wait["element"] == element).unwrap().clone()
}

#[tokio::test]
async fn events_say_what_they_wait_for_and_where_it_comes_from() {
    let world = World::new().await;
    let catch = |id: &str, event: Value| {
        element(id, "intermediateCatchEvent", "done", json!({ "event": event }))
    };
    let elements = json!([
        begin("fork"),
        element(
            "fork",
            "parallelGateway",
            "",
            json!({ "next": ["paid", "closing", "later", "ready", "ask"] })
        ),
        catch("paid", json!({ "message": { "name": "paid", "correlation": "order" } })),
        catch("closing", json!({ "signal": "closing" })),
        catch("later", json!({ "duration": "=wait" })),
        catch("ready", json!({ "condition": "stock > 3" })),
        element(
            "ask",
            "userTask",
            "done",
            json!({ "name": "Ask", "assignment": {
            "assignee": "=owner", "groups": "clerk, boss", "users": "zoe" } })
        ),
        json!({ "id": "remind", "type": "boundaryEvent", "attachedTo": "ask", "interrupting": false,
            "event": { "cycle": "R3/PT1H" }, "next": "done" }),
        end("done"),
    ]);
    world.publish("events", elements).await;
    let id = world.start("events", json!({ "order": "7", "wait": "PT2H", "owner": "ann" })).await;
    for (element, expected) in [
        (
            "paid",
            json!({ "kind": "message", "name": "paid", "correlation": "7",
                "waiting_for": "the message \"paid\" for \"7\" at \"paid\"" }),
        ),
        ("closing", json!({ "kind": "signal", "name": "closing" })),
        (
            "later",
            json!({ "kind": "timer", "due_at": "2026-07-10T10:00:00Z", "timer": { "source": "=wait" } }),
        ),
        ("ready", json!({ "kind": "condition", "condition": "stock > 3" })),
        (
            "ask",
            json!({ "kind": "person", "assignee": "ann", "candidate_groups": ["clerk", "boss"],
                "candidate_users": ["zoe"], "waiting_for": "a person to do \"Ask\"" }),
        ),
        (
            "remind",
            json!({ "kind": "timer", "due_at": "2026-07-10T09:00:00Z",
                "timer": { "source": "R3/PT1H", "left": 2, "every": "PT1H" } }),
        ),
    ] {
        let view = wait(&world, &id, element).await;
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&view[field], value, "{element} {field}: {view}");
        }
        assert!(view["id"].as_str().unwrap().starts_with(&id));
    }
}

#[tokio::test]
async fn a_job_says_who_has_it_and_when_it_may_be_tried_again() {
    let world = World::new().await;
    let elements = json!([
        begin("work"),
        element(
            "work",
            "serviceTask",
            "done",
            json!({ "job": "work", "retries": "3", "priority": "=urgency * 10" })
        ),
        end("done"),
    ]);
    world.publish("work", elements).await;
    let slow = world.start("work", json!({ "urgency": 1 })).await;
    let fast = world.start("work", json!({ "urgency": 2 })).await;
    assert_eq!(
        wait(&world, &fast, "work").await["job"],
        json!({ "job_type": "work", "priority": 20, "retries": 3 })
    );
    // The more urgent goes first, though it is younger.
    let job = world.claim("work", 1).await.remove(0);
    assert_eq!(job["instance"], json!(fast));
    let held = wait(&world, &fast, "work").await["job"].clone();
    assert_eq!((&held["held_by"], &held["held_until"]), (&json!("ada"), &job["lease_until"]));
    let failed =
        json!({ "id": job["id"], "epoch": job["epoch"], "message": "503", "back_off_s": 60 });
    world.answer("job_fail", failed).await;
    assert_eq!(
        wait(&world, &fast, "work").await["job"],
        json!({ "job_type": "work", "priority": 20, "retries": 2, "not_before": "2026-07-10T08:01:00Z" })
    );
    assert_eq!(world.claim("work", 5).await[0]["instance"], json!(slow));
    assert_eq!(world.claim("work", 5).await, Vec::<Value>::new());
    world.after(2).await;
    assert_eq!(world.claim("work", 1).await[0]["instance"], json!(fast));
}

#[tokio::test]
async fn a_join_says_what_it_misses() {
    let world = World::new().await;
    for (gateway, next) in [
        ("parallelGateway", json!(["one", "two"])),
        (
            "inclusiveGateway",
            json!([{ "to": "one", "when": "true" }, { "to": "two", "when": "true" }]),
        ),
    ] {
        let elements = json!([
            begin("fork"),
            element("fork", gateway, "", json!({ "next": next })),
            element("one", "userTask", "sync", json!({})),
            element("two", "userTask", "sync", json!({})),
            element("sync", gateway, "done", json!({ "name": "Both" })),
            end("done"),
        ]);
        world.publish(gateway, elements).await;
        let id = world.start(gateway, json!({})).await;
        world.complete(&world.ctx, &id, "one", json!({})).await.unwrap();
        let join = wait(&world, &id, "sync").await;
        assert_eq!(join["kind"], "join");
        assert_eq!(texts(&join["join"]["arrived"], "from"), ["one"]);
        assert_eq!(texts(&join["join"]["missing"], "from"), ["two"]);
        let said = join["waiting_for"].as_str().unwrap();
        assert!(said.ends_with("two at the join \"Both\""), "{said}");
        let found = json!({ "process": gateway, "element": "sync" });
        let page = world.answer("instance_search", found).await;
        assert_eq!(texts(&page["items"], "id"), [id.as_str()]);
        assert!(page["items"][0]["waiting_for"].as_array().unwrap().contains(&json!(said)));
    }
}

#[tokio::test]
async fn work_says_what_the_policies_ask_of_whoever_does_it() {
    let world = World::new().await;
    let policies = json!([
        { "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "starter": true } } },
        { "id": "limit", "on": ["complete"], "rule": { "mandate": {
            "domain": "finance", "action": "approve", "amount": "amount", "currency": "EUR" } } },
        { "id": "open", "on": ["complete"], "rule": { "condition": {
            "when": "amount > 0", "reason": "nothing to approve" } } },
    ]);
    let elements = json!([
        begin("approve"),
        element("approve", "userTask", "done", json!({ "policies": policies })),
        end("done"),
    ]);
    world.publish("order", elements).await;
    let mandate = |id: &str, level: u8| {
        json!({ "id": id, "domain": "finance", "action": "approve", "holder": id,
            "authority": "allow", "level": level })
    };
    let mandates = json!({ "mandates": [mandate("manager", 1), mandate("director", 2)] });
    world.answer("mandate_save", mandates).await;
    let id = world.start("order", json!({ "amount": 5 })).await;
    assert_eq!(
        wait(&world, &id, "approve").await["approval"],
        json!([
            { "policy": "eyes", "what": "somebody other than ada" },
            { "policy": "limit", "what": "a mandate for approve in finance",
                "approvers": ["manager", "director"] },
        ])
    );
}
