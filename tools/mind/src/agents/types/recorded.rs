//! Runs and their steps, as they are recorded.

use flowmaster_kernel::{Cursor, ErrorBody, Id, Page, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AgentRun;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RunState {
    /// Somebody works on it, or it waits for somebody to go on with it.
    Open,
    /// The answer is being handed in.
    Submitting,
    /// The answer was taken.
    Completed,
    /// A policy refused the answer; another answer may be handed in.
    Refused,
    /// It was given up.
    Failed,
    /// A write was begun, and nobody knows whether it happened: a person decides.
    OutcomeUnknown,
}

impl RunState {
    /// The name in stored and sent data.
    pub(in crate::agents) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Submitting => "submitting",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    pub(in crate::agents) const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::OutcomeUnknown)
    }
}

/// Reads a run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRun {
    /// Id of the run.
    pub id: Id<AgentRun>,
    /// `detailed` adds what each step held.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// Finds runs, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRuns {
    /// Only of this process instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// Only of this agent.
    #[serde(default)]
    pub agent: Option<String>,
    /// Only in this state.
    #[serde(default)]
    pub state: Option<RunState>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Runs, the newest first.
pub type RunPage = Page<RunSummary>;

/// A run: one agent at one piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// Id of the run.
    pub id: Id<AgentRun>,
    /// The agent.
    pub agent: String,
    /// Its version.
    pub agent_version: i64,
    /// The prompt.
    pub prompt: String,
    /// Its version.
    pub prompt_version: i64,
    /// The work.
    pub work: String,
    /// The process instance.
    pub instance: String,
    /// BPMN id of the element.
    pub element: String,
    /// Its state.
    pub state: RunState,
    /// Who did the work on behalf of the agent.
    pub client: String,
    /// The principal in whose name the answer was handed in.
    pub principal: String,
    /// How sure the agent was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Whether that is less than the agent's threshold.
    pub below_threshold: bool,
    /// Tokens sent to models.
    pub tokens_in: i64,
    /// Tokens received from models.
    pub tokens_out: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A run with its steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The run.
    pub run: RunSummary,
    /// The answer that was handed in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Map<String, Value>>,
    /// Why the agent answered so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it was refused or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number in the record, from 1.
    pub seq: i64,
    /// Which call of the run it belongs to; 0 for what is no call.
    pub ordinal: i64,
    /// What kind of step.
    pub kind: StepKind,
    /// The tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What it held, when asked for in detail.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Tokens sent.
    #[serde(default)]
    pub tokens_in: i64,
    /// Tokens received.
    #[serde(default)]
    pub tokens_out: i64,
    /// When.
    pub at: Timestamp,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum StepKind {
    /// Somebody took the work.
    Claimed,
    /// A model is about to be asked.
    ModelIntent,
    /// It replied.
    ModelReply,
    /// It could not be asked.
    ModelFailed,
    /// A tool is about to be called.
    ToolIntent,
    /// It answered, or a policy refused the call.
    ToolResult,
    /// An answer does not fit the output schema.
    InvalidOutput,
    /// An answer is about to be handed in.
    Submission,
    /// It was taken.
    Completed,
    /// A policy refused it.
    Refused,
    /// The run was given up, or given back.
    Failed,
}

impl StepKind {
    /// The name in stored and sent data.
    pub(in crate::agents) const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::ModelIntent => "model_intent",
            Self::ModelReply => "model_reply",
            Self::ModelFailed => "model_failed",
            Self::ToolIntent => "tool_intent",
            Self::ToolResult => "tool_result",
            Self::InvalidOutput => "invalid_output",
            Self::Submission => "submission",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
