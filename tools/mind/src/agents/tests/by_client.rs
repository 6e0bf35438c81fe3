//! Work by the connected client.

use super::*;

async fn claimed(room: &Room) -> Work {
    let claimed = room.answer("work_claim", json!({})).await;
    serde_json::from_value(claimed["work"][0].clone()).unwrap()
}

fn submission(work: &Work, output: &Value) -> Value {
    json!({ "id": work.id, "epoch": work.epoch, "output": output })
}

#[tokio::test]
async fn a_client_does_the_work_on_behalf_of_the_agent() {
    let room = Room::new().await;
    room.agent(json!({ "tools": ["price_get"], "confidence_threshold": 0.9 })).await;
    room.job("job_1", json!({ "text": "2 and 3", "secret": "not named by the prompt" })).await;
    let work = claimed(&room).await;
    let said: Vec<&str> = work.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(said, ["You are exact.", "Add up.", "2 and 3"]);
    assert_eq!(work.output_schema.as_ref().unwrap()["required"], json!(["total"]));
    assert_eq!((work.tools.len(), work.context.element.as_str()), (1, "add"));
    assert_eq!(work.context.headers["urgent"], "yes");
    assert!(!serde_json::to_string(&work).unwrap().contains("not named"));
    assert_eq!(room.answer("work_claim", json!({})).await["work"], json!([]), "it is taken");

    let output = json!({ "total": 5, "confidence": 0.8 });
    let submitted = room.answer("work_submit", submission(&work, &output)).await;
    assert_eq!(submitted["state"], "completed");
    assert_eq!(submitted["below_threshold"], true);
    assert_eq!(submitted["instance"]["id"], "ins_1");
    let calls = room.desk.calls("job_complete");
    assert_eq!(calls[0].arguments, json!({ "id": "job_1", "epoch": 1, "variables": output }));
    assert_eq!((calls[0].by.id.as_str(), calls[0].by.kind), ("agent:adder", PrincipalKind::Agent));
    assert_eq!(calls[0].by.groups, BTreeSet::from(["clerks".to_owned()]));
    assert_eq!(calls[0].scopes, ["execution:write"]);
    let run = room.run().await;
    assert_eq!((run.run.client.as_str(), run.run.principal.as_str()), ("anna", "agent:adder"));
    assert_eq!(room.kinds().await, [StepKind::Claimed, StepKind::Submission, StepKind::Completed]);
    assert!(run.run.ended_at.is_some() && room.stored_job("job_1").await.is_none());
}

#[tokio::test]
async fn a_client_that_is_an_agent_acts_in_its_own_name() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let agent =
        room.as_principal(Principal::new("codex", PrincipalKind::Agent, &[Role::Agent], &[]));
    let work = room.call(&agent, "work_claim", json!({})).await.unwrap();
    let output =
        json!({ "id": "job_1", "epoch": work["work"][0]["epoch"], "output": { "total": 5 } });
    room.call(&agent, "work_submit", output).await.unwrap();
    assert_eq!(room.desk.calls("job_complete")[0].by, agent.principal);
    assert_eq!(room.run().await.run.principal, "codex");
}

#[tokio::test]
async fn the_oldest_work_comes_first_whichever_agent_it_is_for() {
    let room = Room::new().await;
    for id in ["adder", "zoe"] {
        room.agent(json!({ "id": id })).await;
    }
    for (agent, job) in [("zoe", "1"), ("adder", "2"), ("adder", "3"), ("zoe", "4")] {
        room.job_of(agent, job, json!({ "text": "2 and 3" })).await;
        room.clock.advance_millis(1);
    }
    let mut order = Vec::new();
    while let [work] =
        room.answer("work_claim", json!({})).await["work"].as_array().unwrap().as_slice()
    {
        order.push((
            work["agent"].as_str().unwrap().to_owned(),
            work["id"].as_str().unwrap().to_owned(),
        ));
    }
    let expected = [("zoe", "1"), ("adder", "2"), ("adder", "3"), ("zoe", "4")];
    assert_eq!(order, expected.map(|(agent, job)| (agent.to_owned(), job.to_owned())));
}

