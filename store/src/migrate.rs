//! The shape of the tables, in numbered steps that never change once released.
//!
//! Invariants: a step is applied once, in order, in one transaction with its record; a database
//! that a newer release has changed is refused, as is one whose applied steps have another text.

use flowmaster_kernel::{Timestamp, hex};
use sha2::{Digest, Sha256};

use crate::config::OpenError;
use crate::db::Backend;
use crate::dialect::Dialect;
use crate::{Db, idempotency, jobs, journal, lease, listeners, outbox, params, timers};

/// The steps of one room, which it alone may append to.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The room; its tables start with this name.
    pub room: &'static str,
    /// SQL scripts, the oldest first.
    pub steps: &'static [&'static str],
}

/// The tables of the store itself.
const STORE: Migrations = Migrations {
    room: "store",
    steps: &[
        idempotency::TABLES,
        journal::TABLES,
        jobs::TABLES,
        timers::TABLES,
        lease::TABLES,
        outbox::TABLES,
        jobs::PAUSED,
        timers::ORDERED,
        listeners::TABLES,
    ],
};

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS store_migrations (
    room TEXT NOT NULL, step BIGINT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,
    PRIMARY KEY (room, step))";

pub(crate) const RECORD: &str =
    "INSERT INTO store_migrations (room, step, checksum, applied_at) VALUES ($1, $2, $3, $4)";

/// One step on its way into the database. Step 0 is the table of steps itself.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) room: String,
    pub(crate) number: i64,
    pub(crate) checksum: String,
    text: &'static str,
}

impl Step {
    pub(crate) fn script(&self, dialect: Dialect) -> String {
        dialect.translate(self.text).into_owned()
    }
}

pub(crate) async fn run(db: &Db, sets: &[Migrations]) -> Result<(), OpenError> {
    let history =
        Step { room: STORE.room.to_owned(), number: 0, checksum: String::new(), text: HISTORY };
    apply(db, history).await?;
    for set in std::iter::once(&STORE).chain(sets) {
        migrate_room(db, set).await?;
    }
    match db.backend() {
        Backend::Sqlite(_) => Ok(()),
        Backend::Postgres(server) => server.protect().await,
    }
}

async fn migrate_room(db: &Db, set: &Migrations) -> Result<(), OpenError> {
    let applied = applied(db, set.room).await?;
    let known = i64::try_from(set.steps.len()).unwrap_or(i64::MAX);
    let newest = i64::try_from(applied.len()).unwrap_or(i64::MAX);
    let room = || set.room.to_owned();
    if newest > known {
        return Err(OpenError::NewerDatabase { room: room(), found: newest, known });
    }
    let mut applied = applied.into_iter();
    for (number, text) in (1..).zip(set.steps) {
        let checksum = hex(&Sha256::digest(text.as_bytes()));
        match applied.next() {
            Some(found) if found == checksum => {}
            Some(_) => return Err(OpenError::ChangedStep { room: room(), step: number }),
            None => apply(db, Step { room: room(), number, checksum, text }).await?,
        }
    }
    Ok(())
}

/// The checksums of the applied steps, in order.
async fn applied(db: &Db, room: &str) -> Result<Vec<String>, OpenError> {
    let mut snapshot = db.read_system().await?;
    let rows = snapshot
        .query(
            "SELECT checksum FROM store_migrations WHERE room = $1 ORDER BY step",
            &params![room],
        )
        .await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
}

async fn apply(db: &Db, step: Step) -> Result<(), OpenError> {
    match db.backend() {
        Backend::Sqlite(sqlite) => sqlite.apply_step(step, db.now()).await,
        Backend::Postgres(server) => server.apply_step(&step, db.now()).await,
    }
}

/// Says when a step was applied, for diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedStep {
    /// Whose tables.
    pub room: String,
    /// The step.
    pub step: i64,
    /// When.
    pub at: Timestamp,
}

impl Db {
    /// The steps that were applied to this database.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn applied_steps(&self) -> flowmaster_kernel::Result<Vec<AppliedStep>> {
        let rows = self
            .read_system()
            .await?
            .query("SELECT room, step, applied_at FROM store_migrations ORDER BY room, step", &[])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AppliedStep { room: row.text(0)?, step: row.int(1)?, at: row.timestamp(2)? })
            })
            .collect()
    }
}
