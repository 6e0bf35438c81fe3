//! The log, through processes that run on a real database.

use flowmaster_mind::rules::RulePin;
use flowmaster_store::WriteSet;
use serde_json::{Value, json};

use super::store::{NewEvaluation, add};
use crate::testing::{World, begin, element, end};

/// A rule file that routes an amount: up to 1,000 to nobody, up to `limit` to the clerk, then the boss.
fn routing(limit: i64) -> Value {
    json!({ "id": "routing", "inputs": [{ "name": "amount", "type": "number" }],
        "decisions": [{ "id": "route", "table": {
            "hit": "FIRST", "when": [{ "input": "amount" }], "then": [{ "type": "string" }],
            "rows": [
                ["< 1000", "\"nobody\""],
                [format!("[1000..{limit})"), "\"clerk\""],
                [format!(">= {limit}"), "\"boss\""]
            ]
        } }] })
}

/// A world in which `routing` and a process that asks it are published.
async fn world() -> World {
    let world = World::new().await;
    world.answer("rule_save", json!({ "rules": routing(5_000) })).await;
    world.answer("rule_publish", json!({ "id": "routing" })).await;
    let asks = json!({ "decision": "route", "result": "to" });
    let process =
        json!([begin("ask"), element("ask", "businessRuleTask", "done", asks), end("done")]);
    world.publish("order", process).await;
    world
}

