//! Turns: the commands of one instance are decided one after the other on this node. Without them
//! the version check would still keep the state right, but a hundred workers that complete the
//! items of one multi-instance activity would collide again and again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as Seat, OwnedMutexGuard};

use super::service::InstanceKey;

/// Who may command which instance now.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<InstanceKey, Arc<Seat<()>>>>);

/// The turn at one instance, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    key: &'a InstanceKey,
    seat: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn at `key`; callers are served in the order in which they came.
    pub(super) async fn take<'a>(&'a self, key: &'a InstanceKey) -> Turn<'a> {
        let seat = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        Turn { turns: self, key, seat: Some(seat.lock_owned().await) }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut seats = self.turns.0.lock();
        self.seat = None;
        // Nobody else waits: those who do hold the seat too.
        if seats.get(self.key).is_some_and(|seat| Arc::strong_count(seat) == 1) {
            seats.remove(self.key);
        }
    }
}
