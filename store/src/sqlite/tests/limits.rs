//! Nobody holds up everybody.

use std::time::Duration;

use flowmaster_kernel::{Clock, Ctx};

use super::{Bed, Waiting, committed};
use crate::conformance::bed::{ids, put, rows};

/// Reads for minutes if it is let.
const ENDLESS: &str = "WITH RECURSIVE numbers(n) AS (
        SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000000000)
    SELECT COUNT(*) FROM numbers WHERE 'tenant_id' <> $1";

#[tokio::test]
async fn a_transaction_held_too_long_is_rolled_back_alone() {
    let bed = Bed::sqlite_with(|config| config.hold_limit = Duration::from_millis(300)).await;
    let ctx = bed.ctx("a");
    let mut held = bed.db.begin(&ctx).await.unwrap();
    put(&mut held, "held").await;
    let same_group = Waiting::made(bed.db.submit(&ctx, rows(&["same group"])));
    // Begun while the first is open, as a nested call would: it gets its turn all the same.
    let mut other = bed.db.begin(&ctx).await.unwrap();
    put(&mut other, "other").await;
    let refused = held.query("SELECT id FROM test_rows WHERE tenant_id = $1", &[]).await;
    assert_eq!(refused.unwrap_err().code(), "transaction_expired");
    assert_eq!(held.commit(()).await.unwrap_err().code(), "transaction_expired");
    other.commit(()).await.unwrap();
    same_group.answer().await.unwrap();
    assert_eq!(committed(&bed), ["other", "same group"]);
    assert_eq!(bed.db.status().expired, 1);
}

#[tokio::test]
async fn a_transaction_is_not_held_beyond_the_deadline_of_its_call() {
    let bed = Bed::sqlite().await;
    let deadline = Some(bed.clock.now().plus_millis(300));
    let ctx = Ctx { deadline, ..bed.ctx("a") };
    let mut held = bed.db.begin(&ctx).await.unwrap();
    put(&mut held, "held").await;
    bed.db.submit(&bed.ctx("a"), rows(&["other"])).await.unwrap();
    assert_eq!(held.commit(()).await.unwrap_err().code(), "transaction_expired");
    assert_eq!(committed(&bed), ["other"]);
}

#[tokio::test]
async fn who_waits_beyond_the_deadline_is_not_begun() {
    let bed = Bed::sqlite().await;
    let deadline = Some(bed.clock.now());
    let late = Ctx { deadline, ..bed.ctx("a") };
    let turn = bed.db.begin(&bed.ctx("a")).await.unwrap();
    let begin = Waiting::made(bed.db.begin(&late));
    let writes = Waiting::made(bed.db.submit(&late, rows(&["late"])));
    bed.clock.advance_millis(1);
    turn.rollback().await;
    assert_eq!(begin.answer().await.err().unwrap().code(), "deadline_exceeded");
    assert_eq!(writes.answer().await.unwrap_err().code(), "deadline_exceeded");
    assert_eq!(committed(&bed), [""; 0]);
}

#[tokio::test]
async fn a_snapshot_held_open_while_others_write_is_ended() {
    let bed = Bed::sqlite_with(|config| config.snapshot_limit = Duration::ZERO).await;
    let ctx = bed.ctx("a");
    // One more than there are connections, so that giving them back is seen as well.
    for round in 0..=bed.config.readers {
        let mut snapshot = bed.db.read(&ctx).await.unwrap();
        ids(&mut snapshot).await;
        bed.db.submit(&ctx, rows(&[round.to_string().as_str()])).await.unwrap();
        let ended = snapshot.query("SELECT id FROM test_rows WHERE tenant_id = $1", &[]).await;
        assert_eq!(ended.unwrap_err().code(), "snapshot_expired");
    }
}

#[tokio::test]
async fn a_statement_without_end_is_ended() {
    let bed = Bed::sqlite_with(|config| config.statement_limit = Duration::from_millis(300)).await;
    let ctx = bed.ctx("a");
    let mut snapshot = bed.db.read(&ctx).await.unwrap();
    let ended = snapshot.query(ENDLESS, &[]).await.unwrap_err();
    assert_eq!(ended.code(), "statement_timeout");
    assert_eq!(ids(&mut snapshot).await, [""; 0]);
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    put(&mut tx, "with it").await;
    let other = Waiting::made(bed.db.submit(&ctx, rows(&["other"])));
    assert_eq!(tx.query(ENDLESS, &[]).await.unwrap_err().code(), "statement_timeout");
    drop(tx);
    other.answer().await.unwrap();
    assert_eq!(committed(&bed), ["other"]);
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_at_once() {
    let bed = Bed::sqlite_with(|config| config.queue_limit = 2).await;
    let ctx = bed.ctx("a");
    let turn = bed.db.begin(&ctx).await.unwrap();
    let one = Waiting::made(bed.db.submit(&ctx, rows(&["1"])));
    let two = Waiting::made(bed.db.submit(&ctx, rows(&["2"])));
    let refused = bed.db.submit(&ctx, rows(&["3"])).await.unwrap_err();
    assert_eq!((refused.code(), refused.body().retryable), ("store_overloaded", true));
    turn.rollback().await;
    one.answer().await.unwrap();
    two.answer().await.unwrap();
    bed.db.submit(&ctx, rows(&["4"])).await.unwrap();
    assert_eq!(committed(&bed), ["1", "2", "4"]);
}

#[tokio::test]
async fn readers_that_are_all_taken_are_waited_for() {
    let bed = Bed::sqlite_with(|config| config.readers = 1).await;
    let ctx = bed.ctx("a");
    let first = bed.db.read(&ctx).await.unwrap();
    let second = Waiting::made(bed.db.read(&ctx));
    drop(first);
    second.answer().await.unwrap();
}
