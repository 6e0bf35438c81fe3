//! What the wing announces: what happened, for whoever listens outside.
//!
//! An announcement is a fact with ids and names from the model, never a variable. It goes to the
//! outbox topic [`ANNOUNCED`] in the commit in which it happens, if and only if somebody listens in the
//! tenant at that commit (`flowmaster_store::listeners`). The forms below are public: a field may be
//! added, and none is renamed or removed.

use flowmaster_kernel::{Error, Kind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Outbox topic: things happened. The payload is read by [`read`].
pub const ANNOUNCED: &str = "announced";
/// The most announcements in one message.
pub const MAX_ANNOUNCED: usize = 100;

/// Marks the id of the message about a published version.
pub(crate) enum Publication {}

impl Kind for Publication {
    const PREFIX: &'static str = "pub";
}

/// Something that happened: its type, and the data about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum Announced {
    /// An instance began.
    #[serde(rename = "instance.started")]
    InstanceStarted(OfInstance),
    /// Every path of an instance reached its end.
    #[serde(rename = "instance.completed")]
    InstanceCompleted(OfInstance),
    /// An instance was ended from outside.
    #[serde(rename = "instance.cancelled")]
    InstanceCancelled(OfInstance),
    /// A BPMN error that nothing in the instance caught ended it.
    #[serde(rename = "instance.failed")]
    InstanceFailed(OfInstance),
    /// An instance is held.
    #[serde(rename = "instance.paused")]
    InstancePaused(OfInstance),
    /// An instance that was held goes on.
    #[serde(rename = "instance.resumed")]
    InstanceResumed(OfInstance),
    /// An element cannot go on by itself.
    #[serde(rename = "incident.raised")]
    IncidentRaised(OfIncident),
    /// An incident is gone: it was resolved, or its element ended another way.
    #[serde(rename = "incident.resolved")]
    IncidentResolved(OfIncident),
    /// A person is asked to do something.
    #[serde(rename = "task.created")]
    TaskCreated(OfTask),
    /// A person did it.
    #[serde(rename = "task.completed")]
    TaskCompleted(OfTask),
    /// A person rejected it.
    #[serde(rename = "task.rejected")]
    TaskRejected(OfTask),
    /// It is no longer wanted.
    #[serde(rename = "task.cancelled")]
    TaskCancelled(OfTask),
    /// A version of a process is the one that starts from now on.
    #[serde(rename = "process.published")]
    ProcessPublished(OfProcess),
}

/// The type of something that happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
pub enum EventType {
    /// An instance began.
    #[serde(rename = "instance.started")]
    InstanceStarted,
    /// An instance reached its end.
    #[serde(rename = "instance.completed")]
    InstanceCompleted,
    /// An instance was ended from outside.
    #[serde(rename = "instance.cancelled")]
    InstanceCancelled,
    /// A BPMN error ended an instance.
    #[serde(rename = "instance.failed")]
    InstanceFailed,
    /// An instance is held.
    #[serde(rename = "instance.paused")]
    InstancePaused,
    /// An instance goes on.
    #[serde(rename = "instance.resumed")]
    InstanceResumed,
    /// An element cannot go on by itself.
    #[serde(rename = "incident.raised")]
    IncidentRaised,
    /// An incident is gone.
    #[serde(rename = "incident.resolved")]
    IncidentResolved,
    /// A person is asked to do something.
    #[serde(rename = "task.created")]
    TaskCreated,
    /// A person did it.
    #[serde(rename = "task.completed")]
    TaskCompleted,
    /// A person rejected it.
    #[serde(rename = "task.rejected")]
    TaskRejected,
    /// A task is no longer wanted.
    #[serde(rename = "task.cancelled")]
    TaskCancelled,
    /// A version of a process was published.
    #[serde(rename = "process.published")]
    ProcessPublished,
}

