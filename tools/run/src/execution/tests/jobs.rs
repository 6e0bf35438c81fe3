//! Jobs: claims, epochs, retries, errors, tool calls.

use super::*;
use flowmaster_kernel::PrincipalKind;

#[tokio::test]
async fn a_job_is_claimed_and_completed() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let id = world.start("work", json!({ "n": 1 })).await;
    let job = world.claim("work", 5).await.remove(0);
    assert_eq!(
        (&job["instance"], &job["element"], &job["retries"]),
        (&json!(id), &json!("work"), &json!(2))
    );
    assert_eq!(job["variables"], json!({ "n": 1 }));
    assert!(world.claim("work", 5).await.is_empty());
    let keyed = world.keyed("job_complete", "k1");
    let done = json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "m": 2 } });
    let answer = world.call(&keyed, "job_complete", done.clone()).await.unwrap();
    assert_eq!(answer["state"], "completed");
    assert_eq!(world.db.recorded_answer(&keyed).await.unwrap(), Some(answer));
    assert_eq!(world.refusal("job_complete", done).await.code(), "instance_state");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn an_old_claim_is_refused() {
    let world = World::new().await;
    world.publish("work", job()).await;
    world.start("work", json!({})).await;
    let old = world.claim("work", 1).await.remove(0);
    world.clock.advance_millis(61_000);
    let new = world.claim("work", 1).await.remove(0);
    for (epoch, code) in [(json!(0), "stale_lease"), (old["epoch"].clone(), "stale_lease")] {
        let done = json!({ "id": old["id"], "epoch": epoch });
        assert_eq!(world.refusal("job_complete", done).await.code(), code);
        let failed = json!({ "id": old["id"], "epoch": epoch, "message": "no" });
        assert_eq!(world.refusal("job_fail", failed).await.code(), code);
        let thrown = json!({ "id": old["id"], "epoch": epoch, "message": "no", "error_code": "X" });
        assert_eq!(world.refusal("job_fail", thrown).await.code(), code);
    }
    let done = json!({ "id": new["id"], "epoch": new["epoch"] });
    assert_eq!(world.answer("job_complete", done).await["state"], "completed");
    for id in ["nonsense", "ins_1/2"] {
        let done = json!({ "id": id, "epoch": 1 });
        assert!(world.refusal("job_complete", done).await.code().ends_with("_not_found"));
    }
}

