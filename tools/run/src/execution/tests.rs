//! Tests through the verbs, on a database of their own.

mod activate;
mod announced;
mod archive;
mod calls;
mod compensation;
mod conditions;
mod control;
mod damage;
mod governance;
mod incidents;
mod instantiation;
mod jobs;
mod messages;
mod modify;
mod nodes;
mod query;
mod search;
mod start;
mod timers;
mod waiting;

use serde_json::{Value, json};

use crate::testing::{World, begin, element, end, texts};

/// Doubles `amount`, then a person approves.
fn approval() -> Value {
    json!([
        begin("double"),
        element(
            "double",
            "scriptTask",
            "approve",
            json!({ "script": "amount * 2", "result": "total" })
        ),
        element("approve", "userTask", "done", json!({ "name": "Approve it" })),
        end("done"),
    ])
}

/// One job of the type `work`.
fn job() -> Value {
    json!([
        begin("work"),
        element("work", "serviceTask", "done", json!({ "job": "work", "retries": "2" })),
        end("done"),
    ])
}
