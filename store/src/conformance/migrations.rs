//! The shape of the tables: steps once, in order, never changed.

use flowmaster_kernel::Error;

use super::bed::Bed;
use crate::{Migrations, OpenError};

const ONE: &str = "CREATE TABLE room_one (tenant_id TEXT NOT NULL, id TEXT NOT NULL)";
const TWO: &str = "INSERT INTO room_one (tenant_id, id) VALUES ('a', 'x')";

const fn room(steps: &'static [&'static str]) -> Migrations {
    Migrations { room: "room", steps }
}

async fn count(bed: &Bed) -> i64 {
    let mut snapshot = bed.db.read_system().await.unwrap();
    snapshot.query_one("SELECT COUNT(*) FROM room_one", &[]).await.unwrap().int(0).unwrap()
}

async fn applied(bed: &Bed) -> i64 {
    let steps = bed.db.applied_steps().await.unwrap();
    steps.iter().filter(|step| step.room == "room").map(|step| step.step).max().unwrap_or(0)
}

async fn refused(bed: &Bed, steps: &'static [&'static str]) -> String {
    let problem: OpenError = bed.db.migrate(&[room(steps)]).await.unwrap_err();
    let error = Error::from(problem);
    assert!(error.body().fix.is_some());
    error.code().to_owned()
}

pub(super) async fn steps_are_applied_once_and_in_order(bed: Bed) {
    bed.db.migrate(&[room(&[ONE])]).await.unwrap();
    assert_eq!((applied(&bed).await, count(&bed).await), (1, 0));
    for _ in 0..2 {
        bed.db.migrate(&[room(&[ONE, TWO])]).await.unwrap();
        assert_eq!((applied(&bed).await, count(&bed).await), (2, 1));
    }
    let bed = bed.reopen().await;
    bed.db.migrate(&[room(&[ONE, TWO, TWO])]).await.unwrap();
    assert_eq!((applied(&bed).await, count(&bed).await), (3, 2));
}

pub(super) async fn an_applied_step_with_another_text_is_refused(bed: Bed) {
    bed.db.migrate(&[room(&[ONE])]).await.unwrap();
    assert_eq!(refused(&bed, &[TWO]).await, "migration_changed");
    assert_eq!(applied(&bed).await, 1);
}

pub(super) async fn a_newer_database_is_refused(bed: Bed) {
    bed.db.migrate(&[room(&[ONE, TWO])]).await.unwrap();
    assert_eq!(refused(&bed, &[ONE]).await, "database_newer");
}

pub(super) async fn a_failed_step_leaves_nothing_behind(bed: Bed) {
    let broken = "INSERT INTO room_one (tenant_id, id) VALUES ('a', 'half'); SELECT nonsense;";
    bed.db.migrate(&[room(&[ONE])]).await.unwrap();
    let steps: &[&str] = Box::leak(Box::new([ONE, broken]));
    assert_eq!(refused(&bed, steps).await, "migration_failed");
    assert_eq!((applied(&bed).await, count(&bed).await), (1, 0));
    bed.db.migrate(&[room(&[ONE, TWO])]).await.unwrap();
    assert_eq!((applied(&bed).await, count(&bed).await), (2, 1));
}

pub(super) async fn two_migrations_at_once_apply_each_step_once(bed: Bed) {
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let db = bed.db.clone();
            tokio::spawn(async move { db.migrate(&[room(&[ONE, TWO])]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((applied(&bed).await, count(&bed).await), (2, 1));
}
