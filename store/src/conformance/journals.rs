//! The journal: complete, in order, and tampering shows.

use flowmaster_kernel::Ctx;
use serde_json::json;

use super::bed::Bed;
use crate::WriteSet;
use crate::journal::{self, Head};
use crate::listeners::{self, Audience};

/// A journal of `length` transitions of instance `i` of tenant `a`; its head.
async fn write(bed: &Bed, length: i64) -> Head {
    let mut head = Head::default();
    let ctx = bed.ctx("a");
    for n in 0..length {
        let mut writes = WriteSet::new();
        head =
            journal::append(&mut writes, &ctx, "i", &head, &json!([{ "n": n }]), Audience::Nobody)
                .unwrap();
        bed.db.submit(&ctx, writes).await.unwrap();
        bed.clock.advance_millis(1);
    }
    head
}

pub(super) async fn a_journal_is_read_back_in_order_and_in_pages(bed: Bed) {
    let start = bed.now();
    let head = write(&bed, 5).await;
    let bed = bed.reopen().await;
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let first = journal::read(&mut snapshot, "i", 0, 3).await.unwrap();
    let rest = journal::read(&mut snapshot, "i", 3, 3).await.unwrap();
    let all: Vec<_> = first.iter().chain(&rest).collect();
    assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all[4].events, json!([{ "n": 4 }]));
    assert_eq!((all[4].at, all[4].actor.as_str()), (start.plus_millis(4), "anna"));
    assert_eq!((all[0].prev_hash.as_str(), &all[1].prev_hash), ("", &all[0].hash));
    assert_eq!(journal::head(&mut snapshot, "i").await.unwrap(), head);
    let tenant = bed.ctx("a").tenant;
    let verified = journal::verify(&mut snapshot, &tenant, "i", Some(&head)).await.unwrap();
    assert_eq!(verified, head);
    journal::check_end("i", 3, &rest, &head).unwrap();
    journal::check_end("i", 5, &[], &head).unwrap();
    for (after, rows) in [(0, &first[..]), (3, &rest[..1]), (4, &[])] {
        let cut = journal::check_end("i", after, rows, &head).unwrap_err();
        assert_eq!(cut.code(), "journal_tampered", "{after}");
    }
}

pub(super) async fn two_writers_of_one_instance_do_not_both_append(bed: Bed) {
    let head = write(&bed, 1).await;
    let ctx = bed.ctx("a");
    let code = async |events: &str| {
        let mut writes = WriteSet::new();
        journal::append(&mut writes, &ctx, "i", &head, &events, Audience::Nobody).unwrap();
        bed.db.submit(&ctx, writes).await.map_err(|error| error.code().to_owned())
    };
    let (one, two) = tokio::join!(code("one"), code("two"));
    let outcomes = [one, two];
    assert!(outcomes.contains(&Ok(())), "{outcomes:?}");
    assert!(outcomes.contains(&Err("stale_instance".to_owned())), "{outcomes:?}");
}

pub(super) async fn a_journal_that_was_tampered_with_is_found(bed: Bed) {
    let head = write(&bed, 4).await;
    let ctx = bed.ctx("a");
    let check = async |tampering: &str, row: i64| {
        let mut tx = bed.db.begin(&ctx).await.unwrap();
        let changed = tx.execute_dynamic(tampering, &[]).await.unwrap();
        assert!(changed > 0, "{tampering}");
        let found = journal::verify(&mut tx, &ctx.tenant, "i", Some(&head)).await.unwrap_err();
        assert_eq!(found.code(), "journal_tampered", "{tampering}");
        assert_eq!(found.body().details.as_ref().unwrap()["seq"], json!(row), "{tampering}");
        tx.rollback().await;
    };
    for (column, value) in [
        ("events", "'[]'"),
        ("actor", "'mallory'"),
        ("at", "at + 1"),
        ("prev_hash", "'00'"),
        ("hash", "'00'"),
    ] {
        let update =
            format!("UPDATE store_journal SET {column} = {value} WHERE tenant_id = $1 AND seq = 2");
        check(&update, 2).await;
    }
    check("DELETE FROM store_journal WHERE tenant_id = $1 AND seq = 2", 3).await;
    // Cut off at the end: only who keeps the head can see it.
    check("DELETE FROM store_journal WHERE tenant_id = $1 AND seq = 4", 4).await;
    check("UPDATE store_journal SET seq = 9 WHERE tenant_id = $1 AND seq = 4", 9).await;
    let mut snapshot = bed.db.read(&ctx).await.unwrap();
    journal::verify(&mut snapshot, &ctx.tenant, "i", Some(&head)).await.unwrap();
}

