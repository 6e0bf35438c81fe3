//! What runs in an instance, what it waits for, and why.

use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{IncidentView, Variables};

/// An element that runs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ElementView {
    /// Names the element instance, for `instance_modify`.
    pub key: u64,
    /// BPMN id.
    pub element: String,
    /// Key of the element instance that it runs in; absent at process level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
    /// Its place, from 1, among the repetitions of a multi-instance activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u32>,
    /// Its own variables.
    #[serde(default, skip_serializing_if = "Variables::is_empty")]
    pub variables: Variables,
}

/// One thing an instance waits for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct WaitView {
    /// Names the wait; the id of the job or task where it is one. A join has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// BPMN id of the element.
    pub element: String,
    /// person, worker, agent, timer, message, signal, condition, event, activation,
    /// compensation, called_process or join.
    pub kind: String,
    /// The same as a sentence.
    pub waiting_for: String,
    /// Key of the element instance that waits; absent where the process itself does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<u64>,
    /// When the timer fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Where that comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerView>,
    /// Name of the message or signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The message's correlation key; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The condition in FEEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The person, when fixed by the model; `task_get` says who claimed it since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Groups whose members may do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_groups: Vec<String>,
    /// Persons who may do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_users: Vec<String>,
    /// What the policies ask of whoever completes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approval: Vec<AskedView>,
    /// What `instance_activate` can let begin now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selectable: Vec<String>,
    /// The job of the worker or agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobView>,
    /// The called instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<CalledView>,
    /// What has arrived at the join and what has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinView>,
}

/// Where the moment of a timer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimerView {
    /// The model: ISO 8601, or FEEL after `=`.
    pub source: String,
    /// How often it fires after this; absent where it fires once or without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// ISO 8601 duration between two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
}

/// What a policy asks of whoever completes work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskedView {
    /// The policy.
    pub policy: String,
    /// What it asks.
    pub what: String,
    /// Who could do it, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}

/// A job that waits or is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JobView {
    /// What workers ask for; the id of an agent.
    pub job_type: String,
    /// Higher goes first.
    pub priority: i64,
    /// How often it may still be tried.
    pub retries: i64,
    /// Nobody gets it before: it failed and backs off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

/// A called instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CalledView {
    /// Its id.
    pub instance: String,
    /// BPMN id of its process.
    pub process: String,
    /// active, paused, completed, cancelled, failed, or starting while it is not there yet.
    pub state: String,
    /// What stops it: its open incidents, and those of what it called in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<IncidentView>,
}

/// The flows into a joining gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JoinView {
    /// Those on which a token waits.
    pub arrived: Vec<FlowView>,
    /// Those on which none does yet; an inclusive gateway waits for those alone that can still come.
    pub missing: Vec<FlowView>,
}

/// A sequence flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FlowView {
    /// Its id.
    pub flow: String,
    /// BPMN id of the element that it comes from.
    pub from: String,
}
