//! Finding instances by what they are, where they are and what they know.

use flowmaster_store::Param;

use super::super::store::Filter;
use super::*;

#[tokio::test]
async fn instances_are_found_by_key_place_and_variables() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    world.publish("work", job()).await;
    let mut ids = Vec::new();
    for (process, key, variables) in [
        ("order", "INV-1", json!({ "amount": 100, "customer": { "city": "Ulm" } })),
        ("order", "INV-12", json!({ "amount": 200, "customer": { "city": "Bonn" } })),
        ("order", "ORD-1", json!({ "amount": 300, "tags": ["vip"] })),
        ("work", "INV-2", json!({ "amount": 400 })),
    ] {
        world.clock.advance_millis(60_000);
        let params = json!({ "process": process, "variables": variables, "business_key": key });
        let started = world.answer("process_start", params).await;
        ids.push(started["id"].as_str().unwrap().to_owned());
    }
    world.clock.advance_millis(60_000);
    world.complete(&world.ctx, &ids[1], "approve", json!({})).await.unwrap();
    world.publish("order", approval()).await;
    for (filter, wanted) in [
        (json!({ "business_key": "INV-1" }), vec![0]),
        (json!({ "business_key_prefix": "INV-" }), vec![3, 1, 0]),
        (json!({ "business_key_prefix": "INV-1", "process": "order" }), vec![1, 0]),
        (json!({ "business_key_prefix": "INV-1", "state": "active" }), vec![0]),
        (json!({ "business_key_prefix": "INV-%" }), vec![]),
        (json!({ "process": "order", "process_version": 1 }), vec![2, 1, 0]),
        (json!({ "process": "order", "process_version": 2 }), vec![]),
        (json!({ "element": "approve" }), vec![2, 0]),
        (json!({ "element": "work", "state": "active" }), vec![3]),
        (json!({ "element": "done" }), vec![]),
        (json!({ "variables": [{ "name": "amount", "op": ">=", "value": 200 }] }), vec![3, 2, 1]),
        (
            json!({ "process": "order", "variables": [
                { "name": "amount", "op": ">", "value": 100 },
                { "name": "amount", "op": "<", "value": 300 },
            ] }),
            vec![1],
        ),
        (json!({ "variables": [{ "name": "customer.city", "value": "Ulm" }] }), vec![0]),
        (json!({ "variables": [{ "name": "tags", "op": "contains", "value": "vip" }] }), vec![2]),
        (json!({ "variables": [{ "name": "total", "op": "exists", "value": false }] }), vec![3]),
        (json!({ "ended_from": "2026-07-10T08:05:00Z" }), vec![1]),
        (json!({ "ended_before": "2026-07-10T08:05:00Z" }), vec![]),
    ] {
        let page = world.answer("instance_search", filter.clone()).await;
        let wanted: Vec<&str> = wanted.into_iter().map(|at: usize| ids[at].as_str()).collect();
        assert_eq!(texts(&page["items"], "id"), wanted, "{filter}");
        assert_eq!((page.get("next_cursor"), page.get("stopped_after")), (None, None));
    }
    for filter in [
        json!({ "process_version": 1 }),
        json!({ "business_key": "a", "business_key_prefix": "a" }),
        json!({ "variables": [{ "name": "amount", "op": "<", "value": null }] }),
        json!({ "variables": vec![json!({ "name": "a" }); 11] }),
    ] {
        let refused = world.refusal("instance_search", filter.clone()).await;
        assert_eq!(refused.code(), "invalid_arguments", "{filter}");
    }
}

#[tokio::test]
async fn a_search_that_compares_too_many_says_so_and_goes_on() {
    let world = World::new().await;
    let elements = json!([begin("done"), end("done")]);
    world.publish("short", elements).await;
    for n in 0..2_060 {
        // The wanted ones are the oldest and the newest.
        let params =
            json!({ "process": "short", "variables": { "rare": !(3..2_058).contains(&n) } });
        world.answer("process_start", params).await;
    }
    let mut params =
        json!({ "limit": 4, "variables": [{ "name": "rare", "op": "=", "value": true }] });
    let page = world.answer("instance_search", params.clone()).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["stopped_after"], 2_000);
    params["cursor"] = page["next_cursor"].clone();
    let page = world.answer("instance_search", params.clone()).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    assert_eq!((page.get("next_cursor"), page.get("stopped_after")), (None, None));
    params["limit"] = json!(1);
    let page = world.answer("instance_search", params).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert!(page.get("next_cursor").is_some() && page.get("stopped_after").is_none());
}

#[tokio::test]
async fn selective_filters_find_their_rows_by_an_index() {
    let world = World::new().await;
    let text = || Some("x".to_owned());
    let with = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    for (filter, index) in [
        (with(&|_| {}), "execution_instance_started"),
        (with(&|it| it.business_key = text()), "execution_instance_key"),
        (
            with(&|it| {
                it.business_key = text();
                it.process = text();
                it.state = text();
                it.with_incidents = true;
            }),
            "execution_instance_key",
        ),
        (
            with(&|it| {
                it.business_key_prefix = text();
                it.process = text();
            }),
            "execution_instance_key",
        ),
        (with(&|it| it.process = text()), "execution_instance_process"),
        (with(&|it| it.state = text()), "execution_instance_state"),
        (
            with(&|it| {
                it.state = text();
                it.process = text();
            }),
            "execution_instance_state",
        ),
        (with(&|it| it.state = Some("completed".to_owned())), "execution_instance_started"),
        (
            with(&|it| {
                it.state = Some("completed".to_owned());
                it.process = text();
            }),
            "execution_instance_process",
        ),
        (with(&|it| it.with_incidents = true), "execution_instance_stopped"),
        (
            with(&|it| {
                it.with_incidents = true;
                it.process = text();
                it.state = text();
            }),
            "execution_instance_stopped",
        ),
    ] {
        for paged in [false, true] {
            let mut filter = filter.clone();
            filter.after = paged.then(|| (world.ctx.now(), "x".to_owned()));
            let (sql, values) = filter.statement(10);
            let plan = plan(&world, &sql, &values).await;
            assert!(plan.iter().any(|line| line.contains(index)), "{filter:?}: {plan:#?}");
            let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE"));
            assert_eq!(sorts, filter.business_key_prefix.is_some(), "{filter:?}: {plan:#?}");
            assert!(!plan.iter().any(|line| line.starts_with("SCAN")), "{filter:?}: {plan:#?}");
        }
    }
}

/// How SQLite would find the rows.
async fn plan(world: &World, sql: &str, values: &[Param]) -> Vec<String> {
    let mut session = world.db.read(&world.ctx).await.unwrap();
    let rows = session.query_dynamic(&format!("EXPLAIN QUERY PLAN {sql}"), values).await.unwrap();
    rows.iter().map(|row| row.text(3).unwrap()).collect()
}
