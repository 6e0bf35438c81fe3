//! Modification of running instances.

use super::*;

fn steps() -> Value {
    json!([
        begin("first"),
        element("first", "userTask", "second", json!({})),
        element("second", "userTask", "done", json!({})),
        end("done"),
    ])
}

fn change(id: &str, fields: Value) -> Value {
    let mut params = fields;
    params["id"] = json!(id);
    params
}

#[tokio::test]
async fn a_running_instance_is_modified_in_one_step() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    let id = world.start("steps", json!({})).await;
    let modify = async |fields: Value| world.answer("instance_modify", change(&id, fields)).await;
    let only = modify(json!({ "variables": { "x": 7 } })).await;
    assert_eq!((&only["dry_run"], &only["state"]), (&json!(false), &json!("active")));
    assert_eq!(world.variable(&id, "x").await, json!(7));
    let moved = modify(json!({
        "instructions": [
            { "action": "move", "element": "first", "to": "second", "variables": { "own": 1 } },
            { "action": "activate", "element": "first" },
        ],
        "variables": { "x": 8 },
        "reason": "wrong way",
    }))
    .await;
    let waiting_for = json!(["a person to do \"second\"", "a person to do \"first\""]);
    assert_eq!(moved["waiting_for"], waiting_for);
    let view = world.get(&id).await;
    assert_eq!(
        (&view["variables"]["x"], view["elements"].as_array().unwrap().len()),
        (&json!(8), 2)
    );
    let second = &view["elements"][0];
    assert_eq!(
        (&second["element"], &second["variables"]),
        (&json!("second"), &json!({ "own": 1 }))
    );
    modify(json!({ "instructions": [{ "action": "terminate", "key": second["key"] }] })).await;
    assert_eq!(world.waiting(&id).await, ["first"]);
    let said = world.timeline(&id).await;
    let sentence = "ada modified the instance (first moved to second, first activated): wrong way";
    assert!(said.iter().any(|said| said == sentence), "{said:?}");
    assert!(said.iter().any(|said| said == "ada modified the instance (second terminated)"));
    modify(json!({ "instructions": [{ "action": "terminate", "element": "first" }] })).await;
    assert_eq!(world.state(&id).await, "cancelled");
    world.settle().await;
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn what_a_modification_would_do_is_told_without_doing_it() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    let id = world.start("steps", json!({})).await;
    let before = world.get(&id).await;
    let fields = json!({
        "dry_run": true,
        "instructions": [{ "action": "move", "element": "first", "to": "second" }],
    });
    let foreseen = world.answer("instance_modify", change(&id, fields)).await;
    assert_eq!(foreseen["waiting_for"], json!(["a person to do \"second\""]));
    let happens = foreseen["would_happen"].as_array().unwrap();
    assert!(happens.contains(&json!("first was ended")), "{happens:?}");
    assert!(happens.contains(&json!("second waits for a person")), "{happens:?}");
    let ends = json!({
        "dry_run": true,
        "instructions": [{ "action": "terminate", "element": "first" }],
    });
    let foreseen = world.answer("instance_modify", change(&id, ends)).await;
    assert_eq!(foreseen["state"], "cancelled");
    assert_eq!(world.get(&id).await, before);
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_keyed_modification_records_its_answer() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    let id = world.start("steps", json!({})).await;
    for (key, dry_run) in [("k1", true), ("k2", false)] {
        let fields = json!({
            "dry_run": dry_run,
            "instructions": [{ "action": "activate", "element": "second" }],
        });
        let keyed = world.keyed("instance_modify", key);
        let answer = world.call(&keyed, "instance_modify", change(&id, fields)).await.unwrap();
        assert_eq!(world.db.recorded_answer(&keyed).await.unwrap(), Some(answer));
    }
    assert_eq!(world.waiting(&id).await, ["first", "second"]);
}

#[tokio::test]
async fn a_modification_that_makes_no_sense_says_all_that_is_wrong() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    let id = world.start("steps", json!({})).await;
    let before = world.get(&id).await;
    for (fields, code) in [
        (json!({}), "invalid_arguments"),
        (json!({ "instructions": [{ "action": "activate" }] }), "invalid_arguments"),
        (json!({ "instructions": [{ "action": "activate", "key": 1 }] }), "invalid_arguments"),
        (
            json!({ "instructions": [{ "action": "activate", "element": "first", "to": "second" }] }),
            "invalid_arguments",
        ),
        (
            json!({ "instructions": [{ "action": "terminate", "element": "first", "key": 3 }] }),
            "invalid_arguments",
        ),
        (
            json!({ "instructions": [{ "action": "terminate", "key": 3, "variables": { "x": 1 } }] }),
            "invalid_arguments",
        ),
        (json!({ "instructions": [{ "action": "move", "key": 3 }] }), "invalid_arguments"),
        (
            json!({ "instructions": [{ "action": "activate", "element": "begin" }] }),
            "invalid_modification",
        ),
        (json!({ "variables": { "x": 1 }, "reason": "x".repeat(600) }), "text_too_long"),
    ] {
        let refused = world.refusal("instance_modify", change(&id, fields.clone())).await;
        assert_eq!(refused.code(), code, "{fields}");
    }
    let fields = json!({ "instructions": [
        { "action": "activate", "element": "nowhere" },
        { "action": "terminate", "key": 99 },
    ] });
    let refused = world.refusal("instance_modify", change(&id, fields)).await;
    let findings = &refused.body().details.as_ref().unwrap()["findings"];
    assert_eq!(texts(findings, "code"), ["not_running", "unknown_element"]);
    assert_eq!(world.get(&id).await, before);
}

