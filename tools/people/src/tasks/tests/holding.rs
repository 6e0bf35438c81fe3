//! Opening, claiming, releasing, delegating, drafts and comments.

use super::*;

#[tokio::test]
async fn a_task_is_opened_once_however_often_it_is_told() {
    let world = World::new().await;
    let (id, _) = world.one_task(&clerks()).await;
    world.answer(&world.ben, "task_claim", json!({ "id": id })).await;
    let message = world.requested.lock().unwrap()[0].clone();
    open(&world.db, &world.ada, &message, flowmaster_store::WriteSet::new()).await.unwrap();
    assert_eq!(world.list(&world.ada, "all").await, [id.as_str()]);
    assert_eq!(world.get(&world.ben, &id).await["assignee"], "ben", "what was done since stays");
}

#[tokio::test]
async fn a_task_is_claimed_released_and_delegated() {
    let world = World::new().await;
    let (id, _) = world.one_task(&clerks()).await;
    let it = json!({ "id": id });
    let claimed = world.answer(&world.ben, "task_claim", it.clone()).await;
    assert_eq!((&claimed["state"], &claimed["assignee"]), (&json!("reserved"), &json!("ben")));
    world.answer(&world.ben, "task_claim", it.clone()).await;
    for (operation, arguments, code) in [
        ("task_claim", it.clone(), "task_reserved"),
        ("task_complete", it.clone(), "task_reserved"),
        ("task_release", it.clone(), "task_not_yours"),
        ("task_delegate", json!({ "id": id, "to": "cleo" }), "task_not_yours"),
        ("task_save_draft", json!({ "id": id, "draft": {} }), "task_reserved"),
        ("task_reject", json!({ "id": id, "reason": "no" }), "task_reserved"),
    ] {
        let refused = world.refusal(&world.cleo, operation, arguments).await;
        assert_eq!(refused.code(), code, "{operation}");
    }
    assert_eq!(world.answer(&world.ben, "task_release", it.clone()).await["state"], "ready");
    world.answer(&world.cleo, "task_claim", it.clone()).await;
    let to_ben = json!({ "id": id, "to": "ben" });
    assert_eq!(world.answer(&world.cleo, "task_delegate", to_ben).await["assignee"], "ben");
    let to_dan = json!({ "id": id, "to": "dan" });
    assert_eq!(world.answer(&world.ada, "task_delegate", to_dan).await["assignee"], "dan");
    let dan = world.person("ten_a", "dan", Role::Employee, &[]);
    assert_eq!(world.get(&dan, &id).await["assignee"], "dan", "who has it sees it");
    assert_eq!(
        world.answer(&dan, "task_complete", it.clone()).await["instance_state"],
        "completed"
    );
    assert_eq!(world.refusal(&dan, "task_claim", it).await.code(), "task_state");
    for to in ["", "  ", &"x".repeat(201)] {
        let nobody = json!({ "id": id, "to": to });
        assert_eq!(world.refusal(&world.ada, "task_delegate", nobody).await.code(), "invalid_text");
    }
}

#[tokio::test]
async fn two_who_claim_at_once_do_not_both_get_it() {
    let world = World::new().await;
    let (id, _) = world.one_task(&clerks()).await;
    let it = json!({ "id": id });
    let (one, two) = tokio::join!(
        world.call(&world.ben, "task_claim", it.clone()),
        world.call(&world.cleo, "task_claim", it),
    );
    let refused: Vec<_> = [one, two].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.iter().map(Error::code).collect::<Vec<_>>(), ["task_reserved"]);
}

#[tokio::test]
async fn a_task_for_one_person_stays_theirs() {
    let world = World::new().await;
    let (id, _) = world.one_task(&json!({ "assignment": { "assignee": "ben" } })).await;
    assert_eq!(world.list(&world.ben, "mine").await, [id.as_str()]);
    let it = json!({ "id": id });
    assert_eq!(world.refusal(&world.cleo, "task_get", it.clone()).await.code(), "task_not_found");
    world.answer(&world.ben, "task_release", it.clone()).await;
    assert!(world.list(&world.cleo, "todo").await.is_empty());
    assert_eq!(world.refusal(&world.cleo, "task_claim", it).await.code(), "task_not_found");
    assert_eq!(world.list(&world.ben, "claimable").await, [id.as_str()]);
}

#[tokio::test]
async fn drafts_and_comments_are_kept() {
    let world = World::new().await;
    let (id, _) = world.one_task(&clerks()).await;
    let draft = json!({ "id": id, "draft": { "half": true } });
    let saved = world.answer(&world.ben, "task_save_draft", draft).await;
    assert_eq!(
        (&saved["state"], &saved["assignee"], &saved["draft"]),
        (&json!("reserved"), &json!("ben"), &json!({ "half": true }))
    );
    let comment = json!({ "id": id, "text": "look at page 2" });
    world.answer(&world.cleo, "task_comment", comment).await;
    let seen = world.get(&world.ben, &id).await;
    assert_eq!(
        seen["comments"],
        json!([{ "author": "cleo", "at": "2026-07-10T08:00:00Z", "text": "look at page 2" }])
    );
    for text in ["", " ", &"x".repeat(4_001)] {
        let refused = world.refusal(&world.ben, "task_comment", json!({ "id": id, "text": text }));
        assert_eq!(refused.await.code(), "invalid_text");
    }
    world.answer(&world.ben, "task_complete", json!({ "id": id })).await;
    assert!(world.get(&world.ben, &id).await.get("draft").is_none());
}

