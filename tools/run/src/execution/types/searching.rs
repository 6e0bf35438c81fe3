//! Parameters and answers of looking for instances.

use flowmaster_kernel::{Cursor, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::InstanceSummary;

/// Finds instances that fit all of what is given, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInstances {
    /// Only of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Only of this version of the process.
    #[serde(default)]
    pub process_version: Option<i64>,
    /// Only in this state: active, paused, completed, cancelled, failed.
    #[serde(default)]
    pub state: Option<String>,
    /// Only with this business key.
    #[serde(default)]
    pub business_key: Option<String>,
    /// Only with a business key that begins like this.
    #[serde(default)]
    pub business_key_prefix: Option<String>,
    /// Only those in which this element runs or is waited at: its BPMN id.
    #[serde(default)]
    pub element: Option<String>,
    /// Only those whose process variables fit, all of these; at most 10.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub variables: Vec<VariableFilter>,
    /// Set to true for those with open incidents.
    #[serde(default)]
    pub with_incidents: bool,
    /// Only those started at this moment or later.
    #[serde(default)]
    pub started_from: Option<Timestamp>,
    /// Only those started before this moment.
    #[serde(default)]
    pub started_before: Option<Timestamp>,
    /// Only those that ended at this moment or later.
    #[serde(default)]
    pub ended_from: Option<Timestamp>,
    /// Only those that ended before this moment.
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

/// What a process variable must be like.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableFilter {
    /// Name of the variable; `customer.city` is looked for in the object `customer`.
    pub name: String,
    /// How it is compared. Default `=`. A variable that is not there fits `exists` with false alone.
    #[serde(default)]
    pub op: Comparison,
    /// With what. For `exists` true (the default) or false.
    #[serde(default)]
    pub value: Option<Value>,
}

/// How a variable is compared. Numbers compare by value, texts by their letters, which suits ISO 8601
/// moments; there is no order between a number and a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Comparison {
    /// The same value.
    #[default]
    #[serde(rename = "=")]
    Equal,
    /// Another value.
    #[serde(rename = "!=")]
    NotEqual,
    /// A smaller one.
    #[serde(rename = "<")]
    Less,
    /// A smaller one, or the same.
    #[serde(rename = "<=")]
    AtMost,
    /// A larger one.
    #[serde(rename = ">")]
    Greater,
    /// A larger one, or the same.
    #[serde(rename = ">=")]
    AtLeast,
    /// A text that has this in it, or a list that has this item.
    #[serde(rename = "contains")]
    Contains,
    /// Whether there is one at all.
    #[serde(rename = "exists")]
    Exists,
}

/// Instances, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InstancePage {
    /// The instances.
    pub items: Vec<InstanceSummary>,
    /// Pass it as `cursor` to go on; absent when there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
    /// Present when the search stopped after so many instances, because few of them fit: more may, so
    /// go on with `next_cursor`, or narrow it by process, state, business key or start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_after: Option<usize>,
}
