//! Jobs and named leases: one holder at a time, and who lost the lease is refused.

use std::collections::HashSet;
use std::time::Duration;

use flowmaster_kernel::TenantId;
use serde_json::Value;

use super::bed::{Bed, MINUTE, RAN_OUT, payload};
use crate::jobs::{self, Claim, Job, NewJob};
use crate::{Db, WriteSet, lease};

/// What a worker of the kind `agent` asks for.
#[derive(Clone, Copy)]
struct Wish {
    tenant: &'static str,
    types: &'static [&'static str],
    lease: Duration,
    limit: usize,
}

fn claim(limit: usize) -> Wish {
    Wish { tenant: "a", types: &["summarise"], lease: MINUTE, limit }
}

fn job<'a>(bed: &Bed, id: &'a str, payload: &'a Value) -> NewJob<'a> {
    NewJob {
        id,
        kind: "agent",
        job_type: "summarise",
        instance: "i",
        element: "e",
        priority: 0,
        retries: 3,
        due_at: bed.now(),
        created_at: bed.now(),
        is_paused: false,
        payload,
    }
}

async fn add(bed: &Bed, ids: &[&str]) {
    let payload = payload();
    bed.write(|writes| ids.iter().for_each(|id| jobs::insert(writes, &job(bed, id, &payload))))
        .await;
}

async fn take(db: &Db, wish: &Wish) -> Vec<Job> {
    let tenant = TenantId::from_text(wish.tenant);
    let queues: Vec<_> = wish.types.iter().map(|job_type| (&tenant, *job_type)).collect();
    let (lease, limit) = (wish.lease, wish.limit);
    let claim = Claim { kind: "agent", owner: "w", lease, limit };
    jobs::claim(db, &queues, &claim).await.unwrap()
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

pub(super) async fn jobs_come_by_priority_then_age(bed: Bed) {
    let payload = payload();
    bed.write(|writes| {
        for (id, priority, age) in [("late", 0, 1), ("early", 0, 9), ("urgent", 5, 0)] {
            let created_at = bed.now().plus_millis(-age);
            let made = NewJob { priority, created_at, ..job(&bed, id, &payload) };
            jobs::insert(writes, &made);
        }
        let other = NewJob { kind: "service", ..job(&bed, "other kind", &payload) };
        jobs::insert(writes, &other);
        let other = NewJob { job_type: "translate", ..job(&bed, "other type", &payload) };
        jobs::insert(writes, &NewJob { priority: -1, ..other });
    })
    .await;
    let first = take(&bed.db, &claim(2)).await;
    assert_eq!(ids(&first), ["urgent", "early"]);
    assert_eq!((first[0].epoch, first[0].lease_owner.as_deref()), (1, Some("w")));
    assert_eq!(first[0].payload, payload);
    let both = Wish { types: &["summarise", "translate"], ..claim(9) };
    assert_eq!(ids(&take(&bed.db, &both).await), ["late", "other type"]);
}

pub(super) async fn no_queue_keeps_another_waiting(bed: Bed) {
    let payload = payload();
    bed.write(|writes| {
        for (id, job_type, priority, age) in [
            ("1", "a", 0, 9),
            ("2", "b", 0, 8),
            ("3", "a", 0, 7),
            ("4", "c", 0, 6),
            ("urgent", "c", 1, 0),
            ("not asked for", "d", 9, 10),
        ] {
            let created_at = bed.now().plus_millis(-age);
            let made = NewJob { job_type, priority, created_at, ..job(&bed, id, &payload) };
            jobs::insert(writes, &made);
        }
    })
    .await;
    let wish = Wish { types: &["c", "a", "b"], ..claim(1) };
    let mut order = Vec::new();
    while let Some(taken) = take(&bed.db, &wish).await.pop() {
        order.push(taken.id);
    }
    assert_eq!(order, ["urgent", "1", "2", "3", "4"]);
    assert_eq!(take(&bed.db, &Wish { types: &[], ..wish }).await, []);
    let of_another = Wish { tenant: "b", types: &["d", "a"], ..wish };
    assert_eq!(take(&bed.db, &of_another).await, []);
}

pub(super) async fn jobs_of_a_paused_instance_are_not_handed_out(bed: Bed) {
    add(&bed, &["1", "2"]).await;
    let held = take(&bed.db, &claim(1)).await.remove(0);
    let payload = payload();
    bed.write(|writes| {
        jobs::pause_instance(writes, "i");
        jobs::insert(writes, &NewJob { is_paused: true, ..job(&bed, "3", &payload) });
        jobs::insert(writes, &NewJob { instance: "other", ..job(&bed, "4", &payload) });
    })
    .await;
    assert_eq!(ids(&take(&bed.db, &claim(9)).await), ["4"]);
    // Neither is one that comes back undone.
    bed.write(|writes| jobs::release(writes, &held.id, held.epoch, 1, bed.now())).await;
    assert_eq!(take(&bed.db, &claim(9)).await, []);
    let woken = bed.db.commits();
    let before = woken.borrow().jobs;
    bed.write(|writes| jobs::resume_instance(writes, "i")).await;
    assert_eq!(woken.borrow().jobs, before + 1);
    assert_eq!(ids(&take(&bed.db, &claim(9)).await), ["1", "2", "3"]);
}

pub(super) async fn a_job_is_not_due_before_its_time_nor_without_attempts(bed: Bed) {
    let payload = payload();
    bed.write(|writes| {
        let due_at = bed.now().plus_millis(1_000);
        jobs::insert(writes, &NewJob { due_at, ..job(&bed, "later", &payload) });
        jobs::insert(writes, &NewJob { retries: 0, ..job(&bed, "stuck", &payload) });
    })
    .await;
    assert_eq!(take(&bed.db, &claim(9)).await, []);
    bed.clock.advance_millis(1_000);
    assert_eq!(ids(&take(&bed.db, &claim(9)).await), ["later"]);
    bed.write(|writes| jobs::retry(writes, "stuck", 1, bed.now())).await;
    assert_eq!(ids(&take(&bed.db, &claim(9)).await), ["stuck"]);
}

pub(super) async fn two_workers_never_hold_the_same_job(bed: Bed) {
    let all: Vec<String> = (0..60).map(|n| format!("{n:02}")).collect();
    add(&bed, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let db = bed.db.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let batch = take(&db, &claim(7)).await;
                    if batch.is_empty() {
                        return mine;
                    }
                    mine.extend(batch.into_iter().map(|job| job.id));
                }
            })
        })
        .collect();
    let mut held = Vec::new();
    for worker in workers {
        held.extend(worker.await.unwrap());
    }
    assert_eq!(held.iter().collect::<HashSet<_>>().len(), held.len(), "{held:?}");
    held.extend(take(&bed.db, &claim(100)).await.into_iter().map(|job| job.id));
    held.sort();
    assert_eq!(held, all);
}

