//! What an instance can wait for.

use std::sync::Arc;

use flowmaster_kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::is_first;
use crate::expression::timer::Repeat;
use crate::governance::Proposal;
use crate::instance::Key;
use crate::model::ElementId;
use crate::scope::VariableMap;

/// One thing that an instance waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The element instance that waits; the process for its event sub-processes.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub owner: Key,
    /// The element that goes on: the owner's own, one of its boundary events, an event after an
    /// event-based gateway, or the start event of an event sub-process.
    pub element: ElementId,
    /// What it waits for.
    #[serde(flatten)]
    pub kind: WaitKind,
}

/// The kinds of things to wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum WaitKind {
    /// A person.
    Human {
        /// The person, when fixed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<String>,
        /// Groups whose members may do it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidate_groups: Vec<String>,
        /// Persons who may do it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidate_users: Vec<String>,
        /// What somebody filled in already, and another has to confirm.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<Box<Proposal>>,
    },
    /// A worker.
    Job {
        /// How often it may still be tried.
        retries: u32,
    },
    /// An agent.
    Agent {
        /// How often it may still be tried.
        retries: u32,
    },
    /// A moment.
    Timer {
        /// When it fires.
        due_at: Timestamp,
        /// What comes after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeat: Option<Repeat>,
    },
    /// A message.
    Message {
        /// The message's name.
        name: String,
        /// Its correlation key; any when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
    },
    /// A signal.
    Signal {
        /// The signal's name.
        name: String,
    },
    /// A condition to become true.
    Condition {
        /// Whether it was true when it was last looked at.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        holds: bool,
        /// Its 0-based place among the definitions of the event.
        #[serde(default, skip_serializing_if = "is_first")]
        part: u32,
    },
    /// The other parts of an event that waits for all of them.
    Arrived {
        /// What this part brought.
        #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
        variables: VariableMap,
        /// Its 0-based place among the definitions of a start event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<u32>,
    },
    /// Completed activities to be undone.
    Compensation {
        /// Those that are still to be undone, oldest completion first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<Key>,
    },
    /// Somebody who activates what is in an ad-hoc sub-process.
    Activation {
        /// Whether something in it was activated.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        started: bool,
        /// What begins by itself when the activity before it is over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        queue: Vec<ElementId>,
    },
    /// A called instance.
    Child {
        /// Id of the called process.
        process: String,
        /// Id of the called instance.
        instance: Arc<str>,
    },
}

impl WaitKind {
    /// What somebody filled in already, and another has to confirm.
    #[must_use]
    pub fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Human { proposal, .. } => proposal.as_deref(),
            _ => None,
        }
    }

    /// Whether somebody has to do something: a person, a worker or an agent.
    #[must_use]
    pub const fn is_work(&self) -> bool {
        matches!(self, Self::Human { .. } | Self::Job { .. } | Self::Agent { .. })
    }
}
