//! Effects: what has to happen outside because of an event, as plain data.
//!
//! Drivers carry effects out after the commit, and again after a crash: at least once, with the
//! effect's id as the idempotency key. Deriving them again from the journal gives the same ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::Timestamp;
use serde_json::Value;

use crate::decide::Definition;
use crate::element::{ad_hoc, call_activity};
use crate::event::{Event, HumanWork, Subscription, Work};
use crate::instance::{Caller, Instance, InstanceState, Key};
use crate::model::{ElementId, Node, NodeIx, NodeKind, Process, Task};
use crate::scope::VariableMap;

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The same whenever it is derived: instance id and place in the journal.
    pub id: String,
    /// What is to be done.
    pub kind: EffectKind,
}

/// The kinds of effects.
#[derive(Clone, Debug, PartialEq)]
pub enum EffectKind {
    /// Open a human task.
    OpenHumanTask(Box<HumanTask>),
    /// Offer a job to the workers.
    CreateJob(Box<Job>),
    /// Let an agent work.
    AskAgent(Box<AgentWork>),
    /// Offer failed work again.
    RetryWork {
        /// The wait.
        key: Key,
        /// How often it may be tried; 0 takes it from the workers.
        retries: u32,
        /// Not before.
        retry_at: Option<Timestamp>,
    },
    /// Close a task or job whose work is done.
    CloseWork {
        /// The wait.
        key: Key,
    },
    /// Take back a task or job.
    CancelWork {
        /// The wait.
        key: Key,
    },
    /// Send `FireTimer` at a moment.
    StartTimer {
        /// The wait.
        key: Key,
        /// The moment.
        due_at: Timestamp,
    },
    /// Forget a timer.
    CancelTimer {
        /// The wait.
        key: Key,
    },
    /// Send messages or signals that fit.
    OpenSubscription {
        /// The wait.
        key: Key,
        /// What fits.
        subscription: Subscription,
    },
    /// Send no more.
    CloseSubscription {
        /// The wait.
        key: Key,
    },
    /// Start an instance of another process, and send `ChildEnded` when it ends.
    CallProcess {
        /// Id of the process.
        process: String,
        /// Id of the instance to start.
        instance: Arc<str>,
        /// Who called it.
        caller: Caller,
        /// What it starts with.
        variables: VariableMap,
        /// The business key of the caller.
        business_key: Option<String>,
    },
    /// Cancel a called instance.
    CancelChild {
        /// Its id.
        instance: Arc<str>,
    },
    /// Publish a message.
    PublishMessage {
        /// Its name.
        name: String,
        /// Its correlation key.
        correlation: Option<String>,
        /// What it brings.
        variables: VariableMap,
    },
    /// Send a signal to every instance that waits for it, and start the processes that begin by it.
    BroadcastSignal {
        /// Its name.
        name: String,
        /// What it brings.
        variables: VariableMap,
    },
    /// Send `Escalate` to the caller.
    EscalateCaller {
        /// The caller.
        caller: Caller,
        /// The escalation code.
        code: String,
        /// What it brings.
        variables: VariableMap,
    },
    /// The instance is over: tell the caller and the subscribers.
    InstanceEnded {
        /// How.
        state: InstanceState,
        /// Who called it.
        caller: Option<Caller>,
        /// The result of the process.
        variables: VariableMap,
        /// The BPMN error that ended it: code and message.
        error: Option<(String, Option<String>)>,
    },
    /// Tell the subscribers of this topic.
    Publish {
        /// E.g. `incident.raised`.
        topic: &'static str,
    },
}

/// What the tasks of persons, workers and agents have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkItem {
    /// The wait to complete.
    pub key: Key,
    /// BPMN id.
    pub element: ElementId,
    /// The element's name.
    pub name: Option<String>,
    /// The element's documentation.
    pub documentation: Option<String>,
    /// The element's headers.
    pub headers: BTreeMap<String, String>,
    /// What the element sees.
    pub variables: VariableMap,
    /// Where the work is to perform an ad-hoc sub-process.
    pub performs: Option<Performs>,
}

/// An ad-hoc sub-process that somebody performs.
#[derive(Clone, Debug, PartialEq)]
pub struct Performs {
    /// Its element instance: the same however often its performer is asked.
    pub scope: Key,
    /// What can begin in it.
    pub offered: Vec<Offered>,
}