pub(super) async fn a_worker_that_lost_its_lease_is_refused(bed: Bed) {
    add(&bed, &["1"]).await;
    let slow = take(&bed.db, &Wish { lease: RAN_OUT, ..claim(1) }).await.remove(0);
    let fast = take(&bed.db, &claim(1)).await.remove(0);
    assert_eq!((slow.epoch, fast.epoch), (1, 2));
    let late: [fn(&mut WriteSet, &Job); 3] = [
        |writes, job| jobs::close(writes, &job.id, job.epoch),
        |writes, job| jobs::extend(writes, &job.id, job.epoch, MINUTE, job.due_at),
        |writes, job| jobs::release(writes, &job.id, job.epoch, 1, job.due_at),
    ];
    for write in late {
        assert_eq!(bed.refused(|writes| write(writes, &slow)).await, "stale_lease");
    }
    bed.write(|writes| jobs::close(writes, &fast.id, fast.epoch)).await;
    // Done is done: the same completion again is refused as well.
    let again = bed.refused(|writes| jobs::close(writes, &fast.id, fast.epoch)).await;
    assert_eq!(again, "stale_lease");
    assert_eq!(take(&bed.db, &claim(9)).await, []);
}

pub(super) async fn a_claim_and_its_answer_stand_and_fall_together(bed: Bed) {
    add(&bed, &["1", "2"]).await;
    let ctx = bed.keyed("a", "key", "body");
    let claim = Claim { kind: "agent", owner: "w", lease: MINUTE, limit: 1 };
    let mut lost = bed.db.begin_claim(&ctx).await.unwrap();
    let first = jobs::claim_in(&mut lost, "summarise", &claim).await.unwrap();
    lost.rollback().await;
    let mut tx = bed.db.begin_claim(&ctx).await.unwrap();
    let second = jobs::claim_in(&mut tx, "summarise", &claim).await.unwrap();
    assert_eq!((ids(&first), ids(&second)), (vec!["1"], vec!["1"]));
    assert_eq!((first[0].epoch, second[0].epoch), (1, 1), "nothing was left of the first claim");
    tx.commit("answer").await.unwrap();
    let again = bed.db.begin_claim(&ctx).await.err().unwrap();
    assert_eq!(again.code(), "idempotency_recorded");
    assert_eq!(ids(&take(&bed.db, &self::claim(9)).await), ["2"]);
}

