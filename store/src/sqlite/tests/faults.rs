//! Errors that end more than a statement.

use std::time::Duration;

use super::{Bed, Waiting, committed, folder, on_writer, sqlite, wait_for};
use crate::conformance::bed::{INSERT, put, rows};
use crate::{Health, WriteSet, params};

/// Ends the whole outer transaction when the row exists, as `SQLITE_FULL` and `SQLITE_IOERR` may.
const ENDS_ALL: &str = "INSERT OR ROLLBACK INTO test_rows (tenant_id, id, n) VALUES ($1, $2, $3)";

async fn patient() -> Bed {
    let bed = Bed::sqlite_with(|config| config.group_time = Duration::from_secs(60)).await;
    bed.db.submit(&bed.ctx("a"), rows(&["there"])).await.unwrap();
    bed
}

fn ends_all() -> WriteSet {
    let mut writes = rows(&["with it"]);
    writes.push(ENDS_ALL, params!["there", 0]);
    writes
}

#[tokio::test]
async fn when_a_write_set_ends_the_group_others_run_again_and_transactions_are_told() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let mut transaction = bed.db.begin(&ctx).await.unwrap();
    put(&mut transaction, "transaction").await;
    let before = Waiting::made(bed.db.submit(&ctx, rows(&["before"])));
    let culprit = Waiting::made(bed.db.submit(&ctx, ends_all()));
    let after = Waiting::made(bed.db.submit(&ctx, rows(&["after"])));
    let transaction = Waiting::made(transaction.commit(()));
    let lost = transaction.answer().await.unwrap_err();
    assert_eq!((lost.code(), lost.body().retryable), ("transaction_lost", true));
    before.answer().await.unwrap();
    assert_eq!(culprit.answer().await.unwrap_err().code(), "duplicate");
    after.answer().await.unwrap();
    assert_eq!(committed(&bed), ["after", "before", "there"]);
    assert_eq!(bed.db.status().health, Health::Ready);
}

#[tokio::test]
async fn when_a_transaction_ends_the_group_its_next_savepoint_does_not_commit_by_itself() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let mut culprit = bed.db.begin(&ctx).await.unwrap();
    put(&mut culprit, "culprit").await;
    let other = Waiting::made(bed.db.begin(&ctx));
    let failed = culprit.execute(ENDS_ALL, &params!["there", 0]).await.unwrap_err();
    assert_eq!(failed.code(), "duplicate");
    assert_eq!(culprit.commit(()).await.unwrap_err().code(), "transaction_failed");
    // In a group of its own: what it writes is not there before its commit.
    let mut other = other.answer().await.unwrap();
    put(&mut other, "other").await;
    assert_eq!(committed(&bed), ["there"]);
    drop(other);
    bed.db.submit(&ctx, rows(&["later"])).await.unwrap();
    assert_eq!(committed(&bed), ["later", "there"]);
}

#[tokio::test]
async fn a_write_set_that_ends_every_group_it_is_in_fails_alone() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let turn = bed.db.begin(&ctx).await.unwrap();
    let first = Waiting::made(bed.db.submit(&ctx, ends_all()));
    let second = Waiting::made(bed.db.submit(&ctx, ends_all()));
    let good = Waiting::made(bed.db.submit(&ctx, rows(&["good"])));
    turn.rollback().await;
    assert_eq!(first.answer().await.unwrap_err().code(), "duplicate");
    assert_eq!(second.answer().await.unwrap_err().code(), "duplicate");
    good.answer().await.unwrap();
    assert_eq!(committed(&bed), ["good", "there"]);
}

