//! Completing, rejecting, and tasks that are no longer needed.

use super::*;

fn with_form() -> Value {
    json!({ "assignment": { "groups": "clerk", "form": {
        "type": "object", "required": ["approved"], "additionalProperties": false,
        "properties": { "approved": { "type": "boolean" },
            "amount": { "type": "number", "minimum": 1 }, "note": { "type": "string" } } } } })
}

#[tokio::test]
async fn an_answer_is_checked_and_its_corrections_are_kept() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&with_form()).await;
    let seen = world.get(&world.ben, &id).await;
    assert_eq!(seen["prefill"], json!({ "amount": 100, "note": "n" }));
    assert!(seen.get("variables").is_none());
    for (variables, problem) in [
        (json!({}), "\"approved\" is a required property"),
        (json!({ "approved": "yes" }), "/approved"),
        (json!({ "approved": true, "amount": 0 }), "/amount"),
        (json!({ "approved": true, "secret": 2 }), "secret"),
    ] {
        let answer = json!({ "id": id, "variables": variables });
        let refused = world.refusal(&world.ben, "task_complete", answer).await;
        assert_eq!(refused.code(), "invalid_answer");
        assert!(refused.body().why.as_ref().unwrap().contains(problem), "{refused}");
    }
    assert_eq!(world.instance(&instance).await["state"], "active");

    // A number of the same value is no correction.
    let answer = json!({ "id": id,
        "variables": { "approved": true, "amount": 100.0, "note": "new" } });
    let ctx = keyed(&world.ben, "task_complete");
    let done = world.call(&ctx, "task_complete", answer.clone()).await.unwrap();
    assert_eq!(done["corrections"], json!([{ "field": "note", "from": "n", "to": "new" }]));
    assert_eq!(
        (&done["state"], &done["instance_state"]),
        (&json!("completed"), &json!("completed"))
    );
    // The answer is in the commit that moved the instance on.
    assert_eq!(world.db.recorded_answer(&ctx).await.unwrap(), Some(done.clone()));
    let once = || world.call(&ctx, "task_complete", answer.clone());
    assert_eq!(world.db.once(&ctx, once).await.unwrap(), done);

    let variables = &world.instance(&instance).await["variables"];
    assert_eq!((&variables["note"], &variables["approved"]), (&json!("new"), &json!(true)));
    world.settle().await;
    let closed = world.get(&world.ben, &id).await;
    assert_eq!(
        (&closed["state"], &closed["closed_by"], &closed["corrections"]),
        (&json!("completed"), &json!("ben"), &done["corrections"])
    );
}

#[tokio::test]
async fn a_rejection_that_nobody_catches_is_refused() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&clerks()).await;
    let reject = json!({ "id": id, "reason": "wrong address" });
    let refused = world.refusal(&world.ben, "task_reject", reject).await;
    assert_eq!(refused.code(), "rejection_not_modelled");
    let view = world.instance(&instance).await;
    assert_eq!((&view["state"], &view["incidents"]), (&json!("active"), &json!(0)));
    assert_eq!(world.get(&world.ben, &id).await["state"], "ready");
    for (params, code) in [
        (json!({ "id": id, "reason": " " }), "invalid_text"),
        (json!({ "id": id, "reason": "no", "code": "" }), "invalid_text"),
        (json!({ "id": id, "reason": "no", "code": "x".repeat(201) }), "invalid_text"),
    ] {
        assert_eq!(world.refusal(&world.ben, "task_reject", params).await.code(), code);
    }
}

/// Publishes a process and rejects its task; says how the instance ended.
async fn rejected(world: &World, id: &str, elements: Value, code: Option<&str>) -> Result<Value> {
    world.publish(id, elements).await;
    let instance = world.start(id, json!({ "target": "called" })).await;
    let all = json!({ "filter": "all_open" });
    let page = world.answer(&world.ada, "task_list", all).await;
    let task = page["items"][0]["id"].clone();
    let params = json!({ "id": task, "reason": "no", "code": code });
    let closed = world.call(&world.ben, "task_reject", params).await;
    if closed.is_err() {
        world
            .answer(&world.ada, "instance_control", json!({ "id": instance, "action": "cancel" }))
            .await;
    }
    world.settle().await;
    let closed = closed?;
    assert_eq!(closed["state"], "failed");
    assert_eq!(world.get(&world.ben, task.as_str().unwrap()).await["closed_by"], "ben");
    Ok(world.instance(&instance).await["state"].clone())
}

