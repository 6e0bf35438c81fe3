//! Whether a command can be followed at all: the state of the instance, the size of the data, and
//! whether what it names is there. What passes is a [`Task`] that cannot fail any more.

use serde_json::Value;

use super::{Definition, Env, arrival, control, modify, selection, start, work};
use crate::command::{ChildOutcome, Command, Rejected, StartedBy};
use crate::element::ad_hoc;
use crate::governance::{Action, Attempt};
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

/// An [`Attempt`] that owns its data.
#[derive(Clone, Debug)]
pub(super) struct OwnedAttempt<'a> {
    action: Action,
    node: Option<&'a crate::model::Node>,
    scope: Key,
    variables: VariableMap,
    tool: Option<String>,
}

impl OwnedAttempt<'_> {
    pub(super) fn borrow(&self) -> Attempt<'_> {
        Attempt {
            action: self.action,
            node: self.node,
            scope: self.scope,
            variables: &self.variables,
            tool: self.tool.as_deref(),
        }
    }
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
            Task::CompleteWork { key, wait: finder.work(key)?, variables }
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
    /// What the policies are asked about.
    pub(super) fn attempts<'d>(
        &self,
        definition: &'d Definition,
        instance: &Instance,
    ) -> Vec<OwnedAttempt<'d>> {
        let process = definition.process();
        let node_of = |key: Key| instance.place(process, key).map(|(_, node)| node);
        let attempt = |action, node, scope, variables: &VariableMap| OwnedAttempt {
            action,
            node,
            scope,
            variables: variables.clone(),
            tool: None,
        };
        let none = VariableMap::new();
        match self {
            Self::Start { at, variables, .. } => {
                vec![attempt(Action::Start, Some(process.node(*at)), Key::PROCESS, variables)]
            }
            Self::CompleteWork { wait, variables, .. } => {
                vec![attempt(Action::Complete, node_of(wait.owner), wait.owner, variables)]
            }
            Self::Perform { wait, activate, variables, .. } => {
                let begun = activate.iter().map(|(ix, variables)| {
                    attempt(Action::Activate, Some(process.node(*ix)), wait.owner, variables)
                });
                let done = attempt(Action::Complete, node_of(wait.owner), wait.owner, variables);
                std::iter::once(done).chain(begun).collect()
            }
            Self::ToolCall { wait, tool, arguments } => vec![OwnedAttempt {
                tool: Some(tool.clone()),
                ..attempt(Action::ToolCall, node_of(wait.owner), wait.owner, arguments)
            }],
            Self::SetVariables { scope, variables } => {
                vec![attempt(Action::SetVariables, node_of(*scope), *scope, variables)]
            }
            Self::ResolveIncidents { incidents, variables } => {
                let owners = || incidents.iter().map(|(_, incident)| incident.owner);
                let control =
                    owners().map(|it| attempt(Action::Control, node_of(it), it, variables));
                let change = owners()
                    .filter(|_| !variables.is_empty())
                    .map(|it| attempt(Action::SetVariables, node_of(it), it, variables));
                control.chain(change).collect()
            }
            Self::Pause | Self::Resume | Self::Cancel { .. } => {
                vec![attempt(Action::Control, None, Key::PROCESS, &none)]
            }
            Self::SelectActivities { wait, places, variables, .. } => places
                .iter()
                .map(|ix| attempt(Action::Activate, Some(process.node(*ix)), wait.owner, variables))
                .collect(),
            Self::Modify(plan) => {
                let set = plan.variables.iter().map(|(scope, variables)| {
                    attempt(Action::SetVariables, node_of(*scope), *scope, variables)
                });
                let started = plan.activations.iter().map(|it| {
                    let node = Some(process.node(it.place));
                    attempt(Action::Control, node, Key::PROCESS, &it.variables)
                });
                let ended = plan.ended.iter().map(|source| {
                    let key = source.key_or_scope();
                    attempt(Action::Control, node_of(key), key, &none)
                });
                set.chain(started).chain(ended).collect()
            }
            Self::ThrowError { .. }
            | Self::Escalate { .. }
            | Self::FailWork { .. }
            | Self::FireTimer { .. }
            | Self::Correlate { .. }
            | Self::BroadcastSignal { .. }
            | Self::ChildEnded { .. } => Vec::new(),
        }
    }

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
