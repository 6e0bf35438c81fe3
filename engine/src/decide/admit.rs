//! Whether a command can be followed at all: the state of the instance, the size of the data, and
//! whether what it names is there. What passes is a [`Task`] that cannot fail any more.

use serde_json::Value;

use super::{Definition, Env, arrival, control, modify, selection, start, work};
use crate::command::{ChildOutcome, Command, Rejected, StartedBy};
use crate::element::ad_hoc;
use crate::incident::Incident;
use crate::instance::{Caller, Instance, InstanceState, Key};
use crate::limits;
use crate::model::{ElementId, NodeIx};
use crate::modification::Instruction;
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::{Wait, WaitKind};

/// A command that can be followed, with everything that it names found.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Start {
        at: NodeIx,
        variables: VariableMap,
        business_key: Option<String>,
        by: StartedBy,
        caller: Option<Caller>,
    },
    CompleteWork {
        key: Key,
        wait: Wait,
        variables: VariableMap,
    },
    Perform {
        key: Key,
        wait: Wait,
        activate: Vec<(NodeIx, VariableMap)>,
        variables: VariableMap,
    },
    ThrowError {
        wait: Wait,
        code: String,
        message: Option<String>,
        variables: VariableMap,
    },
    Escalate {
        wait: Wait,
        code: String,
        variables: VariableMap,
    },
    FailWork {
        key: Key,
        wait: Wait,
        message: String,
        retries: u32,
        back_off: Option<i64>,
    },
    ResolveIncidents {
        incidents: Vec<(Key, Incident)>,
        variables: VariableMap,
    },
    FireTimer {
        key: Key,
        wait: Wait,
        target: NodeIx,
    },
    Correlate {
        key: Key,
        wait: Wait,
        target: NodeIx,
        variables: VariableMap,
        message_id: Option<String>,
    },
    BroadcastSignal {
        name: String,
        variables: VariableMap,
    },
    ChildEnded {
        key: Key,
        wait: Wait,
        outcome: ChildOutcome,
    },
    SetVariables {
        scope: Key,
        variables: VariableMap,
    },
    Pause,
    Resume,
    Cancel {
        reason: Option<String>,
    },
    Modify(modify::Plan),
    SelectActivities {
        key: Key,
        wait: Wait,
        places: Vec<NodeIx>,
        variables: VariableMap,
    },
    ToolCall {
        wait: Wait,
        tool: String,
        arguments: VariableMap,
    },
}

/// Checks that an instance in this state takes such a command.
pub(super) fn check_state(instance: &Instance, command: &Command) -> Result<(), Rejected> {
    let expected = match command {
        Command::Start { .. } => InstanceState::Created,
        _ => InstanceState::Active,
    };
    if instance.state != expected {
        return Err(Rejected::WrongState { state: instance.state });
    }
    let while_paused = match command {
        Command::Resume | Command::Cancel { .. } | Command::SetVariables { .. } => true,
        Command::Modify { instructions, .. } => {
            instructions.iter().all(Instruction::starts_nothing)
        }
        _ => false,
    };
    match (instance.paused, command) {
        (true, _) if !while_paused => Err(Rejected::Paused),
        (false, Command::Resume) => Err(Rejected::NotPaused),
        _ => Ok(()),
    }
}

/// Checks that a command does not bring more data than an instance takes.
pub(super) fn check_size(command: &Command) -> Result<(), Rejected> {
    let measured = match command {
        Command::Start { variables, .. }
        | Command::CompleteWork { variables, .. }
        | Command::ThrowError { variables, .. }
        | Command::Escalate { variables, .. }
        | Command::ResolveIncident { variables, .. }
        | Command::ResolveIncidents { variables, .. }
        | Command::CorrelateMessage { variables, .. }
        | Command::BroadcastSignal { variables, .. }
        | Command::ChildEnded {
            outcome: ChildOutcome::Completed { variables } | ChildOutcome::Failed { variables, .. },
            ..
        }
        | Command::SetVariables { variables, .. }
        | Command::SelectActivities { variables, .. } => limits::measure(variables),
        Command::Modify { instructions, .. } => {
            let all = instructions.iter().filter_map(Instruction::variables);
            limits::measure_values(all.flat_map(VariableMap::iter).map(|(_, value)| value))
        }
        Command::Perform { activate, variables, .. } => {
            let all = activate.iter().map(|it| &it.variables).chain([variables]);
            limits::measure_values(all.flat_map(VariableMap::iter).map(|(_, value)| value))
        }
        Command::ToolCall { arguments, .. } => limits::measure_values([arguments]),
        Command::FailWork { .. }
        | Command::FireTimer { .. }
        | Command::ChildEnded { .. }
        | Command::Pause
        | Command::Resume
        | Command::Cancel { .. } => return Ok(()),
    };
    let too_large =
        |over: limits::OverLimit| Rejected::TooLarge { what: over.what, limit: over.limit };
    measured.map(|_| ()).map_err(too_large)
}

