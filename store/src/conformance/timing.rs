//! Timers: never early, once, none lost.

use super::bed::{Bed, MINUTE, RAN_OUT, payload};
use crate::timers::{self, NewTimer, Timer};

async fn set(bed: &Bed, timers: &[(&str, i64)]) {
    let payload = payload();
    bed.write(|writes| {
        for (id, after) in timers {
            let due_at = bed.now().plus_millis(*after);
            let timer = NewTimer { id, instance: "i", element: "e", due_at, payload: &payload };
            timers::insert(writes, &timer);
        }
    })
    .await;
}

fn ids(timers: &[Timer]) -> Vec<&str> {
    timers.iter().map(|timer| timer.id.as_str()).collect()
}

pub(super) async fn timers_fire_when_due_and_once(bed: Bed) {
    set(&bed, &[("c", 20), ("a", 10), ("b", 15), ("now", 0)]).await;
    let due = timers::claim_due(&bed.db, MINUTE, 9).await.unwrap();
    assert_eq!(ids(&due), ["now"]);
    bed.clock.advance_millis(14);
    assert_eq!(ids(&timers::claim_due(&bed.db, MINUTE, 9).await.unwrap()), ["a"]);
    bed.clock.advance_millis(6);
    // In batches, the longest due first.
    assert_eq!(ids(&timers::claim_due(&bed.db, MINUTE, 1).await.unwrap()), ["b"]);
    let last = timers::claim_due(&bed.db, MINUTE, 9).await.unwrap();
    assert_eq!(ids(&last), ["c"]);
    bed.write(|writes| timers::fired(writes, "c", last[0].epoch)).await;
    let again = bed.refused(|writes| timers::fired(writes, "c", last[0].epoch)).await;
    assert_eq!(again, "stale_lease");
}

pub(super) async fn a_timer_whose_driver_died_fires_again(bed: Bed) {
    set(&bed, &[("a", 0)]).await;
    let died = timers::claim_due(&bed.db, RAN_OUT, 9).await.unwrap().remove(0);
    let bed = bed.reopen().await;
    let lives = timers::claim_due(&bed.db, MINUTE, 9).await.unwrap().remove(0);
    assert_eq!((died.epoch, lives.epoch, &lives.payload), (1, 2, &payload()));
    assert_eq!(bed.refused(|writes| timers::fired(writes, "a", died.epoch)).await, "stale_lease");
    bed.write(|writes| timers::fired(writes, "a", lives.epoch)).await;
}

pub(super) async fn the_next_moment_is_known(bed: Bed) {
    assert_eq!(timers::next_due(&bed.db).await.unwrap(), None);
    set(&bed, &[("later", 50), ("soon", 10)]).await;
    let start = bed.now();
    assert_eq!(timers::next_due(&bed.db).await.unwrap(), Some(start.plus_millis(10)));
    bed.clock.advance_millis(10);
    let soon = timers::claim_due(&bed.db, MINUTE, 9).await.unwrap().remove(0);
    assert_eq!(timers::next_due(&bed.db).await.unwrap(), Some(start.plus_millis(50)));
    bed.write(|writes| timers::cancel(writes, "later")).await;
    // What is left is the lease of a driver that may have died.
    assert!(timers::next_due(&bed.db).await.unwrap().unwrap() > start.plus_millis(50));
    bed.write(|writes| timers::fired(writes, &soon.id, soon.epoch)).await;
    assert_eq!(timers::next_due(&bed.db).await.unwrap(), None);
}

pub(super) async fn cancelled_timers_do_not_fire(bed: Bed) {
    set(&bed, &[("a", 0), ("b", 0), ("c", 0)]).await;
    let claimed = timers::claim_due(&bed.db, RAN_OUT, 1).await.unwrap().remove(0);
    bed.write(|writes| timers::cancel(writes, &claimed.id)).await;
    let late = bed.refused(|writes| timers::fired(writes, &claimed.id, claimed.epoch)).await;
    assert_eq!(late, "stale_lease");
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let left = timers::list(&mut snapshot, Some("i"), None, 9).await.unwrap();
    assert_eq!(ids(&left), ["b", "c"]);
    drop(snapshot);
    bed.write(|writes| timers::cancel_instance(writes, "i")).await;
    assert_eq!(timers::claim_due(&bed.db, MINUTE, 9).await.unwrap(), []);
}