#[tokio::test]
async fn a_commit_that_fails_stops_the_writer_and_tells_everybody_in_it() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    on_writer(&bed, |conn| conn.raw().commit_hook(Some(|| true)).unwrap()).await;
    let mut transaction = bed.db.begin(&ctx).await.unwrap();
    put(&mut transaction, "transaction").await;
    let writes = Waiting::made(bed.db.submit(&ctx, rows(&["writes"])));
    let transaction = Waiting::made(transaction.commit(()));
    assert_eq!(transaction.answer().await.unwrap_err().code(), "outcome_unknown");
    assert_eq!(writes.answer().await.unwrap_err().code(), "outcome_unknown");
    bed.db.poisoned().await;
    assert_eq!(bed.db.status().health, Health::Poisoned);
    assert_eq!(bed.db.begin(&ctx).await.err().unwrap().code(), "store_poisoned");
    let refused = bed.db.submit(&ctx, rows(&["refused"])).await.unwrap_err();
    assert_eq!((refused.code(), refused.body().retryable), ("store_poisoned", true));
    // What was acknowledged is there, to read now and after the restart.
    assert_eq!(bed.ids("a").await, ["there"]);
    let bed = bed.reopen().await;
    bed.db.submit(&bed.ctx("a"), rows(&["after"])).await.unwrap();
    assert_eq!(bed.ids("a").await, ["after", "there"]);
}

#[tokio::test]
async fn those_who_wait_when_the_writer_stops_are_turned_away_unharmed() {
    let bed = Bed::sqlite_with(|config| config.group_limit = 1).await;
    let ctx = bed.ctx("a");
    on_writer(&bed, |conn| conn.raw().commit_hook(Some(|| true)).unwrap()).await;
    let mut turn = bed.db.begin(&ctx).await.unwrap();
    put(&mut turn, "turn").await;
    let writes = Waiting::made(bed.db.submit(&ctx, rows(&["writes"])));
    let begin = Waiting::made(bed.db.begin(&ctx));
    assert_eq!(turn.commit(()).await.unwrap_err().code(), "outcome_unknown");
    assert_eq!(writes.answer().await.unwrap_err().code(), "store_poisoned");
    assert_eq!(begin.answer().await.err().unwrap().code(), "store_poisoned");
}

/// A database that holds about a hundred large rows.
async fn small() -> Bed {
    Bed::sqlite_with(|config| {
        config.max_bytes = Some(600 * 1024);
        config.space_check = Duration::from_millis(5);
        config.group_time = Duration::from_secs(60);
    })
    .await
}

fn large(id: &str) -> WriteSet {
    let mut writes = WriteSet::new();
    writes.push(
        "INSERT INTO test_rows (tenant_id, id, note) VALUES ($1, $2, $3)",
        params![id, "x".repeat(20_000)],
    );
    writes
}

/// Fills the database; the ids of what was acknowledged.
async fn fill(bed: &Bed) -> Vec<String> {
    let mut stored = Vec::new();
    loop {
        let id = format!("{:03}", stored.len());
        match bed.db.submit(&bed.ctx("a"), large(&id)).await {
            Ok(()) => stored.push(id),
            Err(error) => {
                assert_eq!((error.code(), error.kind().http_status()), ("storage_full", 507));
                return stored;
            }
        }
    }
}

/// No more space appears while this holds: the reserve cannot be written again.
fn block_recovery(bed: &Bed) {
    std::fs::create_dir(folder(bed).join("reserve.partial")).unwrap();
}

fn unblock_recovery(bed: &Bed) {
    std::fs::remove_dir(folder(bed).join("reserve.partial")).unwrap();
}

