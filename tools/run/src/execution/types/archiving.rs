//! Parameters and answers about instances in the archive.

use flowmaster_kernel::{Cursor, Page, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Variables;

/// Archives instances that ended before a moment, the longest ended first.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveInstances {
    /// Those that ended before this moment, e.g. `2026-04-01T00:00:00Z`.
    pub ended_before: Timestamp,
    /// Of this process, with all that they called. Default: of every process.
    #[serde(default)]
    pub process: Option<String>,
    /// How many at most, 1 to 200, those that they called not counted. Default 50.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// `next_cursor` of the answer before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// What was archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchivedInstances {
    /// Ids of the instances that lie in the archive now, called ones before their callers.
    pub archived: Vec<String>,
    /// Those that ended and are still needed, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptInstance>,
    /// There are more: pass it as `cursor` to go on with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// An instance that ended but is still needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptInstance {
    /// The instance.
    pub instance: String,
    /// Stable code of the reason.
    pub code: String,
    /// Why it stays.
    pub what: String,
}

/// Finds instances in the archive.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArchived {
    /// Of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// With this business key.
    #[serde(default)]
    pub business_key: Option<String>,
    /// That ended at this moment or later.
    #[serde(default)]
    pub ended_from: Option<Timestamp>,
    /// That ended before this moment.
    #[serde(default)]
    pub ended_before: Option<Timestamp>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Archived instances, the last ended first.
pub type ArchivedPage = Page<ArchivedSummary>;

/// An instance in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchivedSummary {
    /// Id of the instance.
    pub id: String,
    /// BPMN id of its process.
    pub process: String,
    /// The version of the process it ran on.
    pub process_version: i64,
    /// completed, cancelled or failed.
    pub state: String,
    /// What the business called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// When it was archived.
    pub archived_at: Timestamp,
}

/// Reads an instance in the archive.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetArchived {
    /// Id of the instance.
    pub id: String,
}

/// An instance in the archive, whose record proved what it says: the hashes of its journal lead to
/// `head_hash`, and replaying the journal leads to its state.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ArchivedInstance {
    /// The summary.
    #[serde(flatten)]
    pub summary: ArchivedSummary,
    /// The file in which it lies, from the folder of the archive.
    pub file: String,
    /// How many transitions its journal has; `instance_timeline` reads them.
    pub transitions: i64,
    /// The hash of the last one.
    pub head_hash: String,
    /// Who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// The instance that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_by: Option<String>,
    /// The instances that it called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called: Vec<String>,
    /// The process variables at its end.
    pub variables: Variables,
    /// What the rooms had about it, by room: `tasks` the human tasks with their comments, `agents` the
    /// runs of agents with their steps.
    #[serde(default, skip_serializing_if = "Variables::is_empty")]
    pub belongings: Variables,
}
