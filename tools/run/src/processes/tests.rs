//! Tests through the verbs, on a database of their own.

use serde_json::{Value, json};

use crate::testing::{World, begin, element, end, texts};

mod scenarios;
mod usage;

fn order(script: &str) -> Value {
    json!({ "id": "order", "name": "Handle an order", "elements": [
        begin("calc"),
        element("calc", "scriptTask", "done", json!({ "script": script, "result": "total" })),
        end("done"),
    ] })
}

fn codes(findings: &Value) -> Vec<String> {
    texts(findings, "code")
}

#[tokio::test]
async fn a_definition_that_was_changed_outside_is_told() {
    let world = World::new().await;
    let damage = async |column: &str, table: &str| {
        let sql = format!(
            "UPDATE {table} SET {column} = replace({column}, 'order', 'ordes') WHERE tenant_id = $1"
        );
        let mut tx = world.db.begin(&world.ctx).await.unwrap();
        assert_eq!(tx.execute_dynamic(&sql, &[]).await.unwrap(), 1, "{table}");
        tx.commit(()).await.unwrap();
        world.refusal("process_get", json!({ "id": "order" })).await.code().to_owned()
    };
    let saved = world.answer("process_save", json!({ "compact": order("1") })).await;
    assert_eq!(saved["id"], "order");
    assert_eq!(damage("draft", "processes_process").await, "content_damaged");
    world.answer("process_save", json!({ "compact": order("2") })).await;
    world.answer("process_publish", json!({ "id": "order" })).await;
    assert_eq!(damage("xml", "processes_version").await, "content_damaged");
}

#[tokio::test]
async fn a_draft_is_saved_read_and_published() {
    let world = World::new().await;
    let saved = world.answer("process_save", json!({ "compact": order("1") })).await;
    assert_eq!((&saved["id"], &saved["findings"]), (&json!("order"), &json!([])));
    let draft = world.answer("process_get", json!({ "id": "order" })).await;
    assert_eq!((draft.get("version"), &draft["compact"]), (None, &order("1")));
    let xml = world.answer("process_get", json!({ "id": "order", "format": "xml" })).await;
    assert!(
        xml["xml"].as_str().unwrap().contains("<bpmn:process")
            || xml["xml"].as_str().unwrap().contains("process id=\"order\"")
    );

    let published =
        world.answer("process_publish", json!({ "id": "order", "hash": saved["hash"] })).await;
    assert_eq!((&published["version"], &published["hash"]), (&json!(1), &saved["hash"]));
    let nothing_new = world.refusal("process_publish", json!({ "id": "order" })).await;
    assert_eq!(nothing_new.code(), "no_draft");

    // The file itself can be saved again, and is the same process.
    let again = world.answer("process_save", json!({ "xml": xml["xml"] })).await;
    assert_eq!(again["id"], "order");
    world.answer("process_save", json!({ "compact": order("2") })).await;
    assert_eq!(world.answer("process_publish", json!({ "id": "order" })).await["version"], 2);
    let newest = world.answer("process_get", json!({ "id": "order" })).await;
    assert_eq!((&newest["version"], &newest["compact"]), (&json!(2), &order("2")));
    assert_eq!(newest["versions"].as_array().unwrap().len(), 2);
    assert_eq!(newest["versions"][0]["author"], "ada");
    let first = world.answer("process_get", json!({ "id": "order", "version": 1 })).await;
    assert_eq!(first["compact"], order("1"));
    for (params, code) in [
        (json!({ "id": "nothing" }), "process_not_found"),
        (json!({ "id": "order", "version": 3 }), "process_not_found"),
        (json!({ "id": "order", "draft": true }), "no_draft"),
    ] {
        assert_eq!(world.refusal("process_get", params).await.code(), code);
    }
}

