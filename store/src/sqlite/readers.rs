//! Connections that read. Each snapshot is one read transaction on one of them.
//!
//! Invariant: no snapshot older than the limit survives a commit, because an open reader keeps the
//! write-ahead log from shrinking.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowmaster_kernel::Result;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::{Conn, Purpose, explain};
use crate::config::OpenError;
use crate::dialect::Sql;
use crate::param::Bound;
use crate::row::Row;
use crate::{DbConfig, error};

/// The pool.
pub(super) struct Readers {
    slots: Vec<Arc<Slot>>,
    free: Mutex<Vec<Arc<Slot>>>,
    permits: Arc<Semaphore>,
    limit: Duration,
}

struct Slot(Mutex<Reading>);

struct Reading {
    conn: Conn,
    turn: u64,
    since: Option<Instant>,
}

impl Readers {
    pub(super) fn open(path: &Path, config: &DbConfig) -> Result<Self, OpenError> {
        let slots = (0..config.readers.max(1))
            .map(|_| {
                let conn = Conn::open(path, Purpose::Read, config)?;
                Ok(Arc::new(Slot(Mutex::new(Reading { conn, turn: 0, since: None }))))
            })
            .collect::<Result<Vec<_>, OpenError>>()?;
        Ok(Self {
            free: Mutex::new(slots.clone()),
            permits: Arc::new(Semaphore::new(slots.len())),
            limit: config.snapshot_limit,
            slots,
        })
    }

    /// Takes a connection and opens a read transaction on it.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<ReadLease> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        // Snapshots are bounded in time, so waiting longer than that means that something is wrong.
        let permit = tokio::time::timeout(self.limit, permit)
            .await
            .map_err(|_| error::unreachable())?
            .map_err(|_| error::closed())?;
        let slot = self.free.lock().pop().ok_or_else(error::unreachable)?;
        let turn = {
            let mut reading = slot.0.lock();
            reading.turn += 1;
            reading.since = Some(Instant::now());
            reading.turn
        };
        // From here on its drop gives everything back.
        let lease = ReadLease { slot, turn, readers: Arc::clone(self), _permit: permit };
        lease.slot.0.lock().conn.control("BEGIN").map_err(explain)?;
        Ok(lease)
    }

    /// Ends the read transactions that are older than the limit. One that runs a statement right
    /// now is left to the statement's own limit.
    pub(super) fn end_old_snapshots(&self) {
        for slot in &self.slots {
            let Some(mut reading) = slot.0.try_lock() else { continue };
            if reading.since.is_some_and(|since| since.elapsed() > self.limit) {
                tracing::warn!(limit = ?self.limit, "ended a read that was held open too long");
                reading.end();
            }
        }
    }

    /// Lets no further snapshot begin.
    pub(super) fn close(&self) {
        self.permits.close();
    }
}

impl Reading {
    fn end(&mut self) {
        self.turn += 1;
        self.since = None;
        if !self.conn.is_autocommit()
            && let Err(problem) = self.conn.control("ROLLBACK")
        {
            tracing::error!(%problem, "a read transaction could not be ended");
        }
    }
}

/// One snapshot's hold of a connection.
pub(crate) struct ReadLease {
    slot: Arc<Slot>,
    turn: u64,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl ReadLease {
    pub(crate) fn query(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        let reading = self.slot.0.lock();
        if reading.turn != self.turn {
            return Err(error::snapshot_expired());
        }
        reading.conn.query(sql, bound).map_err(super::conn::Fault::into_error)
    }
}

#[cfg(test)]
impl ReadLease {
    pub(super) fn pragma(&self, name: &str) -> String {
        self.slot.0.lock().conn.pragma(name).unwrap()
    }
}

impl Drop for ReadLease {
    fn drop(&mut self) {
        {
            let mut reading = self.slot.0.lock();
            if reading.turn == self.turn {
                reading.end();
            }
        }
        // Before the permit is given back, so that who gets it finds a connection.
        self.readers.free.lock().push(Arc::clone(&self.slot));
    }
}