pub(super) async fn a_lease_can_be_prolonged(bed: Bed) {
    add(&bed, &["1"]).await;
    let held = take(&bed.db, &Wish { lease: RAN_OUT, ..claim(1) }).await.remove(0);
    bed.write(|writes| jobs::extend(writes, "1", held.epoch, MINUTE, bed.now())).await;
    assert_eq!(take(&bed.db, &claim(1)).await, []);
    bed.write(|writes| jobs::close(writes, "1", held.epoch)).await;
}

pub(super) async fn a_failed_job_comes_back_later_with_less_attempts(bed: Bed) {
    add(&bed, &["1"]).await;
    let held = take(&bed.db, &claim(1)).await.remove(0);
    let due_at = bed.now().plus_millis(500);
    bed.write(|writes| jobs::release(writes, "1", held.epoch, held.retries - 1, due_at)).await;
    assert_eq!(take(&bed.db, &claim(1)).await, []);
    bed.clock.advance_millis(500);
    let again = take(&bed.db, &claim(1)).await.remove(0);
    assert_eq!((again.retries, again.epoch), (2, 2));
}

pub(super) async fn an_ended_instance_leaves_no_jobs(bed: Bed) {
    add(&bed, &["1", "2", "3"]).await;
    let payload = payload();
    let other = NewJob { instance: "other", ..job(&bed, "4", &payload) };
    bed.write(|writes| {
        jobs::insert(writes, &other);
        jobs::cancel(writes, "1");
        jobs::cancel_instance(writes, "i");
    })
    .await;
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let left = jobs::list(&mut snapshot, None, Some("agent"), None, 9).await.unwrap();
    assert_eq!(ids(&left), ["4"]);
    assert_eq!(jobs::list(&mut snapshot, Some("i"), None, None, 9).await.unwrap(), []);
    assert_eq!(jobs::of_instance(&mut snapshot, "i", 9).await.unwrap(), []);
    assert_eq!(ids(&jobs::of_instance(&mut snapshot, "other", 9).await.unwrap()), ["4"]);
    assert_eq!(jobs::list(&mut snapshot, None, None, Some("4"), 9).await.unwrap(), []);
}

pub(super) async fn an_external_worker_gets_its_tenants_jobs_only(bed: Bed) {
    add(&bed, &["1"]).await;
    assert_eq!(take(&bed.db, &Wish { tenant: "b", ..claim(9) }).await, []);
    let held = take(&bed.db, &claim(9)).await;
    assert_eq!((ids(&held), held[0].tenant.as_str()), (vec!["1"], "a"));
}

pub(super) async fn a_named_lease_has_one_holder(bed: Bed) {
    let db = &bed.db;
    let first = lease::acquire(db, "relay", "node 1", MINUTE).await.unwrap().unwrap();
    assert_eq!(lease::acquire(db, "relay", "node 2", MINUTE).await.unwrap(), None);
    lease::renew(db, &first, RAN_OUT).await.unwrap();
    let second = lease::acquire(db, "relay", "node 2", MINUTE).await.unwrap().unwrap();
    assert_eq!((first.epoch, second.epoch), (1, 2));
    let late = lease::renew(db, &first, MINUTE).await.unwrap_err();
    assert_eq!(late.code(), "stale_lease");
    assert_eq!(bed.refused(|writes| lease::fence(writes, &first)).await, "stale_lease");
    bed.write(|writes| lease::fence(writes, &second)).await;
    lease::release(db, &first).await.unwrap();
    assert_eq!(lease::acquire(db, "relay", "node 3", MINUTE).await.unwrap(), None);
    lease::release(db, &second).await.unwrap();
    let third = lease::acquire(db, "relay", "node 3", MINUTE).await.unwrap().unwrap();
    assert_eq!(third.epoch, 3);
}