/// An element that whoever performs an ad-hoc sub-process can let begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// BPMN id.
    pub element: ElementId,
    /// Its name.
    pub name: Option<String>,
    /// Its documentation.
    pub documentation: Option<String>,
}

/// A human task.
#[derive(Clone, Debug, PartialEq)]
pub struct HumanTask {
    /// The work.
    pub item: WorkItem,
    /// Who may do it, until when.
    pub human: HumanWork,
    /// JSON Schema of the answer.
    pub form: Option<Value>,
    /// Id of a form kept elsewhere.
    pub form_key: Option<String>,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The work.
    pub item: WorkItem,
    /// What workers ask for.
    pub job_type: String,
    /// How often it may be tried.
    pub retries: u32,
    /// Higher goes first.
    pub priority: i64,
}

/// The work of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentWork {
    /// The work.
    pub item: WorkItem,
    /// The agent's id.
    pub agent: String,
    /// What the work is tracked by.
    pub job_type: String,
    /// How often it may be tried.
    pub retries: u32,
    /// Higher goes first.
    pub priority: i64,
}

/// The effect of `event`, which stands at `position` in the journal, where `instance` is the state
/// after the transition. Nothing where the transition itself took it back.
#[must_use]
pub fn effect(
    definition: &Definition,
    instance: &Instance,
    event: &Event,
    position: u64,
) -> Option<Effect> {
    let kind = kind_of(definition, instance, event)?;
    Some(Effect { id: format!("{}/{position}", instance.id), kind })
}

fn kind_of(definition: &Definition, instance: &Instance, event: &Event) -> Option<EffectKind> {
    Some(match event {
        Event::WorkRequested { key, owner, work, .. } => {
            instance.wait(*key)?;
            let (_, node) = instance.place(definition.process(), *owner)?;
            let item = item(definition.process(), instance, *key, *owner, node);
            requested(item, node, work)
        }
        Event::WorkCompleted { key, .. } => EffectKind::CloseWork { key: *key },
        Event::WorkFailed { key, retries, retry_at, .. } => {
            EffectKind::RetryWork { key: *key, retries: *retries, retry_at: *retry_at }
        }
        Event::WorkRetried { key, retries, .. } => {
            EffectKind::RetryWork { key: *key, retries: *retries, retry_at: None }
        }
        Event::WorkCancelled { key, .. } => EffectKind::CancelWork { key: *key },
        Event::TimerStarted { key, due_at, .. } => {
            instance.wait(*key)?;
            EffectKind::StartTimer { key: *key, due_at: *due_at }
        }
        Event::TimerCancelled { key, .. } => EffectKind::CancelTimer { key: *key },
        Event::SubscriptionOpened { key, subscription, .. } => {
            instance.wait(*key)?;
            EffectKind::OpenSubscription { key: *key, subscription: subscription.clone() }
        }
        Event::SubscriptionClosed { key, .. } => EffectKind::CloseSubscription { key: *key },
        Event::ChildRequested { key, owner, process, instance: child, .. } => {
            instance.wait(*key)?;
            let (_, node) = instance.place(definition.process(), *owner)?;
            let NodeKind::CallActivity(call) = &node.kind else { return None };
            EffectKind::CallProcess {
                process: process.clone(),
                instance: child.clone(),
                caller: Caller {
                    instance: instance.id.clone(),
                    key: *key,
                    starter: instance.starter.clone(),
                },
                variables: call_activity::handed_over(instance, *owner, call),
                business_key: instance.business_key.clone(),
            }
        }
        Event::ChildCancelled { instance: child, .. } => {
            EffectKind::CancelChild { instance: child.clone() }
        }
        Event::MessageThrown { name, correlation, variables, .. } => EffectKind::PublishMessage {
            name: name.clone(),
            correlation: correlation.clone(),
            variables: variables.clone(),
        },
        Event::SignalThrown { name, variables, .. } => {
            EffectKind::BroadcastSignal { name: name.clone(), variables: variables.clone() }
        }
        Event::EscalationThrown { code, caught_by: None, variables, .. } => {
            EffectKind::EscalateCaller {
                caller: instance.caller.clone()?,
                code: code.clone(),
                variables: variables.clone(),
            }
        }
        Event::InstanceCompleted => {
            ended(instance, InstanceState::Completed, result(definition, instance), None)
        }
        Event::InstanceCancelled { .. } => {
            ended(instance, InstanceState::Cancelled, VariableMap::new(), None)
        }
        Event::InstanceFailed { code, message, variables } => {
            let error = Some((code.clone(), message.clone()));
            ended(instance, InstanceState::Failed, variables.clone(), error)
        }
        Event::InstanceStarted { .. } => EffectKind::Publish { topic: "instance.started" },
        Event::InstancePaused { .. } => EffectKind::Publish { topic: "instance.paused" },
        Event::InstanceResumed { .. } => EffectKind::Publish { topic: "instance.resumed" },
        Event::InstanceModified(_) => EffectKind::Publish { topic: "instance.modified" },
        Event::IncidentRaised { .. } => EffectKind::Publish { topic: "incident.raised" },
        Event::IncidentResolved { .. } => EffectKind::Publish { topic: "incident.resolved" },
        Event::ActionRefused(_) => EffectKind::Publish { topic: "action.refused" },
        Event::ElementActivated { .. }
        | Event::ElementCompleted { .. }
        | Event::ElementTerminated { .. }
        | Event::FlowTaken { .. }
        | Event::TokenDropped { .. }
        | Event::ResetAwaited(_)
        | Event::GatewayReset(_)
        | Event::ActivationOpened(_)
        | Event::ActivitiesActivated(_)
        | Event::ActivationClosed { .. }
        | Event::RepetitionStarted { .. }
        | Event::RepetitionResult { .. }
        | Event::VariablesSet { .. }
        // Whoever keeps the task hears of it in the commit that refused its completion.
        | Event::WorkProposed(_)
        | Event::DecisionEvaluated { .. }
        | Event::TimerFired { .. }
        | Event::ConditionOpened { .. }
        | Event::ConditionChanged { .. }
        | Event::ConditionClosed { .. }
        | Event::SubscriptionTriggered { .. }
        | Event::ErrorThrown { .. }
        | Event::EscalationThrown { .. }
        | Event::PartArrived(_)
        | Event::PartUsed(_)
        | Event::CompensationEnabled(_)
        | Event::CompensationThrown(_)
        | Event::CompensationStarted(_)
        | Event::CompensationEnded(_)
        | Event::ChildEnded { .. }
        | Event::ActionAllowed { .. } => return None,
    })
}

