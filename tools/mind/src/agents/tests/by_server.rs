//! Work by a model of the server, over real HTTP to a scripted endpoint.

use std::time::Duration;

use flowmaster_agents::testing::Scripted;
use tokio::sync::watch;

use super::*;

pub(super) const LEASE: i64 = 61_000;

pub(super) fn driver(room: &Room) -> Driver {
    let pace = Pace { idle: Duration::from_millis(20), ..Pace::default() };
    let (clock, ids) = (room.clock.clone(), Arc::clone(&room.ctx.ids));
    Driver::new(Arc::clone(&room.agents), clock, ids, "node-1", pace)
}

/// A room with a server agent that may use both tools, and one job.
async fn begun(script: Vec<Scripted>, more: Value) -> (Room, ScriptedModel, Driver) {
    let model = ScriptedModel::start(script).await.unwrap();
    let room = Room::with(Some(&model)).await;
    let mut definition = json!({ "runner": "server", "tools": ["price_get", "order_create"] });
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    room.agent(definition).await;
    room.job("job_1", json!({ "text": "the price of a" })).await;
    let driver = driver(&room);
    (room, model, driver)
}

fn price() -> Scripted {
    Scripted::wants(&[("price_get", r#"{"item":"a"}"#)])
}

fn order() -> Scripted {
    Scripted::wants(&[("order_create", r#"{"item":"a"}"#)])
}

pub(super) fn total() -> Scripted {
    Scripted::says(r#"{"total": 5}"#)
}

/// Drives the run until `until`, then drops it there, as a dead process would.
pub(super) async fn die_at(driver: Driver, until: impl Future<Output = ()>) {
    let run = tokio::spawn(async move { driver.work_once().await });
    until.await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_model_calls_a_tool_and_answers() {
    let (room, model, driver) = begun(vec![price(), total()], json!({})).await;
    assert!(driver.work_once().await.unwrap());
    assert!(!driver.work_once().await.unwrap(), "there was one job");
    assert_eq!(room.desk.state.lock().completed, [json!({ "total": 5 })]);
    let order: Vec<String> =
        room.desk.state.lock().calls.iter().map(|call| call.operation.clone()).collect();
    assert_eq!(order, ["job_authorize", "price_get", "job_complete"]);
    let tool = &room.desk.calls("price_get")[0];
    assert_eq!(
        (tool.by.id.as_str(), tool.scopes.as_slice()),
        ("agent:adder", &["shop:read".to_owned()][..])
    );
    let asked = model.asked();
    assert_eq!(asked.len(), 2);
    let told = asked[1].body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(
        told,
        &json!({ "role": "tool", "tool_call_id": "call_0", "content": "{\"price\":5}" })
    );
    assert_eq!(asked[0].body["tools"].as_array().unwrap().len(), 2);
    let run = room.run().await;
    assert_eq!(
        (run.run.state, run.run.tokens_in, run.run.tokens_out),
        (RunState::Completed, 240, 60)
    );
    use StepKind::{
        Claimed, Completed, ModelIntent, ModelReply, Submission, ToolIntent, ToolResult,
    };
    assert_eq!(
        room.kinds().await,
        [
            Claimed,
            ModelIntent,
            ModelReply,
            ToolIntent,
            ToolResult,
            ModelIntent,
            ModelReply,
            Submission,
            Completed
        ]
    );
}

#[tokio::test]
async fn unsound_replies_call_no_tool_and_are_asked_for_again() {
    let cut = Scripted::wants_ending(&[("order_create", r#"{"item":"a"}"#)], None);
    let (room, model, driver) =
        begun(vec![cut, Scripted::wants(&[("order_create", "{\"item")]), total()], json!({})).await;
    driver.work_once().await.unwrap();
    assert!(room.desk.calls("order_create").is_empty());
    assert_eq!(model.asked().len(), 3);
    assert_eq!(room.run().await.run.state, RunState::Completed);
}

#[tokio::test]
async fn what_is_recorded_is_not_done_again_after_a_crash() {
    let (room, model, first) = begun(vec![order(), Scripted::Silence], json!({})).await;
    die_at(first, model.was_asked(2)).await;
    room.clock.advance_millis(LEASE);
    model.then(total());
    driver(&room).work_once().await.unwrap();
    assert_eq!(model.asked().len(), 3, "only the call without a reply is repeated");
    assert_eq!(model.asked()[1].body["messages"], model.asked()[2].body["messages"]);
    assert_eq!(room.desk.calls("order_create").len(), 1);
    let run = room.run().await;
    assert_eq!((run.run.state, run.run.client.as_str()), (RunState::Completed, "node-1"));
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_left_to_a_person_and_a_read_is_repeated() {
    let check = async |reply: Scripted, tool: &str, state: RunState, calls: usize| {
        let (room, model, first) = begun(vec![reply], json!({})).await;
        room.desk.state.lock().trap = Some(tool.to_owned());
        die_at(first, room.desk.trapped.notified()).await;
        room.clock.advance_millis(LEASE);
        model.then(total());
        driver(&room).work_once().await.unwrap();
        assert_eq!(room.run().await.run.state, state, "{tool}");
        assert_eq!(room.desk.calls(tool).len(), calls, "{tool}");
        (room, model)
    };
    let (room, model) = check(order(), "order_create", RunState::OutcomeUnknown, 1).await;
    assert_eq!(model.asked().len(), 1);
    let failed = &room.desk.calls("job_fail")[0].arguments;
    assert_eq!(failed["retries"], 0);
    assert!(failed["message"].as_str().unwrap().contains("order_create"), "{failed}");
    check(price(), "price_get", RunState::Completed, 2).await;
}

#[tokio::test]
async fn a_tool_call_that_a_policy_refuses_is_told_to_the_model() {
    let (room, model, driver) = begun(vec![order(), total()], json!({})).await;
    room.desk.fails("job_authorize", refusal());
    driver.work_once().await.unwrap();
    assert!(room.desk.calls("order_create").is_empty());
    let told = model.asked()[1].body["messages"].to_string();
    assert!(told.contains("governance_refused"), "{told}");
    assert_eq!(room.run().await.run.state, RunState::Completed);
}

#[tokio::test]
async fn a_run_that_cannot_go_on_becomes_an_incident() {
    let check = async |script: Vec<Scripted>, more: Value, code: &str| {
        let (room, _model, driver) = begun(script, more).await;
        driver.work_once().await.unwrap();
        let run = room.run().await;
        assert_eq!(run.run.state, RunState::Failed, "{code}");
        assert_eq!(run.error.unwrap().code, code);
        assert_eq!(room.stored_job("job_1").await.unwrap().retries, 0);
        assert!(room.desk.calls("job_complete").is_empty());
    };
    let nonsense = || Scripted::says("nonsense");
    check(vec![nonsense(), nonsense(), nonsense()], json!({}), "no_usable_answer").await;
    check(vec![price(), price(), price()], json!({}), "agent_loop").await;
    let budgets = json!({ "budgets": { "max_tool_calls": 0 } });
    check(vec![price()], budgets, "budget_exceeded").await;
    let unauthorized = Scripted::error(401, "invalid_api_key");
    check(vec![unauthorized], json!({}), "model_unavailable").await;
}

#[tokio::test]
async fn a_model_that_is_busy_is_asked_later_and_the_run_goes_on() {
    let busy = Scripted::error(429, "rate_limit_exceeded").with_header("retry-after", "90");
    let (room, model, driver) = begun(vec![price(), busy, total()], json!({})).await;
    driver.work_once().await.unwrap();
    let given_back = &room.desk.calls("job_fail")[0].arguments;
    assert_eq!((&given_back["back_off_s"], given_back.get("retries")), (&json!(90), None));
    assert_eq!(room.run().await.run.state, RunState::Open);
    driver.work_once().await.unwrap();
    assert_eq!(room.run().await.run.state, RunState::Completed);
    assert_eq!((model.asked().len(), room.desk.calls("price_get").len()), (3, 1));
}

#[tokio::test]
async fn work_whose_instance_is_paused_meanwhile_goes_on_when_it_is_resumed() {
    let (room, model, driver) = begun(vec![price(), total()], json!({})).await;
    let paused = || Error::from(flowmaster_engine::command::Rejected::Paused);
    room.desk.fails("job_authorize", paused());
    room.desk.fails("job_fail", paused());
    assert_eq!(driver.work_once().await.unwrap_err().code(), "instance_paused");
    assert!(room.run().await.run.ended_at.is_none());
    room.clock.advance_millis(LEASE);
    assert!(driver.work_once().await.unwrap());
    assert_eq!(room.desk.state.lock().completed, [json!({ "total": 5 })]);
    assert_eq!(model.asked().len(), 2, "what was said is not asked again");
}

#[tokio::test]
async fn a_refused_answer_ends_in_an_incident_or_in_the_error_that_the_agent_names() {
    let (room, _model, driver) = begun(vec![total()], json!({})).await;
    room.desk.fails("job_complete", refusal());
    driver.work_once().await.unwrap();
    assert_eq!(room.desk.calls("job_fail")[0].arguments["retries"], 0);
    assert_eq!(room.run().await.run.state, RunState::Refused);

    let named = json!({ "refusal_error_code": "BEYOND_MANDATE" });
    let (room, _model, driver) = begun(vec![total()], named).await;
    room.desk.fails("job_complete", refusal());
    driver.work_once().await.unwrap();
    assert_eq!(room.desk.calls("job_fail")[0].arguments["error_code"], "BEYOND_MANDATE");
}

#[tokio::test]
async fn an_answer_that_was_taken_before_a_crash_is_noted_later() {
    let (room, _model, first) = begun(vec![total()], json!({})).await;
    room.desk.state.lock().loses_answer = Some("job_complete".to_owned());
    let interrupted = first.work_once().await.unwrap_err();
    assert_eq!(interrupted.code(), "stale_lease", "the job is done, so nothing can be written");
    let state = room.run().await.run.state;
    assert_eq!(state, RunState::Submitting);
    let driver = driver(&room);
    driver.settle_left().await.unwrap();
    assert_eq!(room.run().await.run.state, RunState::Submitting, "it may still be under way");
    room.clock.advance_millis(301_000);
    driver.settle_left().await.unwrap();
    assert_eq!(room.run().await.run.state, RunState::Completed);
    assert_eq!(room.desk.state.lock().completed.len(), 1);
}

#[tokio::test]
async fn a_run_that_ended_is_not_begun_anew_because_its_process_died() {
    let (room, model, first) = begun(vec![order()], json!({})).await;
    room.desk.state.lock().trap = Some("order_create".to_owned());
    die_at(first, room.desk.trapped.notified()).await;
    room.clock.advance_millis(LEASE);
    room.desk.state.lock().trap = Some("job_fail".to_owned());
    die_at(driver(&room), room.desk.trapped.notified()).await;
    assert_eq!(room.run().await.run.state, RunState::Open);
    room.clock.advance_millis(LEASE);
    driver(&room).work_once().await.unwrap();
    assert_eq!(room.run().await.run.state, RunState::OutcomeUnknown);
    assert_eq!(room.stored_job("job_1").await.unwrap().retries, 0);
    assert_eq!((model.asked().len(), room.desk.calls("order_create").len()), (1, 1));
}

#[tokio::test]
async fn work_that_a_person_has_tried_again_begins_anew() {
    let (room, model, first) = begun(vec![price(), price(), price()], json!({})).await;
    room.desk.state.lock().loses_answer = Some("job_fail".to_owned());
    assert_eq!(first.work_once().await.unwrap_err().code(), "not_serving");
    let failed = room.run().await;
    assert_eq!(room.stored_job("job_1").await.unwrap().retries, 0);
    let mut writes = WriteSet::new();
    jobs::retry(&mut writes, "job_1", 1, room.ctx.now());
    room.desk.db.submit(&room.ctx, writes).await.unwrap();
    model.then(total());
    driver(&room).work_once().await.unwrap();
    let run = room.run().await;
    assert_eq!(run.run.state, RunState::Completed);
    assert_ne!(run.run.id, failed.run.id);
    let old = room.answer("run_get", json!({ "id": failed.run.id })).await;
    assert_eq!(old["run"]["state"], "failed");
}

#[tokio::test]
async fn a_client_is_told_that_the_server_does_the_work() {
    let (room, _model, _driver) = begun(vec![], json!({})).await;
    let error = room.call(&room.ctx, "work_claim", json!({ "agent": "adder" })).await.unwrap_err();
    assert_eq!(error.code(), "done_by_server");
    assert_eq!(room.answer("work_claim", json!({})).await["work"], json!([]));
}

#[tokio::test]
async fn the_driver_works_until_it_is_told_to_stop() {
    let (room, model, driver) = begun(vec![total(), total(), total()], json!({})).await;
    room.job("job_2", json!({ "text": "the price of b" })).await;
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(driver.run(stopping));
    model.was_asked(2).await;
    room.job("job_3", json!({ "text": "the price of c" })).await;
    model.was_asked(3).await;
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(room.desk.state.lock().completed.len(), 3);
}