/// Finds everything that `command` names.
pub(super) fn admit(
    definition: &Definition,
    instance: &Instance,
    command: Command,
    env: &Env<'_>,
) -> Result<Task, Rejected> {
    let finder = Finder { definition, instance };
    Ok(match command {
        Command::Start { variables, business_key, at, by, caller } => {
            let at = start::choose(definition.process(), at.as_ref())?;
            Task::Start { at, variables, business_key, by, caller }
        }
        Command::CompleteWork { key, variables } => {
            let wait = finder.work(key)?;
            let variables = match wait.kind.proposal() {
                Some(proposal) => proposal.completed_by(env.actor, variables),
                None => variables,
            };
            Task::CompleteWork { key, wait, variables }
        }
        Command::Perform { key, activate, variables } => {
            let wait = finder.work(key)?;
            let activate = selection::chosen(definition.process(), instance, &wait, activate)?;
            Task::Perform { key, wait, activate, variables }
        }
        Command::ThrowError { key, code, message, variables } => {
            Task::ThrowError { wait: finder.work(key)?, code, message, variables }
        }
        Command::Escalate { key, code, variables } => {
            let wait = finder.wait(key, "work or call", |kind| {
                kind.is_work() || matches!(kind, WaitKind::Child { .. })
            })?;
            Task::Escalate { wait, code, variables }
        }
        Command::FailWork { key, message, retries, back_off } => {
            Task::FailWork { key, wait: finder.work(key)?, message, retries, back_off }
        }
        Command::ResolveIncident { key, variables } => {
            Task::ResolveIncidents { incidents: vec![finder.incident(key)?], variables }
        }
        Command::ResolveIncidents { keys, variables } => {
            let found: Result<Vec<_>, _> =
                keys.into_iter().map(|key| finder.incident(key)).collect();
            Task::ResolveIncidents { incidents: found?, variables }
        }
        Command::FireTimer { key } => {
            let wait = finder.wait(key, "timer", |kind| matches!(kind, WaitKind::Timer { .. }))?;
            match wait.kind {
                WaitKind::Timer { due_at, .. } if due_at > env.now => {
                    return Err(Rejected::NotDue { due_at });
                }
                _ => Task::FireTimer { key, target: finder.target(key, &wait)?, wait },
            }
        }
        Command::CorrelateMessage { key, variables, message_id } => {
            let wait = finder.wait(key, "message subscription", |kind| {
                matches!(kind, WaitKind::Message { .. })
            })?;
            let target = finder.target(key, &wait)?;
            Task::Correlate { key, wait, target, variables, message_id }
        }
        Command::BroadcastSignal { name, variables } => Task::BroadcastSignal { name, variables },
        Command::ChildEnded { key, outcome } => {
            let wait = finder.wait(key, "call", |kind| matches!(kind, WaitKind::Child { .. }))?;
            Task::ChildEnded { key, wait, outcome }
        }
        Command::SetVariables { scope, variables } => {
            finder.scope(scope)?;
            Task::SetVariables { scope, variables }
        }
        Command::Pause => Task::Pause,
        Command::Resume => Task::Resume,
        Command::Cancel { reason } => Task::Cancel { reason },
        Command::SelectActivities { key, elements, variables } => {
            let wait = finder.wait(key, "ad-hoc sub-process", |kind| {
                matches!(kind, WaitKind::Activation { .. })
            })?;
            let places = selection::find(definition.process(), instance, &wait, &elements)?;
            Task::SelectActivities { key, wait, places, variables }
        }
        Command::Modify { instructions, reason } => {
            let plan = modify::plan(definition.process(), instance, instructions, reason);
            Task::Modify(plan.map_err(Rejected::Modification)?)
        }
        Command::ToolCall { key, tool, arguments } => {
            let wait = finder.work(key)?;
            let arguments = match arguments {
                Value::Object(arguments) => arguments.into(),
                other => VariableMap::one("value", other),
            };
            Task::ToolCall { wait, tool, arguments }
        }
    })
}

