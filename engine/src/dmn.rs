//! Decisions.

use flowmaster_kernel::Timestamp;
use serde_json::Value;

use crate::feel::Variables;

/// The decisions that a process may ask.
#[derive(Debug, Default)]
pub struct Decisions(());

/// Why a decision has no result.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is none with this id.
    #[error("there is no decision {0:?}")]
    Unknown(String),
}

impl Decisions {
    /// Reads files.
    ///
    /// # Errors
    /// Never.
    pub fn read(_files: &[Vec<u8>]) -> Result<Self, DecisionError> {
        Ok(Self::default())
    }

    /// The result of a decision.
    ///
    /// # Errors
    /// No such decision.
    pub fn evaluate(
        &self,
        decision_id: &str,
        _variables: &dyn Variables,
        _now: Timestamp,
    ) -> Result<Value, DecisionError> {
        Err(DecisionError::Unknown(decision_id.to_owned()))
    }
}
