//! Starting an instance.

use flowmaster_kernel::{Principal, Timestamp};

use crate::command::Rejected;
use crate::event::Event;
use crate::expression::string_of;
use crate::expression::timer::{Schedule, schedule};
use crate::instance::{ActorRef, Caller, Key};
use crate::model::{ElementId, NodeIx, NodeKind, Process, Trigger};
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
}

/// The start events at process level with what starts them, if the process is published at `now`.
/// An event whose expression has no value is left out: nothing can start it.
pub fn start_triggers(process: &Process, now: Timestamp) -> Vec<(ElementId, StartTrigger)> {
    let none = VariableMap::new();
    let known = |trigger: &Trigger| match trigger {
        Trigger::None => Some(StartTrigger::None),
        Trigger::Message(message) => {
            string_of(&message.name, &none, now).ok().map(StartTrigger::Message)
        }
        Trigger::Signal { name } => string_of(name, &none, now).ok().map(StartTrigger::Signal),
        Trigger::Timer(timer) => schedule(timer, &none, now).ok().map(StartTrigger::Timer),
        Trigger::Error(_)
        | Trigger::Escalation { .. }
        | Trigger::Terminate
        | Trigger::Conditional { .. }
        | Trigger::Compensation(_)
        | Trigger::Cancel
        | Trigger::Link { .. } => None,
    };
    process
        .start_events(None)
        .filter_map(|(_, node)| Some((ElementId::clone(&node.id), known(node.trigger()?)?)))
        .collect()
}

/// The start event to begin at: the named one, else the none start event, else the only one.
pub(super) fn choose(process: &Process, at: Option<&ElementId>) -> Result<NodeIx, Rejected> {
    let mut starts = process.start_events(None);
    if let Some(id) = at {
        let found = starts.find(|(_, node)| node.id == *id).map(|(ix, _)| ix);
        return found.ok_or_else(|| {
            Rejected::NoStartEvent(format!("{id:?} is not a start event at process level"))
        });
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
    caller: Option<Caller>,
) {
    let process = t.process();
    let actor: &Principal = t.env.actor;
    t.emit(Event::InstanceStarted {
        process: ElementId::clone(&process.id),
        business_key,
        starter: ActorRef::from(actor),
        caller,
    });
    let mapped = !process.node(at).outputs.is_empty();
    if !mapped {
        t.set_variables(Key::PROCESS, variables);
    }
    let key = t.activate(Key::PROCESS, at, None, Vec::new());
    if mapped {
        t.set_variables(key, variables);
    }
    t.enter(key);
}
