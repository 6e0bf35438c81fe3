//! The callers that share one commit, and their savepoints.
//!
//! A savepoint costs a copy of every page that is written in it, and nearly every write set is
//! applied, so write sets go without. One that fails half-way takes the group back: its write sets
//! run once more, now each in a savepoint. Transactions cannot run again from here: they have a
//! savepoint always, and so has everybody behind one that is kept.

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
    /// Whether each write set has a savepoint.
    pub(super) guarded: bool,
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
    pub(super) fn open(guarded: bool) -> Self {
        Self {
            opened: Instant::now(),
            served: 0,
            members: Vec::new(),
            wakes: Wakes::default(),
            ran_full: false,
            guarded,
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

/// A write set that was not applied to its end.
pub(super) struct Stopped {
    pub(super) refusal: Error,
    /// Whether it may have written something before.
    pub(super) half_way: bool,
    /// Space ran out.
    pub(super) full: bool,
}

impl From<Error> for Stopped {
    fn from(refusal: Error) -> Self {
        Self { refusal, half_way: false, full: false }
    }
}

pub(super) fn open_savepoint(conn: &Conn) -> Result<()> {
    // Without the outer transaction this savepoint would be a transaction of its own.
    check_open(conn)?;
    conn.control(SAVEPOINT).map_err(explain)
}

/// Refuses while the group has no transaction: what is written would be committed by itself.
pub(super) fn check_open(conn: &Conn) -> Result<()> {
    if conn.is_autocommit() { Err(error::transaction_lost()) } else { Ok(()) }
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

/// Runs the statements of a write set, until one of them refuses.
pub(super) fn run_all(conn: &Conn, submission: &mut Submission) -> Result<(), Stopped> {
    let tenant = &submission.tenant;
    let mut wrote = false;
    for statement in &mut submission.writes.statements {
        check_statement(statement.sql, statement.scoped)
            .map_err(|refusal| Stopped { half_way: wrote, ..refusal.into() })?;
        let tenant = (statement.scoped == Scoped::Tenant).then_some(&**tenant);
        let bound = Bound { tenant, params: &statement.params };
        let changed = conn.execute(Sql::Fixed(statement.sql), bound).map_err(|fault| {
            let full = fault.is_full();
            Stopped { refusal: fault.into_error(), half_way: true, full }
        })?;
        wrote |= changed > 0;
        statement
            .settle(changed)
            .map_err(|refusal| Stopped { half_way: wrote, ..refusal.into() })?;
    }
    Ok(())
}
