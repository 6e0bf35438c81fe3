use serde_json::{Value, json};

use crate::testing::{World, begin, element, end};

/// A rule file with decisions that answer true.
fn rules(id: &str, decisions: &[&str]) -> Value {
    let decision = |id: &&str| json!({ "id": id, "literal": "true" });
    json!({ "rules": { "id": id, "decisions": decisions.iter().map(decision).collect::<Vec<_>>() } })
}

async fn publish(world: &World, id: &str, decisions: &[&str]) {
    world.answer("rule_save", rules(id, decisions)).await;
    world.answer("rule_publish", json!({ "id": id })).await;
}

fn asks(policy: &str, decision: &str) -> Value {
    json!({ "id": policy, "on": ["complete"], "rule": { "decision": { "decision": decision } } })
}

#[tokio::test]
async fn who_asks_a_decision_and_where_is_found() {
    let world = World::new().await;
    publish(&world, "checks", &["fit", "safe"]).await;
    publish(&world, "checks-2", &["other"]).await;
    let process = |id: &str, decision: &str| {
        let policies = [asks("second", "safe"), asks("first", decision)];
        let elements = json!([
            begin("ask"),
            element(
                "ask",
                "businessRuleTask",
                "do",
                json!({ "decision": decision, "result": "r" })
            ),
            element("do", "userTask", "done", json!({ "policies": policies })),
            end("done"),
        ]);
        json!({ "compact": { "id": id, "elements": elements, "policies": [asks("all", "fit")] } })
    };
    for (id, decision) in [("a", "fit"), ("b", "other"), ("c", "fit")] {
        world.answer("process_save", process(id, decision)).await;
        world.answer("process_publish", json!({ "id": id })).await;
    }
    publish(&world, "checks", &["fit", "safe", "new"]).await;
    world.answer("process_save", process("c", "fit")).await;
    world.answer("process_publish", json!({ "id": "c" })).await;

    let found = world.answer("rule_usage", json!({ "id": "checks" })).await;
    let versions: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["process"], it["version"], it["rule_version"]]))
        .collect();
    assert_eq!(json!(versions), json!([["a", 1, 1], ["b", 1, 1], ["c", 2, 2]]));
    assert_eq!(
        found["items"][0]["places"],
        json!([
            { "decision": "fit", "policy": "all" },
            { "decision": "fit", "element": "ask" },
            { "decision": "safe", "element": "do", "policy": "second" },
            { "decision": "fit", "element": "do", "policy": "first" },
        ])
    );
    let one = world.answer("rule_usage", json!({ "id": "checks-2", "decision": "other" })).await;
    assert_eq!(one["items"][0]["places"].as_array().unwrap().len(), 2, "{one}");
    let never = world.answer("rule_usage", json!({ "id": "checks", "decision": "new" })).await;
    assert_eq!(never["items"], json!([]));
    let page = world.answer("rule_usage", json!({ "id": "checks", "limit": 2 })).await;
    assert_eq!((&page["items"][1]["process"], &page["next_cursor"]), (&json!("b"), &json!("b")));
    let nobody = world.answer("rule_usage", json!({ "id": "check" })).await;
    assert_eq!(nobody["items"], json!([]));
}