#[tokio::test]
async fn what_is_ended_by_a_modification_is_taken_back_outside() {
    let world = World::new().await;
    world.publish("inner", job()).await;
    let outer = json!([
        begin("fork"),
        element("fork", "parallelGateway", "", json!({ "next": ["call", "work", "wait"] })),
        element("call", "callActivity", "after", json!({ "process": "inner" })),
        element("work", "serviceTask", "after", json!({ "job": "outer-work" })),
        element(
            "wait",
            "intermediateCatchEvent",
            "done",
            json!({ "event": { "duration": "PT1H" } })
        ),
        element("after", "userTask", "done", json!({})),
        end("done"),
    ]);
    world.publish("outer", outer).await;
    let id = world.start("outer", json!({})).await;
    let child = world.get(&id).await["waits"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|wait| wait["called"]["instance"].as_str().map(str::to_owned));
    let ended = ["call", "work", "wait"].map(|it| json!({ "action": "terminate", "element": it }));
    let mut instructions = ended.to_vec();
    instructions.push(json!({ "action": "activate", "element": "after" }));
    world.answer("instance_modify", json!({ "id": id, "instructions": instructions })).await;
    world.settle().await;
    assert_eq!(world.state(&child.unwrap()).await, "cancelled");
    assert_eq!(world.claim("outer-work", 5).await, Vec::<Value>::new());
    world.after(120).await;
    assert_eq!(world.waiting(&id).await, ["after"]);
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn many_instances_are_modified_each_by_itself() {
    let world = World::new().await;
    world.publish("steps", steps()).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.start("steps", json!({})).await);
    }
    world.complete(&world.ctx, &ids[0], "first", json!({})).await.unwrap();
    world.complete(&world.ctx, &ids[1], "first", json!({})).await.unwrap();
    world.complete(&world.ctx, &ids[1], "second", json!({})).await.unwrap();
    let hold = json!({ "id": ids[2], "action": "pause" });
    world.answer("instance_control", hold).await;
    let change = |fields: Value| {
        let mut params = json!({ "process": "steps", "element": "first", "instructions": [
            { "action": "move", "element": "first", "to": "second" }] });
        params.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        params
    };
    let foreseen = world.answer("instance_modify_all", change(json!({ "dry_run": true }))).await;
    assert_eq!(texts(&foreseen["items"], "instance"), [&*ids[4], &*ids[3], &*ids[2]]);
    assert_eq!(foreseen["items"][0]["elements"], json!(["second"]));
    assert_eq!(world.waiting(&ids[4]).await, ["first"]);

    let first = world.answer("instance_modify_all", change(json!({ "limit": 2 }))).await;
    assert_eq!(texts(&first["items"], "instance"), [&*ids[4], &*ids[3]]);
    let rest = change(json!({ "limit": 2, "cursor": first["next_cursor"] }));
    let second = world.answer("instance_modify_all", rest).await;
    assert_eq!(texts(&second["items"], "instance"), [&*ids[2]]);
    assert_eq!(second["items"][0]["problem"]["code"], "instance_paused");
    assert_eq!(second.get("next_cursor"), None);
    for id in [&ids[3], &ids[4]] {
        assert_eq!(world.waiting(id).await, ["second"]);
    }
    assert_eq!(world.waiting(&ids[2]).await, ["first"]);
    let all = json!({ "process": "steps", "process_version": 1, "variables": { "x": 1 } });
    let all = world.answer("instance_modify_all", all).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 4, "the one that ended is left alone");

    for (params, code) in [
        (change(json!({ "process": "none" })), "process_not_found"),
        (change(json!({ "process_version": 9 })), "process_not_found"),
        (change(json!({ "limit": 0 })), "invalid_arguments"),
        (change(json!({ "instructions": [] })), "invalid_arguments"),
        (
            change(json!({ "instructions": [{ "action": "terminate", "key": 1 }] })),
            "invalid_arguments",
        ),
        (change(json!({ "cursor": "x" })), "invalid_cursor"),
    ] {
        assert_eq!(
            world.refusal("instance_modify_all", params.clone()).await.code(),
            code,
            "{params}"
        );
    }
    assert_eq!(world.check_journals().await, 5);
}
