//! What an instance can be told to do.

use flowmaster_kernel::{Error, Timestamp};
use serde_json::Value;

use crate::finding::Finding;
use crate::instance::{Caller, InstanceState, Key};
use crate::model::ElementId;
use crate::modification::Instruction;
use crate::scope::VariableMap;

/// A command. Keys name waits, element instances or incidents of the instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start the instance.
    Start {
        /// The variables it starts with.
        variables: VariableMap,
        /// What the business calls it.
        business_key: Option<String>,
        /// The start event; the none start event, or the only one, when absent.
        at: Option<ElementId>,
        /// What happened there; it matters where the start event waits for more than that.
        by: StartedBy,
        /// The call activity that asked for it.
        caller: Option<Caller>,
    },
    /// The work of a person, a worker or an agent is done.
    CompleteWork {
        /// The wait.
        key: Key,
        /// Its results.
        variables: VariableMap,
    },
    /// Who performs an ad-hoc sub-process, and was asked what begins next in it, says so. Completing
    /// that work ends the sub-process instead.
    Perform {
        /// The wait for the answer.
        key: Key,
        /// What begins.
        activate: Vec<Activation>,
        /// Variables of the sub-process, e.g. what the performer wants to see when it is asked again.
        variables: VariableMap,
    },
    /// Work ends with a BPMN error.
    ThrowError {
        /// The wait.
        key: Key,
        /// The error code.
        code: String,
        /// What happened.
        message: Option<String>,
        /// Variables for whoever catches it.
        variables: VariableMap,
    },
    /// Work, or a called instance, reports an escalation and goes on.
    Escalate {
        /// The wait.
        key: Key,
        /// The escalation code.
        code: String,
        /// Variables for whoever catches it.
        variables: VariableMap,
    },
    /// Work failed for technical reasons.
    FailWork {
        /// The wait.
        key: Key,
        /// What happened.
        message: String,
        /// How often it may still be tried; 0 makes an incident.
        retries: u32,
        /// When it may be tried again, in milliseconds from now.
        back_off: Option<i64>,
    },
    /// Try again what an incident stopped.
    ResolveIncident {
        /// The incident.
        key: Key,
        /// Variables to set first, as seen from the element.
        variables: VariableMap,
    },
    /// Try again what several incidents stopped, in one step.
    ResolveIncidents {
        /// The incidents.
        keys: Vec<Key>,
        /// Variables to set first, as seen from each element.
        variables: VariableMap,
    },
    /// A timer is due.
    FireTimer {
        /// The wait.
        key: Key,
    },
    /// A message for a subscription.
    CorrelateMessage {
        /// The wait.
        key: Key,
        /// What the message brings.
        variables: VariableMap,
        /// Its id, for the record.
        message_id: Option<String>,
    },
    /// A signal for whatever waits for it in this instance.
    BroadcastSignal {
        /// The signal's name.
        name: String,
        /// What the signal brings.
        variables: VariableMap,
    },
    /// A called instance ended, or could not be started.
    ChildEnded {
        /// The wait.
        key: Key,
        /// How.
        outcome: ChildOutcome,
    },
    /// Change variables from outside.
    SetVariables {
        /// Where they are set.
        scope: Key,
        /// The values.
        variables: VariableMap,
    },
    /// Hold the instance.
    Pause,
    /// Let a held instance go on.
    Resume,
    /// End the instance.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Activate enabled elements of an ad-hoc sub-process that waits for it.
    SelectActivities {
        /// The wait.
        key: Key,
        /// BPMN ids; one that is named twice begins twice.
        elements: Vec<ElementId>,
        /// Variables of each new element instance.
        variables: VariableMap,
    },
    /// Activate, terminate and move elements: all of it in one step, or nothing.
    Modify {
        /// What is changed.
        instructions: Vec<Instruction>,
        /// Why, for the record.
        reason: Option<String>,
    },
    /// An agent asks whether it may call a tool.
    ToolCall {
        /// The wait for the agent.
        key: Key,
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: Value,
    },
}

