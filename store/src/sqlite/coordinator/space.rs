//! What becomes of a full disk: the reserve is given up, new work refused, and a commit that failed
//! settled.

use std::time::{Duration, Instant};

use flowmaster_kernel::Result;

use super::super::conn::{Conn, is_full};
use super::Coordinator;
use crate::error;
use crate::status::Health;

impl Coordinator {
    pub(super) fn until_look(&self) -> Duration {
        self.limits.space_check.saturating_sub(self.looked_for_space.elapsed())
    }

    /// Commits something small if the last commit failed for lack of space.
    pub(super) fn settle_last(&mut self) -> Result<()> {
        if !self.unsettled {
            return Ok(());
        }
        let settled = settle(&self.shared.seat.lock().conn);
        match settled {
            Ok(()) => {
                self.unsettled = false;
                Ok(())
            }
            Err(problem) if is_full(&problem) => Err(error::storage_full()),
            Err(problem) => {
                tracing::error!(%problem, "the writer stops: restart the process");
                self.monitor.set_health(Health::Poisoned);
                Err(error::poisoned())
            }
        }
    }

    /// After a COMMIT failed for lack of space: gives up the reserve and commits something small.
    /// It lands where the failed commit was written, so afterwards that one is certainly not there.
    pub(super) fn make_room(&self) -> Result<(), rusqlite::Error> {
        self.space_ran_out();
        let seat = self.shared.seat.lock();
        if !seat.conn.is_autocommit() {
            seat.conn.control("ROLLBACK")?;
        }
        settle(&seat.conn)
    }

    /// Refuses new work and gives up the reserve, so that accepted work can still be finished.
    pub(super) fn space_ran_out(&self) {
        if self.monitor.health() != Health::StorageLow {
            tracing::error!("storage is full: new work is refused");
        }
        self.monitor.set_health(Health::StorageLow);
        if let Err(problem) = self.reserve.release() {
            tracing::error!(%problem, "the reserve could not be released");
        }
        let seat = self.shared.seat.lock();
        if seat.conn.is_autocommit()
            && let Err(problem) = seat.conn.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%problem, "no checkpoint while storage is full");
        }
    }

    /// Accepts new work again once the reserve fits on the disk again.
    pub(super) fn look_for_space(&mut self) {
        let found = self.reserve.hold();
        self.looked_for_space = Instant::now();
        match found {
            Ok(()) => {
                tracing::info!("there is space again: new work is accepted");
                self.monitor.set_health(Health::Ready);
            }
            Err(problem) => tracing::warn!(%problem, "storage is still full"),
        }
    }
}

/// A commit of its own that changes nothing but a number in the header of the file.
pub(in crate::sqlite) fn settle(conn: &Conn) -> Result<(), rusqlite::Error> {
    let raw = conn.raw();
    let version: i32 = raw.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    conn.control("BEGIN IMMEDIATE")?;
    let set = raw.execute_batch(&format!("PRAGMA user_version={}", version.wrapping_add(1)));
    let settled = set.and_then(|()| conn.control("COMMIT"));
    if settled.is_err() && !conn.is_autocommit() {
        conn.control("ROLLBACK")?;
    }
    settled
}
