//! Intermediate throw events (BPMN 2.0.2 §10.5.4), and the throwing that end events share.

use super::{catch_event, compensation, job_task, link_event};
use crate::event::Event;
use crate::expression::string_of;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Message, Node, Text, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::{AfterThrow, throw_escalation};

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    trigger: &Trigger,
) -> Result<(), Failure> {
    match trigger {
        Trigger::None => t.pass(key),
        Trigger::Message(message) => send_message(t, key, node, message)?,
        Trigger::Signal { name } => broadcast(t, key, node, name)?,
        Trigger::Escalation { code } => escalate(t, key, code.as_deref()),
        Trigger::Link { .. } => link_event::throw(t, key, node)?,
        Trigger::Compensation(compensation) => compensation::throw(t, key, node, compensation),
        Trigger::Timer(_)
        | Trigger::Conditional { .. }
        | Trigger::Error(_)
        | Trigger::Terminate
        | Trigger::Cancel => {
            return Err(super::not_executable(&node.id, "throw event with such a trigger"));
        }
    }
    Ok(())
}

/// Sends a message: through a worker where the model names a job, by ourselves otherwise.
pub(crate) fn send_message(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    message: &Message,
) -> Result<(), Failure> {
    if let Some(job) = &message.job {
        return job_task::enter(t, key, node, job);
    }
    let name = string_of(&message.name, &t.view(key), t.now())?;
    let correlation = catch_event::correlation(t, key, message)?;
    let (element, variables) = (ElementId::clone(&node.id), payload(t, key));
    t.emit(Event::MessageThrown { key, element, name, correlation, variables });
    t.pass(key);
    Ok(())
}

/// Broadcasts a signal.
pub(crate) fn broadcast(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    name: &Text,
) -> Result<(), Failure> {
    let name = string_of(name, &t.view(key), t.now())?;
    let (element, variables) = (ElementId::clone(&node.id), payload(t, key));
    t.emit(Event::SignalThrown { key, element, name, variables });
    t.pass(key);
    Ok(())
}

/// Throws an escalation and goes on.
pub(crate) fn escalate(t: &mut Transition<'_>, key: Key, code: Option<&str>) {
    let variables = payload(t, key);
    throw_escalation(t, key, code.unwrap_or_default(), &variables, AfterThrow::Complete);
}

/// What a thrown event brings: what its input mappings made, and nothing by itself.
pub(crate) fn payload(t: &Transition<'_>, key: Key) -> VariableMap {
    t.element(key).map(|element| element.variables.clone()).unwrap_or_default()
}
