//! One error for everything that crosses a room's border: what happened, why, and how to go on.

use std::error::Error as StdError;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with an outside (what the caller may read) and an inside (the source, for the log).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    body: ErrorBody,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The outside of an error: what is sent to people, models and programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// Stable machine-readable code, lower snake case.
    pub code: String,
    /// What happened, one sentence.
    pub what: String,
    /// The cause, where it helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the caller can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Whether the same call may succeed later without a change.
    pub retryable: bool,
    /// The operation to call next, if one helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Structured detail: findings, nearest names, the current state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The families of errors. Each maps to one HTTP status and one retry rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong.
    Invalid,
    /// No valid credential.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// It does not exist, or belongs to another tenant.
    NotFound,
    /// The state does not allow it, or somebody else was faster.
    Conflict,
    /// A size or amount limit.
    TooLarge,
    /// A rate or budget limit.
    Exhausted,
    /// Something needed is not reachable now.
    Unavailable,
    /// Storage is full.
    StorageFull,
    /// It took too long.
    Timeout,
    /// The write may or may not have happened; the same idempotency key resolves it.
    OutcomeUnknown,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// The HTTP status (RFC 9110 §15).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Exhausted => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::OutcomeUnknown => 503,
            Self::Timeout => 504,
            Self::StorageFull => 507,
        }
    }

    /// Whether the same call may succeed later without a change.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::Exhausted
                | Self::Unavailable
                | Self::StorageFull
                | Self::Timeout
                | Self::OutcomeUnknown
        )
    }
}

impl Error {
    /// An error that says `what` happened, under a stable `code`.
    pub fn new(kind: ErrorKind, code: &str, what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            body: ErrorBody {
                code: code.to_owned(),
                what: what.into(),
                why: None,
                fix: None,
                retryable: kind.retryable(),
                next: None,
                details: None,
            },
            source: None,
        }))
    }

    /// Wrong input.
    pub fn invalid(code: &str, what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, what)
    }

    /// Something that does not exist for this caller: `a`/`an` thing named `name`.
    #[must_use]
    pub fn not_found(thing: &str, name: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            &format!("{thing}_not_found"),
            format!("no {thing} {name:?}"),
        )
        .why("it does not exist, or it is not visible to you")
        .fix("check the id, and search for what there is")
    }

    /// A state that does not allow the call.
    pub fn conflict(code: &str, what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, what)
    }

    /// A defect of ours; `source` goes to the log only.
    pub fn internal(code: &str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, code, "an internal error occurred")
            .fix("try again; if it stays, report the trace id to the operator")
            .because(source)
    }

    /// Adds the cause, in words for the caller.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.0.body.why = Some(why.into());
        self
    }

    /// Adds what the caller can do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.0.body.fix = Some(fix.into());
        self
    }

    /// Names the operation that helps next.
    #[must_use]
    pub fn next(mut self, operation: &str) -> Self {
        self.0.body.next = Some(operation.to_owned());
        self
    }

    /// Adds structured detail.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.0.body.details = Some(details);
        self
    }

    /// Says that the same call may succeed at once when repeated, whatever the kind says.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.body.retryable = true;
        self
    }

    /// Adds the inside cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The family of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.body.code
    }

    /// What the caller may read.
    #[must_use]
    pub fn body(&self) -> &ErrorBody {
        &self.0.body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.body.code, self.0.body.what)?;
        match &self.0.body.why {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("body", &self.0.body)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
