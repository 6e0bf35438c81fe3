//! Two tenants: what belongs to one is nothing to the other. The same calls are made by a stranger
//! beside a tenant that has everything that they name, and by a stranger who is alone: nothing may
//! show which of the two it is. The operations come from the catalogue, so one that is not called
//! fails here.

use std::collections::BTreeSet;

use flowmaster_kernel::Timestamp;
use serde_json::{Value, json};

use crate::calls::{Read, calls, reads};
use crate::harness::{Answer, Caller, TestServer};
use crate::transports::{Connection, Transport};

/// What a new tenant may do all the same: make its own, ask for nothing in particular.
const OWN: [&str; 42] = [
    "agent_save",
    "agent_search",
    "archive_search",
    "audit_search",
    "delivery_search",
    "document_add",
    "document_search",
    "evaluation_search",
    "incident_list",
    "instance_archive",
    "instance_search",
    "job_claim",
    "key_create",
    "key_list",
    "mandate_check",
    "mandate_get",
    "mandate_save",
    "me_get",
    "message_publish",
    "organisation_get",
    "organisation_save",
    "person_get",
    "process_save",
    "process_search",
    "prompt_save",
    "prompt_search",
    "record_export",
    "record_search",
    "record_verify",
    "rule_import",
    "rule_save",
    "rule_search",
    "rule_usage",
    "run_search",
    "scenario_run",
    "signal_broadcast",
    "subscription_save",
    "subscription_search",
    "task_list",
    "user_save",
    "user_search",
    "work_claim",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_tells_a_stranger_what_another_tenant_has() {
    let server = TestServer::start().await;
    let changing = calls(&server.admin).await;
    for (operation, call) in &changing {
        if OWN.contains(operation) {
            server.admin.call(operation, call.arguments.clone()).await.unwrap();
        }
    }
    let reading = reads(&server.admin).await;
    let asked: Vec<Read> = deeper()
        .into_iter()
        .chain(reading.clone())
        .chain(changing.into_iter().map(|(operation, call)| (operation, call.arguments)))
        .collect();
    let names: BTreeSet<&str> = asked.iter().map(|(operation, _)| *operation).collect();
    let offers = server.server.app.surface.dispatcher.offers();
    let all: BTreeSet<&str> = offers.map(|offer| offer.tool.name.as_ref()).collect();
    assert_eq!(names, all, "every operation is called");

    let before = picture(&server, &reading).await;
    let alone = TestServer::start().await;
    let (beside, alone) = (server.stranger().await, alone.stranger().await);
    for (operation, arguments) in asked {
        if operation == "audit_search" {
            written_down(&beside).await;
            written_down(&alone).await;
        }
        let here = beside.call(operation, arguments.clone()).await;
        let there = alone.call(operation, arguments.clone()).await;
        let name = format!("{operation} {arguments}");
        assert_eq!(comparable(&here), comparable(&there), "{name}");
        if !OWN.contains(&operation) && !arguments.to_string().contains("borrows") {
            assert!(here.is_err(), "{name}: {here:?}");
        }
    }
    assert_eq!(picture(&server, &reading).await, before, "the stranger changed what is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_resource_tool_or_prompt_of_another_tenant_is_seen() {
    let (server, alone) = (TestServer::start().await, TestServer::start().await);
    let changing = calls(&server.admin).await;
    let document = changing["document_add"].arguments.clone();
    server.admin.call("document_add", document).await.unwrap();
    let tool = json!({ "id": "calls_tool", "tool": "calls_tool", "when_to_use": "Never.", "elements": [
        { "id": "start", "type": "startEvent", "next": "end" }, { "id": "end", "type": "endEvent" }
    ]});
    server.admin.call("process_save", json!({ "compact": tool })).await.unwrap();
    server.admin.call("process_publish", json!({ "id": "calls_tool" })).await.unwrap();
    let mut ours = Connection::open(&server, Transport::Stateless, &server.admin).await.unwrap();
    let (beside, apart) = (server.stranger().await, alone.stranger().await);
    let mut beside = Connection::open(&server, Transport::Stateless, &beside).await.unwrap();
    let mut apart = Connection::open(&alone, Transport::Stateless, &apart).await.unwrap();
    let mut kinds = BTreeSet::new();
    for (operation, arguments) in reads(&server.admin).await {
        let Some(kind) = operation.strip_suffix("_get") else { continue };
        let Some(id) = arguments["id"].as_str() else { continue };
        let uri = json!({ "uri": format!("flowmaster://{kind}/{id}") });
        if ours.ask("resources/read", uri.clone()).await.is_ok() {
            kinds.insert(kind);
        }
        let refused = beside.ask("resources/read", uri.clone()).await.unwrap_err();
        assert_eq!(refused, apart.ask("resources/read", uri).await.unwrap_err());
    }
    let templates = ours.ask("resources/templates/list", json!({})).await.unwrap();
    let templates = templates["resourceTemplates"].as_array().unwrap();
    let known: BTreeSet<&str> = templates
        .iter()
        .filter_map(|template| template["uriTemplate"].as_str()?.split("//").nth(1))
        .filter_map(|rest| rest.split('/').next())
        .collect();
    assert_eq!(kinds, known, "every kind of resource is read");
    let tools = ours.ask("tools/list", json!({})).await.unwrap().to_string();
    assert!(tools.contains("calls_tool"), "{tools}");
    for list in ["resources/list", "tools/list", "prompts/list"] {
        let seen = beside.ask(list, json!({})).await.unwrap();
        assert_eq!(seen, apart.ask(list, json!({})).await.unwrap(), "{list}");
        assert!(!seen.to_string().contains("calls_tool"), "{list}: {seen}");
    }
}

/// Names of ours within what a stranger makes.
fn deeper() -> Vec<Read> {
    let element = |id: &str, next: &str, mut element: Value| {
        element["id"] = json!(id);
        element["next"] = json!(next);
        element
    };
    let process = json!({ "id": "borrows", "elements": [
        { "id": "start", "type": "startEvent", "next": ["decide", "call"] },
        element("decide", "end", json!({ "type": "businessRuleTask", "decision": "calls-decision" })),
        element("call", "end", json!({ "type": "callActivity", "process": "calls-start" })),
        { "id": "end", "type": "endEvent" }
    ]});
    vec![
        ("key_create", json!({ "principal": "calls-user" })),
        ("process_save", json!({ "compact": process })),
        ("process_publish", json!({ "id": "borrows" })),
        ("process_start", json!({ "process": "borrows" })),
        ("incident_list", json!({})),
        ("instance_search", json!({ "process": "borrows" })),
        ("job_claim", json!({ "job_type": "calls-claim", "limit": 50 })),
        ("work_claim", json!({})),
    ]
}

/// Waits until the audit, which is written after the answer, has every call so far.
async fn written_down(caller: &Caller) {
    let refused = caller.call("rule_get", json!({ "id": "calls-last" })).await;
    assert!(refused.is_err());
    let last = |page: &Value| (page["items"][0]["operation"] == "rule_get").then_some(Value::Null);
    caller.until("audit_search", json!({}), last).await;
}

/// Fields that are made anew each time.
const NEW: [&str; 4] = ["duration_ms", "hint", "secret", "trace"];

/// An answer without what is made anew each time: ids, keys and times.
fn comparable(answer: &Answer) -> Value {
    match answer {
        Ok(value) => without_what_is_new(value),
        Err((status, body)) => json!([status, without_what_is_new(body)]),
    }
}

fn without_what_is_new(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !NEW.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), without_what_is_new(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_what_is_new).collect(),
        Value::String(text) if Timestamp::parse(text).is_ok() => json!("a time"),
        Value::String(text) if is_id(text) => json!("an id"),
        other => other.clone(),
    }
}

/// Whether this is a prefix and the 26 characters of a ULID.
fn is_id(text: &str) -> bool {
    let made = |ulid: &str| ulid.len() == 26 && ulid.bytes().all(|it| it.is_ascii_alphanumeric());
    text.rsplit_once('_').is_some_and(|(_, ulid)| made(ulid))
}

/// Everything of ours.
async fn picture(server: &TestServer, reading: &[Read]) -> Vec<Value> {
    let mut answers = Vec::new();
    for (operation, arguments) in reading {
        let answer = server.admin.call(operation, arguments.clone()).await;
        answers.push(json!([operation, arguments, comparable(&answer)]));
    }
    answers
}
