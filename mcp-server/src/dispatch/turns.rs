//! Turns: calls under one idempotency key are run one after the other in this process, so that
//! whoever comes second finds the answer of the first. The store alone would keep them to one
//! effect too, but what a call takes before its answer is recorded, such as the lease of a job,
//! would be lost for a while.

use std::collections::HashMap;
use std::sync::Arc;

use flowmaster_kernel::{Ctx, TenantId};
use parking_lot::Mutex;
use tokio::sync::{Mutex as Seat, OwnedMutexGuard};

/// A key belongs to one principal of one tenant.
type Key = (TenantId, String, String);

/// Who runs a call under which key now.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Key, Arc<Seat<()>>>>>);

/// The turn under one key, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    key: Key,
    seat: Arc<Seat<()>>,
    guard: Option<OwnedMutexGuard<()>>,
    /// Whether somebody else had the turn before.
    pub(super) has_waited: bool,
}

impl Turns {
    /// Waits for the turn under the key of `ctx`; without a key there is none to wait for.
    pub(super) async fn take(&self, ctx: &Ctx) -> Option<Turn> {
        let call = ctx.idempotency.as_ref()?;
        let key = (ctx.tenant.clone(), ctx.principal.id.clone(), call.key.clone());
        let seat = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        // Made before the wait, so that a caller who goes away leaves nothing behind.
        let turns = self.clone();
        let mut turn = Turn { turns, key, seat, guard: None, has_waited: false };
        turn.guard = Arc::clone(&turn.seat).try_lock_owned().ok();
        if turn.guard.is_none() {
            turn.has_waited = true;
            turn.guard = Some(Arc::clone(&turn.seat).lock_owned().await);
        }
        Some(turn)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut seats = self.turns.0.lock();
        self.guard = None;
        // The map and this one: nobody else waits.
        if Arc::strong_count(&self.seat) == 2 {
            seats.remove(&self.key);
        }
    }
}
