//! Saving and finding agents.

use super::*;

#[tokio::test]
async fn a_definition_is_a_version_and_the_same_one_is_none() {
    let room = Room::new().await;
    for (persona, version, is_new) in
        [("Exact.", 1, true), ("Exact.", 1, false), ("Fast.", 2, true)]
    {
        let definition = json!({ "id": "adder", "prompt": "demo/total", "persona": persona });
        let saved = room.answer("agent_save", definition).await;
        assert_eq!(saved, json!({ "id": "adder", "version": version, "is_new": is_new }));
    }
    let old = room.answer("agent_get", json!({ "id": "adder", "version": 1 })).await;
    assert_eq!(old["definition"]["persona"], "Exact.");
    let new = room.answer("agent_get", json!({ "id": "adder" })).await;
    assert_eq!((&new["version"], &new["definition"]["name"]), (&json!(2), &json!("adder")));
    let found = room.answer("agent_search", json!({ "runner": "client" })).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let none = room.answer("agent_search", json!({ "runner": "server" })).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn what_could_not_work_is_refused_when_it_is_saved() {
    let room = Room::new().await;
    let check = async |change: Value, code: &str| {
        let mut definition = json!({ "id": "adder", "prompt": "demo/total" });
        definition.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = room.call(&room.ctx, "agent_save", definition).await.unwrap_err();
        assert_eq!(error.code(), code, "{change}");
    };
    check(json!({ "id": "" }), "invalid_agent_id").await;
    check(json!({ "id": "Adder" }), "invalid_agent_id").await;
    check(json!({ "id": "a".repeat(59) }), "invalid_agent_id").await;
    check(json!({ "prompt": "demo/none" }), "prompt_not_found").await;
    check(json!({ "prompt_version": 7 }), "prompt_not_found").await;
    check(json!({ "tools": ["price_drop"] }), "unknown_tool").await;
    check(json!({ "tools": ["user_save"] }), "unknown_tool").await;
    check(json!({ "runner": "server" }), "no_model_configured").await;
    check(json!({ "confidence_threshold": 1.5 }), "invalid_agent").await;
    check(json!({ "budgets": { "max_steps": 0 } }), "invalid_agent").await;
    check(json!({ "persona": "x".repeat(9_000) }), "invalid_agent").await;
    check(json!({ "groups": [""] }), "invalid_agent").await;
    check(json!({ "colour": "red" }), "invalid_arguments").await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    room.answer("work_claim", json!({})).await;
    let run = room.run().await.run.id;
    let other = Ctx { tenant: TenantId::from_text("ten_b"), ..room.ctx.clone() };
    for (operation, arguments, code) in [
        ("agent_get", json!({ "id": "adder" }), "agent_not_found"),
        ("work_claim", json!({ "agent": "adder" }), "agent_not_found"),
        ("run_get", json!({ "id": run }), "run_not_found"),
        ("work_submit", json!({ "id": "job_1", "epoch": 1, "output": {} }), "work_not_found"),
    ] {
        let error = room.call(&other, operation, arguments).await.unwrap_err();
        assert_eq!(error.code(), code, "{operation}");
    }
    for operation in ["agent_search", "run_search"] {
        let found = room.call(&other, operation, json!({})).await.unwrap();
        assert_eq!(found["items"], json!([]), "{operation}");
    }
    assert_eq!(room.call(&other, "work_claim", json!({})).await.unwrap()["work"], json!([]));
}
