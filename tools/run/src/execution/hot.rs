//! Instances at hand: those that changed last, so that their next command needs no look at the store.
//!
//! Invariant: however many instances wait and however large they are, what is at hand fits into a
//! bounded part of memory.

use std::sync::Arc;

use lru::LruCache;

use super::instance::Stored;
use super::service::InstanceKey;

/// How many instances are kept at most.
const MAX_INSTANCES: usize = 10_000;
/// How large their states are together at most, in bytes of JSON; in memory they take several times that.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The largest state that is kept, in bytes of JSON: one must not push many out.
const MAX_STATE_BYTES: usize = 32 * 1024;

/// The instances at hand.
pub(super) struct Hot {
    instances: LruCache<InstanceKey, (Arc<Stored>, usize)>,
    bytes: usize,
}

impl Default for Hot {
    fn default() -> Self {
        // It has no capacity of its own, so that nothing leaves uncounted.
        Self { instances: LruCache::unbounded(), bytes: 0 }
    }
}

impl Hot {
    pub(super) fn get(&mut self, key: &InstanceKey) -> Option<Arc<Stored>> {
        self.instances.get(key).map(|(stored, _)| Arc::clone(stored))
    }

    /// Keeps an instance whose state has so many bytes; those not needed for longest make room.
    pub(super) fn put(&mut self, key: InstanceKey, stored: Arc<Stored>, bytes: usize) {
        self.remove(&key);
        if bytes > MAX_STATE_BYTES {
            return;
        }
        self.instances.put(key, (stored, bytes));
        self.bytes += bytes;
        while self.instances.len() > MAX_INSTANCES || self.bytes > MAX_BYTES {
            let Some((_, (_, freed))) = self.instances.pop_lru() else { break };
            self.bytes -= freed;
        }
    }

    pub(super) fn remove(&mut self, key: &InstanceKey) {
        if let Some((_, freed)) = self.instances.pop(key) {
            self.bytes -= freed;
        }
    }
}

#[cfg(test)]
mod tests {
    use flowmaster_engine::Instance;
    use flowmaster_kernel::{TenantId, Timestamp};
    use flowmaster_store::journal::Head;

    use super::*;

    fn key(number: usize) -> InstanceKey {
        (TenantId::from_text("ten_a"), Arc::from(number.to_string()))
    }

    fn stored(version: i64) -> Arc<Stored> {
        Arc::new(Stored {
            instance: Instance::new("ins_1"),
            process: Arc::from("p"),
            process_version: 1,
            version,
            head: Head::default(),
            started_at: Timestamp::default(),
            ended_at: None,
        })
    }

    #[test]
    fn what_is_at_hand_is_bounded_in_number_and_size() {
        let mut hot = Hot::default();
        for number in 0..MAX_INSTANCES + 5 {
            hot.put(key(number), stored(1), 10);
        }
        assert_eq!((hot.instances.len(), hot.bytes), (MAX_INSTANCES, MAX_INSTANCES * 10));
        assert!(hot.get(&key(4)).is_none() && hot.get(&key(5)).is_some());
        for number in 0..2_000 {
            hot.put(key(number), stored(1), MAX_STATE_BYTES);
        }
        assert!(hot.bytes <= MAX_BYTES && hot.instances.len() == MAX_BYTES / MAX_STATE_BYTES);
    }

    #[test]
    fn the_newest_state_counts_and_one_too_large_is_not_kept() {
        let mut hot = Hot::default();
        hot.put(key(1), stored(1), 10);
        hot.put(key(1), stored(2), 30);
        assert_eq!((hot.get(&key(1)).unwrap().version, hot.bytes), (2, 30));
        hot.put(key(1), stored(3), MAX_STATE_BYTES + 1);
        assert!(hot.get(&key(1)).is_none());
        hot.remove(&key(1));
        assert_eq!(hot.bytes, 0);
    }
}