#[tokio::test]
async fn a_process_with_errors_is_saved_and_not_published() {
    let world = World::new().await;
    let mut broken = order("1");
    broken["tool"] = json!("Bad Name");
    broken["input"] = json!({ "type": "nonsense" });
    broken["elements"].as_array_mut().unwrap().push(element(
        "lost",
        "userTask",
        "",
        json!({
        "assignment": { "form": { "properties": 7 } } }),
    ));
    let saved = world.answer("process_save", json!({ "compact": broken })).await;
    let found = codes(&saved["findings"]);
    for code in ["unreachable", "tool_name_invalid", "schema_invalid"] {
        assert!(found.iter().any(|found| found == code), "{found:?}");
    }
    assert_eq!(found.iter().filter(|code| *code == "schema_invalid").count(), 2);
    let refused = world.refusal("process_publish", json!({ "id": "order" })).await;
    assert_eq!(refused.code(), "process_invalid");
    assert_eq!(refused.body().details.as_ref().unwrap()["findings"], saved["findings"]);
    let checked = world.answer("process_validate", json!({ "id": "order" })).await;
    assert_eq!(
        (&checked["publishable"], &checked["findings"]),
        (&json!(false), &saved["findings"])
    );
    let good = world.answer("process_validate", json!({ "compact": order("1") })).await;
    assert_eq!(good, json!({ "publishable": true, "findings": [] }));
}

#[tokio::test]
async fn expressions_of_other_engines_are_found_when_they_are_saved() {
    let world = World::new().await;
    let task = |assignee: &str| {
        let assignment = json!({ "assignment": { "assignee": assignee } });
        let elements =
            json!([begin("check"), element("check", "userTask", "done", assignment), end("done")]);
        json!({ "compact": { "id": "order", "elements": elements } })
    };
    for operation in ["process_validate", "process_save"] {
        let good = world.answer(operation, task("${initiator}")).await;
        assert_eq!(good["findings"], json!([]), "{operation}: it is translated");
        let bad = world.answer(operation, task("${users.first()}")).await;
        assert_eq!(codes(&bad["findings"])[0], "expression_untranslated", "{operation}");
    }
}

#[tokio::test]
async fn what_is_no_model_is_refused() {
    let world = World::new().await;
    for (params, code) in [
        (json!({}), "model_missing"),
        (json!({ "compact": order("1"), "xml": "<x/>" }), "model_missing"),
        (json!({ "xml": "no xml" }), "model_unreadable"),
        (
            json!({ "compact": { "id": "x", "elements": [{ "id": "a", "type": "rocket" }] } }),
            "process_invalid",
        ),
    ] {
        assert_eq!(world.refusal("process_save", params.clone()).await.code(), code, "{params}");
        assert_eq!(world.refusal("process_validate", params).await.code(), code);
    }
    let both = json!({ "id": "order", "compact": order("1") });
    assert_eq!(world.refusal("process_validate", both).await.code(), "model_missing");
}

