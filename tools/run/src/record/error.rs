//! What can go wrong with the runtime record.

use flowmaster_kernel::Error;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("no entry {0:?} in the runtime record")]
    NotFound(String),
    #[error("the cursor is not one of this list")]
    Cursor,
    #[error("the entry {0:?} is not as it was written")]
    Damaged(String),
    #[error("entries were written or sealed by somebody else meanwhile")]
    Raced,
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        let what = error.to_string();
        match error {
            RecordError::NotFound(id) => Self::not_found("record_entry", &id).next("record_search"),
            RecordError::Cursor => {
                Self::invalid("invalid_cursor", what).fix("start again without a cursor")
            }
            RecordError::Damaged(_) => Self::conflict("record_tampered", what)
                .why("it was changed outside of FlowMaster, or by the disk")
                .fix("keep the database as evidence, and compare with a backup or an export")
                .next("record_verify"),
            RecordError::Raced => Self::conflict("record_raced", what).retryable(),
        }
    }
}
