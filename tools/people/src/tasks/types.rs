//! Parameters and answers of the task operations.

use std::collections::BTreeSet;

use flowmaster_kernel::{Cursor, Page, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a task is in its life (WS-HumanTask 1.1 §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TaskState {
    /// Waits for somebody to claim it.
    Ready,
    /// Somebody has it.
    Reserved,
    /// Done.
    Completed,
    /// Rejected with a reason.
    Failed,
    /// The process no longer needs it.
    Obsolete,
}

impl TaskState {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reserved => "reserved",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Obsolete => "obsolete",
        }
    }

    /// Whether something can still be done with the task.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Reserved)
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "ready" => Self::Ready,
            "reserved" => Self::Reserved,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            _ => Self::Obsolete,
        }
    }
}

/// Which tasks are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum TaskFilter {
    /// Yours, and those that you may claim.
    #[default]
    Todo,
    /// Reserved by you.
    Mine,
    /// Those that you may claim.
    Claimable,
    /// All open ones; for managers, administrators and auditors.
    AllOpen,
    /// All, closed ones too; for managers, administrators and auditors.
    All,
}

/// Lists tasks, the most urgent first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTasks {
    /// Which tasks. Default: yours and those that you may claim.
    #[serde(default)]
    pub filter: TaskFilter,
    /// Only of this instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Tasks, the most urgent first.
pub type TaskPage = Page<TaskSummary>;

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSummary {
    /// Id of the task.
    pub id: String,
    /// What is to be done.
    pub name: String,
    /// Where it is in its life.
    pub state: TaskState,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Groups whose members may claim it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// 0 (low) to 100 (high).
    pub priority: u8,
    /// When it must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Whether that moment has passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_overdue: bool,
    /// The process instance it belongs to.
    pub instance: String,
    /// BPMN id of its element.
    pub element: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Reads a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTask {
    /// Id of the task.
    pub id: String,
    /// `detailed` adds everything the task can see of the instance.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// A task with what is needed to do it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The summary.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// What happens here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// JSON Schema of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    /// The fields of the form with the values known so far.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub prefill: Map<String, Value>,
    /// What the assignee saved so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Value>,
    /// What somebody filled in, where the policies ask another to confirm it. Completing the task
    /// confirms it; give only the fields that you want to be otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposedAnswer>,
    /// Who may not do it, because another pair of eyes is needed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded: BTreeSet<String>,
    /// Everything the task sees of the instance, when asked for in detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Map<String, Value>>,
    /// What people said, the oldest first; the newest 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// What the person changed against the values there were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
}

/// An answer that waits for another person to confirm it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedAnswer {
    /// Who filled it in.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The policy that did not let it through.
    pub policy: String,
    /// Why.
    pub reason: String,
    /// Groups and persons one of whom has to confirm it; anybody else who may do the task, when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// The answer.
    pub variables: Map<String, Value>,
}

/// A field that a person changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// The field.
    pub field: String,
    /// The value there was.
    pub from: Value,
    /// The value the person gave.
    pub to: Value,
}

/// What somebody said about a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Who.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// Names a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimTask {
    /// Id of the task.
    pub id: String,
}

/// Gives a task back.
pub type ReleaseTask = ClaimTask;

/// Completes a task.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTask {
    /// Id of the task.
    pub id: String,
    /// The answer: the fields of the form. Where the task has a proposal, those that are to be
    /// otherwise.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// Saves what is filled in so far.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveDraft {
    /// Id of the task.
    pub id: String,
    /// The fields filled in so far; they need not fit the form yet.
    pub draft: Map<String, Value>,
}

/// Rejects a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectTask {
    /// Id of the task.
    pub id: String,
    /// Why, for whoever goes on from there.
    pub reason: String,
    /// The BPMN error code that the process catches. Default: REJECTED.
    #[serde(default)]
    pub code: Option<String>,
}

/// Gives a task to somebody.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegateTask {
    /// Id of the task.
    pub id: String,
    /// Id of the principal who is to do it.
    pub to: String,
}

/// Says something about a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentTask {
    /// Id of the task.
    pub id: String,
    /// 1 to 4,000 characters.
    pub text: String,
}

/// What completing or rejecting led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClosedTask {
    /// Id of the task.
    pub id: String,
    /// completed or failed.
    pub state: TaskState,
    /// What you changed against the values there were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// The instance.
    pub instance: String,
    /// The state of the instance now.
    pub instance_state: String,
}
