//! The right to use the writer's connection.
//!
//! Invariant: the connection is used by the coordinator or by the holder of the current turn,
//! never by both. A holder whose turn was taken away is refused at its next statement.

use std::sync::{Arc, mpsc};

use flowmaster_kernel::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::conn::{Conn, Fault};
use crate::dialect::Sql;
use crate::error;
use crate::param::Bound;
use crate::row::Row;
use crate::status::Wakes;

/// The writer's connection and whose turn it is.
pub(super) struct Seat {
    pub(super) conn: Conn,
    pub(super) turn: u64,
    /// Set when a statement of the holder found that space ran out.
    pub(super) ran_full: bool,
}

/// What the coordinator and the holders share.
pub(super) struct Shared {
    pub(super) seat: Mutex<Seat>,
    pub(super) returns: mpsc::Sender<Finish>,
}

/// How a holder gives the baton back. `ack` is answered once the group is durable.
pub(super) enum Finish {
    Commit { ack: oneshot::Sender<Result<()>>, wakes: Wakes },
    Rollback { ack: Option<oneshot::Sender<Result<()>>> },
}

/// One caller's turn: a savepoint in the group's transaction.
pub(crate) struct Baton {
    shared: Arc<Shared>,
    turn: u64,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Open,
    /// A statement failed: as on PostgreSQL, only a rollback is possible.
    Failed,
    Returned,
}

impl Baton {
    pub(super) fn new(shared: Arc<Shared>, turn: u64) -> Self {
        Self { shared, turn, state: State::Open }
    }

    pub(crate) fn query(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        self.run(|conn| conn.query(sql, bound))
    }

    pub(crate) fn execute(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<u64> {
        self.run(|conn| conn.execute(sql, bound))
    }

    fn run<T>(&mut self, work: impl FnOnce(&Conn) -> Result<T, Fault>) -> Result<T> {
        if self.state != State::Open {
            return Err(error::transaction_failed());
        }
        let mut seat = self.shared.seat.lock();
        if seat.turn != self.turn {
            return Err(error::transaction_expired());
        }
        work(&seat.conn).map_err(|fault| {
            self.state = State::Failed;
            seat.ran_full |= fault.is_full();
            fault.into_error()
        })
    }

    /// Gives the baton back and waits until the group's commit is durable.
    pub(crate) async fn commit(mut self, wakes: Wakes) -> Result<()> {
        if self.state != State::Open {
            return Err(error::transaction_failed());
        }
        let (ack, durable) = oneshot::channel();
        self.finish(Finish::Commit { ack, wakes })?;
        durable.await.unwrap_or_else(|_| Err(error::outcome_unknown()))
    }

    /// Gives the baton back without its writes, and waits until what it has read is durable.
    pub(crate) async fn rollback_after_group(mut self) -> Result<()> {
        let (ack, durable) = oneshot::channel();
        self.finish(Finish::Rollback { ack: Some(ack) })?;
        durable.await.unwrap_or_else(|_| Err(error::transaction_lost()))
    }

    fn finish(&mut self, finish: Finish) -> Result<()> {
        self.state = State::Returned;
        // Sent under the lock: the coordinator takes a turn away under the same lock, so it either
        // finds this message or this caller finds its turn gone.
        let seat = self.shared.seat.lock();
        if seat.turn != self.turn {
            return Err(error::transaction_expired());
        }
        self.shared.returns.send(finish).map_err(|_| error::closed())
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        if self.state != State::Returned {
            // An error here means that the turn is over already: there is nothing to roll back.
            let _: Result<(), Error> = self.finish(Finish::Rollback { ack: None });
        }
    }
}
