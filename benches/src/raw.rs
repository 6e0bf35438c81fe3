//! What SQLite itself can do: a bare loop that commits as many bytes, in as many batches, as the
//! engine did. What is missing to it is what the engine costs.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::instances::Committed;
use crate::report::Report;

/// Commits the same again as what is in `folder`, one row for each transaction of the engine.
pub(crate) fn measure(
    folder: &Path,
    committed: Committed,
    report: &mut Report,
) -> anyhow::Result<()> {
    let size = std::fs::metadata(folder.join("flowmaster.db"))?.len();
    let bytes = size / committed.ever.max(1);
    let database = Connection::open(folder.join("raw.db"))?;
    let mode: String = database.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "SQLite took the journal mode {mode}");
    database.execute_batch("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000")?;
    database.execute_batch("CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let body = vec![7_u8; usize::try_from(bytes)?];
    let mut insert = database.prepare("INSERT INTO raw (body) VALUES (?1)")?;
    let started = Instant::now();
    let mut left = committed.transactions;
    for commits in (1..=committed.commits).rev() {
        let batch = left.div_ceil(commits);
        database.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..batch {
            insert.execute([&body])?;
        }
        database.execute_batch("COMMIT")?;
        left -= batch;
    }
    let seconds = started.elapsed().as_secs_f64();
    report.add("sqlite_bytes_per_transaction", bytes as f64)?;
    report.add("sqlite_transactions_per_commit", {
        committed.transactions as f64 / committed.commits as f64
    })?;
    report.add("sqlite_raw_transactions_per_s", committed.transactions as f64 / seconds)?;
    report.add("sqlite_share_of_raw", seconds / committed.seconds)
}
