//! Turns: what concerns one key is done by one caller after the other on this node, in the order in
//! which they came. The store alone would keep them right too, but they would collide in it again
//! and again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as Seat, OwnedMutexGuard};

type Seats<K> = Arc<Mutex<HashMap<K, Arc<Seat<()>>>>>;

/// Who has the turn under which key now.
pub struct Turns<K>(Seats<K>);

/// The turn under one key, until it is dropped.
pub struct Turn<K: Eq + Hash> {
    seats: Seats<K>,
    key: K,
    seat: Arc<Seat<()>>,
    guard: Option<OwnedMutexGuard<()>>,
    has_waited: bool,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Waits for the turn under `key`.
    pub async fn take(&self, key: K) -> Turn<K> {
        let seat = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        // Made before the wait, so that a caller who goes away leaves nothing behind.
        let mut turn =
            Turn { seats: Arc::clone(&self.0), key, seat, guard: None, has_waited: false };
        turn.guard = Arc::clone(&turn.seat).try_lock_owned().ok();
        if turn.guard.is_none() {
            turn.has_waited = true;
            turn.guard = Some(Arc::clone(&turn.seat).lock_owned().await);
        }
        turn
    }

    /// Under how many keys somebody has the turn or waits for it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether nobody has a turn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Eq + Hash> Turn<K> {
    /// Whether somebody else had the turn before.
    #[must_use]
    pub fn has_waited(&self) -> bool {
        self.has_waited
    }
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        let mut seats = self.seats.lock();
        self.guard = None;
        // The map and this one: nobody else waits.
        if Arc::strong_count(&self.seat) == 2 {
            seats.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    use super::Turns;

    #[tokio::test]
    async fn callers_take_turns_and_leave_nothing_behind() {
        let turns = Turns::default();
        let mut now = Context::from_waker(Waker::noop());
        let first = turns.take("a").await;
        assert!(!first.has_waited() && !turns.take("b").await.has_waited());
        {
            let mut gone = Box::pin(turns.take("a"));
            assert!(gone.as_mut().poll(&mut now).is_pending());
        }
        let mut second = Box::pin(turns.take("a"));
        assert!(second.as_mut().poll(&mut now).is_pending());
        drop(first);
        match second.as_mut().poll(&mut now) {
            Poll::Ready(turn) => assert!(turn.has_waited()),
            Poll::Pending => unreachable!("the turn is free"),
        }
        drop(second);
        assert!(turns.is_empty());
    }
}
