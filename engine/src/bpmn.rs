//! BPMN XML.

use crate::model::Definitions;

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum BpmnError {
    /// There is no reader.
    #[error("BPMN XML is not read")]
    Absent,
}

/// Reads a file.
///
/// # Errors
/// Always.
pub fn read(_bytes: &[u8]) -> Result<Definitions, BpmnError> {
    Err(BpmnError::Absent)
}
