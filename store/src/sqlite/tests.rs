//! What SQLite alone can get wrong: shared commits, lost transactions, full disks, locks.
//!
//! Faults are real ones of SQLite (`ON CONFLICT ROLLBACK`, a page limit, a commit hook that
//! refuses), not simulations of ours.

mod faults;
mod groups;
mod limits;
mod opening;
mod plans;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Sqlite;
use super::conn::Conn;
use crate::Health;
use crate::conformance::Bed;
use crate::db::Backend;

fn sqlite(bed: &Bed) -> &Sqlite {
    match bed.db.backend() {
        Backend::Sqlite(sqlite) => sqlite,
        Backend::Postgres(_) => unreachable!("these tests open SQLite"),
    }
}

/// Works on the writer's connection.
async fn on_writer<T: Send + 'static>(
    bed: &Bed,
    work: impl FnOnce(&Conn) -> T + Send + 'static,
) -> T {
    sqlite(bed).writer.alone(work).await.unwrap()
}

fn folder(bed: &Bed) -> PathBuf {
    PathBuf::from(bed.config.url.strip_prefix("sqlite:").unwrap())
}

/// The ids of the rows that are committed, read past the store.
fn committed(bed: &Bed) -> Vec<String> {
    let raw = rusqlite::Connection::open(folder(bed).join(super::FILE)).unwrap();
    let mut statement = raw.prepare("SELECT id FROM test_rows ORDER BY id").unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

/// A call that has been made and is not awaited yet.
struct Waiting<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<'a, T> Waiting<'a, T> {
    /// Makes the call, which puts it into the queue.
    fn made(call: impl Future<Output = T> + Send + 'a) -> Self {
        let mut waiting = Self(Box::pin(call));
        assert!(waiting.is_waiting(), "the call should have to wait");
        waiting
    }

    fn is_waiting(&mut self) -> bool {
        matches!(self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
    }

    async fn answer(self) -> T {
        self.0.await
    }
}

async fn wait_for(bed: &Bed, wanted: Health) {
    let mut health = bed.db.health();
    let reached = health.wait_for(|health| *health == wanted);
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
}