#[tokio::test]
async fn work_that_cannot_be_begun_does_not_keep_other_work_waiting() {
    let room = Room::new().await;
    room.agent(json!({ "id": "zoe" })).await;
    room.agent(json!({ "id": "adder", "prompt": "demo/total" })).await;
    room.job_of("adder", "0", json!({})).await;
    room.clock.advance_millis(1);
    room.job_of("zoe", "1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    assert_eq!(work.id, "1");
    assert_eq!(room.desk.calls("job_fail")[0].arguments["id"], "0");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_comes_back_with_what_is_wrong() {
    let room = Room::new().await;
    room.agent(json!({ "budgets": { "max_steps": 3 } })).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    let bad = submission(&work, &json!({ "total": "five" }));
    for _ in 0..2 {
        let error = room.call(&room.ctx, "work_submit", bad.clone()).await.unwrap_err();
        assert_eq!(error.code(), "invalid_output");
        assert_eq!(error.body().details.as_ref().unwrap()["findings"][0]["path"], "/total");
    }
    assert!(room.desk.calls("job_complete").is_empty());
    room.answer("work_submit", submission(&work, &json!({ "total": 5 }))).await;
    let kinds = room.kinds().await;
    assert_eq!(kinds[1..3], [StepKind::InvalidOutput, StepKind::InvalidOutput]);

    room.job("job_2", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    let bad = submission(&work, &json!({}));
    let mut codes = Vec::new();
    for _ in 0..4 {
        let error = room.call(&room.ctx, "work_submit", bad.clone()).await.unwrap_err();
        codes.push(error.code().to_owned());
    }
    assert_eq!(codes, ["invalid_output", "invalid_output", "invalid_output", "budget_exceeded"]);
}

#[tokio::test]
async fn a_refusal_comes_back_unchanged_and_another_answer_may_follow() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    room.desk.fails("job_complete", refusal());
    let params = submission(&work, &json!({ "total": 5000 }));
    let error = room.call(&room.ctx, "work_submit", params).await.unwrap_err();
    assert_eq!(error.body(), refusal().body());
    let run = room.run().await;
    assert_eq!(run.run.state, RunState::Refused);
    assert_eq!(run.error.unwrap().code, "governance_refused");
    room.answer("work_submit", submission(&work, &json!({ "total": 5 }))).await;
    let run = room.run().await;
    assert_eq!((run.run.state, run.error), (RunState::Completed, None));
}

#[tokio::test]
async fn after_the_lease_another_client_goes_on_with_the_same_run() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let first = claimed(&room).await;
    let bad = submission(&first, &json!({}));
    room.call(&room.ctx, "work_submit", bad).await.unwrap_err();
    room.clock.advance_millis(301_000);

    let bert =
        room.as_principal(Principal::new("bert", PrincipalKind::Person, &[Role::Employee], &[]));
    let second = room.call(&bert, "work_claim", json!({})).await.unwrap();
    let second: Work = serde_json::from_value(second["work"][0].clone()).unwrap();
    assert_eq!((&second.run_id, second.epoch), (&first.run_id, first.epoch + 1));
    let earlier: Vec<StepKind> = second.earlier_steps.iter().map(|step| step.kind).collect();
    assert_eq!(earlier, [StepKind::Claimed, StepKind::InvalidOutput]);

    let good = json!({ "total": 5 });
    let late = room.call(&room.ctx, "work_submit", submission(&first, &good)).await;
    assert_eq!(late.unwrap_err().code(), "work_not_yours");
    let old = room.call(&bert, "work_submit", submission(&first, &good)).await;
    assert_eq!(old.unwrap_err().code(), "stale_lease");
    room.call(&bert, "work_submit", submission(&second, &good)).await.unwrap();
    let again = room.call(&bert, "work_submit", submission(&second, &good)).await;
    assert_eq!(again.unwrap_err().code(), "run_over");
    assert_eq!(room.desk.state.lock().completed.len(), 1);
}

#[tokio::test]
async fn an_answer_whose_outcome_was_lost_is_handed_in_once() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    room.desk.state.lock().loses_answer = Some("job_complete".to_owned());
    let params = submission(&work, &json!({ "total": 5 }));
    let lost = room.call(&room.ctx, "work_submit", params.clone()).await.unwrap_err();
    assert_eq!(lost.code(), "not_serving");
    assert_eq!(room.run().await.run.state, RunState::Submitting);
    let submitted = room.answer("work_submit", params).await;
    assert_eq!(submitted["state"], "completed");
    assert_eq!(room.desk.state.lock().completed.len(), 1);
}

#[tokio::test]
async fn work_that_cannot_be_begun_is_left_to_a_person_and_the_next_is_given() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "number": 5 })).await;
    room.job("job_2", json!({ "text": "2 and 3" })).await;
    assert_eq!(claimed(&room).await.id, "job_2");
    let refused = &room.desk.calls("job_fail")[0].arguments;
    assert_eq!((&refused["id"], &refused["retries"]), (&json!("job_1"), &json!(0)));
    assert!(refused["message"].as_str().unwrap().contains("text"), "{refused}");
    assert_eq!(room.stored_job("job_1").await.unwrap().retries, 0);
}

#[tokio::test]
async fn work_is_given_back_with_a_reason() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    let fail = json!({ "id": work.id, "epoch": work.epoch, "reason": "too much",
        "error_code": "BEYOND_MANDATE" });
    let given_back = room.answer("work_fail", fail.clone()).await;
    assert_eq!(given_back["instance"]["id"], "ins_1");
    let call = &room.desk.calls("job_fail")[0];
    assert_eq!(call.arguments["error_code"], "BEYOND_MANDATE");
    assert_eq!(call.by.id, "agent:adder");
    assert_eq!(room.run().await.run.state, RunState::Failed);
    let again = room.call(&room.ctx, "work_fail", fail).await.unwrap_err();
    assert_eq!(again.code(), "run_over");

    room.job("job_2", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    let fail = json!({ "id": work.id, "epoch": work.epoch, "reason": "later" });
    room.answer("work_fail", fail).await;
    let next = claimed(&room).await;
    assert_ne!(next.run_id, work.run_id, "a new attempt is a new run");
    assert_eq!(room.stored_job("job_2").await.unwrap().retries, 2);
}

#[tokio::test]
async fn work_that_the_process_took_back_ends_its_run() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let work = claimed(&room).await;
    let mut writes = WriteSet::new();
    jobs::cancel(&mut writes, "job_1");
    room.desk.db.submit(&room.ctx, writes).await.unwrap();
    let params = submission(&work, &json!({ "total": 5 }));
    let error = room.call(&room.ctx, "work_submit", params).await.unwrap_err();
    assert_eq!(error.code(), "stale_lease");
    let run = room.run().await;
    assert_eq!(
        (run.run.state, run.error.unwrap().code.as_str()),
        (RunState::Failed, "work_taken_back")
    );
    assert!(room.desk.calls("job_complete").is_empty());
}
