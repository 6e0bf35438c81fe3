//! The elements of a process. A new element is a variant here, a reader in `bpmn` and a file under
//! `element`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{AdHoc, ElementId, FlowIx, Loop, NodeIx};
use crate::feel::Program;
use crate::governance::Policy;

/// A flow node: an event, an activity or a gateway.
#[derive(Clone, Debug)]
pub struct Node {
    /// BPMN id, unique in the process.
    pub id: ElementId,
    /// Human name.
    pub name: Option<String>,
    /// `documentation`.
    pub documentation: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// The enclosing sub-process; `None` at process level.
    pub parent: Option<NodeIx>,
    /// Sequence flows that end here.
    pub incoming: Vec<FlowIx>,
    /// Sequence flows that start here.
    pub outgoing: Vec<FlowIx>,
    /// The flow taken when no condition holds.
    pub default_flow: Option<FlowIx>,
    /// Boundary events attached to this activity.
    pub boundary: Vec<NodeIx>,
    /// Variables made for the activity before it starts.
    pub inputs: Vec<Mapping>,
    /// Variables taken from the activity when it ends. Without any, all results are merged.
    pub outputs: Vec<Mapping>,
    /// Repetition.
    pub repeat: Option<Loop>,
    /// `startQuantity` of an activity: how many tokens it takes to begin.
    pub start_quantity: u32,
    /// `completionQuantity` of an activity: how many tokens leave it on each flow.
    pub completion_quantity: u32,
    /// The critical section that the activity is: no other one of that name runs in the instance at
    /// the same time (`flowmaster:criticalSection`).
    pub critical_section: Option<String>,
    /// The nodes and flows of its scope that lose their tokens when it completes
    /// (`flowmaster:cancellationSet`).
    pub cancellation_set: Vec<ElementId>,
    /// Of an interrupting boundary event on a multi-instance activity: the activity completes, with
    /// the results there are (`flowmaster:completesActivity`).
    pub completes_activity: bool,
    /// `isForCompensation`: it undoes another activity, outside the normal flow.
    pub for_compensation: bool,
    /// `instantiate` of a receive task or an event-based gateway: its events start the process.
    pub instantiates: bool,
    /// Of a compensation boundary event: the activity that undoes the one it is attached to.
    pub handler: Option<NodeIx>,
    /// Policies on this element.
    pub policies: Vec<Policy>,
    /// The lane that the node lies in.
    pub lane: Option<String>,
    /// `zeebe:taskHeaders` and `zeebe:properties`.
    pub headers: BTreeMap<String, String>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A start event. `interrupting` matters in event sub-processes only.
    StartEvent {
        /// What starts it.
        trigger: Trigger,
        /// `isInterrupting`.
        interrupting: bool,
    },
    /// Waits for its trigger.
    IntermediateCatchEvent(Trigger),
    /// Throws its trigger and goes on.
    IntermediateThrowEvent(Trigger),
    /// Ends a path.
    EndEvent(Trigger),
    /// Waits for its trigger while an activity runs.
    BoundaryEvent {
        /// The activity.
        attached_to: NodeIx,
        /// `cancelActivity`.
        interrupting: bool,
        /// What it waits for.
        trigger: Trigger,
    },
    /// A task.
    Task(Task),
    /// A gateway.
    Gateway(Gateway),
    /// A complex gateway (BPMN 2.0.2 §10.6.5).
    ComplexGateway {
        /// Whether the tokens that arrived are enough: FEEL that also sees `activationCount`. Any
        /// token is where there is none.
        activation: Option<Program>,
    },
    /// A sub-process in the same instance.
    SubProcess(SubProcess),
    /// A call of another process.
    CallActivity(CallActivity),
}

/// The tasks (BPMN 2.0.2 §10.3.3).
#[derive(Clone, Debug)]
pub enum Task {
    /// Does nothing and goes on at once (`task`, `manualTask` without an assignment).
    Pass,
    /// A person does it.
    User(UserTask),
    /// A worker does it: service and send tasks, and business-rule or script tasks with a job type.
    Job(JobSpec),
    /// An AI agent does it (`flowmaster:agent` on a service task or an ad-hoc task).
    Agent {
        /// The agent's id in the registry.
        agent: Text,
        /// The job the agent's work is tracked by.
        job: JobSpec,
    },
    /// Waits for a message.
    Receive(Message),
    /// Sends a message by itself; a send task with a job is [`Task::Job`].
    Send(Message),
    /// A FEEL expression.
    Script(Script),
    /// A DMN decision.
    BusinessRule {
        /// Id of the decision.
        decision: Text,
        /// The variable that gets the result.
        result_variable: String,
    },
}

