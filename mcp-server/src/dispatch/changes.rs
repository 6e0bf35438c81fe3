//! Tells those who watch a tenant that something was written in it, through this process.
//!
//! It is a hint and no more: what other nodes and drivers write is not told, so whoever watches also
//! looks from time to time. Memory is bounded by those who watch.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use flowmaster_kernel::TenantId;
use parking_lot::Mutex;
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Changes {
    watched: Mutex<HashMap<TenantId, watch::Sender<()>>>,
    count: AtomicU64,
}

impl Changes {
    /// Changes whenever something is written in the tenant.
    pub(super) fn watch(&self, tenant: &TenantId) -> watch::Receiver<()> {
        let mut watched = self.watched.lock();
        watched.retain(|_, sender| sender.receiver_count() > 0);
        watched.entry(tenant.clone()).or_default().subscribe()
    }

    /// How much was written, in all tenants.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    pub(super) fn tell(&self, tenant: &TenantId) {
        self.count.fetch_add(1, Ordering::AcqRel);
        if let Some(sender) = self.watched.lock().get(tenant) {
            sender.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_watch_the_tenant_are_told() {
        let changes = Changes::default();
        let (a, b) = (TenantId::from_text("ten_a"), TenantId::from_text("ten_b"));
        let (in_a, in_b) = (changes.watch(&a), changes.watch(&b));
        changes.tell(&a);
        assert_eq!(changes.count(), 1);
        assert!(in_a.has_changed().unwrap() && !in_b.has_changed().unwrap());
        drop((in_a, in_b));
        changes.watch(&b);
        assert_eq!(changes.watched.lock().len(), 1, "who is gone is forgotten");
    }
}
