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
    /// `detailed` adds why: for its decision table, and those of the decisions that it requires, which
    /// rules matched, which gave the answer, and the first cell that kept each other rule from matching.
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
    /// Why it answers so, if that was asked for.
    #[serde(flatten)]
    pub why: Explained,
}

/// Why a decision answers as it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Explained {
    /// Which rules of its table matched, and what kept the others from it; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// The same of the tables that it requires, directly or not, imported ones included: at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<ExplainedTable>,
}

/// Why a decision that another requires answers as it does.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ExplainedTable {
    /// What the file that was asked calls it: its name, with those of the imports that lead to it, e.g.
    /// `rates.rate`.
    pub decision: String,
    /// Which rules of its table matched, and for at most 20 of the others what kept them from it.
    pub explanation: Explanation,
}
