//! "What is it waiting for?", in words.

use flowmaster_engine::Key;
use flowmaster_engine::model::Process;
use flowmaster_engine::wait::{Wait, WaitKind};
use flowmaster_kernel::Timestamp;

use super::instance::{Stored, WorkRef};
use super::types::WaitView;

/// Everything `stored` waits for, the oldest first.
pub(super) fn waits(stored: &Stored, process: &Process) -> Vec<WaitView> {
    stored.instance.waits().map(|(key, wait)| view(stored, process, key, wait)).collect()
}

fn view(stored: &Stored, process: &Process, key: Key, wait: &Wait) -> WaitView {
    let name = process
        .find(&wait.element)
        .and_then(|ix| process.node(ix).name.clone())
        .unwrap_or_else(|| wait.element.to_string());
    let selectable = selectable(stored, process, wait);
    let (kind, waiting_for, due_at) = words(&wait.kind, &name, &selectable);
    WaitView {
        id: WorkRef { instance: stored.instance.id.to_string(), key }.to_string(),
        element: wait.element.to_string(),
        kind: kind.to_owned(),
        waiting_for,
        due_at,
        selectable,
    }
}

/// What can be activated now, where somebody is waited for who does that.
fn selectable(stored: &Stored, process: &Process, wait: &Wait) -> Vec<String> {
    match wait.kind {
        WaitKind::Activation { .. } => {
            let found = flowmaster_engine::selectable(&stored.instance, process, wait);
            found.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

fn words(
    kind: &WaitKind,
    name: &str,
    selectable: &[String],
) -> (&'static str, String, Option<Timestamp>) {
    match kind {
        WaitKind::Human => ("person", format!("a person to do \"{name}\""), None),
        WaitKind::Job { retries: 0 } => {
            ("worker", format!("its incident at \"{name}\" to be resolved"), None)
        }
        WaitKind::Job { .. } => ("worker", format!("a worker to do \"{name}\""), None),
        WaitKind::Agent { .. } => ("agent", format!("an agent to do \"{name}\""), None),
        WaitKind::Timer { due_at, .. } => {
            ("timer", format!("the timer \"{name}\" at {due_at}"), Some(*due_at))
        }
        WaitKind::Message { name: message, correlation } => {
            let key = correlation.as_deref().map(|key| format!(" for {key:?}")).unwrap_or_default();
            ("message", format!("the message {message:?}{key} at \"{name}\""), None)
        }
        WaitKind::Signal { name: signal } => {
            ("signal", format!("the signal {signal:?} at \"{name}\""), None)
        }
        WaitKind::Condition { .. } => {
            ("condition", format!("the condition of \"{name}\" to become true"), None)
        }
        WaitKind::Activation { .. } => {
            let what = match selectable {
                [] => format!("what runs in \"{name}\" to be over: one activity at a time"),
                some => format!("somebody to activate in \"{name}\": {}", some.join(", ")),
            };
            ("activation", what, None)
        }
        WaitKind::Child { process, instance } => {
            ("called_process", format!("the called process {process} ({instance})"), None)
        }
    }
}
