//! What a transaction and a write set promise.

use flowmaster_kernel::{Ctx, Error};
use serde_json::{Value, json};

use super::bed::{Bed, INSERT, ids, payload, put, rows};
use crate::jobs::{self, NewJob};
use crate::{WriteSet, params};

pub(super) async fn what_is_committed_survives_a_restart(bed: Bed) {
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    put(&mut tx, "1").await;
    assert_eq!(tx.commit(json!("done")).await.unwrap(), json!("done"));
    bed.db.submit(&bed.ctx("a"), rows(&["2", "3"])).await.unwrap();
    let bed = bed.reopen().await;
    assert_eq!(bed.ids("a").await, ["1", "2", "3"]);
}

pub(super) async fn a_dropped_transaction_rolls_back_itself_alone(bed: Bed) {
    let ctx = bed.ctx("a");
    let mut dropped = bed.db.begin(&ctx).await.unwrap();
    put(&mut dropped, "dropped").await;
    drop(dropped);
    let mut kept = bed.db.begin(&ctx).await.unwrap();
    put(&mut kept, "kept").await;
    kept.commit(()).await.unwrap();
    let mut undone = bed.db.begin(&ctx).await.unwrap();
    put(&mut undone, "undone").await;
    undone.rollback().await;
    assert_eq!(bed.ids("a").await, ["kept"]);
}

pub(super) async fn a_transaction_sees_its_own_writes_and_others_do_not(bed: Bed) {
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    put(&mut tx, "1").await;
    assert_eq!(ids(&mut tx).await, ["1"]);
    assert_eq!(bed.ids("a").await, [""; 0]);
    tx.commit(()).await.unwrap();
    assert_eq!(bed.ids("a").await, ["1"]);
}

pub(super) async fn a_snapshot_does_not_move(bed: Bed) {
    bed.db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    assert_eq!(ids(&mut snapshot).await, ["1"]);
    bed.db.submit(&bed.ctx("a"), rows(&["2"])).await.unwrap();
    assert_eq!(ids(&mut snapshot).await, ["1"]);
    drop(snapshot);
    assert_eq!(bed.ids("a").await, ["1", "2"]);
}

pub(super) async fn a_failed_statement_leaves_only_a_rollback(bed: Bed) {
    let ctx = bed.ctx("a");
    bed.db.submit(&ctx, rows(&["1"])).await.unwrap();
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    put(&mut tx, "2").await;
    let duplicate = tx.execute(INSERT, &params!["1", 0]).await.unwrap_err();
    assert_eq!(duplicate.code(), "duplicate");
    let after = tx.execute(INSERT, &params!["3", 0]).await.unwrap_err();
    assert_eq!(after.code(), "transaction_failed");
    assert_eq!(tx.commit(()).await.unwrap_err().code(), "transaction_failed");
    assert_eq!(bed.ids("a").await, ["1"]);
}

async fn increment(bed: &Bed, ctx: &Ctx) -> Result<Value, Error> {
    let mut tx = bed.db.begin(ctx).await?;
    let read = "SELECT n FROM test_rows WHERE tenant_id = $1 AND id = $2";
    let n = tx.query_one(read, &params!["1"]).await?.int(0)?;
    let write = "UPDATE test_rows SET n = $3 WHERE tenant_id = $1 AND id = $2";
    tx.execute(write, &params!["1", n + 1]).await?;
    tx.commit(json!(n + 1)).await
}

