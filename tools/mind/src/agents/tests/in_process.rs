//! An agent of the server whose tools are elements of the process.

use flowmaster_agents::testing::Scripted;

use super::by_server::{LEASE, die_at, driver, total};
use super::*;

/// Asks the agent to perform an ad-hoc sub-process; `results` are of what it let begin last.
async fn ask(room: &Room, id: &str, results: Value) {
    let payload = json!({
        "element": "add", "scope": 5,
        "activities": [{ "id": "look_up", "documentation": "Finds a price." }],
        "variables": { "text": "the price of a", "toolResults": results }
    });
    room.job_with("adder", id, payload).await;
}

async fn begun(script: Vec<Scripted>) -> (Room, ScriptedModel) {
    let model = ScriptedModel::start(script).await.unwrap();
    let room = Room::with(Some(&model)).await;
    room.agent(json!({ "runner": "server" })).await;
    ask(&room, "job_1", json!([])).await;
    (room, model)
}

fn look_up() -> Scripted {
    Scripted::wants(&[("look_up", r#"{"item":"a"}"#)])
}

/// What was handed in, one after the other.
fn activated(room: &Room) -> Vec<Value> {
    let calls = room.desk.calls("job_complete").into_iter();
    calls.map(|call| call.arguments["activate"].clone()).collect()
}

#[tokio::test]
async fn a_tool_in_the_process_begins_and_another_run_goes_on_with_its_result() {
    let (room, model) = begun(vec![look_up(), total()]).await;
    driver(&room).work_once().await.unwrap();
    assert_eq!(model.asked()[0].body["tools"][0]["function"]["name"], "look_up");
    assert_eq!(model.asked()[0].body["tools"][0]["function"]["description"], "Finds a price.");
    let begun = &activated(&room)[0][0];
    assert_eq!((&begun["id"], &begun["variables"]), (&json!("look_up"), &json!({ "item": "a" })));
    assert_eq!(room.run().await.run.state, RunState::Completed);
    assert_eq!(model.asked().len(), 1);

    let result = json!([{ "tool": "look_up", "call": begun["call"], "result": { "price": 5 } }]);
    ask(&room, "job_2", result).await;
    driver(&room).work_once().await.unwrap();
    assert_eq!(model.asked().len(), 2, "what the model said before is not asked again");
    let told = model.asked()[1].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&told["role"], &told["content"]), (&json!("tool"), &json!("{\"price\":5}")));
    assert_eq!(activated(&room)[1], Value::Null);
    assert_eq!(room.desk.state.lock().completed.last(), Some(&json!({ "total": 5 })));
    let runs = room.answer("run_search", json!({ "instance": "ins_1" })).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn calls_of_one_reply_are_made_one_after_the_other() {
    let both = Scripted::wants(&[("look_up", r#"{"item":"a"}"#), ("look_up", r#"{"item":"b"}"#)]);
    let (room, model) = begun(vec![both, total()]).await;
    driver(&room).work_once().await.unwrap();
    ask(&room, "job_2", json!([{ "tool": "look_up", "result": { "price": 1 } }])).await;
    driver(&room).work_once().await.unwrap();
    let items: Vec<Value> =
        activated(&room).iter().map(|begun| begun[0]["variables"]["item"].clone()).collect();
    assert_eq!(items, ["a", "b"]);
    ask(&room, "job_3", json!([{ "tool": "look_up", "result": { "price": 2 } }])).await;
    driver(&room).work_once().await.unwrap();
    let asked = model.asked();
    assert_eq!(asked.len(), 2);
    let messages = asked[1].body["messages"].as_array().unwrap();
    let results: Vec<&Value> =
        messages.iter().filter(|it| it["role"] == "tool").map(|it| &it["content"]).collect();
    assert_eq!(results, ["{\"price\":1}", "{\"price\":2}"]);
}

#[tokio::test]
async fn a_tool_that_the_rules_refuse_is_told_to_the_model() {
    let (room, model) = begun(vec![look_up(), total()]).await;
    room.desk.fails("job_complete", refusal());
    driver(&room).work_once().await.unwrap();
    let told = model.asked()[1].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert!(told["content"].as_str().unwrap().contains("no mandate covers it"), "{told}");
    assert_eq!(room.desk.state.lock().completed.last(), Some(&json!({ "total": 5 })));
}

#[tokio::test]
async fn a_process_that_died_while_it_handed_a_call_in_does_so_once() {
    let (room, model) = begun(vec![look_up(), total()]).await;
    room.desk.state.lock().trap = Some("job_complete".to_owned());
    die_at(driver(&room), room.desk.trapped.notified()).await;
    room.clock.advance_millis(LEASE);
    driver(&room).work_once().await.unwrap();
    assert_eq!(model.asked().len(), 1);
    let calls = activated(&room);
    assert_eq!(calls.len(), 2, "it is handed in again");
    assert_eq!(calls[0], calls[1], "under the same name");
}
