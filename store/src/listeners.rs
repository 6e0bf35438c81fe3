//! Whether anybody wants to hear what happens in a tenant, at no cost where nobody does.
//!
//! What happens is announced through the outbox, in the commit in which it happens, if and only if
//! the tenant has a listener at that commit. Nobody asks for that first: whoever writes believes what
//! this process saw last ([`Db::audience`]), and the row of the journal can be written only if that is so
//! ([`crate::journal::append`]). The look at this table, which is nearly always empty, is part of a
//! statement that there is in any case. A belief that was wrong refuses the whole set, and
//! [`Db::look_at_audience`] puts it right. So no node misses a listener that another one took on.

use std::collections::HashSet;

use flowmaster_kernel::{Ctx, Result, TenantId};
use parking_lot::RwLock;

use crate::{Db, Session, WriteSet, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_listeners (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) /*sqlite:WITHOUT ROWID*/;
";

/// Whether there are listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Nothing is to be announced.
    Nobody,
    /// What happens is to be announced.
    Somebody,
}

/// The tenants that had a listener when this process looked last.
#[derive(Default)]
pub(crate) struct Beliefs(RwLock<HashSet<TenantId>>);

impl Db {
    /// Whether anybody listened in the tenant when this process looked last.
    #[must_use]
    pub fn audience(&self, ctx: &Ctx) -> Audience {
        let heard = self.beliefs().0.read().contains(&ctx.tenant);
        if heard { Audience::Somebody } else { Audience::Nobody }
    }

    /// Looks again, after a write was refused.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn look_at_audience(&self, ctx: &Ctx) -> Result<Audience> {
        let is = audience(&mut *self.read(ctx).await?).await?;
        let mut believed = self.beliefs().0.write();
        match is {
            Audience::Somebody => believed.insert(ctx.tenant.clone()),
            Audience::Nobody => believed.remove(&ctx.tenant),
        };
        Ok(is)
    }
}

/// Whether anybody listens.
///
/// # Errors
/// What the database refuses.
pub async fn audience(session: &mut Session) -> Result<Audience> {
    let found = session
        .query_opt("SELECT name FROM store_listeners WHERE tenant_id = $1 LIMIT 1", &[])
        .await?;
    Ok(if found.is_some() { Audience::Somebody } else { Audience::Nobody })
}

/// From this commit on `name` listens.
pub fn listen(writes: &mut WriteSet, name: &str) {
    writes.push(
        "INSERT INTO store_listeners (tenant_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![name],
    );
}

/// From this commit on `name` does not listen.
pub fn leave(writes: &mut WriteSet, name: &str) {
    writes.push("DELETE FROM store_listeners WHERE tenant_id = $1 AND name = $2", params![name]);
}