struct Finder<'a> {
    definition: &'a Definition,
    instance: &'a Instance,
}

impl Finder<'_> {
    fn work(&self, key: Key) -> Result<Wait, Rejected> {
        self.wait(key, "work", WaitKind::is_work)
    }

    fn wait(
        &self,
        key: Key,
        what: &'static str,
        fits: impl Fn(&WaitKind) -> bool,
    ) -> Result<Wait, Rejected> {
        let wait = self.instance.wait(key).filter(|wait| fits(&wait.kind));
        let wait = wait.ok_or(Rejected::NotWaiting { what, key })?;
        match self.instance.blocks(wait) {
            None => Ok(wait.clone()),
            Some(incident) => Err(Rejected::HasIncident {
                element: ElementId::clone(&incident.element),
                message: incident.message.clone(),
            }),
        }
    }

    fn incident(&self, key: Key) -> Result<(Key, Incident), Rejected> {
        let found = self.instance.incidents.get(&key).cloned();
        Ok((key, found.ok_or(Rejected::NotWaiting { what: "incident", key })?))
    }

    fn target(&self, key: Key, wait: &Wait) -> Result<NodeIx, Rejected> {
        let found = self.definition.process().find(&wait.element);
        found.ok_or(Rejected::NotWaiting { what: "event", key })
    }

    fn element(&self, key: Key) -> Result<(), Rejected> {
        let found = self.instance.element(key).is_some();
        if found { Ok(()) } else { Err(Rejected::NotWaiting { what: "element", key }) }
    }

    fn scope(&self, key: Key) -> Result<(), Rejected> {
        if key.is_process() { Ok(()) } else { self.element(key) }
    }
}

impl Instance {
    /// The incident that keeps `wait` from going on: one of the element itself, not of the
    /// activity that a boundary event hangs on.
    pub(crate) fn blocks(&self, wait: &Wait) -> Option<&Incident> {
        let mut open = self.incidents().map(|(_, incident)| incident);
        open.find(|incident| incident.owner == wait.owner && incident.element == wait.element)
    }
}

impl Task {
    /// Follows the command.
    pub(super) fn perform(self, t: &mut Transition<'_>) {
        match self {
            Self::Start { at, variables, business_key, by, caller } => {
                start::start(t, at, &variables, business_key, &by, caller);
            }
            Self::CompleteWork { key, wait, variables } => {
                work::complete(t, key, &wait, &variables);
            }
            Self::Perform { key, wait, activate, variables } => {
                work::perform(t, key, &wait, &activate, &variables);
            }
            Self::ThrowError { wait, code, message, variables } => {
                work::throw(t, &wait, &code, message.as_deref(), variables);
            }
            Self::Escalate { wait, code, variables } => work::escalate(t, &wait, &code, &variables),
            Self::FailWork { key, wait, message, retries, back_off } => {
                work::fail(t, key, &wait, message, retries, back_off);
            }
            Self::ResolveIncidents { incidents, variables } => {
                control::resolve(t, &incidents, &variables);
            }
            Self::FireTimer { key, wait, target } => arrival::fire(t, key, &wait, target),
            Self::Correlate { key, wait, target, variables, message_id } => {
                arrival::receive(t, key, &wait, target, &variables, message_id);
            }
            Self::BroadcastSignal { name, variables } => arrival::broadcast(t, &name, &variables),
            Self::ChildEnded { key, wait, outcome } => {
                arrival::child_ended(t, key, &wait, outcome);
            }
            Self::SetVariables { scope, variables } => t.set_variables(scope, &variables),
            Self::Pause => control::pause(t),
            Self::Resume => control::resume(t),
            Self::Cancel { reason } => control::cancel(t, reason),
            Self::SelectActivities { key, wait, places, variables } => {
                ad_hoc::begin(t, key, wait.owner, &places, &variables);
            }
            Self::Modify(plan) => modify::modify(t, plan),
            // Asking is all there is to it: the answer is an event already.
            Self::ToolCall { .. } => {}
        }
    }
}