pub(super) async fn a_journal_is_taken_out_to_the_letter(bed: Bed) {
    let head = write(&bed, 3).await;
    let ctx = bed.ctx("a");
    let mut snapshot = bed.db.read(&ctx).await.unwrap();
    let sealed = journal::read_sealed(&mut snapshot, "i", 0, 9).await.unwrap();
    drop(snapshot);
    let text = serde_json::to_string(&sealed).unwrap();
    let read: Vec<journal::Sealed> = serde_json::from_str(&text).unwrap();
    let mut end = Head::default();
    for row in &read {
        end = row.behind(&end, ctx.tenant.as_str(), "i").unwrap();
    }
    assert_eq!(end, head);
    let another = read[1].behind(&Head::default(), ctx.tenant.as_str(), "i").unwrap_err();
    assert_eq!(another.code(), "journal_tampered");

    let remove = async |seq: i64| {
        let mut writes = WriteSet::new();
        journal::remove(&mut writes, "i", &Head { seq, ..head.clone() });
        bed.db.submit(&ctx, writes).await.map_err(|error| error.code().to_owned())
    };
    assert_eq!(remove(2).await, Err("stale_instance".to_owned()), "it went on meanwhile");
    assert_eq!(remove(3).await, Ok(()));
    let mut snapshot = bed.db.read(&ctx).await.unwrap();
    assert_eq!(journal::head(&mut snapshot, "i").await.unwrap(), Head::default());
}

pub(super) async fn a_transition_is_written_only_for_the_audience_that_there_is(bed: Bed) {
    let (ctx, other) = (bed.ctx("a"), bed.ctx("b"));
    let submit = async |ctx: &Ctx, instance: &str, audience: Audience| {
        let mut writes = WriteSet::new();
        journal::append(&mut writes, ctx, instance, &Head::default(), &json!([]), audience)
            .unwrap();
        bed.db.submit(ctx, writes).await.map_err(|refused| refused.code().to_owned())
    };
    let refused = Err("constraint_failed".to_owned());
    assert_eq!(bed.db.audience(&ctx), Audience::Nobody);
    assert_eq!(bed.db.look_at_audience(&ctx).await.unwrap(), Audience::Nobody);
    assert_eq!(submit(&ctx, "i", Audience::Somebody).await, refused);
    assert_eq!(submit(&ctx, "i", Audience::Nobody).await, Ok(()));
    bed.write(|writes| listeners::listen(writes, "one")).await;
    bed.write(|writes| listeners::listen(writes, "two")).await;
    assert_eq!(submit(&ctx, "j", bed.db.audience(&ctx)).await, refused);
    assert_eq!(bed.db.look_at_audience(&ctx).await.unwrap(), Audience::Somebody);
    assert_eq!(submit(&ctx, "j", bed.db.audience(&ctx)).await, Ok(()));
    assert_eq!(submit(&other, "i", Audience::Nobody).await, Ok(()), "another tenant");
    bed.write(|writes| listeners::leave(writes, "one")).await;
    assert_eq!(submit(&ctx, "k", Audience::Somebody).await, Ok(()), "one is left");
    bed.write(|writes| listeners::leave(writes, "two")).await;
    assert_eq!(submit(&ctx, "l", bed.db.audience(&ctx)).await, refused);
    assert_eq!(bed.db.look_at_audience(&ctx).await.unwrap(), Audience::Nobody);
    assert_eq!(bed.db.audience(&ctx), Audience::Nobody);
}
