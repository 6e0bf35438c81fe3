//! The callers that share one commit, and their savepoints.

use std::time::Instant;

use flowmaster_kernel::{Error, Result};
use tokio::sync::oneshot;

use super::conn::{Conn, explain};
use super::writer::Submission;
use crate::dialect::{Scoped, Sql, check_statement};
use crate::error;
use crate::param::Bound;
use crate::status::Wakes;

const SAVEPOINT: &str = "SAVEPOINT caller";
const RELEASE: &str = "RELEASE caller";
const ROLLBACK_TO: &str = "ROLLBACK TO caller";

/// The callers that wait for one commit.
pub(super) struct Group {
    pub(super) opened: Instant,
    pub(super) served: usize,
    pub(super) members: Vec<Member>,
    pub(super) wakes: Wakes,
    /// Space ran out for one of them, which did not end the transaction.
    pub(super) ran_full: bool,
}

pub(super) enum Member {
    /// A transaction: it cannot be run again from here.
    Transaction(oneshot::Sender<Result<()>>),
    /// A write set that is applied.
    Applied(Submission),
    /// A write set that was refused. Told after the commit, because the refusal may rest on what
    /// others of the group wrote.
    Refused(oneshot::Sender<Result<()>>, Error),
}

impl Group {
    pub(super) fn open() -> Self {
        Self {
            opened: Instant::now(),
            served: 0,
            members: Vec::new(),
            wakes: Wakes::default(),
            ran_full: false,
        }
    }
}

/// The group's transaction is gone.
#[derive(Clone, Copy)]
pub(super) struct Lost {
    pub(super) full: bool,
}

/// The outer transaction ended with the savepoint.
pub(super) struct TransactionGone;

pub(super) fn open_savepoint(conn: &Conn) -> Result<()> {
    // Without the outer transaction this savepoint would be a transaction of its own.
    if conn.is_autocommit() {
        return Err(error::transaction_lost());
    }
    conn.control(SAVEPOINT).map_err(explain)
}

/// Keeps or drops what the caller wrote, and looks whether the group still has its transaction.
pub(super) fn close_savepoint(conn: &Conn, keep: bool) -> Result<(), TransactionGone> {
    if conn.is_autocommit() {
        return Err(TransactionGone);
    }
    let closed = if keep { Ok(()) } else { conn.control(ROLLBACK_TO) };
    let closed = closed.and_then(|()| conn.control(RELEASE));
    match closed {
        Ok(()) if !conn.is_autocommit() => Ok(()),
        Ok(()) => Err(TransactionGone),
        Err(problem) => {
            tracing::error!(%problem, "a savepoint could not be closed");
            Err(TransactionGone)
        }
    }
}

/// Runs the statements of a write set, until one of them refuses. Sets `full` when space ran out.
pub(super) fn run_all(conn: &Conn, submission: &mut Submission, full: &mut bool) -> Result<()> {
    let tenant = &submission.tenant;
    submission.writes.statements.iter_mut().try_for_each(|statement| {
        check_statement(statement.sql, statement.scoped)?;
        let tenant = (statement.scoped == Scoped::Tenant).then_some(&**tenant);
        let bound = Bound { tenant, params: &statement.params };
        let changed = conn.execute(Sql::Fixed(statement.sql), bound).map_err(|fault| {
            *full |= fault.is_full();
            fault.into_error()
        })?;
        statement.settle(changed)
    })
}