fn requested(item: WorkItem, node: &Node, work: &Work) -> EffectKind {
    match work {
        Work::Human(human) => {
            let (form, form_key) = match &node.kind {
                NodeKind::Task(Task::User(task)) => (task.form.clone(), task.form_key.clone()),
                _ => (None, None),
            };
            EffectKind::OpenHumanTask(Box::new(HumanTask {
                item,
                human: human.clone(),
                form,
                form_key,
            }))
        }
        Work::Job { job_type, retries, priority } => EffectKind::CreateJob(Box::new(Job {
            item,
            job_type: job_type.clone(),
            retries: *retries,
            priority: *priority,
        })),
        Work::Agent { agent, job_type, retries, priority } => {
            EffectKind::AskAgent(Box::new(AgentWork {
                item,
                agent: agent.clone(),
                job_type: job_type.clone(),
                retries: *retries,
                priority: *priority,
            }))
        }
    }
}

fn item(process: &Process, instance: &Instance, key: Key, owner: Key, node: &Node) -> WorkItem {
    let offered = |ix: NodeIx| {
        let node = process.node(ix);
        Offered {
            element: ElementId::clone(&node.id),
            name: node.name.clone(),
            documentation: node.documentation.clone(),
        }
    };
    let performs = node.ad_hoc().map(|_| Performs {
        scope: owner,
        offered: ad_hoc::enabled(instance, process, owner).into_iter().map(offered).collect(),
    });
    WorkItem {
        performs,
        key,
        element: ElementId::clone(&node.id),
        name: node.name.clone(),
        documentation: node.documentation.clone(),
        headers: node.headers.clone(),
        variables: instance.view(owner).collect(),
    }
}

fn ended(
    instance: &Instance,
    state: InstanceState,
    variables: VariableMap,
    error: Option<(String, Option<String>)>,
) -> EffectKind {
    EffectKind::InstanceEnded { state, caller: instance.caller.clone(), variables, error }
}

/// The result of a completed instance, as its contract says.
fn result(definition: &Definition, instance: &Instance) -> VariableMap {
    let wanted = &definition.process().contract.result;
    if wanted.is_empty() {
        return instance.variables().clone();
    }
    let variables = instance.variables();
    wanted.iter().filter_map(|name| Some((name.clone(), variables.get(name)?.clone()))).collect()
}

#[cfg(test)]
mod tests;