/// The gateways (BPMN 2.0.2 §10.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// One path.
    Exclusive,
    /// All paths; joins all.
    Parallel,
    /// The paths whose conditions hold; joins those that can still arrive.
    Inclusive,
    /// The path whose event comes first.
    EventBased,
    /// The paths of all its events, each when its event comes; it starts the process
    /// (`eventGatewayType="Parallel"`).
    ParallelEventBased,
}

/// The sub-processes (BPMN 2.0.2 §10.3.5).
#[derive(Clone, Debug)]
pub enum SubProcess {
    /// Runs in the flow of its parent.
    Embedded,
    /// Started by the event of its start event while the parent scope is active.
    Event,
    /// As embedded, and a cancel end event inside undoes what was done in it.
    Transaction,
    /// Whoever performs it selects which of its activities are executed, and when.
    AdHoc(AdHoc),
}

/// A call of another process (BPMN 2.0.2 §10.3.6).
#[derive(Clone, Debug)]
pub struct CallActivity {
    /// Id of the called process.
    pub process: Text,
    /// Whether all variables go in.
    pub propagate_parent_variables: bool,
    /// Whether all results come back.
    pub propagate_child_variables: bool,
}

/// What an event waits for or throws (BPMN 2.0.2 §10.5.5).
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Nothing.
    None,
    /// A message.
    Message(Message),
    /// A moment.
    Timer(TimerTrigger),
    /// A BPMN error.
    Error(ErrorTrigger),
    /// A signal, broadcast by name.
    Signal {
        /// The signal's name.
        name: Text,
    },
    /// An escalation, caught like an error but without ending the thrower.
    Escalation {
        /// The code; `None` catches every code.
        code: Option<String>,
    },
    /// Ends everything in the scope.
    Terminate,
    /// A condition that becomes true: it must have been false, or not yet looked at, before.
    Conditional {
        /// FEEL over the variables that the event sees.
        condition: Program,
    },
    /// Joins the end of one path to the beginning of another in the same scope: several throw
    /// events may lead to the one catch event of the same name.
    Link {
        /// The link's name.
        name: String,
    },
    /// Undoes completed activities; on a boundary, or at the start of an event sub-process, it says
    /// how the activity is undone.
    Compensation(CompensationTrigger),
    /// Cancels the transaction; on its boundary, where it is left then.
    Cancel,
    /// Several at once: every one is thrown; one of them, or all, is waited for.
    Multiple(Multiple),
}

/// Several event definitions in one event (BPMN 2.0.2 §10.5.5, multiple and parallel multiple).
#[derive(Clone, Debug)]
pub struct Multiple {
    /// `parallelMultiple`: whether all of them are waited for.
    pub parallel: bool,
    /// What they are, none of them multiple itself.
    pub triggers: Vec<Trigger>,
}

impl Trigger {
    /// What it consists of: itself, unless it is several.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Multiple(several) => &several.triggers,
            one => std::slice::from_ref(one),
        }
    }

    pub(crate) fn parts_mut(&mut self) -> &mut [Self] {
        match self {
            Self::Multiple(several) => &mut several.triggers,
            one => std::slice::from_mut(one),
        }
    }

    /// The same without the job of a worker: an implicit throw event sends its messages itself.
    #[must_use]
    pub(crate) fn without_job(mut self) -> Self {
        for part in self.parts_mut() {
            if let Self::Message(message) = part {
                message.job = None;
            }
        }
        self
    }

    /// Whether all its parts have to happen.
    #[must_use]
    pub fn is_parallel(&self) -> bool {
        matches!(self, Self::Multiple(Multiple { parallel: true, .. }))
    }

    /// Whether the event is interrupting whatever its element says.
    pub(crate) fn always_interrupts(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Self::Error(_) | Self::Cancel))
    }
}

/// What is to be undone (BPMN 2.0.2 §10.5.5, compensation event definition).
#[derive(Clone, Debug)]
pub struct CompensationTrigger {
    /// `activityRef`: the activity to undo; all that completed in the scope without one.
    pub activity: Option<ElementId>,
    /// `waitForCompletion`: whether the thrower goes on only when everything is undone.
    pub waits: bool,
}

/// A message to send or to wait for.
#[derive(Clone, Debug)]
pub struct Message {
    /// The message's name.
    pub name: Text,
    /// Who it is for. Not needed where the message starts a process.
    pub correlation: Correlation,
    /// For a thrown message: the job that a worker sends it by, if any.
    pub job: Option<JobSpec>,
}

