//! What can go wrong with mandates.

use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Error, ErrorKind};
use serde_json::json;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum MandateError {
    #[error("the mandates cannot be kept: {}", first(.0))]
    Invalid(Vec<Finding>),
    #[error("the mandates were changed meanwhile: they have version {newest} now")]
    Changed { newest: i64 },
    #[error("no version {0} of the mandates")]
    Unknown(i64),
    #[error("groups are given without the actor they belong to")]
    GroupsWithoutActor,
    #[error("{list} has {count} entries, and 100 at most")]
    TooMany { list: &'static str, count: usize },
}

fn first(findings: &[Finding]) -> String {
    let what = findings.first().map_or("", |finding| &finding.what);
    match findings.len() {
        0 | 1 => what.to_owned(),
        many => format!("{what} (and {} more)", many - 1),
    }
}

impl From<MandateError> for Error {
    fn from(error: MandateError) -> Self {
        let what = error.to_string();
        match error {
            MandateError::Invalid(findings) => Self::invalid("mandates_invalid", what)
                .fix("mend what the findings say; nothing was saved")
                .details(json!({ "findings": findings })),
            MandateError::Changed { .. } => Self::conflict("mandates_changed", what)
                .why("somebody saved mandates after you read them")
                .fix("read them again, repeat your change on them and save with that version")
                .next("mandate_get"),
            MandateError::Unknown(_) => Self::new(ErrorKind::NotFound, "mandates_not_found", what)
                .fix("leave out the version for the mandates in force"),
            MandateError::GroupsWithoutActor => Self::invalid("groups_without_actor", what)
                .fix("leave out groups to check yourself, or say who the actor is"),
            MandateError::TooMany { .. } => Self::invalid("too_many_entries", what)
                .fix("name those who matter for the question"),
        }
    }
}
