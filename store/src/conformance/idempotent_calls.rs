//! Same key, same answer, one effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use flowmaster_kernel::{Ctx, Error, Idempotency};
use serde_json::{Value, json};

use super::bed::{Bed, INSERT, put, rows};
use crate::{Db, WriteSet, idempotency, params};

/// A call as a room makes one: looks, decides, writes, answers. A second effect would be another
/// row, and a "taken" answer what somebody gets who comes second without a key.
async fn take(db: &Db, ctx: &Ctx, runs: &AtomicU32) -> Result<Value, Error> {
    let run = runs.fetch_add(1, Ordering::SeqCst);
    let mut tx = db.begin(ctx).await?;
    let taken = tx.query("SELECT id FROM test_rows WHERE tenant_id = $1", &[]).await?;
    if !taken.is_empty() {
        return Err(Error::conflict("taken", "it is taken"));
    }
    tx.execute(INSERT, &params![format!("by run {run}"), 0]).await?;
    tx.commit(json!({ "run": run })).await
}

pub(super) async fn sixteen_calls_with_one_key_have_one_effect_and_one_answer(bed: Bed) {
    let ctx = bed.keyed("a", "key", "body");
    let runs = Arc::new(AtomicU32::new(0));
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (db, ctx, runs) = (bed.db.clone(), ctx.clone(), runs.clone());
            tokio::spawn(async move { db.once(&ctx, || take(&db, &ctx, &runs)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap().unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let winner = answers[0]["run"].as_u64().unwrap();
    assert_eq!(bed.ids("a").await, [format!("by run {winner}")]);
    let keyless = bed.ctx("a");
    let second = bed.db.once(&keyless, || take(&bed.db, &keyless, &runs)).await.unwrap_err();
    assert_eq!(second.code(), "taken");
}

pub(super) async fn a_key_with_another_body_or_operation_is_a_conflict(bed: Bed) {
    let first = bed.keyed("a", "key", "body");
    bed.db.begin(&first).await.unwrap().commit(json!(1)).await.unwrap();
    let operation = Idempotency {
        key: "key".to_owned(),
        operation: "other".to_owned(),
        body_hash: "body".to_owned(),
    };
    let other_operation = Ctx { idempotency: Some(Arc::new(operation)), ..bed.ctx("a") };
    for ctx in [bed.keyed("a", "key", "other body"), other_operation] {
        let looked_up = bed.db.recorded_answer(&ctx).await.unwrap_err();
        assert_eq!(looked_up.code(), "idempotency_conflict");
        assert_eq!(bed.db.begin(&ctx).await.err().unwrap().code(), "idempotency_conflict");
        let never = || async { unreachable!("the call must not run") };
        assert_eq!(bed.db.once(&ctx, never).await.unwrap_err().code(), "idempotency_conflict");
    }
    // The very same call is told that it was done, before it does anything.
    assert_eq!(bed.db.begin(&first).await.err().unwrap().code(), "idempotency_recorded");
}

pub(super) async fn a_recorded_answer_survives_a_restart(bed: Bed) {
    let ctx = bed.keyed("a", "key", "body");
    assert_eq!(bed.db.recorded_answer(&ctx).await.unwrap(), None);
    bed.db.begin(&ctx).await.unwrap().commit(json!({"id": "x"})).await.unwrap();
    let bed = bed.reopen().await;
    assert_eq!(bed.db.recorded_answer(&ctx).await.unwrap(), Some(json!({"id": "x"})));
    assert_eq!(bed.db.recorded_answer(&bed.ctx("a")).await.unwrap(), None);
}

pub(super) async fn a_call_that_failed_may_be_repeated(bed: Bed) {
    let ctx = bed.keyed("a", "key", "body");
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    put(&mut tx, "1").await;
    tx.rollback().await;
    assert_eq!(bed.db.recorded_answer(&ctx).await.unwrap(), None);
    let mut tx = bed.db.begin(&ctx).await.unwrap();
    put(&mut tx, "2").await;
    tx.commit(json!(2)).await.unwrap();
    assert_eq!(bed.ids("a").await, ["2"]);
}

pub(super) async fn a_write_set_records_its_answer(bed: Bed) {
    let ctx = bed.keyed("a", "key", "body");
    let submit = async |id: &str| {
        let mut writes = rows(&[id]);
        writes.answer(&ctx, &json!(id)).unwrap();
        bed.db.submit(&ctx, writes).await
    };
    submit("1").await.unwrap();
    assert_eq!(submit("2").await.unwrap_err().code(), "idempotency_recorded");
    assert_eq!(bed.db.recorded_answer(&ctx).await.unwrap(), Some(json!("1")));
    assert_eq!(bed.ids("a").await, ["1"]);
    let too_large = "x".repeat(idempotency::MAX_ANSWER_BYTES);
    let refused = WriteSet::new().answer(&ctx, &too_large).unwrap_err();
    assert_eq!(refused.code(), "too_large_to_store");
}

pub(super) async fn keys_of_principals_are_their_own(bed: Bed) {
    let anna = bed.keyed("a", "key", "body");
    bed.db.begin(&anna).await.unwrap().commit(json!("anna")).await.unwrap();
    let mut principal = (*anna.principal).clone();
    principal.id = "ben".to_owned();
    let ben = Ctx { principal: Arc::new(principal), ..anna.clone() };
    let elsewhere = bed.keyed("b", "key", "body");
    for other in [ben, elsewhere] {
        assert_eq!(bed.db.recorded_answer(&other).await.unwrap(), None);
        bed.db.begin(&other).await.unwrap().commit(json!("other")).await.unwrap();
    }
    assert_eq!(bed.db.recorded_answer(&anna).await.unwrap(), Some(json!("anna")));
}

pub(super) async fn old_answers_are_forgotten(bed: Bed) {
    for key in ["1", "2", "3"] {
        let ctx = bed.keyed("a", key, "body");
        bed.db.begin(&ctx).await.unwrap().commit(json!(key)).await.unwrap();
        bed.clock.advance_millis(1_000);
    }
    let before = bed.now().plus_millis(-1_500);
    assert_eq!(idempotency::purge(&bed.db, before, 1).await.unwrap(), 1);
    assert_eq!(idempotency::purge(&bed.db, before, 10).await.unwrap(), 1);
    assert_eq!(idempotency::purge(&bed.db, before, 10).await.unwrap(), 0);
    let kept = bed.db.recorded_answer(&bed.keyed("a", "3", "body")).await.unwrap();
    assert_eq!(kept, Some(json!("3")));
}
