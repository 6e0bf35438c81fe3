//! Incidents: where an instance cannot go on by itself.

use serde::{Deserialize, Serialize};

use crate::feel::FeelError;
use crate::instance::Key;
use crate::model::ElementId;

/// Something that somebody has to put right before the element goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The element instance that is stopped.
    pub owner: Key,
    /// Its BPMN id.
    pub element: ElementId,
    /// What is wrong.
    pub kind: IncidentKind,
    /// The same in words.
    pub message: String,
}

/// What can be wrong. The names are part of the stored and the public format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Work failed and no retries are left.
    JobFailed,
    /// An expression has no value, or one of the wrong type.
    ExpressionFailed,
    /// A decision has no result.
    DecisionFailed,
    /// An input or output mapping has no value.
    MappingFailed,
    /// No condition is true and there is no default flow.
    NoFlowTaken,
    /// A BPMN error that nothing catches.
    UnhandledError,
    /// The process to call does not exist.
    CalledProcessMissing,
    /// A correlation key without a value.
    CorrelationFailed,
    /// A timer without a moment.
    TimerFailed,
    /// More steps in one transition than are allowed: most likely an endless loop.
    LimitExceeded,
    /// An element that the engine cannot execute; publishing such a model is refused.
    NotExecutable,
}

impl IncidentKind {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobFailed => "job_failed",
            Self::ExpressionFailed => "expression_failed",
            Self::DecisionFailed => "decision_failed",
            Self::MappingFailed => "mapping_failed",
            Self::NoFlowTaken => "no_flow_taken",
            Self::UnhandledError => "unhandled_error",
            Self::CalledProcessMissing => "called_process_missing",
            Self::CorrelationFailed => "correlation_failed",
            Self::TimerFailed => "timer_failed",
            Self::LimitExceeded => "limit_exceeded",
            Self::NotExecutable => "not_executable",
        }
    }
}

/// Why an element cannot start or end; it becomes an incident.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: IncidentKind,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(kind: IncidentKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<FeelError> for Failure {
    fn from(error: FeelError) -> Self {
        Self::new(IncidentKind::ExpressionFailed, error.to_string())
    }
}
