//! What the events of parallel multiple events say (BPMN 2.0.2 §10.5.5). Stored with them, so the
//! same rules of evolution hold.

use serde::{Deserialize, Serialize};

use crate::instance::Key;
use crate::model::ElementId;
use crate::scope::VariableMap;

/// A part of an event that waits for all its parts happened; the others are still waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartArrived {
    /// The wait for the others.
    pub key: Key,
    /// The element instance that owns it.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub owner: Key,
    /// The event.
    pub element: ElementId,
    /// What the part brought.
    #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
    pub variables: VariableMap,
    /// Its 0-based place among the definitions of a start event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
}

/// All parts happened, or the event is no longer waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartUsed {
    /// The wait of [`PartArrived`].
    pub key: Key,
    /// The event.
    pub element: ElementId,
}

/// Whether `part` is the first definition of its event, mostly the only one.
pub(crate) fn is_first(part: &u32) -> bool {
    *part == 0
}