#[tokio::test]
async fn who_took_part_is_excluded() {
    let world = World::new().await;
    let eyes = json!([{ "id": "eyes", "on": ["complete"],
        "rule": { "fourEyes": { "with": ["check"], "starter": true } } }]);
    let approve = json!({ "assignment": { "groups": "clerk,manager" }, "policies": eyes });
    let elements = json!([
        { "id": "begin", "type": "startEvent", "next": "fork" },
        { "id": "fork", "type": "parallelGateway", "next": ["check", "approve"] },
        task("check", "done", &clerks()),
        task("approve", "done", &approve),
        { "id": "done", "type": "endEvent" },
    ]);
    world.publish("order", elements).await;
    let instance = world.start("order", json!({})).await;
    let (check, approve) =
        (world.task_of(&instance, "check").await, world.task_of(&instance, "approve").await);
    assert_eq!(world.get(&world.ben, &approve).await["excluded"], json!(["ada"]));
    assert_eq!(world.list(&world.ada, "todo").await, Vec::<String>::new(), "not offered to her");

    // Ben does his part after the task was opened.
    world.answer(&world.ben, "task_complete", json!({ "id": check })).await;
    assert_eq!(world.get(&world.cleo, &approve).await["excluded"], json!(["ada", "ben"]));
    for who in [&world.ada, &world.ben] {
        for (operation, arguments) in [
            ("task_claim", json!({ "id": approve })),
            ("task_save_draft", json!({ "id": approve, "draft": {} })),
            ("task_reject", json!({ "id": approve, "reason": "no" })),
        ] {
            assert_eq!(world.refusal(who, operation, arguments).await.code(), "four_eyes");
        }
    }
    let to_ben = json!({ "id": approve, "to": "ben" });
    assert_eq!(world.refusal(&world.ada, "task_delegate", to_ben).await.code(), "four_eyes");

    // Completing is refused by the policies, which keep a record of it.
    let refused = world.refusal(&world.ben, "task_complete", json!({ "id": approve })).await;
    assert_eq!(refused.code(), "governance_refused");
    let timeline =
        world.answer(&world.ada, "instance_timeline", json!({ "id": instance })).await.to_string();
    assert!(timeline.contains("REFUSED: ben may not complete approve"), "{timeline}");
    assert_eq!(world.get(&world.cleo, &approve).await["state"], "ready");
    let done = world.answer(&world.cleo, "task_complete", json!({ "id": approve })).await;
    assert_eq!(done["instance_state"], "completed");
}

#[tokio::test]
async fn an_escalated_answer_is_kept_for_its_approvers() {
    let world = World::new().await;
    let rule = json!({ "condition": { "when": "attempt.amount < 100", "reason": "large",
        "otherwise": "escalate", "approvers": ["board"] } });
    let form = json!({ "type": "object", "required": ["amount"], "properties": {
        "amount": { "type": "number" }, "note": { "type": "string" } } });
    let approve = json!({
        "assignment": { "groups": "clerk", "form": form },
        "policies": [{ "id": "large", "on": ["complete"], "rule": rule }],
    });
    let elements = json!([
        { "id": "begin", "type": "startEvent", "next": "approve" },
        task("approve", "done", &approve),
        { "id": "done", "type": "endEvent" },
    ]);
    world.publish("order", elements).await;
    let instance = world.start("order", json!({ "amount": 5 })).await;
    let id = world.task_of(&instance, "approve").await;
    let bob = world.person("ten_a", "bob", Role::Employee, &["board"]);
    assert_eq!(world.list(&bob, "todo").await, Vec::<String>::new());

    let answer = json!({ "id": id, "variables": { "amount": 500, "note": "a" } });
    world.answer(&world.ben, "task_claim", json!({ "id": id })).await;
    let told = world.refusal(&world.ben, "task_complete", answer.clone()).await;
    let details = told.body().details.clone().unwrap();
    assert_eq!((told.code(), &details["kept"]), ("governance_refused", &json!(true)));
    let fix =
        "nothing more to do: your answer is kept as a proposal on the task, for board to confirm";
    assert_eq!(told.body().fix.as_deref(), Some(fix));

    for who in [&world.ben, &world.cleo] {
        assert_eq!(world.list(who, "todo").await, Vec::<String>::new(), "it is with the board");
    }
    let again = world.refusal(&world.ben, "task_complete", answer).await;
    assert_eq!(again.code(), "task_not_yours");
    assert_eq!(world.list(&bob, "todo").await, [id.as_str()]);
    let shown = world.get(&bob, &id).await;
    let proposal = json!({ "by": "ben", "at": "2026-07-10T08:00:00Z", "policy": "large",
        "reason": "large", "approvers": ["board"], "variables": { "amount": 500, "note": "a" } });
    assert_eq!((&shown["proposal"], &shown["state"]), (&proposal, &json!("ready")));
    assert_eq!((&shown["prefill"]["amount"], &shown["excluded"]), (&json!(500), &json!(["ben"])));
    assert_eq!(world.get(&world.ben, &id).await["proposal"], proposal, "who proposed it sees it");

    let confirm = json!({ "id": id, "variables": { "note": "b" } });
    let done = world.answer(&bob, "task_complete", confirm).await;
    assert_eq!(done["corrections"], json!([{ "field": "amount", "from": 5, "to": 500 }]));
    let ended = json!({ "id": instance, "response_format": "detailed" });
    let ended = world.answer(&world.ada, "instance_get", ended).await;
    assert_eq!(ended["variables"], json!({ "amount": 500, "note": "b" }));
}
