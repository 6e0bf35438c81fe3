//! What is known about the store without asking it: its health, counters and wake-up hints.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::dialect::Dialect;

/// The state of a store, for readiness checks and diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which database is behind it.
    pub dialect: Dialect,
    /// The version of the database.
    pub version: String,
    /// Whether it takes work.
    pub health: Health,
    /// Bytes of the write-ahead log (SQLite). A growing one means a reader that never ends.
    pub wal_bytes: Option<u64>,
    /// Bytes held back for the moment the disk is full (SQLite).
    pub reserve_bytes: Option<u64>,
    /// Whether the database itself keeps tenants apart as well (PostgreSQL row security); `false`
    /// if the role bypasses it.
    pub row_security: Option<bool>,
    /// Commits of the database: one per group on SQLite.
    pub commits: u64,
    /// Transactions and write sets acknowledged as durable.
    pub acknowledged: u64,
    /// Transactions rolled back because they were held too long.
    pub expired: u64,
}

/// Whether a store takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everything is accepted.
    Ready,
    /// Space ran out: only work that finishes something is accepted.
    StorageLow,
    /// A commit failed with unknown outcome: the process has to restart.
    Poisoned,
    /// Closed by us.
    Closed,
    /// The database server did not answer the last time.
    Unreachable,
}

/// How often something was committed that a driver waits for. A hint: drivers poll as well, since
/// other nodes commit too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Commits that wrote jobs.
    pub jobs: u64,
    /// Commits that wrote timers.
    pub timers: u64,
    /// Commits that wrote to the outbox.
    pub outbox: u64,
}

/// Which drivers a commit concerns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wakes {
    pub(crate) jobs: bool,
    pub(crate) timers: bool,
    pub(crate) outbox: bool,
}

impl Wakes {
    pub(crate) fn add(&mut self, other: Self) {
        self.jobs |= other.jobs;
        self.timers |= other.timers;
        self.outbox |= other.outbox;
    }

    const fn any(self) -> bool {
        self.jobs || self.timers || self.outbox
    }
}

/// The shared, always readable side of a store.
#[derive(Debug)]
pub(crate) struct Monitor {
    health: watch::Sender<Health>,
    commits: AtomicU64,
    acknowledged: AtomicU64,
    expired: AtomicU64,
    hints: watch::Sender<Commits>,
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            health: watch::Sender::new(Health::Ready),
            commits: AtomicU64::default(),
            acknowledged: AtomicU64::default(),
            expired: AtomicU64::default(),
            hints: watch::Sender::default(),
        }
    }
}

impl Monitor {
    pub(crate) fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// Moves between the states that can recover; from `Closed` there is only `Poisoned`, and
    /// from there nothing.
    pub(crate) fn set_health(&self, health: Health) {
        if self.health() == health {
            return;
        }
        self.health.send_if_modified(|current| {
            let stays = match *current {
                Health::Poisoned => true,
                Health::Closed => health != Health::Poisoned,
                Health::Ready | Health::StorageLow | Health::Unreachable => *current == health,
            };
            if !stays {
                *current = health;
            }
            !stays
        });
    }

    pub(crate) fn watch_health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    pub(crate) fn committed(&self, acknowledged: u64, wakes: Wakes) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.acknowledged.fetch_add(acknowledged, Ordering::Relaxed);
        if wakes.any() {
            self.hints.send_modify(|hints| {
                hints.jobs += u64::from(wakes.jobs);
                hints.timers += u64::from(wakes.timers);
                hints.outbox += u64::from(wakes.outbox);
            });
        }
    }

    pub(crate) fn expired(&self) {
        self.expired.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hints(&self) -> watch::Receiver<Commits> {
        self.hints.subscribe()
    }

    pub(crate) fn status(&self, dialect: Dialect, version: &str) -> Status {
        Status {
            dialect,
            version: version.to_owned(),
            health: self.health(),
            wal_bytes: None,
            reserve_bytes: None,
            row_security: None,
            commits: self.commits.load(Ordering::Relaxed),
            acknowledged: self.acknowledged.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
        }
    }
}
