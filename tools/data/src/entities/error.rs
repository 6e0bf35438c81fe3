//! What can go wrong with the organisation.

use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Error, ErrorKind};
use serde_json::json;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntityError {
    #[error("the organisation cannot be kept: {}", first(.0))]
    Invalid(Vec<Finding>),
    #[error("the organisation was changed meanwhile: it has version {newest} now")]
    Changed { newest: i64 },
    #[error("no version {0} of the organisation")]
    UnknownVersion(i64),
    #[error("no unit {0:?}")]
    UnknownUnit(String),
    #[error("{0:?} is no cursor of this list")]
    BadCursor(String),
    #[error("the limit is {0}, and has to be 1 to {1}")]
    BadLimit(u32, u32),
}

fn first(findings: &[Finding]) -> String {
    let what = findings.first().map_or("", |finding| &finding.what);
    match findings.len() {
        0 | 1 => what.to_owned(),
        many => format!("{what} (and {} more)", many - 1),
    }
}

impl From<EntityError> for Error {
    fn from(error: EntityError) -> Self {
        let what = error.to_string();
        match error {
            EntityError::Invalid(findings) => Self::invalid("organisation_invalid", what)
                .fix("mend what the findings say; nothing was saved")
                .details(json!({ "findings": findings })),
            EntityError::Changed { .. } => Self::conflict("organisation_changed", what)
                .why("somebody saved the organisation after you read it")
                .fix("read it again, repeat your change on it and save with that version")
                .next("organisation_get"),
            EntityError::UnknownVersion(_) => {
                Self::new(ErrorKind::NotFound, "organisation_version_not_found", what)
                    .fix("leave out the version for the organisation as it is")
            }
            EntityError::UnknownUnit(unit) => {
                Self::not_found("unit", &unit).next("organisation_get")
            }
            EntityError::BadCursor(_) => Self::invalid("invalid_cursor", what)
                .fix("start again without a cursor, with the same filters on each page"),
            EntityError::BadLimit(_, most) => Self::invalid("invalid_limit", what)
                .fix(format!("use a limit from 1 to {most}, or none")),
        }
    }
}