#[tokio::test]
async fn a_failed_job_is_tried_again_and_then_an_incident() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let id = world.start("work", json!({})).await;
    let job = world.claim("work", 1).await.remove(0);
    let failed =
        json!({ "id": job["id"], "epoch": job["epoch"], "message": "503", "back_off_s": 30 });
    world.answer("job_fail", failed).await;
    assert!(world.claim("work", 1).await.is_empty());
    world.clock.advance_millis(30_000);
    let job = world.claim("work", 1).await.remove(0);
    assert_eq!(job["retries"], 1);
    let failed = json!({ "id": job["id"], "epoch": job["epoch"], "message": "504" });
    assert_eq!(world.answer("job_fail", failed).await["incidents"], 1);
    world.after(10).await;
    assert!(world.claim("work", 1).await.is_empty());
    let view = world.get(&id).await;
    assert_eq!(view["open_incidents"][0]["kind"], "job_failed");
    assert_eq!(view["open_incidents"][0]["message"], "504");
    world.answer("incident_resolve", json!({ "id": view["open_incidents"][0]["id"] })).await;
    assert_eq!(world.work("work", json!({})).await["state"], "completed");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn an_error_is_caught_or_stops_the_job() {
    let world = World::new().await;
    let elements = json!([
        begin("charge"),
        element("charge", "serviceTask", "done", json!({ "job": "charge" })),
        element(
            "declined",
            "boundaryEvent",
            "refused",
            json!({ "attachedTo": "charge", "event": { "error": "DECLINED" } })
        ),
        end("refused"),
        end("done"),
    ]);
    world.publish("pay", elements).await;
    let caught = world.start("pay", json!({})).await;
    let job = world.claim("charge", 1).await.remove(0);
    let thrown = json!({ "id": job["id"], "epoch": job["epoch"], "message": "no", "error_code": "DECLINED", "variables": { "why": "limit" } });
    assert_eq!(world.answer("job_fail", thrown).await["state"], "completed");
    assert_eq!(world.variable(&caught, "why").await, json!("limit"));

    let stopped = world.start("pay", json!({})).await;
    let job = world.claim("charge", 1).await.remove(0);
    let thrown =
        json!({ "id": job["id"], "epoch": job["epoch"], "message": "no", "error_code": "OTHER" });
    assert_eq!(world.answer("job_fail", thrown).await["incidents"], 1);
    world.clock.advance_millis(3_600_000);
    assert!(
        world.claim("charge", 1).await.is_empty(),
        "it waits for its incident and not for workers"
    );
    world.answer("instance_control", json!({ "id": stopped, "action": "retry" })).await;
    assert_eq!(world.work("charge", json!({})).await["state"], "completed");
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn a_tool_call_is_asked_for_and_recorded() {
    let world = World::new().await;
    let policy = json!([{ "id": "small-sums", "on": ["tool_call"], "rule": { "condition": {
        "when": "attempt.tool = \"pay\" and attempt.arguments.sum < 100", "reason": "too much" } } }]);
    let elements = json!([
        begin("pay"),
        element("pay", "agentTask", "done", json!({ "agent": "payer", "policies": policy })),
        end("done"),
    ]);
    world.publish("pay", elements).await;
    let id = world.start("pay", json!({})).await;
    let work = world.wait_of(&id, "pay").await;
    let agent = world.principal("ten_a", "agent:payer", PrincipalKind::Agent, &[]);
    let ask = |sum: i64| json!({ "id": work, "tool": "pay", "arguments": { "sum": sum } });
    let allowed = world.call(&agent, "job_authorize", ask(99)).await.unwrap();
    assert_eq!(allowed, json!({ "allowed": true }));
    let refused = world.call(&agent, "job_authorize", ask(100)).await.unwrap_err();
    assert_eq!(refused.code(), "governance_refused");
    let said = world.timeline(&id).await;
    for sentence in [
        "allowed agent:payer to call a tool at pay with pay: asked small-sums",
        "REFUSED: agent:payer may not call a tool at pay with pay: too much (policy small-sums)",
    ] {
        assert!(said.iter().any(|said| said == sentence), "{said:?}");
    }
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_paused_instance_keeps_its_jobs() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let id = world.start("work", json!({})).await;
    let control = |action: &str| json!({ "id": id, "action": action });
    let job = world.claim("work", 1).await.remove(0);
    world.answer("instance_control", control("pause")).await;
    let done = json!({ "id": job["id"], "epoch": job["epoch"] });
    let failed = json!({ "id": job["id"], "epoch": job["epoch"], "message": "503" });
    for (operation, arguments) in [("job_complete", done.clone()), ("job_fail", failed)] {
        let refused = world.refusal(operation, arguments).await;
        assert_eq!((refused.code(), refused.body().retryable), ("instance_paused", true));
    }
    world.answer("instance_control", control("resume")).await;
    assert_eq!(world.answer("job_complete", done).await["state"], "completed");
}

#[tokio::test]
async fn jobs_of_a_paused_instance_are_not_handed_out() {
    let world = World::new().await;
    world.publish("work", job()).await;
    let paused = world.start("work", json!({})).await;
    let control = |action: &str| json!({ "id": paused, "action": action });
    let lost = world.claim("work", 1).await.remove(0);
    world.answer("instance_control", control("pause")).await;
    let running = world.start("work", json!({})).await;
    world.clock.advance_millis(61_000);
    let claimed = world.claim("work", 9).await;
    assert_eq!(texts(&json!(claimed), "instance"), [running.as_str()]);
    world.answer("instance_control", control("resume")).await;
    let claimed = world.claim("work", 9).await;
    assert_eq!(texts(&json!(claimed), "instance"), [paused.as_str()]);
    assert_eq!(claimed[0]["epoch"].as_i64().unwrap(), lost["epoch"].as_i64().unwrap() + 1);
    let done = json!({ "id": claimed[0]["id"], "epoch": claimed[0]["epoch"] });
    assert_eq!(world.answer("job_complete", done).await["state"], "completed");
}
