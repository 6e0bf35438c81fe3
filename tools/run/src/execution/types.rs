//! Parameters and answers of the execution operations.

mod archiving;
mod modifying;
mod operating;
mod searching;
mod waiting;
mod working;

use flowmaster_kernel::{Cursor, Page, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use archiving::{
    ArchiveInstances, ArchivedInstance, ArchivedInstances, ArchivedPage, ArchivedSummary,
    GetArchived, KeptInstance, SearchArchived,
};
pub use modifying::{
    ModifiedInstance, ModifiedInstances, ModifiedOne, ModifyAction, ModifyInstance,
    ModifyInstances, ModifyInstruction,
};
pub use operating::{
    ActivateElements, CalledBy, ControlAction, ControlInstance, IncidentView, Incidents,
    ListIncidents, Problem, ResolveIncident, ResolveIncidents, ResolvedIncidents, ResolvedInstance,
};
pub use searching::{Comparison, InstancePage, SearchInstances, VariableFilter};
pub use waiting::{
    AskedView, CalledView, ElementView, FlowView, JobView, JoinView, TimerView, WaitView,
};
pub use working::{
    Activate, Activity, AuthorizeTool, BegunByCondition, BroadcastSignal, ClaimJobs, ClaimedJob,
    ClaimedJobs, CompleteJob, Delivered, EvaluateConditions, EvaluatedConditions, FailJob,
    NotBegun, PublishMessage, ToolAllowed,
};

/// Process variables: names to JSON values.
pub type Variables = Map<String, Value>;

/// Starts an instance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartProcess {
    /// BPMN id of a published process, e.g. `invoice-approval`.
    pub process: String,
    /// The version to run. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
    /// Start variables; see the input schema in the model of the process.
    #[serde(default)]
    pub variables: Variables,
    /// What the business calls it, e.g. `INV-2041`.
    #[serde(default)]
    pub business_key: Option<String>,
    /// How many seconds to wait for the end, 0 to 25. Default 0: answer at once.
    #[serde(default)]
    #[schemars(range(min = 0, max = 25))]
    pub wait_s: Option<u8>,
}

/// An instance, as much of it as a start or a command answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceSummary {
    /// Id of the instance.
    pub id: String,
    /// BPMN id of its process.
    pub process: String,
    /// The version of the process it runs on.
    pub process_version: i64,
    /// active, paused, completed, cancelled or failed.
    pub state: String,
    /// What the business calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// What it is waiting for, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<String>,
    /// How many incidents are open.
    #[serde(default)]
    pub incidents: usize,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The result, once it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Variables>,
}

/// Reads an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInstance {
    /// Id of the instance, or its business key.
    pub id: String,
    /// `detailed` adds variables, the running elements with their keys, and what is waited for.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InstanceView {
    /// The summary.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// When it was archived; `archive_get` says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// Who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// The process variables, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Variables>,
    /// The call activities that it answers to, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called_by: Vec<CalledBy>,
    /// The elements that run, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elements: Option<Vec<ElementView>>,
    /// What it waits for and why, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<WaitView>>,
    /// The open incidents, its own and, in detail, those of the instances that it called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_incidents: Vec<IncidentView>,
}

/// Reads what happened in an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTimeline {
    /// Id of the instance.
    pub id: String,
    /// `detailed` adds every event as data.
    #[serde(default)]
    pub response_format: ResponseFormat,
    /// How many transitions at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// What happened, the oldest first.
pub type Timeline = Page<TimelineEntry>;

/// One transition.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// Its number, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// The version of the process.
    pub process_version: i64,
    /// The version of the mandates in force.
    pub mandates_version: i64,
    /// The version of the organisation in force; 0 when there was none.
    pub organisation_version: i64,
    /// What happened, one sentence each.
    pub what: Vec<String>,
    /// The events as data, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Value>,
}
