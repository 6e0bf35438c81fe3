//! Parameters and answers of analyses.

use flowmaster_engine::dmn::analyze::Analysis;
use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::dmn::similar::Similarities;
use flowmaster_engine::finding::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Number of its version. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to analyse its draft.
    #[serde(default)]
    pub draft: bool,
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
