//! Completed activities that can still be undone (BPMN 2.0.2 §13.5.5), in the order in which they
//! completed.
//!
//! A completed sub-process keeps its variables, and what completed inside it hangs on its key. What
//! belongs to a scope that is gone is gone too, so that the list ends with the instance.

use serde::{Deserialize, Serialize};

use crate::instance::Key;
use crate::model::ElementId;
use crate::scope::VariableMap;

/// An activity that completed and can be undone once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletedActivity {
    /// What the element instance was called.
    pub key: Key,
    /// BPMN id.
    pub element: ElementId,
    /// The scope it ran in, or a completed activity around it.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub scope: Key,
    /// Its own variables when it completed.
    #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
    pub variables: VariableMap,
    /// Whether it was ended on its way: only what completed inside it is undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// The completed activities of an instance, oldest completion first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompletedActivities(Vec<CompletedActivity>);

impl CompletedActivities {
    /// All of them, oldest completion first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &CompletedActivity> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one with this key.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&CompletedActivity> {
        self.0.iter().find(|activity| activity.key == key)
    }

    /// Those directly inside `scope`.
    pub fn inside(&self, scope: Key) -> impl Iterator<Item = &CompletedActivity> {
        self.0.iter().filter(move |activity| activity.scope == scope)
    }

    pub(crate) fn push(&mut self, activity: CompletedActivity) {
        self.0.push(activity);
    }

    pub(crate) fn take(&mut self, key: Key) -> Option<CompletedActivity> {
        let at = self.0.iter().position(|activity| activity.key == key)?;
        Some(self.0.remove(at))
    }

    /// What was inside `from` is inside `to` from now on.
    pub(crate) fn move_inside(&mut self, from: Key, to: Key) {
        for activity in self.0.iter_mut().filter(|activity| activity.scope == from) {
            activity.scope = to;
        }
    }

    /// Forgets what is inside `scope` at any depth, unless `scope` itself can be undone.
    pub(crate) fn forget_inside(&mut self, scope: Key) {
        if self.0.is_empty() || self.get(scope).is_some() {
            return;
        }
        let mut gone = vec![scope];
        while let Some(scope) = gone.pop() {
            gone.extend(self.inside(scope).map(|activity| activity.key));
            self.0.retain(|activity| activity.scope != scope);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}
