//! What the policies refuse is in the timeline and changes nothing else.

use super::*;

fn guarded() -> Value {
    let policies = json!([
        { "id": "eyes", "on": ["complete"], "rule": { "fourEyes": { "starter": true } } },
        { "id": "limit", "on": ["complete"], "rule": { "mandate": {
            "domain": "finance", "action": "approve", "amount": "amount", "currency": "EUR" } } },
    ]);
    json!([
        begin("approve"),
        element("approve", "userTask", "done", json!({ "policies": policies })),
        end("done"),
    ])
}

#[tokio::test]
async fn four_eyes_and_mandates_are_kept_and_recorded() {
    let world = World::new().await;
    world.publish("order", guarded()).await;
    let mandate = json!({ "id": "managers", "domain": "finance", "action": "approve", "holder": "manager",
        "authority": "allow", "below": 1000, "currency": "EUR", "level": 1 });
    let wider = json!({ "id": "directors", "domain": "finance", "action": "approve", "holder": "director",
        "authority": "allow", "level": 2 });
    world.answer("mandate_save", json!({ "mandates": [mandate, wider] })).await;
    let id = world.start("order", json!({ "amount": 5000 })).await;
    let before = world.get(&id).await;
    let manager = world.person("mia", &["manager"]);
    for (who, code, approver) in
        [(&world.ctx, "four_eyes", None), (&manager, "escalate", Some("director"))]
    {
        let refused = world.complete(who, &id, "approve", json!({ "ok": true })).await.unwrap_err();
        assert_eq!(refused.code(), "governance_refused");
        let refusal = &refused.body().details.as_ref().unwrap()["refusal"];
        assert_eq!(refusal["code"], code);
        assert_eq!(refusal["approvers"][0].as_str(), approver);
        assert_eq!(refused.body().details.as_ref().unwrap()["kept"], true);
    }
    let after = world.get(&id).await;
    assert_eq!((&after["variables"], &after["state"]), (&before["variables"], &before["state"]));
    let waits = &after["waits"][0]["waiting_for"];
    assert_eq!(*waits, json!("director to confirm what mia filled in at \"approve\""));
    let said = world.timeline(&id).await;
    assert!(
        said.iter().any(|said| said
            == "REFUSED: ada may not complete approve: ada took part already (policy eyes)"),
        "{said:?}"
    );
    assert!(
        said.iter().any(|said| said.starts_with("REFUSED: mia may not complete approve")),
        "{said:?}"
    );
    let page =
        world.answer("instance_timeline", json!({ "id": id, "response_format": "detailed" })).await;
    let refused = &page["items"][1];
    assert_eq!((&refused["actor"], &refused["mandates_version"]), (&json!("ada"), &json!(1)));
    assert_eq!(refused["events"][0]["type"], "action_refused");

    let director = world.person("dan", &["director"]);
    world.complete(&director, &id, "approve", json!({ "ok": true })).await.unwrap();
    assert_eq!(world.state(&id).await, "completed");
    assert!(
        world
            .timeline(&id)
            .await
            .iter()
            .any(|said| said.starts_with("allowed dan to complete approve"))
    );
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn mandates_hold_on_the_organisation_as_it_is() {
    let world = World::new().await;
    let policy = json!([{ "id": "limit", "on": ["complete"], "rule": { "mandate": {
        "domain": "finance", "action": "approve", "unit": "=unit" } } }]);
    let elements = json!([
        begin("approve"),
        element("approve", "userTask", "done", json!({ "policies": policy })),
        end("done"),
    ]);
    world.publish("order", elements).await;
    let heads = json!({ "id": "heads", "domain": "finance", "action": "approve", "holder": { "role": "head" },
        "unit": "sales", "authority": "allow" });
    world.answer("mandate_save", json!({ "mandates": [heads] })).await;
    let organisation = json!({
        "units": [{ "id": "sales", "name": "Sales" }, { "id": "works", "name": "Works" }],
        "positions": [{ "id": "lead", "title": "Head of Sales", "unit": "sales", "roles": ["head"] }],
        "holders": [{ "person": "sam", "position": "lead" }],
        "substitutes": [{ "absent": "sam", "by": "tina" }],
    });
    let of_sales = world.start("order", json!({ "unit": "sales" })).await;
    let of_works = world.start("order", json!({ "unit": "works" })).await;
    let (sam, tina) = (world.person("sam", &[]), world.person("tina", &[]));
    for (who, id, saved, approvers) in [
        (&sam, &of_sales, None, Value::Null),
        (&sam, &of_works, Some(organisation), Value::Null),
        (&world.ctx, &of_sales, None, json!(["tina"])),
    ] {
        if let Some(organisation) = saved {
            world.answer("organisation_save", organisation).await;
        }
        let refused = world.complete(who, id, "approve", json!({})).await.unwrap_err();
        let refusal = &refused.body().details.as_ref().unwrap()["refusal"];
        let told = refusal.get("approvers").cloned().unwrap_or_default();
        assert_eq!((&refusal["code"], told), (&json!("escalate"), approvers));
    }
    let waits = world.get(&of_sales).await["waits"].clone();
    assert_eq!(waits[0]["approval"][0]["approvers"], json!(["tina"]));
    world.complete(&tina, &of_sales, "approve", json!({})).await.unwrap();
    let arguments = json!({ "id": of_sales, "response_format": "detailed" });
    let page = world.answer("instance_timeline", arguments).await;
    let versions: Vec<&Value> =
        page["items"].as_array().unwrap().iter().map(|it| &it["organisation_version"]).collect();
    assert_eq!(versions, [0, 0, 1, 1]);
    let consulted = &page["items"][3]["events"][0]["policies"][0];
    assert_eq!(
        (&consulted["mandate"], &consulted["substitute_for"]),
        (&json!("heads"), &json!("sam"))
    );
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn a_refused_start_leaves_nothing() {
    let world = World::new().await;
    let closed = json!({ "id": "closed", "elements": job(), "policies": [{ "id": "hours", "on": ["start"],
        "rule": { "condition": { "when": "actor.id = \"ben\"", "reason": "only ben" } } }] });
    world.publish_as(closed).await;
    let refused = world.refusal("process_start", json!({ "process": "closed" })).await;
    assert_eq!((refused.code(), refused.body().what.as_str()), ("governance_refused", "only ben"));
    assert!(world.instances().await.is_empty());
    let ben = world.person("ben", &[]);
    world.call(&ben, "process_start", json!({ "process": "closed" })).await.unwrap();
}

#[tokio::test]
async fn control_is_governed_too() {
    let world = World::new().await;
    let locked = json!({ "id": "locked", "elements": job(), "policies": [{ "id": "lock", "on": ["control", "set_variables"],
        "rule": { "condition": { "when": "actor.id = \"ben\"", "reason": "only ben" } } }] });
    world.publish_as(locked).await;
    let id = world.start("locked", json!({})).await;
    let modify = |action: &str| json!({ "id": id, "instructions": [{ "action": action, "element": "work" }] });
    for (operation, params) in [
        ("instance_control", json!({ "id": id, "action": "cancel" })),
        ("instance_control", json!({ "id": id, "action": "pause" })),
        ("instance_modify", json!({ "id": id, "variables": { "x": 1 } })),
        ("instance_modify", modify("activate")),
        ("instance_modify", modify("terminate")),
    ] {
        assert_eq!(world.refusal(operation, params).await.code(), "governance_refused");
    }
    // What is only foreseen is refused as well, and leaves no record.
    let mut foreseen = modify("terminate");
    foreseen["dry_run"] = json!(true);
    let refused = world.refusal("instance_modify", foreseen).await;
    assert_eq!(refused.code(), "governance_refused");
    assert_eq!(world.waiting(&id).await, ["work"]);
    let refused =
        world.timeline(&id).await.iter().filter(|said| said.starts_with("REFUSED")).count();
    assert_eq!(refused, 5);
    let ben = world.person("ben", &[]);
    world.call(&ben, "instance_control", json!({ "id": id, "action": "cancel" })).await.unwrap();
    assert_eq!(world.check_journals().await, 1);
}
