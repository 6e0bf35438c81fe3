//! Parameters and answers of operating instances: control, modification, incidents.

use flowmaster_kernel::Cursor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Variables;

/// Holds, resumes, cancels or retries an instance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlInstance {
    /// Id of the instance.
    pub id: String,
    /// What to do.
    pub action: ControlAction,
    /// Why, for the record.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What can be done with an instance as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ControlAction {
    /// Hold it: nothing happens in it until it is resumed.
    Pause,
    /// Let it go on.
    Resume,
    /// End it; open tasks, jobs and timers are taken back.
    Cancel,
    /// Try again whatever its open incidents stopped.
    Retry,
}

/// Lets elements of a waiting ad-hoc sub-process begin.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateElements {
    /// Id of the instance.
    pub id: String,
    /// BPMN ids of the elements, at most 100; see `selectable` of the wait. One that is named twice
    /// begins twice.
    pub elements: Vec<String>,
    /// Variables of each element that begins.
    #[serde(default)]
    pub variables: Variables,
    /// `id` of the wait, where the sub-process waits more than once.
    #[serde(default)]
    pub wait: Option<String>,
}

/// Something that somebody has to put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentView {
    /// Id for `incident_resolve`.
    pub id: String,
    /// The instance.
    pub instance: String,
    /// BPMN id of its process.
    pub process: String,
    /// BPMN id of the element that is stopped.
    pub element: String,
    /// What is wrong, e.g. `job_failed`.
    pub kind: String,
    /// The same in words.
    pub message: String,
    /// The call activities that wait for the instance, the nearest first: they cannot go on either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called_by: Vec<CalledBy>,
}

/// A call activity that waits for an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalledBy {
    /// The calling instance.
    pub instance: String,
    /// BPMN id of its process.
    pub process: String,
    /// BPMN id of the call activity.
    pub element: String,
}

/// Lists open incidents.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListIncidents {
    /// Only of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Only of this instance and of those that it called, at any depth.
    #[serde(default)]
    pub instance: Option<String>,
    /// Only at this element: its BPMN id.
    #[serde(default)]
    pub element: Option<String>,
    /// Only of this kind, e.g. `job_failed`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only with this in the message, in small or capital letters.
    #[serde(default)]
    pub message: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Open incidents, those of the newest instances first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Incidents {
    /// The incidents.
    pub items: Vec<IncidentView>,
    /// Pass it as `cursor` to go on; absent when there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Tries again what an incident stopped.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveIncident {
    /// Id from `incident_list`.
    pub id: String,
    /// Variables to set first, as the element sees them.
    #[serde(default)]
    pub variables: Variables,
}

/// Tries again what many incidents stopped: those named by `ids`, or all that fit the other fields.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveIncidents {
    /// Ids from `incident_list`, at most 200.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub ids: Vec<String>,
    /// Of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Of this instance and of those that it called, at any depth.
    #[serde(default)]
    pub instance: Option<String>,
    /// At this element: its BPMN id.
    #[serde(default)]
    pub element: Option<String>,
    /// Of this kind, e.g. `job_failed`.
    #[serde(default)]
    pub kind: Option<String>,
    /// With this in the message, in small or capital letters.
    #[serde(default)]
    pub message: Option<String>,
    /// Variables to set first, as each element sees them.
    #[serde(default)]
    pub variables: Variables,
    /// Set to true to be told which they are, without any of it being done.
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

/// What became of many incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedIncidents {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The instances. Each is done by itself: what goes wrong with one does not touch the others.
    pub items: Vec<ResolvedInstance>,
    /// More fit: pass it as `cursor` to go on with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// What became of the incidents of one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedInstance {
    /// The instance.
    pub instance: String,
    /// Ids of the incidents that are meant.
    pub incidents: Vec<String>,
    /// The state of the instance after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How many incidents it has now: what was tried again may have failed again.
    #[serde(default)]
    pub open_incidents: usize,
    /// Why nothing was done with this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Stable code of the error.
    pub code: String,
    /// What went wrong.
    pub what: String,
}
