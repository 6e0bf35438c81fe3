//! Data definitions.

use serde_json::json;

use super::*;

fn definition(key: &str, category: &str, fields: &Value) -> Value {
    json!({ "_key": key, "name": key, "category": category, "fields": fields })
}

/// A process that uses what the rows say, with a start that asks for the amount.
fn stored(definitions: &Value, used: &[&str]) -> Value {
    let rows: Vec<Value> = used
        .iter()
        .map(|to| json!({ "_from": "process_def/7", "_to": format!("data_definition/{to}") }))
        .collect();
    json!({
        "process_def": { "_key": "7", "nodes": [
            { "_key": "s", "type": "start", "data_requirements": [
                { "field": "amount", "type": "number", "required": true }] },
            { "_key": "t", "type": "human", "title": "Check", "config": { "actors": ["HR"] } },
            { "_key": "e", "type": "end" }
        ], "edges": [{ "source": "s", "target": "t" }, { "source": "t", "target": "e" }] },
        "data_definition": definitions,
        "proc_def_uses_data_def": rows
    })
}

#[test]
fn what_a_process_uses_describes_its_start_variables_and_demands_nothing() {
    let supplier = json!([
        { "name": "supplier", "type": "string", "description": "Who sends it", "required": true },
        { "name": "amount", "type": "number", "description": "Net", "required": true },
        { "name": "received", "type": "date" }
    ]);
    let definitions = json!([
        definition("invoice", "node_input", &supplier),
        definition("summary", "ai_generated", &json!([{ "name": "text", "type": "string" }])),
        definition("unused", "node_input", &json!([{ "name": "other", "type": "string" }])),
    ]);
    let import = only(&stored(&definitions, &["invoice", "summary"]));
    assert_eq!(import.report.verdict, Verdict::Executable, "{import:#?}");
    assert_eq!(errors(&import), ["data_definition", "data_definition"]);
    assert!(import.findings[1].what.contains("summary comes about in the process: text"));
    assert_eq!(
        import.process.unwrap().input.unwrap(),
        json!({
            "type": "object",
            "properties": {
                "supplier": { "type": "string", "description": "Who sends it" },
                "amount": { "type": "number" },
                "received": { "type": "string", "format": "date" }
            },
            "required": ["amount"]
        })
    );
}

#[test]
fn what_is_unclear_about_data_definitions_is_told() {
    let of = |kind: &str| json!([{ "name": "size", "type": kind }]);
    let definitions = json!([
        definition("a", "node_input", &of("string")),
        definition("b", "node_input", &of("number")),
        definition("c", "node_input", &json!([])),
    ]);
    let import = only(&stored(&definitions, &["a", "b", "c", "gone"]));
    assert_eq!(codes(&import), ["dangling_definition"]);
    assert_eq!(
        errors(&import),
        [
            "data_definitions_disagree",
            "data_definition_empty",
            "data_definition",
            "data_definition"
        ]
    );
    let input = import.process.unwrap().input.unwrap();
    assert_eq!(input["properties"]["size"]["type"], "string");
    // Without rows, what stands beside the one process is its own.
    let mut beside = stored(&definitions, &[]);
    beside.as_object_mut().unwrap().remove("proc_def_uses_data_def");
    let import = only(&beside);
    assert!(import.process.unwrap().input.unwrap()["properties"].get("size").is_some());
}
