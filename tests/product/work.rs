//! The work of people and workers through the whole server.

use flowmaster_kernel::Role;
use serde_json::{Value, json};

use crate::harness::{TestServer, code};

async fn publish(server: &TestServer, elements: Value) {
    let compact = json!({ "id": "p", "elements": elements });
    server.admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    server.admin.call("process_publish", json!({ "id": "p" })).await.unwrap();
}

#[tokio::test]
async fn the_same_key_sixteen_times_at_once_starts_one_instance() {
    let server = TestServer::start().await;
    publish(
        &server,
        json!([
            { "id": "s", "type": "startEvent", "next": "u" },
            { "id": "u", "type": "userTask", "assignment": { "groups": "clerk" } }
        ]),
    )
    .await;
    let mut calls = Vec::new();
    for _ in 0..16 {
        let admin = server.admin.clone();
        calls.push(tokio::spawn(async move {
            admin
                .try_call("process_start", json!({ "process": "p" }), Some("order-1"))
                .await
                .unwrap()
        }));
    }
    let mut ids = Vec::new();
    for call in calls {
        ids.push(call.await.unwrap().unwrap()["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let all = server.admin.call("instance_search", json!({ "process": "p" })).await.unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    let other = json!({ "process": "p", "variables": { "a": 1 } });
    let conflict = server.admin.try_call("process_start", other, Some("order-1")).await.unwrap();
    assert_eq!(code(&conflict), "idempotency_conflict");
}

#[tokio::test]
async fn a_repeated_start_that_waits_answers_how_the_instance_stands() {
    let server = TestServer::start().await;
    let elements = json!([
        { "id": "s", "type": "startEvent", "next": "u" },
        { "id": "u", "type": "userTask", "assignment": { "groups": "clerk" } }
    ]);
    let compact = json!({ "id": "p", "tool": "run_p", "elements": elements });
    server.admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    server.admin.call("process_publish", json!({ "id": "p" })).await.unwrap();
    let clerk = server.person("clara", &[Role::Employee], &["clerk"]).await;
    for (operation, waiting, not_waiting) in [
        ("process_start", json!({ "process": "p", "wait_s": 1 }), json!({ "process": "p" })),
        ("run_p", json!({ "wait_s": 1 }), json!({ "wait_s": 0 })),
    ] {
        let start = async |arguments: &Value, key: &str| {
            let key = format!("{operation} {key}");
            server.admin.try_call(operation, arguments.clone(), Some(&key)).await.unwrap().unwrap()
        };
        let first = start(&waiting, "waiting").await;
        let plain = start(&not_waiting, "not waiting").await;
        assert_eq!((&first["state"], &plain["state"]), (&json!("active"), &json!("active")));
        for id in [&first["id"], &plain["id"]] {
            let tasks = json!({ "instance": id });
            let task = clerk.until("task_list", tasks, |page| page["items"].get(0).cloned()).await;
            let done = json!({ "id": task["id"], "variables": { "ok": true } });
            clerk.call("task_complete", done).await.unwrap();
        }
        let again = start(&waiting, "waiting").await;
        assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("completed")));
        assert_eq!(again["result"]["ok"], true, "{again}");
        // Who does not wait for the end is answered as before.
        assert_eq!(start(&not_waiting, "not waiting").await, plain);
    }
    let all = server.admin.call("instance_search", json!({ "process": "p" })).await.unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_worker_and_a_person_carry_an_instance_to_its_end() {
    let server = TestServer::start().await;
    publish(&server, json!([
        { "id": "s", "type": "startEvent", "next": "charge" },
        { "id": "charge", "type": "serviceTask", "job": "charge-card", "next": "check",
          "outputs": { "receipt": "=receipt" } },
        { "id": "check", "type": "userTask", "next": "e",
          "assignment": { "groups": "clerk", "form": {
              "type": "object", "required": ["ok"], "properties": { "ok": { "type": "boolean" } } } } },
        { "id": "e", "type": "endEvent" }
    ]))
    .await;
    let clerk = server.person("clara", &[Role::Employee], &["clerk"]).await;
    let worker = server.person("worker", &[Role::Developer], &[]).await;
    let started = server.admin.call("process_start", json!({ "process": "p" })).await.unwrap();
    let jobs = worker.call("job_claim", json!({ "job_type": "charge-card" })).await.unwrap();
    let job = &jobs["jobs"][0];
    let stale = json!({ "id": job["id"], "epoch": 99, "variables": {} });
    assert_eq!(code(&worker.call("job_complete", stale).await), "stale_lease");
    let done = json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "receipt": "r-1" } });
    worker.call("job_complete", done.clone()).await.unwrap();
    assert_eq!(code(&worker.call("job_complete", done).await), "not_waiting");

    let task = clerk.until("task_list", json!({}), |page| page["items"].get(0).cloned()).await;
    let wrong = json!({ "id": task["id"], "variables": { "ok": "perhaps" } });
    assert_eq!(code(&clerk.call("task_complete", wrong).await), "invalid_answer");
    let right = json!({ "id": task["id"], "variables": { "ok": true } });
    let closed = clerk.call("task_complete", right).await.unwrap();
    assert_eq!(closed["instance_state"], "completed");
    let ended = server.admin.call("instance_get", json!({ "id": started["id"] })).await.unwrap();
    assert_eq!(
        (&ended["result"]["receipt"], &ended["result"]["ok"]),
        (&json!("r-1"), &json!(true))
    );
}

