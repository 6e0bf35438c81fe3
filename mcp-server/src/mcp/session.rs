//! What a client of the revisions with `initialize` has set for its session.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flowmaster_kernel::{Error, ErrorKind, NoteLevel, Result};
use parking_lot::Mutex;
use rmcp::service::{Peer, RoleServer};

use super::watching::{MAX_URIS, Watch, Watched};

/// The state of one connection. Newer clients have one for each request, and nothing in it.
pub(super) struct Session {
    level: Mutex<NoteLevel>,
    subscribed: Mutex<BTreeSet<String>>,
    is_watching: AtomicBool,
    /// How much had been written when the newest subscription was asked for.
    pub(super) written: AtomicU64,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            level: Mutex::new(NoteLevel::Info),
            subscribed: Mutex::default(),
            is_watching: AtomicBool::new(false),
            written: AtomicU64::new(0),
        }
    }
}

impl Session {
    pub(super) fn level(&self) -> NoteLevel {
        *self.level.lock()
    }

    pub(super) fn set_level(&self, level: NoteLevel) {
        *self.level.lock() = level;
    }

    /// # Errors
    /// `too_many_subscriptions`.
    pub(super) fn subscribe(&self, uri: String) -> Result<()> {
        let mut subscribed = self.subscribed.lock();
        if subscribed.len() >= MAX_URIS && !subscribed.contains(&uri) {
            return Err(too_many());
        }
        subscribed.insert(uri);
        Ok(())
    }

    pub(super) fn unsubscribe(&self, uri: &str) {
        self.subscribed.lock().remove(uri);
    }

    /// Whether somebody has to begin to watch.
    pub(super) fn begins_to_watch(&self) -> bool {
        !self.is_watching.swap(true, Ordering::AcqRel)
    }

    /// Nobody watches after all, so nothing is subscribed to.
    pub(super) fn does_not_watch(&self) {
        self.subscribed.lock().clear();
        self.is_watching.store(false, Ordering::Release);
    }

    /// Tells the client of its resources until it is gone or watches none.
    pub(super) async fn watch(self: Arc<Self>, mut watch: Watch, peer: Peer<RoleServer>) {
        while let Some(watched) = self.watched(&peer) {
            for difference in watch.next(watched).await {
                if peer.send_notification(difference.notification()).await.is_err() {
                    return;
                }
            }
        }
    }

    fn watched(&self, peer: &Peer<RoleServer>) -> Option<BTreeSet<Watched>> {
        let subscribed = self.subscribed.lock();
        if subscribed.is_empty() || peer.is_transport_closed() {
            // Under the lock, so that who subscribes next begins anew.
            self.is_watching.store(false, Ordering::Release);
            return None;
        }
        Some(subscribed.iter().cloned().map(Watched::Resource).collect())
    }
}

/// The refusal of one resource too many.
pub(super) fn too_many() -> Error {
    Error::new(ErrorKind::Exhausted, "too_many_subscriptions", "too many resources are watched")
        .why(format!("a subscription holds {MAX_URIS} resources"))
        .fix("end those that are no longer needed")
}
