//! Starting an instance.

use flowmaster_kernel::{Principal, Timestamp};

use crate::command::{Rejected, StartedBy};
use crate::element::{event_based_gateway, start_event};
use crate::event::Event;
use crate::expression::string_of;
use crate::expression::timer::{Schedule, schedule};
use crate::feel::FeelError;
use crate::instance::{ActorRef, Caller, Key};
use crate::model::{ElementId, Message, NodeIx, NodeKind, Process, Task, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;

/// What starts a process at one of its start events.
#[derive(Clone, Debug, PartialEq)]
pub enum StartTrigger {
    /// A command.
    None,
    /// A message with this name.
    Message(String),
    /// A signal with this name.
    Signal(String),
    /// A timer that runs from the moment of publication.
    Timer(Schedule),
    /// A condition, which somebody asks to look at: see [`start_condition_holds`].
    Condition,
}

/// Whether a condition of the start event `event` holds with `variables`.
///
/// # Errors
/// A condition that fails.
pub fn start_condition_holds(
    process: &Process,
    event: &str,
    variables: &VariableMap,
    now: Timestamp,
) -> Result<bool, FeelError> {
    let event = process.find(event).and_then(|place| process.node(place).trigger());
    for part in event.map(Trigger::parts).unwrap_or_default() {
        if let Trigger::Conditional { condition } = part
            && condition.holds(variables, now)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The events that start the process with what they wait for, if it is published at `now`; one that
/// has several definitions comes several times. What has no value is left out: nothing can start it.
pub fn start_triggers(process: &Process, now: Timestamp) -> Vec<(ElementId, StartTrigger)> {
    let mut triggers = Vec::new();
    for (_, node) in process.starts() {
        let id = || ElementId::clone(&node.id);
        if let NodeKind::Task(Task::Receive(message)) = &node.kind {
            triggers.extend(by_message(message, now).map(|by| (id(), by)));
        }
        let parts = node.trigger().map(Trigger::parts).unwrap_or_default();
        for trigger in parts.iter().filter_map(|part| start_trigger(part, now)) {
            let known = (id(), trigger);
            if !triggers.contains(&known) {
                triggers.push(known);
            }
        }
    }
    triggers
}

fn start_trigger(trigger: &Trigger, now: Timestamp) -> Option<StartTrigger> {
    let none = VariableMap::new();
    match trigger {
        Trigger::None => Some(StartTrigger::None),
        Trigger::Message(message) => by_message(message, now),
        Trigger::Signal { name } => string_of(name, &none, now).ok().map(StartTrigger::Signal),
        Trigger::Timer(timer) => schedule(timer, &none, now).ok().map(StartTrigger::Timer),
        Trigger::Conditional { .. } => Some(StartTrigger::Condition),
        Trigger::Error(_)
        | Trigger::Escalation { .. }
        | Trigger::Terminate
        | Trigger::Compensation(_)
        | Trigger::Cancel
        | Trigger::Multiple(_)
        | Trigger::Link { .. } => None,
    }
}

fn by_message(message: &Message, now: Timestamp) -> Option<StartTrigger> {
    string_of(&message.name, &VariableMap::new(), now).ok().map(StartTrigger::Message)
}

/// The event to begin at: the named one, else the none start event, else the only one.
pub(super) fn choose(process: &Process, at: Option<&ElementId>) -> Result<NodeIx, Rejected> {
    let mut starts = process.starts();
    if let Some(id) = at {
        let found = starts.find(|(_, node)| node.id == *id).map(|(ix, _)| ix);
        return found
            .ok_or_else(|| Rejected::NoStartEvent(format!("{id:?} does not start the process")));
    }
    let all: Vec<NodeIx> = starts.map(|(ix, _)| ix).collect();
    let is_none = |ix: &&NodeIx| {
        let kind = &process.node(**ix).kind;
        matches!(kind, NodeKind::StartEvent { trigger: Trigger::None, .. })
    };
    match (all.iter().find(is_none), all.as_slice()) {
        (Some(start), _) | (None, [start]) => Ok(*start),
        (None, []) => Err(Rejected::NoStartEvent("there is none at process level".to_owned())),
        (None, _) => Err(Rejected::NoStartEvent("there are several: name one".to_owned())),
    }
}

pub(super) fn start(
    t: &mut Transition<'_>,
    at: NodeIx,
    variables: &VariableMap,
    business_key: Option<String>,
    by: &StartedBy,
    caller: Option<Caller>,
) {
    let process = t.process();
    let actor: &Principal = t.env.actor;
    // Who began the case, and not what carries out the call.
    let starter = caller.as_ref().and_then(|caller| caller.starter.clone());
    t.emit(Event::InstanceStarted {
        process: ElementId::clone(&process.id),
        business_key,
        starter: starter.unwrap_or_else(|| ActorRef::from(actor)),
        caller,
    });
    // What an event brings is its own until it is mapped; what a caller gives is the instance's.
    let mapped = *by != StartedBy::Command && !process.node(at).outputs.is_empty();
    if !mapped {
        t.set_variables(Key::PROCESS, variables);
    }
    let gateway = process.instantiating_gateway(at);
    let gateway = gateway.map(|(place, flow)| event_based_gateway::start(t, place, flow));
    let key = t.activate(Key::PROCESS, at, None, Vec::new());
    if mapped {
        t.set_variables(key, variables);
    }
    if *by != StartedBy::Command && waits_for_all(process, at) {
        start_event::await_others(t, key, at, happened(process, at, by, t.now()));
    } else {
        t.enter(key);
    }
    if let Some(gateway) = gateway {
        event_based_gateway::await_others(t, gateway, at);
    }
}

/// Whether the start event at `at` waits for all its definitions.
fn waits_for_all(process: &Process, at: NodeIx) -> bool {
    let node = process.node(at);
    matches!(node.kind, NodeKind::StartEvent { .. })
        && node.trigger().is_some_and(Trigger::is_parallel)
}

/// Which definition of the start event at `at` happened; none for conditions, which are looked at
/// again as soon as they are waited for.
fn happened(process: &Process, at: NodeIx, by: &StartedBy, now: Timestamp) -> Option<u32> {
    let is_it = |part: &Trigger| match (start_trigger(part, now), by) {
        (Some(StartTrigger::Message(waited)), StartedBy::Message(name))
        | (Some(StartTrigger::Signal(waited)), StartedBy::Signal(name)) => waited == *name,
        (Some(StartTrigger::Timer(_)), StartedBy::Timer) => true,
        _ => false,
    };
    let place = process.node(at).trigger()?.parts().iter().position(is_it)?;
    u32::try_from(place).ok()
}
