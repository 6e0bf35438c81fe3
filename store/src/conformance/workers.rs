//! Jobs and named leases: one holder at a time, and who lost the lease is refused.

use std::collections::HashSet;

use serde_json::Value;

use super::bed::{Bed, MINUTE, RAN_OUT, payload};
use crate::jobs::{self, Claim, Job, NewJob};
use crate::{WriteSet, lease};

fn claim(limit: usize) -> Claim<'static> {
    Claim { tenant: None, kind: "agent", job_type: None, owner: "w", lease: MINUTE, limit }
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
        payload,
    }
}

async fn add(bed: &Bed, ids: &[&str]) {
    let payload = payload();
    bed.write(|writes| ids.iter().for_each(|id| jobs::insert(writes, &job(bed, id, &payload))))
        .await;
}

async fn take(bed: &Bed, wanted: &Claim<'_>) -> Vec<Job> {
    jobs::claim(&bed.db, wanted).await.unwrap()
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
    let wanted = Claim { job_type: Some("summarise"), ..claim(2) };
    let first = take(&bed, &wanted).await;
    assert_eq!(ids(&first), ["urgent", "early"]);
    assert_eq!((first[0].epoch, first[0].lease_owner.as_deref()), (1, Some("w")));
    assert_eq!(first[0].payload, payload);
    assert_eq!(ids(&take(&bed, &claim(9)).await), ["late", "other type"]);
}

pub(super) async fn a_job_is_not_due_before_its_time_nor_without_attempts(bed: Bed) {
    let payload = payload();
    bed.write(|writes| {
        let due_at = bed.now().plus_millis(1_000);
        jobs::insert(writes, &NewJob { due_at, ..job(&bed, "later", &payload) });
        jobs::insert(writes, &NewJob { retries: 0, ..job(&bed, "stuck", &payload) });
    })
    .await;
    assert_eq!(take(&bed, &claim(9)).await, []);
    bed.clock.advance_millis(1_000);
    assert_eq!(ids(&take(&bed, &claim(9)).await), ["later"]);
    bed.write(|writes| jobs::retry(writes, "stuck", 1, bed.now())).await;
    assert_eq!(ids(&take(&bed, &claim(9)).await), ["stuck"]);
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
                    let batch = jobs::claim(&db, &claim(7)).await.unwrap();
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
    held.extend(take(&bed, &claim(100)).await.into_iter().map(|job| job.id));
    held.sort();
    assert_eq!(held, all);
}

pub(super) async fn a_worker_that_lost_its_lease_is_refused(bed: Bed) {
    add(&bed, &["1"]).await;
    let slow = take(&bed, &Claim { lease: RAN_OUT, ..claim(1) }).await.remove(0);
    let fast = take(&bed, &claim(1)).await.remove(0);
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
    assert_eq!(take(&bed, &claim(9)).await, []);
}

pub(super) async fn a_lease_can_be_prolonged(bed: Bed) {
    add(&bed, &["1"]).await;
    let held = take(&bed, &Claim { lease: RAN_OUT, ..claim(1) }).await.remove(0);
    bed.write(|writes| jobs::extend(writes, "1", held.epoch, MINUTE, bed.now())).await;
    assert_eq!(take(&bed, &claim(1)).await, []);
    bed.write(|writes| jobs::close(writes, "1", held.epoch)).await;
}

pub(super) async fn a_failed_job_comes_back_later_with_less_attempts(bed: Bed) {
    add(&bed, &["1"]).await;
    let held = take(&bed, &claim(1)).await.remove(0);
    let due_at = bed.now().plus_millis(500);
    bed.write(|writes| jobs::release(writes, "1", held.epoch, held.retries - 1, due_at)).await;
    assert_eq!(take(&bed, &claim(1)).await, []);
    bed.clock.advance_millis(500);
    let again = take(&bed, &claim(1)).await.remove(0);
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
    assert_eq!(jobs::list(&mut snapshot, None, None, Some("4"), 9).await.unwrap(), []);
}

pub(super) async fn an_external_worker_gets_its_tenants_jobs_only(bed: Bed) {
    add(&bed, &["1"]).await;
    let (b, a) = (bed.ctx("b").tenant, bed.ctx("a").tenant);
    assert_eq!(take(&bed, &Claim { tenant: Some(&b), ..claim(9) }).await, []);
    let held = take(&bed, &Claim { tenant: Some(&a), ..claim(9) }).await;
    assert_eq!((ids(&held), &held[0].tenant), (vec!["1"], &a));
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
