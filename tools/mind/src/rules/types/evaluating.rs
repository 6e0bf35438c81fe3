//! Parameters and answers of evaluations.

use flowmaster_engine::dmn::explain::Explanation;
use flowmaster_kernel::ResponseFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Evaluates a decision. Nothing is changed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateRule {
    /// Id of the decision.
    pub decision: String,
    /// Id of the file. Default: the one whose active version holds the decision.
    #[serde(default)]
    pub file: Option<String>,
    /// Number of the version of the file. Default: the active one, or the draft while nothing is
    /// published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to evaluate the draft of the file; name the file too while the draft alone has the decision.
    #[serde(default)]
    pub draft: bool,
    /// The inputs by name, e.g. `{"amount": 1200}`.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// `detailed` adds why: for a decision table, which rules matched, which gave the answer, and the
    /// first cell that kept each other rule from matching.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// What a decision answers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Evaluated {
    /// Its value.
    pub value: Value,
    /// Id of the decision.
    pub decision: String,
    /// The file that holds it.
    pub file: String,
    /// The version that was evaluated; absent for the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Inputs that the decision needs, itself or through the decisions that it requires, and that the
    /// variables do not hold. FEEL takes them for null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_inputs: Vec<String>,
    /// Why it answers so, if that was asked for and it has a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}
