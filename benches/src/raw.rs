//! What SQLite itself can do: a bare loop that commits as many bytes, in as many batches, as the
//! engine did. What is missing to it is what the engine costs.
//!
//! Bytes can be counted in two ways: those that are there afterwards, in one table without indexes;
//! or those that were written, to the log and from it to the database, which is what a commit waits
//! for. Both are measured.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::cpu::written_bytes;
use crate::instances::Committed;
use crate::report::Report;

/// Commits the same again as what is in `folder`, one row for each transaction of the engine.
pub(crate) fn measure(
    folder: &Path,
    committed: Committed,
    report: &mut Report,
) -> anyhow::Result<()> {
    let size = std::fs::metadata(folder.join("flowmaster.db"))?.len();
    let kept = size / committed.ever.max(1);
    let same_rows = bare_loop(&folder.join("rows.db"), kept, committed)?;
    // A row of more bytes writes proportionally more.
    let more = committed.written as f64 / same_rows.written as f64;
    let body = (kept as f64 * more) as u64;
    let same_log = bare_loop(&folder.join("log.db"), body, committed)?;
    let transactions = committed.transactions as f64;
    report.add("sqlite_transactions_per_commit", transactions / committed.commits as f64)?;
    report.add("sqlite_kept_bytes_per_transaction", kept as f64)?;
    report.add("sqlite_raw_kept_transactions_per_s", transactions / same_rows.seconds)?;
    report.add("sqlite_share_of_raw_kept", same_rows.seconds / committed.seconds)?;
    report.add("sqlite_written_bytes_per_transaction", committed.written as f64 / transactions)?;
    report
        .add("sqlite_raw_written_bytes_per_transaction", same_log.written as f64 / transactions)?;
    report.add("sqlite_raw_written_transactions_per_s", transactions / same_log.seconds)?;
    report.add("sqlite_share_of_raw_written", same_log.seconds / committed.seconds)
}

struct Loop {
    seconds: f64,
    written: u64,
}

/// Inserts rows of `bytes` bytes, as many a commit as the engine did.
fn bare_loop(path: &Path, bytes: u64, committed: Committed) -> anyhow::Result<Loop> {
    let database = Connection::open(path)?;
    let mode: String = database.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "SQLite took the journal mode {mode}");
    database.execute_batch("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=12000")?;
    database.execute_batch("CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let body = vec![7_u8; usize::try_from(bytes)?];
    let mut insert = database.prepare("INSERT INTO raw (body) VALUES (?1)")?;
    let written = written_bytes()?;
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
    Ok(Loop { seconds: started.elapsed().as_secs_f64(), written: written_bytes()? - written })
}
