//! What arrives from outside while an instance waits: timers, messages, signals and the ends of
//! called instances.

use crate::command::ChildOutcome;
use crate::element::{call_activity, multiple_event};
use crate::event::{ChildState, Event};
use crate::expression::timer::Schedule;
use crate::incident::{Failure, IncidentKind};
use crate::instance::{Key, Stage};
use crate::model::{ElementId, NodeIx, NodeKind, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::throw_error;
use crate::wait::{Wait, WaitKind};

pub(super) fn fire(t: &mut Transition<'_>, key: Key, wait: &Wait, target: NodeIx) {
    let element = || ElementId::clone(&wait.element);
    t.emit(Event::TimerFired { key, element: element() });
    let event = t.process().node(target);
    let repeats = matches!(
        event.kind,
        NodeKind::BoundaryEvent { interrupting: false, .. }
            | NodeKind::StartEvent { interrupting: false, .. }
    );
    // A cycle counts from when it was due, so that a late timer does not shift the later ones. A
    // moment outside the calendar ends it.
    if repeats
        && !event.trigger().is_some_and(Trigger::is_parallel)
        && let WaitKind::Timer { due_at, repeat: Some(repeat) } = &wait.kind
        && let Ok(Some(Schedule { due_at, repeat })) = repeat.next(*due_at)
    {
        let (key, owner) = (t.next_key(), wait.owner);
        t.emit(Event::TimerStarted { key, owner, element: element(), due_at, repeat });
    }
    multiple_event::arrive(t, key, wait, target, &VariableMap::new());
}

pub(super) fn receive(
    t: &mut Transition<'_>,
    key: Key,
    wait: &Wait,
    target: NodeIx,
    variables: &VariableMap,
    message_id: Option<String>,
) {
    let element = ElementId::clone(&wait.element);
    t.emit(Event::SubscriptionTriggered { key, element, message_id });
    multiple_event::arrive(t, key, wait, target, variables);
}

pub(super) fn broadcast(t: &mut Transition<'_>, name: &str, variables: &VariableMap) {
    let waits = t.instance.waits().filter(
        |(_, wait)| matches!(&wait.kind, WaitKind::Signal { name: waited } if waited == name),
    );
    let keys: Vec<Key> = waits.map(|(key, _)| key).collect();
    for key in keys {
        // One that was heard before may have ended this one's wait.
        let Some(wait) = t.instance.wait(key).cloned() else { continue };
        let Some(target) = t.process().find(&wait.element) else { continue };
        if t.instance.blocks(&wait).is_none() {
            receive(t, key, &wait, target, variables, None);
        }
    }
}

pub(super) fn child_ended(t: &mut Transition<'_>, key: Key, wait: &Wait, outcome: ChildOutcome) {
    let owner = wait.owner;
    let state = match &outcome {
        ChildOutcome::Completed { .. } => ChildState::Completed,
        ChildOutcome::Failed { .. } => ChildState::Failed,
        ChildOutcome::Cancelled => ChildState::Cancelled,
        ChildOutcome::Missing => ChildState::Missing,
    };
    t.emit(Event::ChildEnded { key, element: ElementId::clone(&wait.element), state });
    match outcome {
        ChildOutcome::Completed { variables } => {
            let back = match t.place(owner) {
                Some((_, node)) => match &node.kind {
                    NodeKind::CallActivity(call) => {
                        call_activity::handed_back(node, call, variables)
                    }
                    _ => variables,
                },
                None => return,
            };
            t.complete(owner, &back);
        }
        ChildOutcome::Failed { code, message, variables } => {
            throw_error(t, owner, &code, message.as_deref(), variables);
        }
        ChildOutcome::Cancelled => {
            let message = "the called instance was cancelled";
            let failure = Failure::new(IncidentKind::UnhandledError, message);
            t.raise(owner, Stage::Activating, &failure);
        }
        ChildOutcome::Missing => {
            let process = match &wait.kind {
                WaitKind::Child { process, .. } => process.as_str(),
                _ => "",
            };
            let message = format!("there is no process {process:?} to call");
            let failure = Failure::new(IncidentKind::CalledProcessMissing, message);
            t.raise(owner, Stage::Activating, &failure);
        }
    }
}
