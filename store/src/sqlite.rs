//! SQLite: one data folder, one process, one writer whose callers share commits, many readers.

mod baton;
mod conn;
mod coordinator;
mod group;
mod guard;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowmaster_kernel::{Clock, Result, Timestamp};

pub(crate) use self::baton::Baton;
pub(crate) use self::guard::{create_private, sync_folder};
pub(crate) use self::readers::ReadLease;

use self::conn::{Conn, OLDEST_SQLITE, Purpose};
use self::guard::{FolderLock, Reserve};
use self::readers::Readers;
use self::writer::{Parts, Writer};
use crate::config::OpenError;
use crate::dialect::Dialect;
use crate::migrate::Step;
use crate::status::{Health, Monitor, Status};
use crate::write_set::Urgency;
use crate::{DbConfig, WriteSet};

/// The name of the database file in the data folder.
pub(crate) const FILE: &str = "flowmaster.db";

pub(crate) struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
    reserve: Arc<Reserve>,
    monitor: Arc<Monitor>,
    wal: PathBuf,
}

impl Sqlite {
    pub(crate) fn open(
        folder: &Path,
        config: &DbConfig,
        monitor: Arc<Monitor>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        check_version(rusqlite::version_number())?;
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE);
        let conn = Conn::open(&path, Purpose::Write, config)?;
        sync_folder(folder)
            .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        let readers = Arc::new(Readers::open(&path, config)?);
        let reserve = Arc::new(Reserve::new(folder, config.reserve_bytes));
        if let Err(problem) = reserve.hold() {
            tracing::error!(%problem, "no space for the reserve: new work is refused");
            monitor.set_health(Health::StorageLow);
        }
        let parts = Parts {
            conn,
            lock,
            reserve: Arc::clone(&reserve),
            readers: Arc::clone(&readers),
            monitor: Arc::clone(&monitor),
            clock,
        };
        let writer = Writer::start(parts, config)?;
        Ok(Self { writer, readers, reserve, monitor, wal: folder.join(format!("{FILE}-wal")) })
    }

    pub(crate) async fn begin(
        &self,
        deadline: Option<Timestamp>,
        urgency: Urgency,
    ) -> Result<Baton> {
        self.writer.begin(deadline, urgency).await
    }

    pub(crate) async fn submit(
        &self,
        tenant: Arc<str>,
        writes: WriteSet,
        deadline: Option<Timestamp>,
    ) -> Result<()> {
        self.writer.submit(tenant, writes, deadline).await
    }

    pub(crate) async fn read(&self) -> Result<ReadLease> {
        self.readers.begin().await
    }

    /// Runs `script` and records `step` in one transaction of its own.
    pub(crate) async fn apply_step(&self, step: Step, now: Timestamp) -> Result<(), OpenError> {
        self.writer.alone(move |conn| migrate(conn, &step, now)).await?
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            // The log is absent until the first write.
            wal_bytes: Some(std::fs::metadata(&self.wal).map_or(0, |found| found.len())),
            reserve_bytes: Some(self.reserve.held_bytes()),
            ..self.monitor.status(Dialect::Sqlite, rusqlite::version())
        }
    }

    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }
}

fn check_version(found: i32) -> Result<(), OpenError> {
    if found >= OLDEST_SQLITE {
        return Ok(());
    }
    let (major, minor, patch) = (found / 1_000_000, found / 1_000 % 1_000, found % 1_000);
    Err(OpenError::SqliteTooOld { found: format!("{major}.{minor}.{patch}") })
}

fn migrate(conn: &Conn, step: &Step, now: Timestamp) -> Result<(), OpenError> {
    let run = || {
        conn.control("BEGIN IMMEDIATE")?;
        if step.number > 0 {
            // First of all, as on PostgreSQL: the key shows that somebody was faster.
            let record = Dialect::Sqlite.translate(crate::migrate::RECORD);
            let row = (&step.room, step.number, &step.checksum, now.as_millis());
            conn.raw().execute(&record, row)?;
        }
        conn.raw().execute_batch(&step.script(Dialect::Sqlite))?;
        conn.control("COMMIT")
    };
    let Err(source) = run() else { return Ok(()) };
    if !conn.is_autocommit()
        && let Err(problem) = conn.control("ROLLBACK")
    {
        tracing::error!(%problem, "a failed migration could not be rolled back");
    }
    if already_applied(conn, step) {
        return Ok(());
    }
    Err(OpenError::Step { room: step.room.clone(), step: step.number, source: Box::new(source) })
}

fn already_applied(conn: &Conn, step: &Step) -> bool {
    let find = "SELECT 1 FROM store_migrations WHERE room = ?1 AND step = ?2 AND checksum = ?3";
    conn.raw().query_row(find, (&step.room, step.number, &step.checksum), |_| Ok(())).is_ok()
}
