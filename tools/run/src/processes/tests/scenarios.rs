//! `scenario_run`.

use super::*;

const PASSES: &str = "name: adds\nmodels: [process.bpmn]\nstart: { variables: { a: 2 } }\n\
                      expect: { state: completed, variables: { total: 3 } }\n";
const FAILS: &str = "name: subtracts\nmodels: [process.bpmn]\nstart: { variables: { a: 2 } }\n\
                     expect: { variables: { total: 1 } }\n";

#[tokio::test]
async fn a_stored_process_is_tested() {
    let world = World::new().await;
    world.answer("process_save", json!({ "compact": order("a + 1") })).await;
    let params = json!({ "process": "order", "scenario": format!("{PASSES}---\n{FAILS}") });
    let report = world.answer("scenario_run", params).await;
    assert_eq!((&report["passed"], &report["failed"]), (&json!(1), &json!(1)));
    assert_eq!(report["cases"][0], json!({ "name": "adds", "passed": true }));
    let difference = &report["cases"][1]["difference"];
    assert_eq!(
        (&difference["expected"], &difference["actual"]),
        (&json!("1"), &json!("3")),
        "{difference}"
    );
    assert!(world.instances().await.is_empty(), "nothing is stored");
}

#[tokio::test]
async fn models_are_sent_along() {
    let world = World::new().await;
    let models = json!({ "order.json": order("a + 1").to_string() });
    let scenario = PASSES.replace("process.bpmn", "order.json");
    let report =
        world.answer("scenario_run", json!({ "scenario": scenario, "models": models })).await;
    assert_eq!(report["passed"], 1);
}

#[tokio::test]
async fn mandates_in_force_hold_in_scenarios() {
    let world = World::new().await;
    let policy = json!([{ "id": "limit", "on": ["complete"], "rule": { "mandate": {
        "domain": "finance", "action": "approve", "amount": "amount", "currency": "EUR" } } }]);
    world
        .publish(
            "order",
            json!([
                begin("approve"),
                element("approve", "userTask", "done", json!({ "policies": policy })),
                end("done"),
            ]),
        )
        .await;
    let mandate = json!({ "id": "m", "domain": "finance", "action": "approve", "holder": "manager",
        "authority": "allow", "below": 100, "currency": "EUR" });
    world.answer("mandate_save", json!({ "mandates": [mandate] })).await;
    let scenario = "name: limits\nmodels: [process.bpmn]\nstart: { variables: { amount: 50 } }\nsteps:\n\
                    - refuse: { complete: approve, actor: ben, reason: escalate }\n\
                    - complete: { node: approve, actor: mia }\nexpect: { state: completed }\n";
    let params =
        json!({ "process": "order", "scenario": scenario, "actors": { "mia": ["manager"] } });
    let report = world.answer("scenario_run", params).await;
    assert_eq!(report["passed"], 1, "{report}");
}

#[tokio::test]
async fn what_cannot_run_is_refused() {
    let world = World::new().await;
    world.answer("process_save", json!({ "compact": order("1") })).await;
    let text = order("1").to_string();
    for (params, code) in [
        (json!({ "scenario": "colour: red" }), "bad_scenario"),
        (json!({ "scenario": PASSES }), "model_missing"),
        (json!({ "scenario": PASSES, "process": "nothing" }), "process_not_found"),
        (
            json!({ "scenario": "name: x\nmodels: [a.bpmn]", "models": { "a.bpmn": "no xml" } }),
            "model_unreadable",
        ),
        (
            json!({ "scenario": "name: x\nmodels: [a.json]", "models": { "a.json": "{}" } }),
            "model_unreadable",
        ),
        (
            json!({ "scenario": "name: x\nmodels: [a.dmn]", "models": { "a.dmn": "<x/>" } }),
            "model_unreadable",
        ),
        (
            json!({ "scenario": "name: x\nmodels: [a.json, b.json]", "models": { "a.json": text, "b.json": text } }),
            "process_twice",
        ),
        (json!({ "scenario": "x".repeat(4 * 1024 * 1024 + 1) }), "scenario_too_large"),
        (
            json!({ "scenario": format!("{PASSES}---\n").repeat(51), "process": "order" }),
            "scenario_too_large",
        ),
    ] {
        assert_eq!(world.refusal("scenario_run", params).await.code(), code);
    }
}
