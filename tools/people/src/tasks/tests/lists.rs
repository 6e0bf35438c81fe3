//! Who sees which tasks, and in which order.

use std::collections::BTreeSet;

use super::*;
use crate::tasks::store::lists::{Part, Whose, statement};

#[tokio::test]
async fn lists_hold_what_is_for_the_caller() {
    let world = World::new().await;
    world.publish("clerks", one("t", &clerks())).await;
    world.publish("all", one("t", &json!({}))).await;
    world.publish("cleo", one("t", &json!({ "assignment": { "users": "cleo" } }))).await;
    let mut ids = Vec::new();
    for process in ["clerks", "all", "cleo"] {
        world.clock.advance_millis(1_000);
        let instance = world.start(process, json!({})).await;
        ids.push(world.task_of(&instance, "t").await);
    }
    world.answer(&world.ben, "task_claim", json!({ "id": ids[0] })).await;
    let auditor = world.person("ten_a", "olga", Role::Auditor, &[]);
    let stranger = world.person("ten_b", "ada", Role::Admin, &["clerk"]);
    for (who, filter, wanted) in [
        (&world.ben, "todo", vec![0, 1]),
        (&world.ben, "mine", vec![0]),
        (&world.ben, "claimable", vec![1]),
        (&world.cleo, "todo", vec![1, 2]),
        (&world.cleo, "mine", vec![]),
        (&world.ada, "all_open", vec![0, 1, 2]),
        (&auditor, "all", vec![0, 1, 2]),
        (&stranger, "all", vec![]),
        (&stranger, "todo", vec![]),
    ] {
        let wanted: Vec<&str> = wanted.into_iter().map(|at: usize| ids[at].as_str()).collect();
        assert_eq!(world.list(who, filter).await, wanted, "{} {filter}", who.principal.id);
    }
    for filter in ["all", "all_open"] {
        let refused = world.refusal(&world.ben, "task_list", json!({ "filter": filter })).await;
        assert_eq!(refused.code(), "not_a_manager");
    }
    world.answer(&world.ben, "task_complete", json!({ "id": ids[0] })).await;
    assert_eq!(world.list(&world.ada, "all_open").await, [ids[1].as_str(), ids[2].as_str()]);
    assert_eq!(world.list(&world.ada, "all").await.len(), 3);
    assert_eq!(world.get(&world.ben, &ids[0]).await["state"], "completed");
}

#[tokio::test]
async fn another_tenant_and_who_it_is_not_for_find_no_task() {
    let world = World::new().await;
    let (id, _) = world.one_task(&clerks()).await;
    let stranger = world.person("ten_b", "ada", Role::Admin, &["clerk"]);
    let outsider = world.person("ten_a", "otto", Role::Employee, &[]);
    for who in [&stranger, &outsider] {
        for (operation, arguments) in [
            ("task_get", json!({ "id": id })),
            ("task_claim", json!({ "id": id })),
            ("task_release", json!({ "id": id })),
            ("task_complete", json!({ "id": id })),
            ("task_reject", json!({ "id": id, "reason": "no" })),
            ("task_delegate", json!({ "id": id, "to": "otto" })),
            ("task_save_draft", json!({ "id": id, "draft": {} })),
            ("task_comment", json!({ "id": id, "text": "hello" })),
        ] {
            let refused = world.refusal(who, operation, arguments).await;
            assert_eq!(refused.code(), "task_not_found", "{operation}");
        }
    }
    let seen = world.get(&world.ada, &id).await;
    assert_eq!((&seen["state"], seen.get("comments")), (&json!("ready"), None));
}

#[tokio::test]
async fn the_most_urgent_come_first() {
    let world = World::new().await;
    let urgent = json!({ "assignment": { "groups": "clerk", "priority": "=p", "due": "=due" } });
    world.publish("order", one("t", &urgent)).await;
    let mut ids = Vec::new();
    for (priority, due) in [(50, "P3D"), (90, "P3D"), (50, "PT1H"), (10, "PT1M")] {
        world.clock.advance_millis(1_000);
        let instance = world.start("order", json!({ "p": priority, "due": due })).await;
        ids.push(world.task_of(&instance, "t").await);
    }
    let wanted = [&ids[1], &ids[2], &ids[0], &ids[3]];
    assert_eq!(world.list(&world.ben, "todo").await.iter().collect::<Vec<_>>(), wanted);

    let mut seen = Vec::new();
    let mut params = json!({ "limit": 1 });
    loop {
        let page = world.answer(&world.ben, "task_list", params.clone()).await;
        seen.push(page["items"][0]["id"].as_str().unwrap().to_owned());
        match page.get("next_cursor") {
            Some(cursor) => params["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen.iter().collect::<Vec<_>>(), wanted);

    world.clock.advance_millis(7_200_000);
    let page = world.answer(&world.ben, "task_list", json!({})).await;
    let overdue: Vec<bool> =
        page["items"].as_array().unwrap().iter().map(|it| it["is_overdue"] == true).collect();
    assert_eq!(overdue, [false, true, false, true]);
    for (params, code) in
        [(json!({ "limit": 0 }), "invalid_limit"), (json!({ "cursor": "x" }), "invalid_cursor")]
    {
        assert_eq!(world.refusal(&world.ben, "task_list", params).await.code(), code);
    }
}

#[tokio::test]
async fn a_page_is_found_by_walking_indexes_however_many_tasks_are_open() {
    let world = World::new().await;
    let groups = BTreeSet::from(["clerk".to_owned()]);
    let check = async |whose: Whose<'_>, instance: Option<&str>, ways: &[&str]| {
        let part = Part { instance, after: Some(("0", "ins_0/1")), limit: 21 };
        let (sql, values) = statement(&whose, &part);
        let mut session = world.db.read(&world.ada).await.unwrap();
        let plan = session.query_dynamic(&format!("EXPLAIN QUERY PLAN {sql}"), &values).await;
        let plan: Vec<String> = plan.unwrap().iter().map(|row| row.text(3).unwrap()).collect();
        let found = |way: &str| plan.iter().filter(|line| line.contains(way)).count();
        for way in ways {
            assert!(found(way) > 0, "{way}: {plan:#?}");
        }
        assert_eq!(found("SCAN tasks_"), 0, "{plan:#?}");
        // The page itself is sorted; walks over an instance are too.
        assert!(found("USE TEMP B-TREE") <= 1 || instance.is_some(), "{plan:#?}");
    };
    let rank = "tasks_task_rank (tenant_id=? AND state=? AND rank>?)";
    let offer = "tasks_candidate_offer (tenant_id=? AND kind=? AND name=? AND rank>?)";
    let assignee = "tasks_task_assignee (tenant_id=? AND assignee=? AND rank>?)";
    let instance = "tasks_task_instance (tenant_id=? AND instance=?)";
    check(Whose::Mine("ben"), None, &[assignee]).await;
    check(Whose::Claimable("ben", &groups), None, &[offer]).await;
    check(Whose::Todo("ben", &groups), None, &[assignee, offer]).await;
    check(Whose::AllOpen, None, &[rank]).await;
    check(Whose::All, None, &[rank]).await;
    check(Whose::Todo("ben", &groups), Some("ins_0"), &[instance]).await;
    check(Whose::All, Some("ins_0"), &[instance]).await;
}
