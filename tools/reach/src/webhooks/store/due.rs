//! What is to be done for all tenants: who has something to be sent, and what is too old.

use flowmaster_kernel::{Result, TenantId, Timestamp};
use flowmaster_store::{Db, params};

/// How many subscriptions are served in one look.
const AT_ONCE: usize = 1_000;

const DUE: &str = "SELECT s.tenant_id, s.id FROM webhooks_subscription AS s
    WHERE s.state = 'active' AND s.held_until <= $1 AND EXISTS (
        SELECT 1 FROM webhooks_delivery AS d WHERE d.tenant_id = s.tenant_id
            AND d.subscription = s.id AND d.state = 'waiting' AND d.next_at <= $1)
    ORDER BY s.tenant_id, s.id LIMIT $2";
const FORGET: &str = "DELETE FROM webhooks_delivery WHERE (tenant_id, subscription, event) IN (
    SELECT tenant_id, subscription, event FROM webhooks_delivery WHERE at < $1
    ORDER BY at LIMIT $2)";

/// The subscriptions that something is to be sent to now.
pub(in super::super) async fn subscriptions(
    db: &Db,
    now: Timestamp,
) -> Result<Vec<(TenantId, String)>> {
    let mut system = db.read_system().await?;
    let rows = system.query(DUE, &params![now, AT_ONCE]).await?;
    rows.iter().map(|row| Ok((row.id(0)?, row.text(1)?))).collect()
}

/// Forgets what happened before `before`; at most so many, and says how many.
pub(in super::super) async fn forget(db: &Db, before: Timestamp, limit: usize) -> Result<u64> {
    let mut system = db.begin_system().await?;
    let forgotten = system.execute(FORGET, &params![before, limit]).await?;
    system.commit().await?;
    Ok(forgotten)
}