#[tokio::test]
async fn a_definition_of_the_first_platform_is_repaired_and_saved() {
    let world = World::new().await;
    let node = |key: &str, kind: &str| json!({ "_key": key, "type": kind, "title": key });
    let edge = |from: &str, to: &str| json!({ "source": from, "target": to });
    let mut graph = json!({
        "_key": "77", "name": "Lend a book",
        "nodes": [node("begin", "start"), node("lend", "human_internal"), node("done", "end")],
        "edges": [edge("begin", "lend"), edge("lend", "done"), edge("begin", "done")],
    });
    let saved = world.answer("process_save", json!({ "graph": graph })).await;
    assert_eq!(
        (&saved["id"], &saved["import"]["verdict"]),
        (&json!("p_77"), &json!("executable_after_repairs"))
    );
    assert_eq!(texts(&saved["import"]["repairs"], "code"), ["bypass"]);
    assert_eq!(codes(&saved["findings"]), ["nobody_assigned"]);
    let again = world.answer("process_save", json!({ "graph": graph })).await;
    assert_eq!(again, saved);
    let checked = world.answer("process_validate", json!({ "graph": graph })).await;
    assert_eq!((&checked["publishable"], &checked["import"]), (&json!(true), &saved["import"]));
    assert_eq!(world.answer("process_publish", json!({ "id": "p_77" })).await["version"], 1);

    graph["nodes"][1]["type"] = json!("teleport");
    let refused = world.refusal("process_save", json!({ "graph": graph })).await;
    assert_eq!(refused.code(), "process_invalid");
    let details = refused.body().details.as_ref().unwrap();
    assert_eq!(codes(&details["findings"]), ["unknown_node_type"]);
    assert_eq!(details["import"]["verdict"], "rejected");
    for (graph, code) in [
        (json!([graph, graph]), "several_processes"),
        (json!({ "id": "order" }), "model_unreadable"),
    ] {
        assert_eq!(world.refusal("process_save", json!({ "graph": graph })).await.code(), code);
    }
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused() {
    let world = World::new().await;
    let save =
        |script: &str, based_on: &Value| json!({ "compact": order(script), "based_on": based_on });
    let first = world.answer("process_save", json!({ "compact": order("1") })).await;
    let second = world.answer("process_save", save("2", &first["hash"])).await;
    let late = world.refusal("process_save", save("3", &first["hash"])).await;
    assert_eq!(late.code(), "draft_changed");
    assert_eq!(late.body().details.as_ref().unwrap()["current_hash"], second["hash"]);
    let reviewed = json!({ "id": "order", "hash": first["hash"] });
    assert_eq!(world.refusal("process_publish", reviewed).await.code(), "draft_changed");
    world.answer("process_publish", json!({ "id": "order" })).await;
    // Based on what was published since, or on what it replaced.
    assert_eq!(
        world.refusal("process_save", save("3", &first["hash"])).await.code(),
        "draft_changed"
    );
    world.answer("process_save", save("3", &second["hash"])).await;
}

#[tokio::test]
async fn a_tool_name_belongs_to_one_process() {
    let world = World::new().await;
    let named = |id: &str, tool: &str| {
        let mut process = order("1");
        process["id"] = json!(id);
        process["tool"] = json!(tool);
        process
    };
    let published = world.publish_as(named("a", "order_handle")).await;
    assert_eq!(published["tool"], "order_handle");
    world.answer("process_save", json!({ "compact": named("b", "order_handle") })).await;
    let taken = world.refusal("process_publish", json!({ "id": "b" })).await;
    assert_eq!(taken.code(), "tool_name_taken");
    world.publish_as(named("a", "order_do")).await;
    world.answer("process_publish", json!({ "id": "b" })).await;
    let found = world.answer("process_search", json!({})).await;
    assert_eq!(texts(&found["items"], "tool"), ["order_do", "order_handle"]);
}

#[tokio::test]
async fn processes_are_found_by_id_and_name() {
    let world = World::new().await;
    for (id, name) in [("alpha", "Buy"), ("beta", "Sell"), ("gamma", "Buy more")] {
        let mut process = order("1");
        process["id"] = json!(id);
        process["name"] = json!(name);
        world.answer("process_save", json!({ "compact": process })).await;
    }
    for (text, wanted) in [
        ("", vec!["alpha", "beta", "gamma"]),
        ("BUY", vec!["alpha", "gamma"]),
        ("bet", vec!["beta"]),
        ("%", vec!["alpha", "beta", "gamma"]),
        ("zeta", vec![]),
    ] {
        let found = world.answer("process_search", json!({ "text": text })).await;
        assert_eq!(texts(&found["items"], "id"), wanted, "{text}");
    }
    let page = world.answer("process_search", json!({ "limit": 2 })).await;
    assert_eq!(texts(&page["items"], "id"), ["alpha", "beta"]);
    let page =
        world.answer("process_search", json!({ "limit": 2, "cursor": page["next_cursor"] })).await;
    assert_eq!(
        (texts(&page["items"], "id"), page.get("next_cursor")),
        (vec!["gamma".to_owned()], None)
    );
    assert_eq!(
        world.refusal("process_search", json!({ "limit": 0 })).await.code(),
        "invalid_limit"
    );
}

#[tokio::test]
async fn the_processes_of_a_collaboration_are_saved_together() {
    let world = World::new().await;
    let file = include_str!("../../../../engine/src/scenario/tests/files/library.bpmn");
    let saved = world.answer("process_save", json!({ "xml": file })).await;
    assert_eq!(
        (&saved["id"], texts(&saved["others"], "id")),
        (&json!("reader"), vec!["library".to_owned()])
    );
    assert_eq!(codes(&saved["others"][0]["findings"]), ["message_flow_shown", "lane_group"]);
    for id in ["reader", "library"] {
        assert_eq!(world.answer("process_get", json!({ "id": id })).await["compact"]["id"], id);
        assert_eq!(world.answer("process_publish", json!({ "id": id })).await["id"], id);
    }
    let checked = world.answer("process_validate", json!({ "xml": file })).await;
    assert_eq!(checked["publishable"], true);
    // What is wrong with one of them does not keep the other from being published.
    let broken = file.replace("=there", "=there +");
    world.answer("process_save", json!({ "xml": broken })).await;
    assert_eq!(
        world.refusal("process_publish", json!({ "id": "library" })).await.code(),
        "process_invalid"
    );
    world.answer("process_publish", json!({ "id": "reader" })).await;
}
