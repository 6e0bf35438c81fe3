//! Modification of running instances, one or many.

use flowmaster_kernel::Cursor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceSummary, Problem, Variables};

/// Changes a running instance: all of it in one step, or nothing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModifyInstance {
    /// Id of the instance.
    pub id: String,
    /// Variables to set at process level, before anything else is done.
    #[serde(default)]
    pub variables: Variables,
    /// What to change; at most 100.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub instructions: Vec<ModifyInstruction>,
    /// Why, for the record.
    #[serde(default)]
    pub reason: Option<String>,
    /// Set to true to be told what would happen, without any of it being done.
    #[serde(default)]
    pub dry_run: bool,
}

/// One change.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModifyInstruction {
    /// What to do.
    pub action: ModifyAction,
    /// BPMN id. To activate: the element to start. To terminate or move: the running element, all its
    /// instances; of a joining gateway the tokens that wait there.
    #[serde(default)]
    pub element: Option<String>,
    /// To terminate or move one element instance instead: its key, from `instance_get` in detail.
    #[serde(default)]
    pub key: Option<u64>,
    /// To move: BPMN id of the element to start for each instance that ends.
    #[serde(default)]
    pub to: Option<String>,
    /// Key of the running element instance to start in, where several could be meant, as in a
    /// repetition; one further out will do. What moves stays in its own by default.
    #[serde(default)]
    pub within: Option<u64>,
    /// Variables of the element that is started.
    #[serde(default)]
    pub variables: Variables,
}

/// What can be done to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ModifyAction {
    /// Start it, and the sub-processes around it where they do not run. A joining gateway gets a
    /// token, and joins when the others are there.
    Activate,
    /// End it without going on from it. What is left empty ends too: a sub-process without a token,
    /// an instance without any is cancelled.
    Terminate,
    /// End it, and start another element instead.
    Move,
}

/// An instance after a modification, or as it would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModifiedInstance {
    /// The instance.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// What would happen, one sentence each; `instance_timeline` tells what did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_happen: Vec<String>,
}

/// Changes many running instances of a process in the same way, each in one step or not at all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModifyInstances {
    /// BPMN id of the process.
    pub process: String,
    /// Only those that run on this version.
    #[serde(default)]
    pub process_version: Option<i64>,
    /// Only those in which this element runs, or tokens wait at it: its BPMN id.
    #[serde(default)]
    pub element: Option<String>,
    /// Variables to set at process level, before anything else is done.
    #[serde(default)]
    pub variables: Variables,
    /// What to change; at most 100. Elements are named by their BPMN ids: keys differ from instance to
    /// instance.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub instructions: Vec<ModifyInstruction>,
    /// Why, for the record.
    #[serde(default)]
    pub reason: Option<String>,
    /// Set to true to be told which they are and what would become of them, without any of it being
    /// done.
    #[serde(default)]
    pub dry_run: bool,
    /// How many instances at most, 1 to 200. Default 50.
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// `next_cursor` of the answer before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// What became of many instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModifiedInstances {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The instances, the newest first. Each is done by itself: what goes wrong with one does not touch
    /// the others.
    pub items: Vec<ModifiedOne>,
    /// More may fit: pass it as `cursor` to go on with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// What became of one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModifiedOne {
    /// The instance.
    pub instance: String,
    /// The state of the instance after that, or as it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// BPMN ids of the elements that run then, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<String>,
    /// How many incidents it has then.
    #[serde(default)]
    pub open_incidents: usize,
    /// Why nothing was done with this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
