//! Activating what is in ad-hoc sub-processes.

use super::*;

/// Checks that somebody selects, until enough were done.
async fn checks(world: &World, ad_hoc: Value) -> String {
    let inside = json!([
        element("call", "userTask", "note", json!({})),
        element("note", "userTask", "", json!({ "next": [] })),
        element("visit", "userTask", "", json!({ "next": [] })),
    ]);
    let elements = json!([
        begin("checks"),
        element(
            "checks",
            "adHocSubProcess",
            "done",
            json!({ "name": "Checks", "elements": inside, "adHoc": ad_hoc })
        ),
        end("done"),
    ]);
    world.publish("checks", elements).await;
    world.start("checks", json!({ "enough": false })).await
}

#[tokio::test]
async fn what_can_begin_is_told_and_activated() {
    let world = World::new().await;
    let id = checks(&world, json!({ "until": "enough" })).await;
    let view = world.get(&id).await;
    assert_eq!(
        texts(&view["waits"], "waiting_for"),
        ["somebody to activate in \"Checks\": call, visit"]
    );
    assert_eq!(view["waits"][0]["kind"], "activation");
    assert_eq!(view["waits"][0]["selectable"], json!(["call", "visit"]));
    let activate = |elements: Value| json!({ "id": id, "elements": elements });
    world.answer("instance_activate", activate(json!(["visit", "call"]))).await;
    assert_eq!(world.waiting(&id).await, ["checks", "visit", "call"]);
    world.complete(&world.ctx, &id, "call", json!({})).await.unwrap();
    let named = json!({ "id": id, "elements": ["call"], "wait": view["waits"][0]["id"] });
    world.answer("instance_activate", named).await;
    assert_eq!(world.waiting(&id).await, ["checks", "visit", "note", "call"]);
    world.complete(&world.ctx, &id, "visit", json!({ "enough": true })).await.unwrap();
    assert_eq!(world.state(&id).await, "completed");
    let said = world.timeline(&id).await;
    for sentence in ["visit, call began in checks", "nothing more begins in checks"] {
        assert!(said.iter().any(|said| said == sentence), "{said:?}");
    }
    let late = world.refusal("instance_activate", activate(json!(["call"]))).await;
    assert_eq!(late.code(), "not_selectable");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn what_cannot_begin_is_refused() {
    let world = World::new().await;
    let id = checks(&world, json!({ "sequential": true, "until": "enough" })).await;
    let wait = world.get(&id).await["waits"][0]["id"].clone();
    for (change, code) in [
        (json!({ "elements": [] }), "not_selectable"),
        (json!({ "elements": ["note"] }), "not_selectable"),
        (json!({ "elements": ["done"] }), "not_selectable"),
        (json!({ "elements": ["call", "visit"] }), "not_selectable"),
        (json!({ "elements": [], "wait": wait }), "not_selectable"),
        (json!({ "elements": ["call"], "wait": "ins_other/1" }), "work_not_found"),
        (json!({ "elements": ["call"], "wait": format!("{id}/999") }), "not_waiting"),
    ] {
        let mut params = change;
        params["id"] = json!(id);
        assert_eq!(
            world.refusal("instance_activate", params.clone()).await.code(),
            code,
            "{params}"
        );
    }
    world.answer("instance_activate", json!({ "id": id, "elements": ["call"] })).await;
    assert_eq!(
        texts(&world.get(&id).await["waits"], "waiting_for"),
        ["what runs in \"Checks\" to be over: one activity at a time", "a person to do \"call\""]
    );
    let second = json!({ "id": id, "elements": ["visit"] });
    assert_eq!(world.refusal("instance_activate", second.clone()).await.code(), "not_selectable");
    world.complete(&world.ctx, &id, "call", json!({})).await.unwrap();
    let waits = world.get(&id).await["waits"].clone();
    assert_eq!(waits[0]["selectable"], json!(["call", "note", "visit"]));
    world.answer("instance_activate", second).await;
    assert_eq!(world.waiting(&id).await, ["checks", "visit"]);
}

#[tokio::test]
async fn policies_say_who_activates() {
    let world = World::new().await;
    let policy = json!({ "id": "only-ada", "on": ["activate"],
        "rule": { "condition": { "when": "actor.id = \"ada\"", "reason": "ask ada" } } });
    let inside =
        json!([element("call", "userTask", "", json!({ "next": [], "policies": [policy] }))]);
    let elements = json!([
        begin("checks"),
        element("checks", "adHocSubProcess", "done", json!({ "elements": inside })),
        end("done"),
    ]);
    world.publish("guarded", elements).await;
    let id = world.start("guarded", json!({})).await;
    let activate = json!({ "id": id, "elements": ["call"] });
    let ben = world.person("ben", &[]);
    let refused = world.call(&ben, "instance_activate", activate.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "governance_refused");
    world.answer("instance_activate", activate).await;
    world.complete(&world.ctx, &id, "call", json!({})).await.unwrap();
    assert_eq!(world.state(&id).await, "completed");
}
