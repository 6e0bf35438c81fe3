//! The thread that carries the write-ahead log over into the database, so that no caller waits for
//! it.
//!
//! It works beside the writer, which goes on appending: the log begins anew only when all of it was
//! carried over, and while much is written somebody has to wait for that. The writer does it, when
//! the log has become [`WRITER_PAGES`] long; what is left to do by then is little.
//!
//! Invariant: it never blocks the writer, and a failure loses nothing, since the log keeps what was
//! not carried over.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use super::conn::{Conn, Purpose};
use crate::DbConfig;
use crate::config::OpenError;
use crate::status::{Health, Monitor};

/// How many pages the log has when it is worth the work.
const PAGES: i64 = 2_000;
/// How many pages it has when the writer does it, with all that is left.
pub(super) const WRITER_PAGES: &str = "12000";
/// How long between two looks while something is written.
const PERIOD: Duration = Duration::from_millis(20);

/// Ends the thread when dropped.
pub(super) struct Checkpointer {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    /// Whether it sleeps until it is told of a commit.
    asleep: AtomicBool,
    stopped: AtomicBool,
    monitor: Arc<Monitor>,
}

impl Checkpointer {
    pub(super) fn start(
        path: &Path,
        config: &DbConfig,
        monitor: Arc<Monitor>,
    ) -> Result<Self, OpenError> {
        let conn = Conn::open(path, Purpose::Checkpoint, config)?;
        let state = Arc::new(State {
            asleep: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            monitor,
        });
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("flowmaster-checkpoint".to_owned())
            .spawn(move || shared.run(&conn))
            .map_err(OpenError::Thread)?;
        Ok(Self { state, thread: Some(thread) })
    }

    /// Tells it that something was committed.
    pub(super) fn committed(&self) {
        if self.state.asleep.swap(false, Ordering::SeqCst) {
            self.thread.iter().map(JoinHandle::thread).for_each(Thread::unpark);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the checkpoint thread ended by a panic");
            }
        }
    }
}

impl State {
    fn run(&self, conn: &Conn) {
        let mut seen = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            let waiting = self.carry_over(conn);
            if waiting == seen {
                // A commit between the look and this finds it awake, and the next one wakes it.
                self.asleep.store(true, Ordering::SeqCst);
                std::thread::park();
            } else {
                seen = waiting;
                std::thread::park_timeout(PERIOD);
            }
        }
    }

    /// Carries the log over if it is long enough; gives how many of its pages are left.
    fn carry_over(&self, conn: &Conn) -> i64 {
        // A log whose last commit has an unknown outcome is left to the restart.
        if self.monitor.health() == Health::Poisoned {
            return 0;
        }
        let waiting = checkpoint(conn, "PRAGMA wal_checkpoint(NOOP)");
        if waiting < PAGES { waiting } else { checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)") }
    }
}

/// Runs a checkpoint; gives how many pages of the log are not in the database.
fn checkpoint(conn: &Conn, how: &str) -> i64 {
    let left = conn.raw().query_row(how, [], |row| {
        let (log, done): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(log - done)
    });
    left.unwrap_or_else(|problem| {
        tracing::warn!(%problem, "the write-ahead log could not be carried over");
        0
    })
}