pub(super) async fn concurrent_increments_lose_no_update(bed: Bed) {
    let ctx = bed.ctx("a");
    bed.db.submit(&ctx, rows(&["1"])).await.unwrap();
    let bed = std::sync::Arc::new(bed);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (bed, ctx) = (bed.clone(), ctx.clone());
            tokio::spawn(async move {
                // As often as it takes: each round at least one of the callers gets through.
                loop {
                    match increment(&bed, &ctx).await {
                        Ok(_) => return,
                        Err(error) => assert_eq!(error.code(), "transaction_lost"),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut snapshot = bed.db.read(&ctx).await.unwrap();
    let n = snapshot.query_one("SELECT n FROM test_rows WHERE tenant_id = $1", &[]).await.unwrap();
    assert_eq!(n.int(0).unwrap(), 8);
}

pub(super) async fn write_sets_of_many_callers_fail_alone(bed: Bed) {
    let callers: Vec<_> = (0..48)
        .map(|caller| {
            let (db, ctx) = (bed.db.clone(), bed.ctx("a"));
            tokio::spawn(async move {
                let id = format!("{caller:02}");
                let mut writes = rows(&[id.as_str()]);
                if caller % 3 == 0 {
                    writes.push_expecting(
                        "UPDATE test_rows SET n = 1 WHERE tenant_id = $1 AND id = $2",
                        params!["nobody"],
                        1,
                        Error::conflict("nobody_there", "nobody is there"),
                    );
                }
                (id, db.submit(&ctx, writes).await)
            })
        })
        .collect();
    let mut stored = Vec::new();
    for (caller, task) in callers.into_iter().enumerate() {
        let (id, outcome) = task.await.unwrap();
        match outcome {
            Ok(()) => stored.push(id),
            Err(error) => assert_eq!((error.code(), caller % 3), ("nobody_there", 0)),
        }
    }
    assert_eq!(stored.len(), 32);
    assert_eq!(bed.ids("a").await, stored);
}

pub(super) async fn a_write_set_is_all_or_nothing(bed: Bed) {
    bed.db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    let code = bed.refused(|writes| writes.extend(rows(&["2", "1", "3"]))).await;
    assert_eq!(code, "duplicate");
    assert_eq!(bed.ids("a").await, ["1"]);
    bed.db.submit(&bed.ctx("a"), WriteSet::new()).await.unwrap();
}

pub(super) async fn a_late_call_is_not_begun(bed: Bed) {
    let ctx = Ctx { deadline: Some(bed.now()), ..bed.ctx("a") };
    bed.db.submit(&ctx, rows(&["in time"])).await.unwrap();
    bed.clock.advance_millis(1);
    let late = bed.db.submit(&ctx, rows(&["late"])).await.unwrap_err();
    assert_eq!(late.code(), "deadline_exceeded");
    assert_eq!(bed.db.begin(&ctx).await.err().unwrap().code(), "deadline_exceeded");
    assert_eq!(bed.db.read(&ctx).await.err().unwrap().code(), "deadline_exceeded");
    assert_eq!(bed.ids("a").await, ["in time"]);
}

pub(super) async fn statements_that_would_end_a_transaction_are_refused(bed: Bed) {
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    for sql in ["COMMIT /* $1 tenant_id */", "ROLLBACK", "PRAGMA x", "SAVEPOINT x"] {
        let refused = tx.execute_dynamic(sql, &[]).await.unwrap_err();
        assert_eq!(refused.code(), "invalid_statement", "{sql}");
    }
    // Refused before it ran, so nothing of the transaction is lost.
    put(&mut tx, "1").await;
    tx.commit(()).await.unwrap();
    assert_eq!(bed.ids("a").await, ["1"]);
}

pub(super) async fn a_store_that_is_closed_says_so(bed: Bed) {
    let db = bed.db.clone();
    db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    db.clone().close().await;
    let ctx = bed.ctx("a");
    assert_eq!(db.begin(&ctx).await.err().unwrap().code(), "store_closed");
    assert_eq!(db.submit(&ctx, rows(&["2"])).await.unwrap_err().code(), "store_closed");
    assert_eq!(db.read(&ctx).await.err().unwrap().code(), "store_closed");
}

pub(super) async fn drivers_are_woken_by_what_concerns_them(bed: Bed) {
    let mut hints = bed.db.commits();
    bed.db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap();
    assert!(!hints.has_changed().unwrap());
    let payload = payload();
    let job = NewJob {
        id: "j",
        kind: "agent",
        job_type: "t",
        instance: "i",
        element: "e",
        priority: 0,
        retries: 1,
        due_at: bed.now(),
        created_at: bed.now(),
        is_paused: false,
        payload: &payload,
    };
    bed.write(|writes| jobs::insert(writes, &job)).await;
    assert!(hints.has_changed().unwrap());
    let seen = *hints.borrow_and_update();
    assert_eq!((seen.jobs, seen.timers, seen.outbox), (1, 0, 0));
}
