//! For simulations: what becomes of each commit, and one thing at a time.
//!
//! A database with [`Fates`] asks them at every commit. What the callers see is what they see of a
//! database that fails: nothing was applied, or nobody can tell. It also waits for its writer
//! without letting others go on, so that a simulation on one thread is the same every time.
//!
//! Not here: a disk that fails, which is tested on the real program.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use flowmaster_kernel::Result;

use crate::error;

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is durable.
    Stored,
    /// The database rolled it back: the same call may run again.
    RolledBack,
    /// It is gone, and nobody can tell.
    Lost,
    /// It is durable, and nobody can tell.
    Unanswered,
    /// The store stopped before it.
    Stopped,
}

/// Decides what becomes of commits.
pub trait Fates: Send + Sync {
    /// That of the next one.
    fn next(&self) -> Fate;
}

/// The fates of one database.
#[derive(Clone)]
pub(crate) struct Decided(pub(crate) Arc<dyn Fates>);

impl Decided {
    pub(crate) fn commit(&self, commit: impl Future<Output = Result<()>>) -> Result<()> {
        match self.0.next() {
            Fate::Stored => at_once(commit),
            Fate::RolledBack => Err(error::transaction_lost()),
            Fate::Lost => Err(error::outcome_unknown()),
            Fate::Unanswered => at_once(commit).and_then(|()| Err(error::outcome_unknown())),
            Fate::Stopped => Err(error::poisoned()),
        }
    }
}

/// Waits for what another thread does.
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    // However little of its turn the task has left.
    let mut work = pin!(tokio::task::unconstrained(work));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}
