//! Two tenants: what belongs to one is nothing to the other, under every id and in every list.

use serde_json::{Value, json};

use crate::harness::{TestServer, code};

/// Stands in everything of the first tenant.
const MARKER: &str = "zebra";

#[tokio::test]
async fn another_tenants_ids_are_not_found_and_its_lists_are_empty() {
    let server = TestServer::start().await;
    let (ours, theirs) = (&server.admin, server.stranger().await);
    let ids = fill(&server).await;

    let swaps: Vec<(&str, Value)> = vec![
        ("process_get", json!({ "id": ids.process })),
        ("process_validate", json!({ "id": ids.process })),
        ("process_publish", json!({ "id": ids.process })),
        ("process_start", json!({ "process": ids.process })),
        ("instance_get", json!({ "id": ids.instance, "response_format": "detailed" })),
        ("instance_get", json!({ "id": format!("{MARKER}-key") })),
        ("instance_timeline", json!({ "id": ids.instance })),
        ("instance_control", json!({ "id": ids.instance, "action": "cancel" })),
        ("instance_activate", json!({ "id": ids.instance, "elements": ["a"] })),
        ("instance_modify", json!({ "id": ids.instance, "variables": { "a": 1 } })),
        ("incident_resolve", json!({ "id": format!("{}/3", ids.instance) })),
        ("task_get", json!({ "id": ids.task, "response_format": "detailed" })),
        ("task_claim", json!({ "id": ids.task })),
        ("task_release", json!({ "id": ids.task })),
        ("task_complete", json!({ "id": ids.task })),
        ("task_save_draft", json!({ "id": ids.task, "draft": {} })),
        ("task_reject", json!({ "id": ids.task, "reason": "no" })),
        ("task_delegate", json!({ "id": ids.task, "to": "admin" })),
        ("task_comment", json!({ "id": ids.task, "text": "hi" })),
        ("job_complete", json!({ "id": ids.task, "epoch": 1 })),
        ("job_fail", json!({ "id": ids.task, "epoch": 1, "message": "x" })),
        ("job_authorize", json!({ "id": ids.task, "tool": "t" })),
        ("document_get", json!({ "id": ids.document })),
        ("rule_get", json!({ "id": "zebra-limits" })),
        ("rule_evaluate", json!({ "decision": "zebra-decision", "variables": {} })),
        ("prompt_get", json!({ "id": "zebra/prompt" })),
        ("prompt_render", json!({ "id": "zebra/prompt", "variables": {} })),
        ("key_revoke", json!({ "id": ids.key })),
        ("key_create", json!({ "principal": "zebra-user" })),
    ];
    for (operation, arguments) in swaps {
        let answer = theirs.call(operation, arguments.clone()).await;
        let body = answer.as_ref().expect_err(operation);
        assert_eq!(body.0, 404, "{operation} {arguments}: {answer:?}");
        // What the caller sent may come back; nothing else of the other tenant may.
        let told = body.1.to_string();
        assert!(!told.contains("zebra-secret"), "{operation}: {told}");
    }
    for operation in [
        "process_search",
        "instance_search",
        "incident_list",
        "task_list",
        "document_search",
        "rule_search",
        "prompt_search",
        "user_search",
        "key_list",
        "audit_search",
        "mandate_get",
    ] {
        let told = theirs.call(operation, json!({})).await.unwrap().to_string();
        assert!(!told.contains(MARKER), "{operation}: {told}");
    }
    // And the first tenant still has everything.
    let seen = ours.call("instance_get", json!({ "id": ids.instance })).await.unwrap();
    assert_eq!(seen["state"], "active");
    assert_eq!(code(&ours.call("task_get", json!({ "id": ids.task })).await), "ok");
}

struct Ids {
    process: String,
    instance: String,
    task: String,
    document: Value,
    key: Value,
}

/// Fills the first tenant with things that bear the marker.
async fn fill(server: &TestServer) -> Ids {
    let admin = &server.admin;
    let process = format!("{MARKER}-process");
    let compact = json!({
        "id": process, "name": "zebra-secret",
        "elements": [
            { "id": "start", "type": "startEvent", "next": "look" },
            { "id": "look", "type": "userTask", "name": "zebra-secret", "assignment": { "groups": "zebra-group" }, "next": "end" },
            { "id": "end", "type": "endEvent" }
        ]
    });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": process })).await.unwrap();
    let start = json!({
        "process": process, "business_key": format!("{MARKER}-key"), "variables": { "text": "zebra-secret" }
    });
    let instance =
        admin.call("process_start", start).await.unwrap()["id"].as_str().unwrap().to_owned();
    let tasks = json!({ "filter": "all_open", "instance": instance });
    let task = admin.until("task_list", tasks, |page| page["items"].get(0).cloned()).await;
    let text = json!({ "name": "zebra.txt", "media_type": "text/plain", "text": "zebra-secret" });
    let document = admin.call("document_add", text).await.unwrap()["id"].clone();
    let dmn = include_str!("zebra.dmn");
    admin.call("rule_save", json!({ "dmn": dmn })).await.unwrap();
    let prompt = "---\nid: zebra/prompt\ndescription: zebra-secret\n---\n## user\nzebra-secret\n";
    admin.call("prompt_save", json!({ "text": prompt })).await.unwrap();
    let mandates = json!({ "mandates": [
        { "id": "zebra-mandate", "domain": "zebra", "action": "*", "holder": "zebra", "authority": "allow" }
    ] });
    admin.call("mandate_save", mandates).await.unwrap();
    admin.call("user_save", json!({ "id": "zebra-user", "roles": ["employee"] })).await.unwrap();
    let key = admin.call("key_create", json!({ "principal": "zebra-user" })).await.unwrap();
    Ids {
        process,
        instance,
        task: task["id"].as_str().unwrap().to_owned(),
        document,
        key: key["id"].clone(),
    }
}