#[tokio::test]
async fn a_rejection_goes_to_whoever_catches_it() {
    let world = World::new().await;
    let caught_on = |activity: &str, code: &str| {
        json!({ "id": "no", "type": "boundaryEvent", "attachedTo": activity,
            "event": { "error": code }, "next": "done" })
    };
    let begin = |next: &str| json!({ "id": "begin", "type": "startEvent", "next": next });
    let done = json!({ "id": "done", "type": "endEvent" });
    let on_task = |code: &str| {
        json!([
            begin("approve"),
            task("approve", "done", &clerks()),
            caught_on("approve", code),
            done
        ])
    };
    let around = json!([
        begin("sub"),
        { "id": "sub", "type": "subProcess", "next": "done", "elements": [
            { "id": "s", "type": "startEvent", "next": "approve" },
            task("approve", "e", &clerks()),
            { "id": "e", "type": "endEvent" },
        ] },
        caught_on("sub", ""),
        done,
    ]);
    let handler = json!([
        begin("approve"),
        task("approve", "done", &clerks()),
        done,
        { "id": "handler", "type": "eventSubProcess", "elements": [
            { "id": "h", "type": "startEvent", "event": { "error": "REJECTED" }, "next": "he" },
            { "id": "he", "type": "endEvent" },
        ] },
    ]);
    world.publish("called", one("approve", &clerks())).await;
    let call =
        json!({ "id": "call", "type": "callActivity", "process": "=target", "next": "done" });
    let caller = json!([begin("call"), call, caught_on("call", "REJECTED"), done]);
    let deaf_caller = json!([begin("call"), call, done]);
    for (elements, code, caught) in [
        (on_task("REJECTED"), None, true),
        (on_task("OTHER"), None, false),
        (on_task("OTHER"), Some("OTHER"), true),
        (on_task(""), Some("ANY"), true),
        (around, None, true),
        (handler, None, true),
        (caller, None, true),
        (deaf_caller, None, false),
    ] {
        let shown = elements.to_string();
        match rejected(&world, "order", elements, code).await {
            Ok(state) => assert!(caught && state == "completed", "{state} {shown}"),
            Err(error) => {
                assert!(!caught, "{error} {shown}");
                assert_eq!(error.code(), "rejection_not_modelled");
            }
        }
    }
}

#[tokio::test]
async fn a_task_that_is_no_longer_needed_is_obsolete() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&clerks()).await;
    world.answer(&world.ben, "task_claim", json!({ "id": id })).await;
    world
        .answer(&world.ada, "instance_control", json!({ "id": instance, "action": "cancel" }))
        .await;
    // Before it is told, completing is refused by the instance.
    let early = world.refusal(&world.ben, "task_complete", json!({ "id": id })).await;
    assert_eq!(early.code(), "instance_state");
    world.settle().await;
    assert_eq!(world.get(&world.ben, &id).await["state"], "obsolete");
    assert!(world.list(&world.ben, "todo").await.is_empty());
    for operation in ["task_claim", "task_complete", "task_release"] {
        let refused = world.refusal(&world.ben, operation, json!({ "id": id })).await;
        assert_eq!(refused.code(), "task_state", "{operation}");
    }
}

#[tokio::test]
async fn a_task_of_a_paused_instance_waits() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&clerks()).await;
    let control = |action: &str| json!({ "id": instance, "action": action });
    world.answer(&world.ada, "instance_control", control("pause")).await;
    let refused = world.refusal(&world.ben, "task_complete", json!({ "id": id })).await;
    assert_eq!(refused.code(), "instance_paused");
    world.answer(&world.ada, "instance_control", control("resume")).await;
    world.answer(&world.ben, "task_complete", json!({ "id": id })).await;
}