#[tokio::test]
async fn bad_input_gets_a_clear_error_and_the_server_lives() {
    let server = TestServer::start().await;
    let admin = &server.admin;
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    for (operation, arguments, expected) in [
        ("process_save", json!({ "xml": "<a><b></a>" }), "model_unreadable"),
        (
            "process_save",
            json!({ "xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>" }),
            "model_unreadable",
        ),
        ("process_save", json!({ "xml": "<a>".repeat(5_000) }), "model_unreadable"),
        ("process_save", json!({}), "model_missing"),
        ("process_start", json!({ "process": "gone" }), "process_not_found"),
        (
            "process_start",
            json!({ "process": "invoice-approval", "variables": { "document": 5 } }),
            "invalid_variables",
        ),
        ("process_start", json!({ "process": 5 }), "invalid_arguments"),
        ("proces_start", json!({}), "unknown_operation"),
        ("rule_save", json!({ "dmn": "not xml" }), "rule_invalid"),
        ("instance_get", json!({ "id": "ins_none" }), "instance_not_found"),
        ("instance_search", json!({ "limit": 1_000 }), "invalid_arguments"),
        ("me_get", json!({ "deep": deep }), "arguments_too_deep"),
    ] {
        let answer = admin.call(operation, arguments).await;
        let (status, body) = answer.as_ref().expect_err(operation);
        assert!((400..500).contains(status), "{operation}: {answer:?}");
        assert_eq!(body["code"], expected, "{operation}: {answer:?}");
        assert!(body["what"].is_string() && body["fix"].is_string(), "{operation}: {body}");
    }
    let feel = json!({ "compact": { "id": "f", "elements": [
        { "id": "s", "type": "startEvent", "next": "x" },
        { "id": "x", "type": "scriptTask", "script": "1+(".repeat(5_000), "result": "r" }] } });
    assert_eq!(code(&admin.call("process_save", feel).await), "process_invalid");
    admin.call("me_get", json!({})).await.unwrap();
}

#[tokio::test]
async fn an_agent_uses_the_elements_of_an_ad_hoc_sub_process_as_its_tools() {
    let server = TestServer::start().await;
    let prompt = "---\nid: desk/solve\ndescription: Solves a case.\noutput:\n  schema:\n    type: \
                  object\n    required: [verdict]\n    properties: { verdict: { type: string } }\n\
                  ---\n## user\nSolve the case.\n";
    server.admin.call("prompt_save", json!({ "text": prompt })).await.unwrap();
    let agent = json!({ "id": "solver", "prompt": "desk/solve" });
    server.admin.call("agent_save", agent).await.unwrap();
    publish(
        &server,
        json!([
            { "id": "s", "type": "startEvent", "next": "desk" },
            { "id": "desk", "type": "adHocSubProcess", "agent": "solver", "next": "e", "elements": [
                { "id": "look_up", "type": "serviceTask", "job": "look-up",
                  "documentation": "Finds a customer. Takes `name`." },
                { "id": "ask_clerk", "type": "userTask", "assignment": { "groups": "clerk" },
                  "documentation": "Asks a clerk. Takes `question`." }
            ] },
            { "id": "e", "type": "endEvent" }
        ]),
    )
    .await;
    let clerk = server.person("clara", &[Role::Employee], &["clerk"]).await;
    let worker = server.person("worker", &[Role::Developer], &[]).await;
    let started = server.admin.call("process_start", json!({ "process": "p" })).await.unwrap();
    let claim = async || {
        let claimed = worker.call("work_claim", json!({ "agent": "solver" })).await.unwrap();
        claimed["work"].get(0).cloned()
    };
    let submit = async |work: &Value, answer: Value| {
        let mut arguments = json!({ "id": work["id"], "epoch": work["epoch"] });
        arguments.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        worker.call("work_submit", arguments).await
    };

    let work = claim().await.unwrap();
    let tools = work["context"]["activities"].as_array().unwrap();
    assert_eq!(tools[0]["id"], "look_up");
    assert_eq!(tools[0]["documentation"], "Finds a customer. Takes `name`.");
    let unknown = submit(&work, json!({ "activate": [{ "id": "pay" }] })).await;
    assert_eq!(code(&unknown), "not_selectable");
    let calls = json!({ "activate": [
        { "id": "look_up", "variables": { "name": "Nordwind" }, "call": "1" },
        { "id": "ask_clerk", "variables": { "question": "Is it paid?" }, "call": "2" }
    ] });
    submit(&work, calls).await.unwrap();
    assert_eq!(claim().await, None, "nothing to decide while the tools work");

    let jobs = worker.call("job_claim", json!({ "job_type": "look-up" })).await.unwrap();
    let job = &jobs["jobs"][0];
    assert_eq!(job["variables"]["name"], "Nordwind");
    let found = json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "customer": 7 } });
    worker.call("job_complete", found).await.unwrap();
    let task = clerk.until("task_list", json!({}), |page| page["items"].get(0).cloned()).await;
    let done = json!({ "id": task["id"], "variables": { "paid": true } });
    clerk.call("task_complete", done).await.unwrap();

    let work = claim().await.unwrap();
    let results = json!([
        { "tool": "look_up", "call": "1", "result": { "customer": 7 } },
        { "tool": "ask_clerk", "call": "2", "result": { "paid": true } }
    ]);
    assert_eq!(work["context"]["results"], results);
    let no_answer = submit(&work, json!({})).await;
    assert_eq!(code(&no_answer), "invalid_output");
    submit(&work, json!({ "output": { "verdict": "remind" } })).await.unwrap();
    let ended = server.admin.call("instance_get", json!({ "id": started["id"] })).await.unwrap();
    assert_eq!(ended["state"], "completed");
    let runs = json!({ "instance": started["id"] });
    let runs = server.admin.call("run_search", runs).await.unwrap();
    assert_eq!(runs["items"].as_array().unwrap().len(), 2);
}
