//! Intermediate throw events (BPMN 2.0.2 §10.5.4), and the throwing that end events share.

use super::{catch_event, compensation, job_task, link_event, multiple_event};
use crate::event::Event;
use crate::expression::string_of;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Message, Node, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::{AfterThrow, throw_escalation};

/// What an event throws and is done with, with every expression resolved.
pub(crate) enum Outgoing {
    Message { name: String, correlation: Option<String> },
    Signal { name: String },
    Escalation { code: String },
}

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    trigger: &Trigger,
) -> Result<(), Failure> {
    if let Some(outgoing) = resolve(t, key, trigger)? {
        send(t, key, node, outgoing, AfterThrow::Complete);
        return Ok(());
    }
    match trigger {
        Trigger::None => t.pass(key),
        Trigger::Message(Message { job: Some(job), .. }) => job_task::enter(t, key, node, job)?,
        Trigger::Link { .. } => link_event::throw(t, key, node)?,
        Trigger::Compensation(compensation) => compensation::throw(t, key, node, compensation),
        Trigger::Multiple(several) => multiple_event::throw(t, key, node, several)?,
        Trigger::Message(_)
        | Trigger::Signal { .. }
        | Trigger::Escalation { .. }
        | Trigger::Timer(_)
        | Trigger::Conditional { .. }
        | Trigger::Error(_)
        | Trigger::Terminate
        | Trigger::Cancel => {
            return Err(super::not_executable(&node.id, "throw event with such a trigger"));
        }
    }
    Ok(())
}

/// What `trigger` throws at once; `None` for what ends the path or has to be waited for, such as a
/// message that a worker sends because the model names a job.
pub(crate) fn resolve(
    t: &Transition<'_>,
    key: Key,
    trigger: &Trigger,
) -> Result<Option<Outgoing>, Failure> {
    let view = t.view(key);
    Ok(Some(match trigger {
        Trigger::Message(message) if message.job.is_none() => Outgoing::Message {
            name: string_of(&message.name, &view, t.now())?,
            correlation: catch_event::correlation(t, key, message)?,
        },
        Trigger::Signal { name } => Outgoing::Signal { name: string_of(name, &view, t.now())? },
        Trigger::Escalation { code } => {
            Outgoing::Escalation { code: code.clone().unwrap_or_default() }
        }
        _ => return Ok(None),
    }))
}

/// Throws `outgoing`, and goes on as `after` says.
pub(crate) fn send(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    outgoing: Outgoing,
    after: AfterThrow,
) {
    let variables = payload(t, key);
    send_with(t, key, node, outgoing, &variables, after);
}

/// The same, with `variables`.
pub(crate) fn send_with(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    outgoing: Outgoing,
    variables: &VariableMap,
    after: AfterThrow,
) {
    let element = ElementId::clone(&node.id);
    match outgoing {
        Outgoing::Message { name, correlation } => {
            let variables = variables.clone();
            t.emit(Event::MessageThrown { key, element, name, correlation, variables });
        }
        Outgoing::Signal { name } => {
            let variables = variables.clone();
            t.emit(Event::SignalThrown { key, element, name, variables });
        }
        Outgoing::Escalation { code } => {
            return throw_escalation(t, key, &code, variables, after);
        }
    }
    if after == AfterThrow::Complete {
        t.pass(key);
    }
}

/// What a thrown event brings: what its input mappings made, and nothing by itself.
pub(crate) fn payload(t: &Transition<'_>, key: Key) -> VariableMap {
    t.element(key).map(|element| element.variables.clone()).unwrap_or_default()
}
