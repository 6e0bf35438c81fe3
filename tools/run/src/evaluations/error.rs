//! What can go wrong with the log of evaluations.

use flowmaster_kernel::{Error, ErrorKind};

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum EvaluationError {
    #[error("no evaluation {0:?}")]
    NotFound(String),
    #[error("the instance has more evaluations than one record can hold")]
    TooMany,
    #[error("the instance was evaluating meanwhile")]
    Changed,
    #[error("the rules have no decision {0:?}")]
    NoDecision(String),
}

impl From<EvaluationError> for Error {
    fn from(error: EvaluationError) -> Self {
        let what = error.to_string();
        match error {
            EvaluationError::NotFound(id) => Self::not_found("evaluation", &id)
                .why("it never was, or it went to the archive with its instance")
                .next("evaluation_search"),
            EvaluationError::TooMany => Self::conflict("too_many_evaluations", what),
            EvaluationError::Changed => Self::conflict("evaluations_changed", what),
            EvaluationError::NoDecision(_) => {
                Self::new(ErrorKind::NotFound, "decision_not_found", what)
                    .fix("give a file that holds the decision whose log is asked")
                    .next("rule_search")
            }
        }
    }
}
