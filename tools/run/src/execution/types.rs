//! Parameters and answers of the execution operations.

use flowmaster_kernel::{Cursor, Page, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// Finds instances, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInstances {
    /// Only of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Only in this state: active, paused, completed, cancelled, failed.
    #[serde(default)]
    pub state: Option<String>,
    /// Only with this business key.
    #[serde(default)]
    pub business_key: Option<String>,
    /// Set to true for those with open incidents.
    #[serde(default)]
    pub with_incidents: bool,
    /// Only those started at this moment or later.
    #[serde(default)]
    pub started_from: Option<Timestamp>,
    /// Only those started before this moment.
    #[serde(default)]
    pub started_before: Option<Timestamp>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Instances, the newest first.
pub type InstancePage = Page<InstanceSummary>;

/// Reads an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInstance {
    /// Id of the instance, or its business key.
    pub id: String,
    /// `detailed` adds variables and open waits.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InstanceView {
    /// The summary.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// Who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// The process variables, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Variables>,
    /// What it waits for, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<WaitView>>,
    /// The open incidents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_incidents: Vec<IncidentView>,
}

/// One thing an instance waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitView {
    /// Names the wait; the id of the job or task where it is one.
    pub id: String,
    /// BPMN id of the element.
    pub element: String,
    /// person, worker, agent, timer, message, signal, condition, activation or called_process.
    pub kind: String,
    /// The same as a sentence.
    pub waiting_for: String,
    /// When the timer fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// What `instance_activate` can let begin now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selectable: Vec<String>,
}

/// Something that somebody has to put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IncidentView {
    /// Id for `incident_resolve`.
    pub id: String,
    /// The instance.
    pub instance: String,
    /// BPMN id of the element that is stopped.
    pub element: String,
    /// What is wrong, e.g. `job_failed`.
    pub kind: String,
    /// The same in words.
    pub message: String,
}

/// Holds, resumes, cancels or retries an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlInstance {
    /// Id of the instance.
    pub id: String,
    /// What to do.
    pub action: ControlAction,
    /// Why, for the record.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What can be done with an instance as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ControlAction {
    /// Hold it: nothing happens in it until it is resumed.
    Pause,
    /// Let it go on.
    Resume,
    /// End it; open tasks, jobs and timers are taken back.
    Cancel,
    /// Try again whatever its open incidents stopped.
    Retry,
}

/// Changes a running instance; exactly one of the fields but `id` and `variables`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModifyInstance {
    /// Id of the instance.
    pub id: String,
    /// Variables to set at process level, or for the element that is activated.
    #[serde(default)]
    pub variables: Variables,
    /// BPMN id of an element to start.
    #[serde(default)]
    pub activate: Option<String>,
    /// BPMN id of a running element to end without going on from it.
    #[serde(default)]
    pub terminate: Option<String>,
}

/// Lets elements of a waiting ad-hoc sub-process begin.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateElements {
    /// Id of the instance.
    pub id: String,
    /// BPMN ids of the elements, at most 100; see `selectable` of the wait. One that is named twice
    /// begins twice.
    pub elements: Vec<String>,
    /// Variables of each element that begins.
    #[serde(default)]
    pub variables: Variables,
    /// `id` of the wait, where the sub-process waits more than once.
    #[serde(default)]
    pub wait: Option<String>,
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
    /// What happened, one sentence each.
    pub what: Vec<String>,
    /// The events as data, when asked for in detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Value>,
}

/// Lists open incidents.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIncidents {
    /// Only of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// How many instances at most are looked at, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Open incidents, those of the newest instances first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Incidents {
    /// The incidents.
    pub items: Vec<IncidentView>,
    /// Pass it as `cursor` to get the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Tries again what an incident stopped.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveIncident {
    /// Id from `incident_list`.
    pub id: String,
    /// Variables to set first, as the element sees them.
    #[serde(default)]
    pub variables: Variables,
}

/// Publishes a message.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishMessage {
    /// The message's name, e.g. `payment-received`.
    pub name: String,
    /// The correlation key: who it is for.
    #[serde(default)]
    pub correlation: Option<String>,
    /// What it brings.
    #[serde(default)]
    pub variables: Variables,
    /// The sender's id of the message: within 7 days each process takes the same id once.
    #[serde(default)]
    pub message_id: Option<String>,
    /// How many seconds it is kept for somebody who begins to wait for it. Default 3600, at most
    /// 30 days; 0: not at all.
    #[serde(default)]
    #[schemars(range(max = 2_592_000))]
    pub ttl_s: Option<u32>,
}

/// What became of a message or signal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// Instances that got it; paused ones get it when they are resumed.
    pub correlated: Vec<String>,
    /// Instances that it started.
    pub started: Vec<String>,
    /// Whether it is kept for somebody who begins to wait for it.
    pub buffered: bool,
}

/// Broadcasts a signal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BroadcastSignal {
    /// The signal's name.
    pub name: String,
    /// What it brings.
    #[serde(default)]
    pub variables: Variables,
}

/// Takes jobs to work on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimJobs {
    /// The job type, e.g. `charge-card`.
    pub job_type: String,
    /// How many at most, 1 to 50. Default 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// For how many seconds they are yours, 1 to 3600. Default 60. Afterwards another worker gets them.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3600))]
    pub lease_s: Option<u32>,
}

/// Jobs that are yours for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedJobs {
    /// The jobs.
    pub jobs: Vec<ClaimedJob>,
}

/// A job that is yours for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedJob {
    /// Id of the job.
    pub id: String,
    /// Pass it back with `job_complete` and `job_fail`: an older one is refused.
    pub epoch: i64,
    /// The instance.
    pub instance: String,
    /// BPMN id of the element.
    pub element: String,
    /// Attempts left, this one included.
    pub retries: i64,
    /// Until when it is yours.
    pub lease_until: Timestamp,
    /// Headers of the element.
    pub headers: Map<String, Value>,
    /// What the element sees.
    pub variables: Variables,
}

/// Completes a job or an agent's work.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteJob {
    /// Id of the job.
    pub id: String,
    /// The epoch from the claim.
    pub epoch: i64,
    /// The results.
    #[serde(default)]
    pub variables: Variables,
}

/// Reports that a job could not be done.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailJob {
    /// Id of the job.
    pub id: String,
    /// The epoch from the claim.
    pub epoch: i64,
    /// What happened.
    pub message: String,
    /// Code of a BPMN error that the process can catch, instead of a technical failure.
    #[serde(default)]
    pub error_code: Option<String>,
    /// Attempts left after a technical failure. Default: one less than before. 0 makes an incident.
    #[serde(default)]
    pub retries: Option<u32>,
    /// Seconds until the next attempt. Default 0.
    #[serde(default)]
    pub back_off_s: Option<u32>,
    /// Variables for whoever catches the BPMN error.
    #[serde(default)]
    pub variables: Variables,
}

/// Asks whether an agent may call a tool while it works on a job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeTool {
    /// Id of the agent's job.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Variables,
}

/// The tool call is allowed; a refusal is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolAllowed {
    /// Always true.
    pub allowed: bool,
}