/// How a waiting element recognises its message, and how a thrown one is addressed.
#[derive(Clone, Debug, Default)]
pub enum Correlation {
    /// Not at all: a message that starts a process needs nothing.
    #[default]
    None,
    /// The value of the expression (`zeebe:subscription correlationKey`) must equal the message's
    /// correlation key.
    Key(Program),
    /// The business key of the instance must; an instance that the message starts gets it.
    BusinessKey,
}

impl Correlation {
    /// The expression of the key, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<&Program> {
        match self {
            Self::Key(program) => Some(program),
            Self::None | Self::BusinessKey => None,
        }
    }

    /// Whether a message can be recognised.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// When a timer fires.
#[derive(Clone, Debug)]
pub struct TimerTrigger {
    /// Date, duration or cycle.
    pub kind: TimerKind,
    /// ISO 8601 text, or FEEL that gives it.
    pub value: Text,
}

/// The kinds of timers (BPMN 2.0.2 §10.5.5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// `timeDate`: once, at a moment.
    Date,
    /// `timeDuration`: once, after a while.
    Duration,
    /// `timeCycle`: `R3/PT10M`, repeatedly.
    Cycle,
}

/// A BPMN error to throw or catch.
#[derive(Clone, Debug, Default)]
pub struct ErrorTrigger {
    /// `errorCode`; a catching event without one catches every error.
    pub code: Option<String>,
    /// The variable that gets the code when caught.
    pub code_variable: Option<String>,
    /// The variable that gets the message when caught.
    pub message_variable: Option<String>,
}

/// The work of a person.
#[derive(Clone, Debug, Default)]
pub struct UserTask {
    /// The person, when fixed.
    pub assignee: Option<Text>,
    /// Groups whose members may claim it: comma-separated text or a FEEL list.
    pub candidate_groups: Option<Text>,
    /// Persons who may claim it.
    pub candidate_users: Option<Text>,
    /// ISO 8601 moment or duration, or FEEL that gives one.
    pub due_date: Option<Text>,
    /// The same for the follow-up date.
    pub follow_up_date: Option<Text>,
    /// 0 (low) to 100 (high); 50 by default.
    pub priority: Option<Text>,
    /// JSON Schema of the answer.
    pub form: Option<Value>,
    /// Id of a form kept elsewhere.
    pub form_key: Option<String>,
}

impl UserTask {
    /// Whether nobody is named who may do it.
    #[must_use]
    pub fn names_nobody(&self) -> bool {
        let named = [&self.assignee, &self.candidate_groups, &self.candidate_users];
        named.iter().all(|named| named.is_none())
    }
}

/// Work for a worker.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// What workers ask for.
    pub job_type: Text,
    /// How often it may be tried.
    pub retries: Option<Text>,
    /// Of several jobs the one with the higher number is handed out first; 0 by default.
    pub priority: Option<Text>,
}

/// A script task that the engine evaluates.
#[derive(Clone, Debug)]
pub struct Script {
    /// The FEEL expression.
    pub expression: Program,
    /// The variable that gets its value.
    pub result_variable: String,
}

/// Text that is fixed, or computed by FEEL when it begins with `=`.
#[derive(Clone, Debug)]
pub enum Text {
    /// The text itself.
    Literal(String),
    /// The value of an expression.
    Feel(Program),
}

/// `zeebe:ioMapping`: the value of `source` becomes the variable `target`.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Where the value comes from.
    pub source: Text,
    /// Path of the variable: `a` or `a.b`.
    pub target: String,
}

impl Node {
    /// Whether the node is an activity: a task, sub-process or call activity.
    #[must_use]
    pub fn is_activity(&self) -> bool {
        matches!(self.kind, NodeKind::Task(_) | NodeKind::SubProcess(_) | NodeKind::CallActivity(_))
    }

    /// What an event waits for or throws.
    #[must_use]
    pub fn trigger(&self) -> Option<&Trigger> {
        match &self.kind {
            NodeKind::StartEvent { trigger, .. }
            | NodeKind::IntermediateCatchEvent(trigger)
            | NodeKind::IntermediateThrowEvent(trigger)
            | NodeKind::EndEvent(trigger)
            | NodeKind::BoundaryEvent { trigger, .. } => Some(trigger),
            NodeKind::Task(_)
            | NodeKind::Gateway(_)
            | NodeKind::ComplexGateway { .. }
            | NodeKind::SubProcess(_)
            | NodeKind::CallActivity(_) => None,
        }
    }
}
