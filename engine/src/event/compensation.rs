//! What the events of compensation say. Stored with them, so the same rules of evolution hold.

use serde::{Deserialize, Serialize};

use crate::instance::Key;
use crate::model::ElementId;

/// An activity that ends now can be undone from now on; its variables are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationEnabled {
    /// The element instance.
    pub key: Key,
    /// BPMN id.
    pub element: ElementId,
    /// Whether it is ended on its way: only what completed inside it can be undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// Completed activities are to be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationThrown {
    /// The wait for their handlers.
    pub key: Key,
    /// Who waits: the event that threw it, a sub-process that is undone, or the scope when the
    /// thrower went on.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub owner: Key,
    /// BPMN id of the event that threw it, or of the sub-process that is undone.
    pub element: ElementId,
    /// The completed activities, oldest completion first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<Key>,
}

/// A completed activity begins to be undone, by its handler or by a scope in its own likeness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationStarted {
    /// The element instance that undoes it.
    pub key: Key,
    /// BPMN id of the completed activity.
    pub element: ElementId,
    /// The key that the completed activity had.
    pub activity: Key,
    /// The wait of [`CompensationThrown`].
    pub thrown: Key,
}

/// Everything that was to be undone is, or undoing it was interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationEnded {
    /// The wait.
    pub key: Key,
    /// As it was thrown.
    pub element: ElementId,
}
