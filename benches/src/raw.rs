//! What SQLite itself can do: a bare loop that commits as many bytes, in as many batches, as the
//! engine did. What is missing to it is what the engine costs.
//!
//! Bytes can be counted in two ways: those that are there afterwards, in one table without indexes;
//! or those that were written, to the log and from it to the database, which is what a commit waits
//! for. Both are measured.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use rusqlite::Connection;

use crate::cpu::written_bytes;
use crate::instances::Committed;
use crate::report::{Report, quantile};

/// Commits of one caller alone.
const ALONE: usize = 1_000;

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
    report.add("sqlite_share_of_raw_written", same_log.seconds / committed.seconds)?;
    let step = report.get("sqlite_serial_instance_p50_ms").context("no serial round")? / 2.0;
    let sync = 1_000.0 / report.get("disk_fdatasync_per_s").context("no disk was measured")?;
    let commit = commits_alone(&folder.join("alone.db"), body)?;
    report.add("sqlite_raw_commit_p50_ms", commit)?;
    report.add("sqlite_serial_step_in_raw_commits", step / commit)?;
    report.add("sqlite_serial_step_in_disk_syncs", step / sync)
}

struct Loop {
    seconds: f64,
    written: u64,
}

/// A new database with the settings of ours and one table without indexes.
fn bare(path: &Path) -> anyhow::Result<Connection> {
    let database = Connection::open(path)?;
    let mode: String = database.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "SQLite took the journal mode {mode}");
    database.execute_batch("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000")?;
    database.execute_batch("CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    Ok(database)
}

const INSERT: &str = "INSERT INTO raw (body) VALUES (?1)";

/// How long one commit of a row of `bytes` bytes takes in the middle, in milliseconds.
fn commits_alone(path: &Path, bytes: u64) -> anyhow::Result<f64> {
    let database = bare(path)?;
    let body = vec![7_u8; usize::try_from(bytes)?];
    let mut insert = database.prepare(INSERT)?;
    let mut millis = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        let started = Instant::now();
        insert.execute([&body])?;
        millis.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    millis.sort_by(f64::total_cmp);
    Ok(quantile(&millis, 0.5))
}

/// Inserts rows of `bytes` bytes, as many a commit as the engine did.
fn bare_loop(path: &Path, bytes: u64, committed: Committed) -> anyhow::Result<Loop> {
    let database = bare(path)?;
    let body = vec![7_u8; usize::try_from(bytes)?];
    let mut insert = database.prepare(INSERT)?;
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
