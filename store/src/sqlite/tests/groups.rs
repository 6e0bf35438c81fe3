//! Many callers, one commit.

use std::time::Duration;

use super::{Bed, Waiting, committed};
use crate::conformance::bed::{INSERT, ids, put, rows};
use crate::params;

/// Groups that stay open as long as somebody is in them.
async fn patient() -> Bed {
    Bed::sqlite_with(|config| config.group_time = Duration::from_secs(60)).await
}

#[tokio::test]
async fn nobody_is_acknowledged_before_the_common_commit() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let mut first = bed.db.begin(&ctx).await.unwrap();
    put(&mut first, "first").await;
    let mut writes = Waiting::made(bed.db.submit(&ctx, rows(&["writes"])));
    let mut second = Waiting::made(bed.db.begin(&ctx));
    let mut first = Waiting::made(first.commit(()));
    // The second is granted: so the first has given its turn back, and the write set has run.
    let mut second = {
        assert!(second.is_waiting() || first.is_waiting());
        second.answer().await.unwrap()
    };
    assert_eq!(ids(&mut second).await, ["first", "writes"]);
    assert_eq!(committed(&bed), [""; 0]);
    assert!(first.is_waiting() && writes.is_waiting());
    let before = bed.db.status().commits;
    second.rollback().await;
    first.answer().await.unwrap();
    writes.answer().await.unwrap();
    assert_eq!(committed(&bed), ["first", "writes"]);
    assert_eq!(bed.db.status().commits - before, 1);
}

#[tokio::test]
async fn fifty_callers_share_one_commit() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let turn = bed.db.begin(&ctx).await.unwrap();
    let before = bed.db.status();
    let names: Vec<String> = (10..60).map(|n| n.to_string()).collect();
    let callers: Vec<_> = names
        .iter()
        .map(|name| Waiting::made(bed.db.submit(&ctx, rows(&[name.as_str()]))))
        .collect();
    turn.rollback().await;
    for caller in callers {
        caller.answer().await.unwrap();
    }
    let after = bed.db.status();
    assert_eq!((after.commits - before.commits, after.acknowledged - before.acknowledged), (1, 50));
    assert_eq!(committed(&bed), names);
}

#[tokio::test]
async fn one_that_fails_in_a_group_takes_nobody_with_it() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let mut kept = bed.db.begin(&ctx).await.unwrap();
    put(&mut kept, "kept").await;
    let before = Waiting::made(bed.db.submit(&ctx, rows(&["before"])));
    let fails = Waiting::made(bed.db.submit(&ctx, rows(&["half", "before"])));
    let dropped = Waiting::made(bed.db.begin(&ctx));
    let after = Waiting::made(bed.db.submit(&ctx, rows(&["after"])));
    let kept = Waiting::made(kept.commit(()));
    let mut dropped = dropped.answer().await.unwrap();
    dropped.execute(INSERT, &params!["dropped", 0]).await.unwrap();
    drop(dropped);
    kept.answer().await.unwrap();
    before.answer().await.unwrap();
    assert_eq!(fails.answer().await.unwrap_err().code(), "duplicate");
    after.answer().await.unwrap();
    assert_eq!(committed(&bed), ["after", "before", "kept"]);
}

#[tokio::test]
async fn one_that_stops_half_way_has_the_others_written_once_more() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    for round in ["1", "2"] {
        let name = |what: &str| format!("{what}{round}");
        let turn = bed.db.begin(&ctx).await.unwrap();
        let commits = bed.db.status().commits;
        let submit = |ids: Vec<String>| {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            Waiting::made(bed.db.submit(&ctx, rows(&ids)))
        };
        let before = submit(vec![name("before")]);
        let fails = submit(vec![name("half"), name("before")]);
        let refused_at_once = submit(vec![name("before")]);
        let after = submit(vec![name("after")]);
        turn.rollback().await;
        before.answer().await.unwrap();
        assert_eq!(fails.answer().await.unwrap_err().code(), "duplicate");
        assert_eq!(refused_at_once.answer().await.unwrap_err().code(), "duplicate");
        after.answer().await.unwrap();
        assert_eq!(bed.db.status().commits - commits, 1);
    }
    assert_eq!(committed(&bed), ["after1", "after2", "before1", "before2"]);
}

#[tokio::test]
async fn a_caller_that_goes_away_while_waiting_holds_nobody_up() {
    let bed = patient().await;
    let ctx = bed.ctx("a");
    let turn = bed.db.begin(&ctx).await.unwrap();
    drop(Waiting::made(bed.db.begin(&ctx)));
    // Its write set is in the queue: it is done, though nobody hears of it.
    drop(Waiting::made(bed.db.submit(&ctx, rows(&["unheard"]))));
    let last = Waiting::made(bed.db.submit(&ctx, rows(&["last"])));
    drop(turn);
    last.answer().await.unwrap();
    assert_eq!(committed(&bed), ["last", "unheard"]);
}

#[tokio::test]
async fn a_refusal_that_rests_on_the_group_waits_for_its_commit() {
    let bed = patient().await;
    let (keyed, plain) = (bed.keyed("a", "key", "body"), bed.ctx("a"));
    let first = bed.db.begin(&keyed).await.unwrap();
    let second = Waiting::made(bed.db.begin(&keyed));
    let third = Waiting::made(bed.db.begin(&plain));
    let first = Waiting::made(first.commit("answer"));
    let second = async {
        let told = second.answer().await.err().unwrap();
        // Told so, it finds the answer: it is committed.
        (told, bed.db.recorded_answer(&keyed).await.unwrap())
    };
    let third = async { third.answer().await.unwrap().rollback().await };
    let ((told, found), ()) = tokio::join!(second, third);
    assert_eq!(told.code(), "idempotency_recorded");
    assert_eq!(found, Some(serde_json::json!("answer")));
    assert_eq!(first.answer().await.unwrap(), "answer");
}