#[tokio::test]
async fn a_full_database_keeps_what_it_has_refuses_new_work_and_recovers() {
    let bed = small().await;
    let ctx = bed.ctx("a");
    assert_eq!(bed.db.status().reserve_bytes, Some(64 * 1024));
    block_recovery(&bed);
    let stored = fill(&bed).await;
    assert!(stored.len() > 5, "{}", stored.len());
    let status = bed.db.status();
    assert_eq!((status.health, status.reserve_bytes), (Health::StorageLow, Some(0)));
    assert!(!folder(&bed).join("reserve").exists());
    // Refused before it reaches the database, however small it is.
    assert_eq!(bed.db.submit(&ctx, rows(&["new"])).await.unwrap_err().code(), "storage_full");
    assert_eq!(bed.db.begin(&ctx).await.err().unwrap().code(), "storage_full");
    assert_eq!(bed.ids("a").await, stored);
    // Work that finishes something goes on, and here it makes room.
    let mut writes = WriteSet::new();
    writes.push("DELETE FROM test_rows WHERE tenant_id = $1 AND id > $2", params!["002"]);
    bed.db.submit(&ctx, writes.finishing()).await.unwrap();
    let mut tx = bed.db.begin_finishing(&ctx).await.unwrap();
    put(&mut tx, "finished").await;
    tx.commit(()).await.unwrap();
    unblock_recovery(&bed);
    wait_for(&bed, Health::Ready).await;
    assert_eq!(bed.db.status().reserve_bytes, Some(64 * 1024));
    bed.db.submit(&ctx, large("new")).await.unwrap();
    let bed = bed.reopen().await;
    assert_eq!(bed.ids("a").await, ["000", "001", "002", "finished", "new"]);
}

#[tokio::test]
async fn a_database_that_is_full_in_the_middle_of_a_group_loses_nobody_silently() {
    let bed = small().await;
    let ctx = bed.ctx("a");
    block_recovery(&bed);
    let mut transaction = bed.db.begin(&ctx).await.unwrap();
    put(&mut transaction, "transaction").await;
    let little = Waiting::made(bed.db.submit(&ctx, rows(&["little"])));
    let mut much = WriteSet::new();
    for n in 0..100 {
        much.extend(large(&format!("{n:03}")));
    }
    let much = Waiting::made(bed.db.submit(&ctx, much));
    let transaction = Waiting::made(transaction.commit(()));
    let told = transaction.answer().await.map_err(|error| error.code().to_owned());
    assert_eq!(much.answer().await.unwrap_err().code(), "storage_full");
    // It was accepted before the space ran out, so it runs again with the space of the reserve.
    little.answer().await.unwrap();
    let expected: &[&str] = match &told {
        Ok(()) => &["little", "transaction"],
        Err(code) if code == "storage_full" => &["little"],
        Err(code) => panic!("{code}"),
    };
    assert_eq!(committed(&bed), expected);
}

#[tokio::test]
async fn a_transaction_that_runs_out_of_space_fails_and_the_next_one_is_whole() {
    let bed = small().await;
    let ctx = bed.ctx("a");
    block_recovery(&bed);
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    let problem = loop {
        let written = tx.apply(large(&bed_id())).await;
        if let Err(problem) = written {
            break problem;
        }
    };
    assert_eq!(problem.code(), "storage_full");
    let next = Waiting::made(bed.db.begin_finishing(&ctx));
    drop(tx);
    let mut next = next.answer().await.unwrap();
    next.execute(INSERT, &params!["next", 0]).await.unwrap();
    assert_eq!(committed(&bed), [""; 0]);
    next.commit(()).await.unwrap();
    assert_eq!(committed(&bed), ["next"]);
    wait_for(&bed, Health::StorageLow).await;
}

/// Another id at every call.
fn bed_id() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("large {}", NEXT.fetch_add(1, Ordering::SeqCst))
}

#[tokio::test]
async fn after_a_full_disk_a_small_commit_settles_what_the_failed_one_left() {
    let bed = patient().await;
    let version =
        async |bed: &Bed| on_writer(bed, |conn| conn.pragma("user_version").unwrap()).await;
    let before = version(&bed).await;
    on_writer(&bed, |conn| super::super::coordinator::settle(conn).unwrap()).await;
    assert_ne!(version(&bed).await, before);
    assert_eq!(committed(&bed), ["there"]);
    assert!(sqlite(&bed).status().wal_bytes.unwrap() > 0);
}
