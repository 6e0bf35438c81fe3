//! The codes of the store, in one place, so that callers can rely on them.
//!
//! Invariant: an error whose code is not `outcome_unknown` means that nothing of the transaction
//! was applied.

use flowmaster_kernel::{Error, ErrorKind};

/// Nothing was applied, and the same verb may simply run again (both back ends).
pub const TRANSACTION_LOST: &str = "transaction_lost";
/// The transaction was held too long and was rolled back to let others go on.
pub const TRANSACTION_EXPIRED: &str = "transaction_expired";
/// The commit failed in a way that leaves open whether it is durable.
pub const OUTCOME_UNKNOWN: &str = "outcome_unknown";
/// The call with this idempotency key was already done: its recorded answer is the answer.
pub const IDEMPOTENCY_RECORDED: &str = "idempotency_recorded";
/// The idempotency key was used for another operation or another body.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency_conflict";
/// A job, timer, message or lease now belongs to somebody else.
pub const STALE_LEASE: &str = "stale_lease";
/// A unique key exists already.
pub const DUPLICATE: &str = "duplicate";
/// A value is not allowed where it is written.
pub const CONSTRAINT_FAILED: &str = "constraint_failed";

pub(crate) fn transaction_lost() -> Error {
    Error::conflict(TRANSACTION_LOST, "the transaction was rolled back by the database")
        .why("it collided with another transaction, or shared a commit with one that failed")
        .fix("run the same call again; nothing of it was applied")
        .retryable()
}

pub(crate) fn transaction_expired() -> Error {
    Error::new(
        ErrorKind::Timeout,
        TRANSACTION_EXPIRED,
        "the transaction was open for too long and was rolled back",
    )
    .why("other writers wait while a transaction is open")
    .fix("run the same call again; nothing of it was applied")
}

pub(crate) fn transaction_failed() -> Error {
    Error::internal(
        "transaction_failed",
        "a statement of this transaction failed before: it can only be rolled back",
    )
}

pub(crate) fn snapshot_expired() -> Error {
    Error::new(ErrorKind::Timeout, "snapshot_expired", "the read took too long and was ended")
        .why("an open read keeps the write-ahead log from shrinking")
        .fix("ask for less at once and follow next_cursor")
}

pub(crate) fn outcome_unknown() -> Error {
    Error::new(
        ErrorKind::OutcomeUnknown,
        OUTCOME_UNKNOWN,
        "the write may or may not have been stored",
    )
    .why("the database failed while committing")
    .fix("repeat the call with the same idempotency key: it answers what happened or does it once")
}

pub(crate) fn poisoned() -> Error {
    Error::new(ErrorKind::Unavailable, "store_poisoned", "the store stopped accepting writes")
        .why("a commit failed on the storage device, so the process has to restart")
        .fix("wait for the restart and repeat the call; if it stays, check the disk and the log")
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "store_closed", "the store is shutting down")
        .fix("repeat the call once the server is back")
}

pub(crate) fn overloaded() -> Error {
    Error::new(ErrorKind::Unavailable, "store_overloaded", "too many writes are waiting")
        .why("writes arrive faster than the disk stores them")
        .fix("wait a moment and repeat the call")
}

pub(crate) fn storage_full() -> Error {
    Error::new(ErrorKind::StorageFull, "storage_full", "there is no space left to store this")
        .why("the disk, or the configured size limit of the database, is used up")
        .fix("free disk space or raise the limit; work in progress can still be finished")
}

pub(crate) fn statement_timeout() -> Error {
    Error::new(ErrorKind::Timeout, "statement_timeout", "a database statement took too long")
        .fix("ask for less at once, with a filter or a smaller page")
}

pub(crate) fn unreachable() -> Error {
    Error::new(ErrorKind::Unavailable, "database_unreachable", "the database does not answer")
        .why("the connection failed, or all connections are busy")
        .fix("wait a moment and repeat the call; if it stays, check the database server")
}

pub(crate) fn duplicate() -> Error {
    Error::conflict(DUPLICATE, "it exists already").fix("use another name or id")
}

pub(crate) fn constraint(code: &str, what: &str) -> Error {
    Error::conflict(code, what)
}

pub(crate) fn stale_lease(what: &str) -> Error {
    Error::conflict(STALE_LEASE, format!("the {what} is no longer yours"))
        .why("the lease ran out and it was given to another worker, or it is done or cancelled")
        .fix("drop this piece of work and claim anew")
}

/// A defect in a statement of ours (wrong parameter count, no tenant, wrong column type).
pub(crate) fn statement(problem: impl Into<String>) -> Error {
    Error::internal("invalid_statement", problem.into())
}

pub(crate) fn too_large(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::TooLarge, "too_large_to_store", what)
        .fix("send less at once, or keep large content as a document")
}
