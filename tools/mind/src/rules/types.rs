//! Parameters and answers of the rule operations.

use flowmaster_engine::dmn::analyze::{Analysis, TableFinding};
use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::dmn::explain::Explanation;
use flowmaster_engine::dmn::similar::Similarities;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Cursor, Page, PageRequest, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A version of a DMN file, fixed for whoever pinned it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct RulePin {
    /// Id of the file.
    pub file: String,
    /// Number of the version.
    pub version: i64,
}

/// A decision in a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionInfo {
    /// Id, for `rule_evaluate` and business rule tasks.
    pub id: String,
    /// Human name.
    pub name: String,
    /// Names of the inputs of its file: what the variables must hold.
    pub inputs: Vec<String>,
}

/// What is known of a version of a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Id of the file.
    pub id: String,
    /// Number of the version, from 1. The newest is the active one.
    pub version: i64,
    /// SHA-256 of the file, in hexadecimal.
    pub hash: String,
    /// Human name.
    pub name: String,
    /// Its decisions, by id.
    pub decisions: Vec<DecisionInfo>,
    /// Who saved it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
}

/// Finds DMN files by what their active versions hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRules {
    /// Part of the id or the name, upper or lower case.
    #[serde(default)]
    pub text: Option<String>,
    /// Only the file that holds the decision with this id.
    #[serde(default)]
    pub decision: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

impl SearchRules {
    pub(super) fn page(&self) -> PageRequest {
        PageRequest { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Active versions, by id.
pub type FoundRules = Page<RuleInfo>;

/// Reads a DMN file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRule {
    /// Id of the file, from `rule_search`.
    pub id: String,
    /// Number of the version. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
    /// `detailed` adds the DMN XML.
    #[serde(default)]
    pub response_format: ResponseFormat,
}

/// A version of a DMN file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rule {
    /// What is known of it.
    #[serde(flatten)]
    pub info: RuleInfo,
    /// The version in force, which is the newest.
    pub active_version: i64,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmn: Option<String>,
}

/// Saves a rule file, either `rules` or `dmn`: a new version that is active at once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveRule {
    /// The file in the compact form, the easier one to write.
    #[serde(default)]
    pub rules: Option<CompactRules>,
    /// Or as DMN 1.2 to 1.5 XML, at most 1 MB. Expressions are FEEL; now() and today() read the
    /// moment of the evaluation, in decisions but not in functions and decision services.
    #[serde(default)]
    pub dmn: Option<String>,
    /// Id of the file. Default: that of the compact form, or of the definitions element.
    #[serde(default)]
    pub id: Option<String>,
}

/// The version that now holds the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedRule {
    /// What is known of it.
    #[serde(flatten)]
    pub rule: RuleInfo,
    /// False when the active version has exactly this content.
    pub is_new: bool,
    /// What `rule_analyze` finds in its tables that is more than information, at most 25 of a code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FoundInTable>,
}

/// Something about a table of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FoundInTable {
    /// Id of the decision.
    pub decision: String,
    /// What it is.
    #[serde(flatten)]
    pub finding: TableFinding,
}

/// Analyses the tables of a rule file, without running them: exactly one of `rules`, `dmn` and `id`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalyzeRule {
    /// A file in the compact form that is not saved.
    #[serde(default)]
    pub rules: Option<CompactRules>,
    /// A file as DMN XML that is not saved, at most 1 MB.
    #[serde(default)]
    pub dmn: Option<String>,
    /// Id of a saved file.
    #[serde(default)]
    pub id: Option<String>,
    /// Number of its version. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
    /// Only the table of the decision with this id.
    #[serde(default)]
    pub decision: Option<String>,
}

/// What the analysis of a file comes to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AnalyzedRule {
    /// Its tables, in the order of the file.
    pub tables: Vec<AnalyzedTable>,
    /// Rules of different decisions of the file that contradict or repeat each other.
    pub similar: Similarities,
    /// Tables that could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Finding>,
}

/// What the analysis of a table comes to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AnalyzedTable {
    /// Id of the decision.
    pub decision: String,
    /// How many rules it has.
    pub rules: usize,
    /// The findings.
    #[serde(flatten)]
    pub analysis: Analysis,
}

/// Evaluates a decision. Nothing is changed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateRule {
    /// Id of the decision.
    pub decision: String,
    /// Id of the file. Default: the one whose active version holds the decision.
    #[serde(default)]
    pub file: Option<String>,
    /// Number of the version of the file. Default: the active one.
    #[serde(default)]
    pub version: Option<i64>,
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
    /// The version that was evaluated.
    pub version: i64,
    /// Inputs of the file that the variables do not hold. FEEL takes them for null, which is well
    /// where the decision does not look at them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_inputs: Vec<String>,
    /// Why it answers so, if that was asked for and it has a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}
