//! Parameters and answers of the record operations, and an entry as it is kept.

use std::collections::BTreeMap;

use flowmaster_engine::governance::Action;
use flowmaster_kernel::{Cursor, Id, Kind, Page, PrincipalKind, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Marks the id of an entry.
#[derive(Debug)]
pub enum RecordEntry {}

impl Kind for RecordEntry {
    const PREFIX: &'static str = "rec";
}

/// What the rules made of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// It happened.
    Allow,
    /// It did not happen.
    Refuse,
    /// It did not happen: somebody with more authority has to do it, or confirm it.
    Escalate,
    /// It did not happen: another person has to do it, or confirm it.
    SecondPerson,
}

impl Outcome {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
            Self::Escalate => "escalate",
            Self::SecondPerson => "second_person",
        }
    }
}

/// Finds entries, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRecord {
    /// Only of this instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// Only of this process (BPMN id).
    #[serde(default)]
    pub process: Option<String>,
    /// Only of this element (BPMN id).
    #[serde(default)]
    pub element: Option<String>,
    /// Only what this principal tried.
    #[serde(default)]
    pub actor: Option<String>,
    /// Only where this policy was asked.
    #[serde(default)]
    pub policy: Option<String>,
    /// Only with this outcome.
    #[serde(default)]
    pub outcome: Option<Outcome>,
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
    /// `next_cursor` of the page before. A page can have few entries, or none, and still a
    /// `next_cursor`: one call looks at 20,000 entries at most.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Entries, the newest first.
pub type FoundEntries = Page<EntrySummary>;

/// An entry in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntrySummary {
    /// Id; sorts by time.
    pub id: Id<RecordEntry>,
    /// When it was tried.
    pub at: Timestamp,
    /// The instance.
    pub instance: String,
    /// BPMN id of its process.
    pub process: String,
    /// BPMN id of the element, if not the instance as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// What was tried.
    pub action: Action,
    /// The tool, for a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Who tried it.
    pub actor: String,
    /// What the rules made of it.
    pub outcome: Outcome,
    /// The policy that did not allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The seal that covers it; none for a few seconds after it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<i64>,
}

/// Reads an entry.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRecord {
    /// Id of the entry, from `record_search`.
    pub id: String,
}

/// An entry with what proves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedEntry {
    /// The entry.
    pub entry: Entry,
    /// SHA-256 of the entry's line in an export, in hexadecimal.
    pub hash: String,
    /// The seal that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<i64>,
}

/// An entry as it is kept: one attempt, what was looked at, and what was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Id; sorts by time.
    pub id: Id<RecordEntry>,
    /// The tenant.
    pub tenant: String,
    /// When it was tried.
    pub at: Timestamp,
    /// The instance. A start that was refused has one of which there is nothing else.
    pub instance: String,
    /// The number of the step in the journal of the instance; 0 for a start that was refused.
    pub seq: i64,
    /// BPMN id of the process.
    pub process: String,
    /// The version of the process, which fixes its policies.
    pub process_version: i64,
    /// The version of the mandates and delegations; 0 when none were ever saved.
    pub mandates_version: i64,
    /// What was tried.
    pub action: Action,
    /// BPMN id of the element, if not the instance as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// The tool, for a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Who tried it.
    pub actor: Actor,
    /// What the rules made of it.
    pub outcome: Outcome,
    /// The policy that did not allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Why, as a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, in words; at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Groups and persons who could do it instead, or confirm it; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Every policy that was asked, in order; none after the one that did not allow it.
    pub policies: Vec<AskedPolicy>,
    /// SHA-256 of the JSON of the variables or arguments of the attempt, in hexadecimal.
    pub attempt: String,
    /// SHA-256 of all variables that the element sees, as they were before; see
    /// `docs/runtime-record.md` for how it is made.
    pub state: String,
    /// The variables that the rules read, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub read: BTreeMap<String, ReadVariable>,
}

/// Who tried something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// Id of the principal.
    pub id: String,
    /// Person, agent or system.
    pub kind: PrincipalKind,
}

/// A policy that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskedPolicy {
    /// Its id.
    pub id: String,
    /// The kind of its rule: `four_eyes`, `mandate`, `condition` or `decision`.
    pub rule: String,
    /// What it said.
    pub outcome: Outcome,
    /// The field that it guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The mandate that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<String>,
    /// The delegation through which the actor holds the mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<String>,
    /// Who confirmed it, where the rule alone would have sent it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// The decision that it asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<AskedDecision>,
    /// The variables that it read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
}

/// A decision, in the version that the process pinned when it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskedDecision {
    /// Id of the decision.
    pub id: String,
    /// Id of the DMN file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Version of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A variable that a rule read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReadVariable {
    /// SHA-256 of its JSON, in hexadecimal.
    pub hash: String,
    /// The value; left out where its JSON is longer than 2,048 bytes, or those before it fill 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub value: Option<Value>,
}

/// A value that is null is not one that is left out.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Checks that nothing was changed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRecord {
    /// A seal that was noted outside, e.g. `newest` of an earlier answer: it must still be there.
    /// Without one, seals that were cut off at the end cannot be missed.
    #[serde(default)]
    pub known: Option<super::KnownSeal>,
    /// `next_cursor` of the answer before: one call checks 200 seals at most.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Exports the sealed entries, the oldest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRecord {
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// A part of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedLines {
    /// Lines of a file in which each is followed by a line feed; `flowmaster record verify` checks it.
    pub lines: Vec<String>,
    /// Pass it as `cursor` to get the next part; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}