async fn found(world: &World, filter: Value) -> Vec<Value> {
    world.answer("evaluation_search", filter).await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_was_asked_is_found_and_explained() {
    let world = world().await;
    let mut instances = Vec::new();
    for amount in [json!(500), json!(7_000), json!("much")] {
        let variables = json!({ "amount": amount, "note": "not an input" });
        instances.push(world.start("order", variables).await);
        world.clock.advance_millis(1);
    }
    let all = found(&world, json!({ "decision": "route" })).await;
    let values: Vec<Option<&Value>> = all.iter().map(|it| it.get("value")).collect();
    assert_eq!(values, [None, Some(&json!("boss")), Some(&json!("nobody"))], "the newest first");
    assert!(all[0]["error"].as_str().unwrap().contains("route"), "{}", all[0]);
    let boss = &all[1];
    assert_eq!(boss["inputs"], json!({ "amount": 7_000 }));
    assert_eq!((&boss["file"], &boss["version"]), (&json!("routing"), &json!(1)));
    assert_eq!((&boss["process"], &boss["element"]), (&json!("order"), &json!("ask")));
    for (filter, count) in [
        (json!({ "instance": instances[1] }), 1),
        (json!({ "process": "order", "file": "routing", "version": 1 }), 3),
        (json!({ "version": 2 }), 0),
        (json!({ "decision": "other" }), 0),
        (json!({ "from": boss["at"] }), 2),
        (json!({ "before": boss["at"] }), 1),
        (json!({ "limit": 2 }), 2),
        (json!({ "cursor": all[1]["id"] }), 1),
    ] {
        assert_eq!(found(&world, filter.clone()).await.len(), count, "{filter}");
    }

    // What was published since does not change why it was answered so.
    world.answer("rule_save", json!({ "rules": routing(9_000) })).await;
    world.answer("rule_publish", json!({ "id": "routing" })).await;
    let why = world.answer("evaluation_get", json!({ "id": boss["id"] })).await;
    assert_eq!((&why["value"], &why["explanation"]["gave"]), (&json!("boss"), &json!([3])));
    assert_eq!(why["explanation"]["missed"][1]["cell"], "[1000..5000)");
    let unknown = world.refusal("evaluation_get", json!({ "id": "evl_none" })).await;
    assert_eq!(unknown.code(), "evaluation_not_found");
}

#[tokio::test]
async fn a_task_says_which_value_is_not_allowed() {
    let world = World::new().await;
    let mut rules = routing(5_000);
    rules["inputs"][0]["allowed"] = json!("[0..10000]");
    world.answer("rule_save", json!({ "rules": rules })).await;
    world.answer("rule_publish", json!({ "id": "routing" })).await;
    let asks = json!({ "decision": "route", "result": "to" });
    let process =
        json!([begin("ask"), element("ask", "businessRuleTask", "done", asks), end("done")]);
    world.publish("order", process).await;
    let id = world.start("order", json!({ "amount": 20_000, "note": "x" })).await;
    let instance = world.answer("instance_get", json!({ "id": id })).await;
    let incident = instance["open_incidents"][0]["message"].as_str().unwrap_or_default().to_owned();
    let logged = &found(&world, json!({})).await[0];
    for told in [&incident, logged["error"].as_str().unwrap()] {
        let is_told = ["\"amount\"", "20000", "[0..10000]"].iter().all(|it| told.contains(it));
        assert!(is_told, "{instance} {logged}");
    }
    assert_eq!(logged["inputs"], json!({ "amount": 20_000 }));
}

#[tokio::test]
async fn other_rules_are_asked_what_was_asked_before() {
    let world = world().await;
    for amount in [json!(500), json!(6_000), json!(7_000), json!(20_000), json!("much")] {
        world.start("order", json!({ "amount": amount })).await;
        world.clock.advance_millis(1);
    }
    let unsaved = json!({ "decision": "route", "rules": routing(9_000) });
    let simulated = world.answer("rule_simulate", unsaved).await;
    let counts = ["cases", "same", "different", "lost", "gained", "skipped"];
    assert_eq!(counts.map(|name| &simulated[name]), [5, 3, 2, 0, 0, 0]);
    let change = json!({ "was": "boss", "would_be": "clerk", "cases": 2 });
    assert_eq!(simulated["changes"], json!([change]));
    assert_eq!(simulated["differences"][0]["inputs"], json!({ "amount": 7_000 }));

    world
        .answer(
            "rule_save",
            json!({ "rules": {
        "id": "routing", "inputs": [{ "name": "amount", "type": "Any" }],
        "decisions": [{ "id": "route", "literal": "if amount = \"much\" then \"desk\" else \
            if amount > 10000 then number(\"x\") else \"nobody\"" }]
    } }),
        )
        .await;
    let draft = json!({ "decision": "route", "id": "routing", "draft": true });
    let simulated = world.answer("rule_simulate", draft).await;
    assert_eq!(counts.map(|name| &simulated[name]), [5, 1, 2, 1, 1, 0]);
    let saved = json!({ "decision": "route", "id": "routing" });
    let simulated = world.answer("rule_simulate", saved.clone()).await;
    assert_eq!(counts.map(|name| &simulated[name]), [5, 5, 0, 0, 0, 0]);
    let mut late = saved;
    late["from"] = json!("2026-07-10T08:00:00.003Z");
    assert_eq!(world.answer("rule_simulate", late).await["cases"], 2);
    for (asked, code) in [
        (json!({ "decision": "route" }), "not_one_rule_file"),
        (json!({ "decision": "route", "id": "none" }), "rule_not_found"),
        (json!({ "decision": "other", "id": "routing" }), "decision_not_found"),
        (json!({ "decision": "route", "dmn": "<a>" }), "rule_invalid"),
    ] {
        assert_eq!(world.refusal("rule_simulate", asked).await.code(), code);
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_kept_and_said_to_be_skipped() {
    let world = World::new().await;
    let rules = json!({ "id": "f", "inputs": [{ "name": "text", "type": "string" }],
        "decisions": [{ "id": "length", "literal": "string length(text)" }] });
    world.answer("rule_save", json!({ "rules": rules })).await;
    world.answer("rule_publish", json!({ "id": "f" })).await;
    let asks = json!({ "decision": "length", "result": "n" });
    let process =
        json!([begin("ask"), element("ask", "businessRuleTask", "done", asks), end("done")]);
    world.publish("order", process).await;
    world.start("order", json!({ "text": "x".repeat(70_000) })).await;
    let logged = &found(&world, json!({})).await[0];
    assert_eq!((logged.get("inputs"), &logged["value"]), (None, &json!(70_000)));
    let simulated = world.answer("rule_simulate", json!({ "decision": "length", "id": "f" })).await;
    assert_eq!((&simulated["cases"], &simulated["skipped"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn the_log_of_an_instance_goes_to_the_archive_with_it() {
    let world = world().await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    world.settle().await;
    world.clock.advance_millis(1);
    let ended = json!({ "ended_before": "2999-01-01T00:00:00Z" });
    assert_eq!(world.answer("instance_archive", ended).await["archived"], json!([id]));
    assert_eq!(found(&world, json!({})).await, Vec::<Value>::new());
    let kept = world.answer("archive_get", json!({ "id": id })).await;
    assert_eq!(kept["belongings"]["evaluations"][0]["value"], "nobody");
}

/// Writes `count` evaluations of `route` to the log, with the amounts 0, 1, 2 and so on.
async fn log(world: &World, count: usize) {
    let pin = RulePin { file: "routing".to_owned(), version: 1 };
    let mut writes = WriteSet::default();
    for amount in 0..count {
        let new = NewEvaluation {
            id: world.ctx.fresh_id(),
            at: world.ctx.now(),
            decision: "route",
            pin: &pin,
            process: "order",
            process_version: 1,
            instance: "ins_1",
            element: "ask",
            inputs: Some(json!({ "amount": amount }).to_string()),
            value: Some(if amount < 1_000 { "\"nobody\"" } else { "\"clerk\"" }.to_owned()),
            error: None,
        };
        add(&mut writes, &new);
    }
    world.db.submit(&world.ctx, writes).await.unwrap();
}

#[tokio::test]
async fn one_call_simulates_5000_cases_and_the_next_goes_on() {
    let world = world().await;
    log(&world, 5_003).await;
    // The amounts are the numbers of the cases, so what differs tells which were asked.
    let ask = |cursor: Option<&Value>| json!({ "decision": "route", "rules": routing(5_001), "cursor": cursor });
    let counts = ["cases", "same", "different", "lost", "gained", "skipped"];
    let first = world.answer("rule_simulate", ask(None)).await;
    assert_eq!(counts.map(|name| &first[name]), [5_000, 4_998, 2, 0, 0, 0]);
    let differences = first["differences"].as_array().unwrap();
    let amounts: Vec<&Value> = differences.iter().map(|it| &it["inputs"]["amount"]).collect();
    assert_eq!(amounts, [5_002, 5_001], "the newest first");
    let cursor = first.get("next_cursor").unwrap();
    let lower = json!({ "decision": "route", "cursor": cursor,
        "rules": { "id": "f", "inputs": [{ "name": "amount", "type": "number" }],
            "decisions": [{ "id": "route", "literal": "amount" }] } });
    let second = world.answer("rule_simulate", lower).await;
    assert_eq!(counts.map(|name| &second[name]), [3, 0, 3, 0, 0, 0]);
    let changes: Vec<&Value> =
        second["changes"].as_array().unwrap().iter().map(|it| &it["would_be"]).collect();
    assert_eq!(changes, [0, 1, 2]);
    assert_eq!(second.get("next_cursor"), None);
}

#[tokio::test]
async fn a_simulation_lists_no_more_than_50_cases_and_changes() {
    let world = world().await;
    log(&world, 300).await;
    let rules = json!({ "id": "f", "inputs": [{ "name": "amount", "type": "number" }],
        "decisions": [{ "id": "route", "literal": "floor(amount / 4)" }] });
    let simulated =
        world.answer("rule_simulate", json!({ "decision": "route", "rules": rules })).await;
    assert_eq!((&simulated["cases"], &simulated["different"]), (&json!(300), &json!(300)));
    for (list, each) in [("changes", Some(4)), ("differences", None)] {
        let listed = simulated[list].as_array().unwrap();
        assert_eq!(listed.len(), 50, "{list}");
        assert!(listed.iter().all(|it| each.is_none_or(|each| it["cases"] == each)), "{list}");
    }
    assert_eq!(simulated.get("next_cursor"), None);
}
