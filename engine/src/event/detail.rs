//! What some events say in detail. Stored with them, so the same rules of evolution hold.

use flowmaster_kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::governance::Proposal;
use crate::instance::{ActorRef, Key};
use crate::model::ElementId;

/// What somebody is asked to do, with every expression resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// A person.
    Human(HumanWork),
    /// A worker.
    Job {
        /// What workers ask for.
        job_type: String,
        /// How often it may be tried.
        retries: u32,
        /// Higher goes first.
        #[serde(default, skip_serializing_if = "is_usual")]
        priority: i64,
    },
    /// An agent.
    Agent {
        /// The agent's id.
        agent: String,
        /// What the work is tracked by.
        job_type: String,
        /// How often it may be tried.
        retries: u32,
        /// Higher goes first.
        #[serde(default, skip_serializing_if = "is_usual")]
        priority: i64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_usual(priority: &i64) -> bool {
    *priority == 0
}

/// A human task, resolved. Its form is in the definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HumanWork {
    /// The person, when fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Groups whose members may claim it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_groups: Vec<String>,
    /// Persons who may claim it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_users: Vec<String>,
    /// Persons who may not, because four eyes are needed and theirs were the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// When it must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it should be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_at: Option<Timestamp>,
    /// 0 (low) to 100 (high).
    pub priority: u8,
}

/// What somebody filled in, kept with the work for another to confirm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// The wait, which stays open.
    pub key: Key,
    /// BPMN id.
    pub element: ElementId,
    /// What was filled in, by whom, and who may confirm it.
    pub proposal: Proposal,
}

/// What a subscription waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Subscription {
    /// A message.
    Message {
        /// Its name.
        name: String,
        /// Its correlation key; any when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
    },
}

/// How a called instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// In the normal way.
    Completed,
    /// With a BPMN error.
    Failed,
    /// From outside.
    Cancelled,
    /// It never began: there is no such process.
    Missing,
}

/// The tokens that a complex gateway took, or found, on its incoming flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayTokens {
    /// The scope.
    #[serde(default, skip_serializing_if = "Key::is_process")]
    pub scope: Key,
    /// The gateway.
    pub element: ElementId,
    /// The flows that the tokens came on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<ElementId>,
}

/// An ad-hoc sub-process that waits for somebody to activate what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivationWait {
    /// The wait.
    pub key: Key,
    /// The element instance of the sub-process.
    pub owner: Key,
    /// The sub-process.
    pub element: ElementId,
    /// What begins by itself, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<ElementId>,
}

/// What was selected in an ad-hoc sub-process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activities {
    /// The wait of the sub-process.
    pub key: Key,
    /// The sub-process.
    pub element: ElementId,
    /// The elements in it that begin.
    pub selected: Vec<ElementId>,
}

/// Who changed where an instance is, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Modified {
    /// Who changes it.
    pub actor: ActorRef,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is activated, terminated and moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// One change of a modification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// An element was started.
    Activated {
        /// BPMN id.
        element: ElementId,
    },
    /// An element was ended without going on from it.
    Terminated {
        /// BPMN id.
        element: ElementId,
        /// The element instance; none for a token that waited at a joining gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Key>,
    },
    /// An element was ended, and another started for it.
    Moved {
        /// BPMN id.
        element: ElementId,
        /// The element instance; none for a token that waited at a joining gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Key>,
        /// BPMN id of the element that was started.
        to: ElementId,
    },
}
