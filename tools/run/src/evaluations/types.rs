//! Parameters and answers of the evaluation operations.

use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_kernel::{Cursor, Kind, Page, Timestamp};
use flowmaster_mind::rules::types::Explained;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Marks the id of an evaluation.
#[derive(Debug)]
pub enum EvaluationId {}

impl Kind for EvaluationId {
    const PREFIX: &'static str = "evl";
}

/// Finds evaluations, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchEvaluations {
    /// Only of the decision with this id.
    #[serde(default)]
    pub decision: Option<String>,
    /// Only of decisions in the rule file with this id.
    #[serde(default)]
    pub file: Option<String>,
    /// Only in this version of the file.
    #[serde(default)]
    pub version: Option<i64>,
    /// Only asked by this process (BPMN id).
    #[serde(default)]
    pub process: Option<String>,
    /// Only asked by this instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// Only from this moment on.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Only before this moment.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Evaluations, the newest first.
pub type FoundEvaluations = Page<LoggedEvaluation>;

/// What a business rule task of a process asked, and what it was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedEvaluation {
    /// Id of the evaluation.
    pub id: String,
    /// When, which is what now() and today() read.
    pub at: Timestamp,
    /// Id of the decision.
    pub decision: String,
    /// The rule file that holds it.
    pub file: String,
    /// The version of the file.
    pub version: i64,
    /// The process (BPMN id).
    pub process: String,
    /// The version of the process.
    pub process_version: i64,
    /// The instance.
    pub instance: String,
    /// The business rule task (BPMN id).
    pub element: String,
    /// The inputs that there were, by name; absent if they were larger than 64 kB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Map<String, Value>>,
    /// The answer; absent if there was none, or if it was larger than 64 kB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Reads an evaluation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetEvaluation {
    /// Its id, from `evaluation_search`.
    pub id: String,
}

/// An evaluation, with what led to the answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedEvaluation {
    /// What was asked and answered.
    #[serde(flatten)]
    pub evaluation: LoggedEvaluation,
    /// Why that version answered so; nothing where the inputs were not kept.
    #[serde(flatten)]
    pub why: Explained,
}

/// Asks other rules what was asked before: exactly one of `id` (with `version` or `draft`), `rules` and
/// `dmn`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateRule {
    /// Id of the decision.
    pub decision: String,
    /// Id of a saved rule file.
    #[serde(default)]
    pub id: Option<String>,
    /// Number of its version. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to ask its draft.
    #[serde(default)]
    pub draft: bool,
    /// A file in the compact form that is not saved.
    #[serde(default)]
    pub rules: Option<CompactRules>,
    /// A file as DMN XML that is not saved, at most 1 MB.
    #[serde(default)]
    pub dmn: Option<String>,
    /// Only what was asked by this process (BPMN id).
    #[serde(default)]
    pub process: Option<String>,
    /// Only what was asked from this moment on.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Only what was asked before this moment.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// `next_cursor` of the simulation before, to go on with older evaluations.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// What other rules would have answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Simulation {
    /// How many evaluations were asked again: the newest first, at most 5,000 a call.
    pub cases: usize,
    /// How many have the same answer.
    pub same: usize,
    /// How many have another answer.
    pub different: usize,
    /// How many have no answer where they had one.
    pub lost: usize,
    /// How many have an answer where they had none.
    pub gained: usize,
    /// How many could not be asked again, because their inputs were too large to be kept.
    pub skipped: usize,
    /// How often each change happened, the most frequent first, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The newest of the cases that differ, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Where to go on with older evaluations, if there may be any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A change of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// The answer then; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// The answer of the other rules; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_be: Option<Value>,
    /// How many cases.
    pub cases: usize,
}

/// A case that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Id of the evaluation.
    pub evaluation: String,
    /// When it was.
    pub at: Timestamp,
    /// The instance that asked.
    pub instance: String,
    /// The inputs.
    pub inputs: Map<String, Value>,
    /// The answer then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// The answer of the other rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_be: Option<Value>,
    /// Why the other rules have no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