/// What lets a process begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StartedBy {
    /// Somebody, or a process that calls it: no start event waits for anything more then.
    #[default]
    Command,
    /// The message with this name.
    Message(String),
    /// The signal with this name.
    Signal(String),
    /// Its timer.
    Timer,
    /// Its condition.
    Condition,
}

/// An element of an ad-hoc sub-process that begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    /// BPMN id.
    pub element: ElementId,
    /// Variables of the new element instance.
    pub variables: VariableMap,
}

/// How a called instance ended.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildOutcome {
    /// With these process variables.
    Completed {
        /// Its result.
        variables: VariableMap,
    },
    /// With a BPMN error that it did not catch.
    Failed {
        /// The error code.
        code: String,
        /// What happened.
        message: Option<String>,
        /// Variables for whoever catches it.
        variables: VariableMap,
    },
    /// From outside.
    Cancelled,
    /// There is no such process.
    Missing,
}

/// A command that the instance cannot follow. Nothing happened.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// The instance is not in a state for it.
    #[error("the instance is {}", .state.as_str())]
    WrongState {
        /// Its state.
        state: InstanceState,
    },
    /// The instance is held.
    #[error("the instance is paused")]
    Paused,
    /// The instance is not held.
    #[error("the instance is not paused")]
    NotPaused,
    /// Nothing has this key, or no longer.
    #[error("there is no open {what} {key}")]
    NotWaiting {
        /// What was looked for.
        what: &'static str,
        /// Its key.
        key: Key,
    },
    /// The element has an open incident.
    #[error("{element:?} has an open incident: {message}")]
    HasIncident {
        /// BPMN id.
        element: ElementId,
        /// What is wrong.
        message: String,
    },
    /// A timer that is not due yet.
    #[error("the timer is due at {due_at}")]
    NotDue {
        /// When it is due.
        due_at: Timestamp,
    },
    /// The process cannot be started like this.
    #[error("the process has no start event for this: {0}")]
    NoStartEvent(String),
    /// A modification that makes no sense. Nothing of it was done.
    #[error("the modification cannot be made: {}", .0.first().map_or("", |first| &first.what))]
    Modification(Vec<Finding>),
    /// An ad-hoc sub-process does not let these elements begin now.
    #[error("{0}")]
    NotSelectable(String),
    /// More or deeper data than an instance takes.
    #[error("the variables are too large: {what} is limited to {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        let what = rejected.to_string();
        match rejected {
            Rejected::WrongState { .. } => Self::conflict("instance_state", what)
                .fix("read the instance to see what it can still do")
                .next("instance_get"),
            Rejected::Paused => Self::conflict("instance_paused", what)
                .why("nothing of it goes on while it is held; what was asked for did not happen")
                .fix("try again when the instance is resumed, or resume it")
                .next("instance_control")
                .retryable(),
            Rejected::NotPaused => Self::conflict("instance_not_paused", what),
            Rejected::NotWaiting { .. } => Self::conflict("not_waiting", what)
                .why("it was completed, cancelled, or never existed")
                .fix("read the instance to see what it waits for")
                .next("instance_get"),
            Rejected::HasIncident { .. } => Self::conflict("open_incident", what)
                .fix("resolve the incident first")
                .next("incident_resolve"),
            Rejected::NotDue { .. } => Self::conflict("timer_not_due", what),
            Rejected::NoStartEvent(_) => Self::invalid("no_start_event", what)
                .fix("name one of the start events at process level"),
            Rejected::Modification(findings) => {
                let fixes: Vec<&str> = findings.iter().map(|it| it.fix.as_str()).collect();
                Self::invalid("invalid_modification", what)
                    .why("instructions that make no sense are refused before any is followed")
                    .fix(fixes.join("; "))
                    .next("instance_get")
                    .details(serde_json::json!({ "findings": findings }))
            }
            Rejected::NotSelectable(_) => Self::conflict("not_selectable", what)
                .fix("read the instance to see what can be activated")
                .next("instance_get"),
            Rejected::TooLarge { .. } => {
                Self::new(flowmaster_kernel::ErrorKind::TooLarge, "variables_too_large", what)
                    .fix("store large data as a document and keep its id in the variable")
            }
        }
    }
}
