//! Operating instances through the whole server, on either database: finding them, what stops them,
//! and repairing them.

use serde_json::{Value, json};

use crate::harness::{TestServer, code};

async fn publish(server: &TestServer, id: &str, elements: Value) {
    let compact = json!({ "id": id, "elements": elements });
    server.admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    server.admin.call("process_publish", json!({ "id": id })).await.unwrap();
}

/// Start, `element`, a check by a clerk, end.
fn checked(mut element: Value) -> Value {
    element["id"] = json!("work");
    element["next"] = json!("check");
    json!([
        { "id": "start", "type": "startEvent", "next": "work" },
        element,
        { "id": "check", "type": "userTask", "assignment": { "groups": "clerk" }, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ])
}

/// The business keys of everything that fits, in order, page by page.
async fn keys(server: &TestServer, mut filter: Value) -> Vec<String> {
    let mut keys = Vec::new();
    filter["limit"] = json!(2);
    loop {
        let page = server.admin.call("instance_search", filter.clone()).await.unwrap();
        let items = page["items"].as_array().unwrap();
        keys.extend(items.iter().map(|it| it["business_key"].as_str().unwrap().to_owned()));
        match page.get("next_cursor").filter(|cursor| !cursor.is_null()) {
            Some(cursor) => filter["cursor"] = cursor.clone(),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn instances_are_found_and_repaired() {
    let server = TestServer::start().await;
    let admin = &server.admin;
    let script = json!({ "type": "scriptTask", "script": "size + 1", "result": "more" });
    publish(&server, "sized", checked(script)).await;
    publish(&server, "calling", checked(json!({ "type": "callActivity", "process": "sized" })))
        .await;
    let mut ids = Vec::new();
    // Neither the case of letters nor where a language sorts them matters.
    for (process, key, variables) in [
        ("sized", "INV-1", json!({ "size": 1 })),
        ("sized", "INV-10", json!({ "size": 10 })),
        ("sized", "INV_2", json!({ "size": 100 })),
        ("sized", "inv-3", json!({ "size": 1, "city": "Ulm" })),
        ("sized", "Änd-4", json!({ "city": "Bonn" })),
        ("calling", "INV-1-called", json!({ "city": "Ulm" })),
    ] {
        let params = json!({ "process": process, "business_key": key, "variables": variables });
        let started = admin.call("process_start", params).await.unwrap();
        ids.push(started["id"].as_str().unwrap().to_owned());
    }
    let stopped = json!({ "kind": "expression_failed" });
    let two = |page: &Value| page["items"].get(1).map(|_| page["items"].clone());
    admin.until("incident_list", stopped.clone(), two).await;
    let own = |filter: Value| {
        let mut filter = filter;
        filter["process"] = json!("sized");
        filter
    };
    for (filter, mut wanted) in [
        (json!({ "business_key": "INV-1" }), vec!["INV-1"]),
        (own(json!({ "business_key_prefix": "INV-1" })), vec!["INV-1", "INV-10", "INV-1-called"]),
        (own(json!({ "business_key_prefix": "Ä" })), vec!["Änd-4"]),
        (own(json!({ "business_key_prefix": "i" })), vec!["inv-3"]),
        (json!({ "process": "calling", "state": "active" }), vec!["INV-1-called"]),
        (own(json!({ "with_incidents": true })), vec!["INV-1-called", "Änd-4"]),
        (own(json!({ "element": "check" })), vec!["INV-1", "INV-10", "INV_2", "inv-3"]),
        (
            own(json!({ "variables": [{ "name": "size", "op": ">", "value": 1 }] })),
            vec!["INV-10", "INV_2"],
        ),
        (
            json!({ "variables": [{ "name": "city", "op": "contains", "value": "l" }] }),
            vec!["INV-1-called", "INV-1-called", "inv-3"],
        ),
        (json!({ "state": "completed" }), vec![]),
    ] {
        let mut found = keys(&server, filter.clone()).await;
        found.sort();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{filter}");
    }

    // What stops the called instance is shown by its caller, and resolved with the others.
    let calling = json!({ "id": ids[5], "response_format": "detailed" });
    let view = admin.call("instance_get", calling.clone()).await.unwrap();
    assert_eq!(view["waits"][0]["called"]["incidents"][0]["element"], "work");
    assert_eq!(view["open_incidents"][0]["called_by"][0]["instance"], json!(ids[5]));
    let mut resolve = stopped;
    resolve["variables"] = json!({ "size": 7 });
    let done = admin.call("incident_resolve_all", resolve).await.unwrap();
    assert_eq!(done["items"].as_array().unwrap().len(), 2);
    assert!(done["items"].as_array().unwrap().iter().all(|it| it["state"] == "active"), "{done}");

    // The call is skipped: the called instance and its task are taken back.
    let clerk = server.person("clara", &[flowmaster_kernel::Role::Employee], &["clerk"]).await;
    let called = view["waits"][0]["called"]["instance"].clone();
    let task = json!({ "instance": called });
    clerk.until("task_list", task.clone(), |page| page["items"].get(0).cloned()).await;
    let instruction = json!({ "action": "move", "element": "work", "to": "check" });
    let skip = json!({ "id": ids[5], "instructions": [instruction], "reason": "not needed" });
    let moved = admin.call("instance_modify", skip).await.unwrap();
    assert_eq!(moved["waiting_for"], json!(["a person to do \"check\""]));
    let gone = |page: &Value| page["items"].as_array().unwrap().is_empty().then_some(Value::Null);
    clerk.until("task_list", task, gone).await;
    let ended = |view: &Value| (view["state"] == "cancelled").then_some(Value::Null);
    admin.until("instance_get", json!({ "id": called }), ended).await;
    let open = json!({ "instance": ids[5] });
    let task = clerk.until("task_list", open, |page| page["items"].get(0).cloned()).await;
    clerk.call("task_complete", json!({ "id": task["id"] })).await.unwrap();
    let view = admin.call("instance_get", calling).await.unwrap();
    assert_eq!(view["state"], "completed");

    let nonsense =
        json!({ "id": ids[0], "instructions": [{ "action": "activate", "element": "start" }] });
    let refused = admin.call("instance_modify", nonsense).await;
    assert_eq!(code(&refused), "invalid_modification");
    let body = refused.unwrap_err().1;
    assert_eq!(body["details"]["findings"][0]["code"], "not_startable", "{body}");
}
