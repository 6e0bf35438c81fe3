//! What an error of PostgreSQL means to the caller (SQLSTATE, PostgreSQL manual, appendix A).

use flowmaster_kernel::Error;
use tokio_postgres::error::SqlState;

use super::connection_lost;
use crate::error;

pub(super) fn explain(problem: tokio_postgres::Error) -> Error {
    let Some(code) = problem.code() else {
        return if problem.is_closed() || is_broken(&problem) {
            connection_lost(problem)
        } else {
            Error::internal("database_error", problem)
        };
    };
    let error = match code {
        &SqlState::UNIQUE_VIOLATION => error::duplicate(),
        &SqlState::FOREIGN_KEY_VIOLATION => {
            error::constraint("reference_missing", "it refers to something that does not exist")
        }
        &SqlState::NOT_NULL_VIOLATION | &SqlState::CHECK_VIOLATION => {
            error::constraint(error::CONSTRAINT_FAILED, "the value is not allowed here")
        }
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => error::transaction_lost(),
        &SqlState::DISK_FULL => error::storage_full(),
        &SqlState::QUERY_CANCELED => error::statement_timeout(),
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => error::transaction_expired(),
        &SqlState::ADMIN_SHUTDOWN
        | &SqlState::CRASH_SHUTDOWN
        | &SqlState::CANNOT_CONNECT_NOW
        | &SqlState::TOO_MANY_CONNECTIONS
        | &SqlState::READ_ONLY_SQL_TRANSACTION => error::unreachable(),
        _ => return Error::internal("database_error", problem),
    };
    error.because(problem)
}

/// Whether the connection failed below the protocol.
fn is_broken(problem: &tokio_postgres::Error) -> bool {
    std::error::Error::source(problem).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// What a failed COMMIT means: refused by the server is rolled back; a connection that broke
/// meanwhile tells nothing.
pub(super) fn explain_commit(problem: tokio_postgres::Error) -> Error {
    if problem.as_db_error().is_some_and(|refusal| !ends_the_session(refusal.code())) {
        return explain(problem);
    }
    error::outcome_unknown().because(problem)
}

/// Class 57 (operator intervention) may strike after the commit record was written.
fn ends_the_session(code: &SqlState) -> bool {
    code.code().starts_with("57") || code.code().starts_with("58") || code.code().starts_with("XX")
}