impl EventType {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InstanceStarted => "instance.started",
            Self::InstanceCompleted => "instance.completed",
            Self::InstanceCancelled => "instance.cancelled",
            Self::InstanceFailed => "instance.failed",
            Self::InstancePaused => "instance.paused",
            Self::InstanceResumed => "instance.resumed",
            Self::IncidentRaised => "incident.raised",
            Self::IncidentResolved => "incident.resolved",
            Self::TaskCreated => "task.created",
            Self::TaskCompleted => "task.completed",
            Self::TaskRejected => "task.rejected",
            Self::TaskCancelled => "task.cancelled",
            Self::ProcessPublished => "process.published",
        }
    }
}

/// The instance in which something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfInstance {
    /// Id of the instance, for `instance_get`.
    pub instance: String,
    /// BPMN id of its process.
    pub process: String,
    /// The version of the process that it runs on.
    pub process_version: i64,
    /// What the business calls the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// The state of the instance after the step in which it happened: active, paused, completed,
    /// cancelled or failed.
    pub state: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfIncident {
    /// The instance that has or had it.
    #[serde(flatten)]
    pub of: OfInstance,
    /// Id of the incident, for `incident_resolve`.
    pub incident: String,
    /// BPMN id of the element that it stops.
    pub element: String,
    /// What is wrong, e.g. `job_failed`; `incident_list` says it in words.
    pub kind: String,
}

/// A human task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfTask {
    /// The instance that has or had it.
    #[serde(flatten)]
    pub of: OfInstance,
    /// Id of the task, for `task_get`.
    pub task: String,
    /// BPMN id of its element.
    pub element: String,
}

/// A version of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfProcess {
    /// BPMN id of the process.
    pub process: String,
    /// Number of the version.
    pub process_version: i64,
    /// SHA-256 of the model, in hexadecimal.
    pub hash: String,
}

impl Announced {
    /// What it is about: the id of the instance, or of the process.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.instance().map_or_else(|| self.process(), |of| &of.instance)
    }

    /// BPMN id of the process.
    #[must_use]
    pub fn process(&self) -> &str {
        match self {
            Self::ProcessPublished(of) => &of.process,
            _ => self.instance().map_or("", |of| &of.process),
        }
    }

    /// Its type.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        match self {
            Self::InstanceStarted(_) => EventType::InstanceStarted,
            Self::InstanceCompleted(_) => EventType::InstanceCompleted,
            Self::InstanceCancelled(_) => EventType::InstanceCancelled,
            Self::InstanceFailed(_) => EventType::InstanceFailed,
            Self::InstancePaused(_) => EventType::InstancePaused,
            Self::InstanceResumed(_) => EventType::InstanceResumed,
            Self::IncidentRaised(_) => EventType::IncidentRaised,
            Self::IncidentResolved(_) => EventType::IncidentResolved,
            Self::TaskCreated(_) => EventType::TaskCreated,
            Self::TaskCompleted(_) => EventType::TaskCompleted,
            Self::TaskRejected(_) => EventType::TaskRejected,
            Self::TaskCancelled(_) => EventType::TaskCancelled,
            Self::ProcessPublished(_) => EventType::ProcessPublished,
        }
    }

    fn instance(&self) -> Option<&OfInstance> {
        match self {
            Self::InstanceStarted(of)
            | Self::InstanceCompleted(of)
            | Self::InstanceCancelled(of)
            | Self::InstanceFailed(of)
            | Self::InstancePaused(of)
            | Self::InstanceResumed(of) => Some(of),
            Self::IncidentRaised(incident) | Self::IncidentResolved(incident) => Some(&incident.of),
            Self::TaskCreated(task)
            | Self::TaskCompleted(task)
            | Self::TaskRejected(task)
            | Self::TaskCancelled(task) => Some(&task.of),
            Self::ProcessPublished(_) => None,
        }
    }
}

/// The payload of a message.
pub(crate) fn payload(announced: &[Announced]) -> Result<Value> {
    let announced = serde_json::to_value(announced)
        .map_err(|source| Error::internal("announcement_encoding", source))?;
    Ok(json!({ "announced": announced }))
}

/// What the payload of a message of the topic [`ANNOUNCED`] says.
///
/// # Errors
/// A payload that is none.
pub fn read(payload: &Value) -> Result<Vec<Announced>> {
    Vec::deserialize(&payload["announced"])
        .map_err(|source| Error::internal("announcement_decoding", source))
}
