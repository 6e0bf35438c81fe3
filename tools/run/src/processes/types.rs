//! Parameters and answers of the process operations.

use std::collections::{BTreeMap, BTreeSet};

use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::finding::Finding;
use flowmaster_engine::graph::ImportReport;
use flowmaster_kernel::{Cursor, Page, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Finds processes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchProcesses {
    /// Part of the id or name. Default: all.
    #[serde(default)]
    pub text: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Processes, by id.
pub type ProcessPage = Page<ProcessSummary>;

/// A process in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessSummary {
    /// BPMN id.
    pub id: String,
    /// Human name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version that new instances run on; absent while nothing is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_version: Option<i64>,
    /// The tool it is offered as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Whether there is a draft that is not published.
    pub has_draft: bool,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Reads a process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetProcess {
    /// BPMN id, e.g. `invoice-approval`.
    pub id: String,
    /// The version wanted. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to read the draft instead of a version.
    #[serde(default)]
    pub draft: bool,
    /// `compact` (JSON, the default) or `xml` (the BPMN file with its diagram).
    #[serde(default)]
    pub format: ModelFormat,
}

/// How a model is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ModelFormat {
    /// Compact JSON.
    #[default]
    Compact,
    /// BPMN 2.0 XML.
    Xml,
}

/// A process, read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProcessModel {
    /// BPMN id.
    pub id: String,
    /// The version; absent for a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
    /// Every published version, the newest first, at most 50.
    pub versions: Vec<VersionSummary>,
    /// The model as compact JSON, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compact: Option<CompactProcess>,
    /// The model as BPMN XML, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionSummary {
    /// Number, from 1.
    pub version: i64,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
    /// Who published it.
    pub author: String,
    /// When.
    pub published_at: Timestamp,
}

/// Saves a draft.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveProcess {
    /// The model as compact JSON.
    #[serde(default)]
    pub compact: Option<CompactProcess>,
    /// The model as BPMN 2.0 XML; diagram and vendor extensions are kept. Of several executable
    /// processes, such as those of a collaboration, all are saved.
    #[serde(default)]
    pub xml: Option<String>,
    /// The model as the first FlowMaster platform stored it: a `process_def` with its nodes and
    /// edges, embedded or as documents of `node_def`, `proc_def_defines_node` and
    /// `proc_def_node_flow`, or a `process_versions` document with a snapshot. One process.
    #[serde(default)]
    pub graph: Option<Value>,
    /// Hash of the draft this change is based on, to notice that somebody else changed it.
    #[serde(default)]
    pub based_on: Option<String>,
}

/// A saved draft.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SavedProcess {
    /// BPMN id.
    pub id: String,
    /// SHA-256 of the draft, in hexadecimal.
    pub hash: String,
    /// What would keep it from being published, and what may surprise.
    pub findings: Vec<Finding>,
    /// For a model given as `graph`: the verdict, and every repair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportReport>,
    /// The other executable processes of the file, which were saved with it. Each is published by
    /// its own id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<SavedOther>,
}

/// Another process of a file that was saved.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SavedOther {
    /// BPMN id.
    pub id: String,
    /// What would keep it from being published, and what may surprise.
    pub findings: Vec<Finding>,
}

/// Checks a model without saving it, or the saved draft.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateProcess {
    /// Id of a saved process; its draft is checked, or its active version.
    #[serde(default)]
    pub id: Option<String>,
    /// A model as compact JSON.
    #[serde(default)]
    pub compact: Option<CompactProcess>,
    /// A model as BPMN 2.0 XML.
    #[serde(default)]
    pub xml: Option<String>,
    /// A model as the first FlowMaster platform stored it; see process_save.
    #[serde(default)]
    pub graph: Option<Value>,
}

/// What a check found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Validation {
    /// Whether it could be published.
    pub publishable: bool,
    /// Errors first, then warnings.
    pub findings: Vec<Finding>,
    /// For a model given as `graph`: the verdict, and every repair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportReport>,
}

/// Publishes the draft as the next version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishProcess {
    /// BPMN id.
    pub id: String,
    /// Hash of the draft that was reviewed; another draft is refused.
    #[serde(default)]
    pub hash: Option<String>,
}

/// A new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedProcess {
    /// BPMN id.
    pub id: String,
    /// The version that new instances run on from now on.
    pub version: i64,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
    /// The tool it is offered as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Warnings that did not keep it from being published.
    pub findings: Vec<Finding>,
}

/// Finds the processes that ask decisions of a rule file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageOfRule {
    /// Id of the rule file.
    pub id: String,
    /// Only where the decision with this id is asked.
    #[serde(default)]
    pub decision: Option<String>,
    /// How many processes at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// The processes whose active versions ask decisions of a rule file, by id.
pub type RuleUsage = Page<AskingProcess>;

/// A process that asks decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskingProcess {
    /// BPMN id.
    pub process: String,
    /// Its active version.
    pub version: i64,
    /// The version of the rule file that it takes. Publish the process again to take a newer one.
    pub rule_version: i64,
    /// Where it asks, in the order of the model; policies in the order in which they are asked.
    pub places: Vec<RulePlace>,
}

/// A place where a process asks a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RulePlace {
    /// Id of the decision.
    pub decision: String,
    /// BPMN id of the element; absent for a policy of the whole process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// The policy whose rule it is; absent for a business rule task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// Tests processes in memory.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunScenario {
    /// The scenario in YAML, or several separated by lines of `---`, at most 50. With `mandates` or
    /// `organisation` in it, these count instead of those in force.
    pub scenario: String,
    /// The models that scenarios name, by file name: BPMN XML, DMN XML (`.dmn`), compact JSON or
    /// a definition of the first platform (`.json`), as text.
    #[serde(default)]
    pub models: BTreeMap<String, String>,
    /// Id of a stored process, which scenarios name as `process.bpmn`: its draft, or its active
    /// version, with the decisions it asks.
    #[serde(default)]
    pub process: Option<String>,
    /// The groups of the actors that scenarios name, for mandates of groups, e.g.
    /// `{"anna": ["manager"]}`. Positions and roles come from the organisation.
    #[serde(default)]
    pub actors: BTreeMap<String, BTreeSet<String>>,
}

/// What became of scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScenarioReport {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// One for each scenario, in order.
    pub cases: Vec<ScenarioCase>,
}

/// What became of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScenarioCase {
    /// Name of the scenario.
    pub name: String,
    /// Whether everything was as it should be.
    pub passed: bool,
    /// The first thing that was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<ScenarioDifference>,
}

/// Something that was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScenarioDifference {
    /// The step, counted from 1; absent at the start and at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// What was looked at, e.g. `waiting`.
    pub what: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
}
