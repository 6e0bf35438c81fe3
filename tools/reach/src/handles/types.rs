//! A handle.

use std::collections::BTreeMap;

use flowmaster_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a client holds on to.
#[derive(Clone, Debug, PartialEq)]
pub struct Handle {
    /// 128 bits of chance.
    pub id: String,
    /// The operation that was called.
    pub operation: String,
    /// What goes on, in the words of whoever made the handle, e.g. the id of an instance.
    pub subject: String,
    /// Where it is, if nothing but the handle says so.
    pub state: HandleState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changed.
    pub updated_at: Timestamp,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum HandleState {
    /// It goes on.
    Open {
        /// Questions that wait for an answer, by their keys.
        #[serde(default)]
        questions: BTreeMap<String, Value>,
        /// The answers to those that did.
        #[serde(default)]
        answers: BTreeMap<String, Value>,
    },
    /// It is done.
    Done {
        /// The answer, or the body of the error.
        outcome: Result<Value, Value>,
    },
    /// It broke; nobody will ever know its answer.
    Broken {
        /// What happened.
        what: String,
    },
    /// Somebody put an end to it.
    Cancelled,
}

impl HandleState {
    /// It goes on, and nothing is asked.
    #[must_use]
    pub const fn open() -> Self {
        Self::Open { questions: BTreeMap::new(), answers: BTreeMap::new() }
    }

    /// Whether it goes on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}
