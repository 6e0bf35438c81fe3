//! The newest version of something that a tenant has one of: kept in memory, and looked at again when
//! another node may have changed it.
//!
//! Invariant: what is remembered never goes back to an older version.

use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_kernel::{Ctx, TenantId, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;

/// How long a version is trusted without another look, in milliseconds: bounds what a change on
/// another node can be late by.
const TRUSTED_MILLIS: i64 = 2_000;

/// A version of something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version<T> {
    /// From 1; 0 when nothing was ever saved.
    pub number: i64,
    /// What was saved.
    pub content: T,
}

/// The newest versions of many tenants.
#[derive(Debug)]
pub struct Newest<T> {
    known: Mutex<LruCache<TenantId, Known<T>>>,
}

#[derive(Debug)]
struct Known<T> {
    version: Arc<Version<T>>,
    read_at: Timestamp,
}

impl<T> Newest<T> {
    /// Remembers as many tenants as this, those asked for last.
    #[must_use]
    pub fn of(tenants: NonZeroUsize) -> Self {
        Self { known: Mutex::new(LruCache::new(tenants)) }
    }

    /// The version that was seen last, if that was within two seconds.
    pub fn trusted(&self, ctx: &Ctx) -> Option<Arc<Version<T>>> {
        let now = ctx.now();
        let mut known = self.known.lock();
        let Known { version, read_at } = known.get(&ctx.tenant)?;
        let is_fresh = (*read_at..read_at.plus_millis(TRUSTED_MILLIS)).contains(&now);
        is_fresh.then(|| Arc::clone(version))
    }

    /// The version that was seen last, if it is the one of this number.
    pub fn numbered(&self, ctx: &Ctx, number: i64) -> Option<Arc<Version<T>>> {
        let mut known = self.known.lock();
        let Known { version, .. } = known.get(&ctx.tenant)?;
        (version.number == number).then(|| Arc::clone(version))
    }

    /// Remembers what was read or saved now, and gives the newest that is known: a slow reader must
    /// not bring back what a save has replaced meanwhile.
    pub fn remember(&self, ctx: &Ctx, version: Arc<Version<T>>) -> Arc<Version<T>> {
        let mut known = self.known.lock();
        if let Some(Known { version: newer, .. }) = known.get(&ctx.tenant)
            && newer.number > version.number
        {
            return Arc::clone(newer);
        }
        let read = Known { version: Arc::clone(&version), read_at: ctx.now() };
        known.put(ctx.tenant.clone(), read);
        version
    }
}
