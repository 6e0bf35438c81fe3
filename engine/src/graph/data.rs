//! Data definitions: what a process works with, in the contract of the process.
//!
//! Invariant: nothing has to be given at the start because of them. They say what there is at some time,
//! and a start that the first platform took is not refused here.

use serde_json::{Map, Value};

use super::Notes;
use super::element::schema;
use super::json::{list, text};
use super::source::Definition;

/// The category of what comes about in the process.
const GENERATED: &str = "ai_generated";

/// The schema of the start variables: what the start asks for, and what the data definitions describe.
pub(super) fn input(
    definition: &Definition<'_>,
    asked: Option<Value>,
    notes: &mut Notes,
) -> Option<Value> {
    let mut described = Map::new();
    for document in definition.data_definitions(notes) {
        let name = text(document, &["name", "_key"]).unwrap_or("without a name");
        let fields = list(document, &["fields"]).and_then(schema);
        let Some(properties) = fields.as_ref().and_then(properties) else {
            let what = format!("the data definition {name} has no fields");
            notes.warning("data_definition_empty", "", what, "describe the variables in the input");
            continue;
        };
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let names = names.join(", ");
        if text(document, &["category"]) == Some(GENERATED) {
            let what = format!("the data definition {name} comes about in the process: {names}");
            notes.info("data_definition", what, "let the step that makes it say so in its outputs");
            continue;
        }
        for (field, property) in properties {
            let known = described.entry(field.clone()).or_insert_with(|| property.clone());
            if known.get("type") != property.get("type") {
                let what = format!("data definitions disagree about the type of {field}");
                let fix = "correct it in the input; the first definition is taken";
                notes.warning("data_definitions_disagree", "", what, fix);
            }
        }
        let what =
            format!("the data definition {name} describes variables of the process: {names}");
        notes.info("data_definition", what, "require in the input what a start has to give");
    }
    if described.is_empty() {
        return asked;
    }
    let mut schema = asked.unwrap_or_else(|| serde_json::json!({ "type": "object" }));
    // What the start itself asks for says more.
    described.extend(properties(&schema).cloned().unwrap_or_default());
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("properties".to_owned(), Value::Object(described));
    }
    Some(schema)
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}
