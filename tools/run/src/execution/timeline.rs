//! The journal in words: who did what, and what followed.

use flowmaster_kernel::{Ctx, Cursor, Error, Page, PageRequest, ResponseFormat, Result};
use flowmaster_store::journal;
use serde_json::Value;

use super::service::Execution;
use super::types::{GetTimeline, Timeline, TimelineEntry};

impl Execution {
    pub(super) async fn timeline(&self, ctx: &Ctx, params: GetTimeline) -> Result<Timeline> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let after = match &params.cursor {
            None => 0,
            Some(Cursor(text)) => text.parse().map_err(|_| {
                Error::invalid("invalid_cursor", "the cursor is not one of this list")
                    .fix("start again without a cursor")
            })?,
        };
        // Not found must look the same whether the instance is somebody else's or nobody's.
        self.stored(ctx, &params.id).await?;
        let mut session = self.db().read(ctx).await?;
        let entries = journal::read(&mut session, &params.id, after, limit + 1).await?;
        let detailed = params.response_format == ResponseFormat::Detailed;
        let entries = entries.into_iter().map(|entry| view(entry, detailed)).collect();
        Ok(Page::from_overfetched(entries, limit, |entry| entry.seq.to_string()))
    }
}

fn view(entry: journal::Entry, detailed: bool) -> TimelineEntry {
    let number = |name: &str| entry.events.get(name).and_then(Value::as_i64).unwrap_or_default();
    let events = entry.events.get("events").cloned().unwrap_or_default();
    let list = events.as_array().map(Vec::as_slice).unwrap_or_default();
    TimelineEntry {
        seq: entry.seq,
        at: entry.at,
        actor: entry.actor.clone(),
        process_version: number("process_version"),
        mandates_version: number("mandates_version"),
        what: list.iter().filter_map(sentence).collect(),
        events: detailed.then_some(events),
    }
}

/// An event as a sentence; `None` for the mechanics that only the detailed form shows.
fn sentence(event: &Value) -> Option<String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let element = text("element");
    let actor = || event.pointer("/actor/id").and_then(Value::as_str).unwrap_or_default();
    Some(match text("type") {
        "instance_started" => {
            let starter = event.pointer("/starter/id").and_then(Value::as_str).unwrap_or_default();
            format!("{starter} started the instance")
        }
        "element_completed" => format!("{element} completed"),
        "element_terminated" => format!("{element} was ended"),
        "variables_set" => {
            let names: Vec<&str> = event
                .get("variables")
                .and_then(Value::as_object)
                .map(|variables| variables.keys().map(String::as_str).collect())
                .unwrap_or_default();
            format!("set {}", names.join(", "))
        }
        "decision_evaluated" => format!("{element} evaluated the decision {}", text("decision")),
        "work_requested" => {
            let whom = match event.pointer("/work/kind").and_then(Value::as_str) {
                Some("human") => "a person",
                Some("agent") => "an agent",
                _ => "a worker",
            };
            format!("{element} waits for {whom}")
        }
        "work_completed" => format!("{} completed {element}", actor()),
        "work_failed" => format!("{element} failed: {}", text("message")),
        "timer_started" => format!("{element} waits until {}", text("due_at")),
        "timer_fired" => format!("the timer {element} fired"),
        "subscription_opened" => format!("{element} waits for a message or signal"),
        "subscription_triggered" => format!("{element} got what it waited for"),
        "message_thrown" => format!("sent the message {}", text("name")),
        "signal_thrown" => format!("sent the signal {}", text("name")),
        "error_thrown" => format!("the error {} was thrown at {element}", text("code")),
        "child_requested" => format!("{element} called the process {}", text("process")),
        "child_ended" => format!("the process called by {element} ended"),
        "incident_raised" => {
            let message = event.pointer("/incident/message").and_then(Value::as_str).unwrap_or_default();
            let element = event.pointer("/incident/element").and_then(Value::as_str).unwrap_or_default();
            format!("incident at {element}: {message}")
        }
        "incident_resolved" => "an incident was resolved".to_owned(),
        "action_refused" => format!(
            "REFUSED: {} may not {} {}{}: {} (policy {})",
            actor(),
            text("action"),
            element,
            event.get("tool").and_then(Value::as_str).map(|tool| format!(" with {tool}")).unwrap_or_default(),
            text("reason"),
            text("policy")
        ),
        "action_allowed" => {
            let policies: Vec<&str> = event
                .get("policies")
                .and_then(Value::as_array)
                .map(|list| list.iter().filter_map(|it| it.get("policy")?.as_str()).collect())
                .unwrap_or_default();
            format!("policies allowed {} to {} {element}: {}", actor(), text("action"), policies.join(", "))
        }
        "instance_paused" => "the instance was held".to_owned(),
        "instance_resumed" => "the instance was resumed".to_owned(),
        "instance_completed" => "the instance completed".to_owned(),
        "instance_cancelled" => "the instance was cancelled".to_owned(),
        "instance_failed" => format!("the instance failed with {}", text("code")),
        _ => return None,
    })
}
