//! Parameters and answers of messages, signals, jobs and agents' tool calls.

use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Variables;

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

/// Looks at the conditions of start events.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConditions {
    /// What the conditions see; the instances that begin have these variables.
    #[serde(default)]
    pub variables: Variables,
    /// What the business calls the instances that begin.
    #[serde(default)]
    pub business_key: Option<String>,
    /// BPMN id of the one process to look at. Default: all published ones.
    #[serde(default)]
    pub process: Option<String>,
}

/// Which processes began by their conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluatedConditions {
    /// Those whose condition holds.
    pub started: Vec<BegunByCondition>,
    /// Those that could not begin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_started: Vec<NotBegun>,
}

/// An instance that began by a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BegunByCondition {
    /// BPMN id of the process.
    pub process: String,
    /// BPMN id of the start event.
    pub event: String,
    /// Id of the instance.
    pub instance: String,
}

/// A process that did not begin by a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotBegun {
    /// BPMN id of the process.
    pub process: String,
    /// BPMN id of the start event.
    pub event: String,
    /// What the condition failed with, or the policies refused.
    pub why: String,
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
    /// Where the element is an ad-hoc sub-process: what can begin in it. Name some of it in `activate`
    /// of `job_complete`, and you are asked again when that is over; complete the job without to end
    /// the sub-process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Activity>,
}

/// An activity of an ad-hoc sub-process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// BPMN id.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its documentation: what it does, and which variables it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}

/// An activity that begins.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// BPMN id, one of the job's `activities`. One that is named twice begins twice.
    pub id: String,
    /// Its variables.
    #[serde(default)]
    pub variables: Variables,
    /// What you call it: comes back with its result in the variable `toolResults`.
    #[serde(default)]
    pub call: Option<String>,
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
    /// What begins next, where the job is to perform an ad-hoc sub-process; at most 100. Without
    /// any, that ends.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub activate: Vec<Activate>,
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
