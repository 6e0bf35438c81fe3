//! Parameters and answers of the rule operations.

mod analyzing;
mod evaluating;
mod exchanging;
mod testing;

use flowmaster_engine::dmn::analyze::TableFinding;
use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::finding::{Finding, Severity};
use flowmaster_kernel::{Cursor, Page, PageRequest, ResponseFormat, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use analyzing::{AnalyzeRule, AnalyzedRule, AnalyzedTable};
pub use evaluating::{EvaluateRule, Evaluated, Explained, ExplainedTable};
pub use exchanging::{ExportRule, ExportedRule, ImportRule, ImportedRule, TableFormat};
pub use testing::{RuleTest, RuleTestCase, RuleTestReport, TestRule, Uncovered};

/// A version of a rule file, fixed for whoever pinned it.
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

/// A decision in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionInfo {
    /// Id, for `rule_evaluate` and business rule tasks.
    pub id: String,
    /// Human name.
    pub name: String,
    /// Names of the inputs that it needs, itself or through the decisions that it requires: what the
    /// variables must hold.
    pub inputs: Vec<String>,
}

/// A rule file in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSummary {
    /// Id of the file.
    pub id: String,
    /// Human name.
    pub name: String,
    /// The version that processes take when they are published; absent while nothing is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_version: Option<i64>,
    /// Whether there is a draft that is not published.
    pub has_draft: bool,
    /// The decisions of the active version, or of the draft while nothing is published; by id.
    pub decisions: Vec<DecisionInfo>,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A published version of a rule file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleVersion {
    /// Number, from 1.
    pub version: i64,
    /// SHA-256 of the file, in hexadecimal.
    pub hash: String,
    /// Who published it.
    pub author: String,
    /// When.
    pub published_at: Timestamp,
}

/// Finds rule files.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRules {
    /// Part of the id or the name, upper or lower case.
    #[serde(default)]
    pub text: Option<String>,
    /// Only the file whose active version holds the decision with this id.
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

/// Rule files, by id.
pub type FoundRules = Page<RuleSummary>;

/// Reads a rule file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRule {
    /// Id of the file, from `rule_search`.
    pub id: String,
    /// Number of the version. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to read the draft instead of a version.
    #[serde(default)]
    pub draft: bool,
    /// `detailed` adds the content and the tests.
    #[serde(default)]
    pub response_format: ResponseFormat,
    /// How the content is given: `compact` (the default) where that form can say all of it, or `xml`.
    #[serde(default)]
    pub form: RuleForm,
}

/// How the content of a rule file is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RuleForm {
    /// The compact form, or DMN XML where the file says more than that form can.
    #[default]
    Compact,
    /// DMN XML, with its diagram.
    Xml,
}

/// A version of a rule file, or its draft.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rule {
    /// Id of the file.
    pub id: String,
    /// The version; absent for the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// SHA-256 of the content, in hexadecimal.
    pub hash: String,
    /// Human name.
    pub name: String,
    /// Its decisions, by id; none for a draft that cannot be evaluated.
    pub decisions: Vec<DecisionInfo>,
    /// The version in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_version: Option<i64>,
    /// Whether there is a draft that is not published.
    pub has_draft: bool,
    /// The published versions, the newest first, at most 50.
    pub versions: Vec<RuleVersion>,
    /// The content in the compact form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<CompactRules>,
    /// The content as DMN XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmn: Option<String>,
    /// Its tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<RuleTest>>,
}

/// Saves a draft of a rule file, given as either `rules` or `dmn`, and its tests.
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
    /// Id of the file. Default: that of the compact form, or of the definitions element. To replace the
    /// tests alone, give the id and the tests.
    #[serde(default)]
    pub id: Option<String>,
    /// The tests of the file, at most 1,000: they replace those there are, and rule_publish refuses a
    /// draft that fails one. Default: they stay as they are.
    #[serde(default)]
    pub tests: Option<Vec<RuleTest>>,
    /// Hash of what this change is based on, to notice that somebody else changed it.
    #[serde(default)]
    pub based_on: Option<String>,
}

/// A saved draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SavedRule {
    /// Id of the file.
    pub id: String,
    /// SHA-256 of the content, in hexadecimal.
    pub hash: String,
    /// Its decisions, by id; none while the draft cannot be evaluated.
    pub decisions: Vec<DecisionInfo>,
    /// How many tests the file has.
    pub tests: usize,
    /// What keeps it from being published (`error`), and what is probably not meant (`warning`), at
    /// most 25 of a code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<RuleFinding>,
}

/// Publishes the draft of a rule file as its next version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishRule {
    /// Id of the file.
    pub id: String,
    /// Hash of the draft that was reviewed; another draft is refused.
    #[serde(default)]
    pub hash: Option<String>,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublishedRule {
    /// Id of the file.
    pub id: String,
    /// The version that processes take from now on when they are published.
    pub version: i64,
    /// SHA-256 of the content, in hexadecimal.
    pub hash: String,
    /// False when the version before has exactly this content and imports: then there is no new one.
    pub is_new: bool,
    /// Its decisions, by id.
    pub decisions: Vec<DecisionInfo>,
    /// How many tests it passed.
    pub tests_passed: usize,
    /// Warnings that did not keep it from being published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<RuleFinding>,
}

/// Something about a rule file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleFinding {
    /// Id of the decision or of another element, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub finding: TableFinding,
}

impl RuleFinding {
    pub(super) fn is_error(&self) -> bool {
        self.finding.severity == Severity::Error
    }
}

impl From<Finding> for RuleFinding {
    fn from(finding: Finding) -> Self {
        let Finding { code, severity, element, what, fix } = finding;
        Self { element, finding: TableFinding::new(severity, &code, what, fix) }
    }
}
