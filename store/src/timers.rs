//! Moments that something waits for. Claimed in batches by lease and epoch, as jobs are: never
//! early, fired once, none lost.

use std::time::Duration;

use flowmaster_kernel::{Result, TenantId, Timestamp};
use serde_json::Value;

use crate::dialect::lease_now;
use crate::jobs::{MAX_BATCH, lease_millis};
use crate::row::Row;
use crate::{Db, Session, WriteSet, error, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_timers (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    instance TEXT NOT NULL,
    element TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) /*sqlite:WITHOUT ROWID*/;
CREATE INDEX store_timers_due ON store_timers (due_at);
CREATE INDEX store_timers_instance ON store_timers (tenant_id, instance);
";

/// A timer as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: String,
    /// The process instance.
    pub instance: String,
    /// The element of the process.
    pub element: String,
    /// Not before.
    pub due_at: Timestamp,
    /// The fencing token.
    pub epoch: i64,
    /// What the one who waits needs.
    pub payload: Value,
}

/// A timer to be set.
#[derive(Clone, Debug)]
pub struct NewTimer<'a> {
    /// Its id, unique in the tenant.
    pub id: &'a str,
    /// The process instance.
    pub instance: &'a str,
    /// The element of the process.
    pub element: &'a str,
    /// Not before.
    pub due_at: Timestamp,
    /// What the one who waits needs.
    pub payload: &'a Value,
}

// As with jobs: SQLite would look at all timers of the tenant.
pub(crate) const CANCEL_INSTANCE: &str =
    "DELETE FROM store_timers /*sqlite:INDEXED BY store_timers_instance*/
    WHERE tenant_id = $1 AND instance = $2";

/// Sets a timer.
pub fn insert(writes: &mut WriteSet, timer: &NewTimer<'_>) {
    writes.wakes.timers = true;
    writes.push(
        "INSERT INTO store_timers
            (tenant_id, id, instance, element, due_at, lease_until, epoch, payload)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6)",
        params![timer.id, timer.instance, timer.element, timer.due_at, timer.payload],
    );
}

/// Removes a timer, whether it is being fired or not.
pub fn cancel(writes: &mut WriteSet, id: &str) {
    writes.push("DELETE FROM store_timers WHERE tenant_id = $1 AND id = $2", params![id]);
}

/// Removes all timers of an instance that ended.
pub fn cancel_instance(writes: &mut WriteSet, instance: &str) {
    writes.push(CANCEL_INSTANCE, params![instance]);
}

/// Removes a timer that the holder of `epoch` fired; with an older epoch the whole set is refused.
pub fn fired(writes: &mut WriteSet, id: &str, epoch: i64) {
    writes.push_expecting(
        "DELETE FROM store_timers WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch],
        1,
        error::stale_lease("timer"),
    );
}

/// Many may be due at one moment: the index has them in the order in which they are claimed, which it
/// does by itself on SQLite, where it ends with the key of the table.
pub(crate) const ORDERED: &str = "/*postgres:
DROP INDEX store_timers_due;
CREATE INDEX store_timers_due ON store_timers (due_at, tenant_id, id);*/
";

pub(crate) const CLAIM: &str = concat!(
    "WITH chosen AS MATERIALIZED (
        SELECT tenant_id, id FROM store_timers WHERE due_at <= $1 AND lease_until <= ",
    lease_now!("$1"),
    " ORDER BY due_at, tenant_id, id LIMIT $2 /*postgres:FOR UPDATE SKIP LOCKED*/)
    UPDATE store_timers SET epoch = store_timers.epoch + 1, lease_until = ",
    lease_now!("$1"),
    " + $3
    FROM chosen WHERE store_timers.tenant_id = chosen.tenant_id AND store_timers.id = chosen.id
    RETURNING store_timers.tenant_id, store_timers.id, instance, element, due_at, epoch, payload"
);

/// Takes timers that are due, of all tenants, the longest due first.
///
/// # Errors
/// What the database refuses.
pub async fn claim_due(db: &Db, lease: Duration, limit: usize) -> Result<Vec<Timer>> {
    let mut tx = db.begin_system().await?;
    let params = params![db.now(), limit.min(MAX_BATCH), lease_millis(lease)];
    let rows = tx.query(CLAIM, &params).await?;
    let mut timers = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    tx.commit().await?;
    timers.sort_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
    Ok(timers)
}

/// When the driver has to look next: the earliest due moment, or the end of a lease that may have
/// been left behind. `None` if there is no timer.
///
/// # Errors
/// What the database refuses.
pub async fn next_due(db: &Db) -> Result<Option<Timestamp>> {
    let mut snapshot = db.read_system().await?;
    let free = snapshot
        .query_opt(
            "SELECT due_at FROM store_timers WHERE lease_until = 0 ORDER BY due_at LIMIT 1",
            &[],
        )
        .await?;
    let leased = snapshot
        .query_opt(
            "SELECT lease_until FROM store_timers WHERE due_at <= $1 AND lease_until > 0
             ORDER BY lease_until LIMIT 1",
            &params![db.now()],
        )
        .await?;
    let moments = free.iter().chain(&leased).map(|row| row.timestamp(0));
    Ok(moments.collect::<Result<Vec<_>>>()?.into_iter().min())
}

const LIST: &str = "SELECT tenant_id, id, instance, element, due_at, epoch, payload
    FROM store_timers
    WHERE tenant_id = $1 AND id > $2 AND (instance = $3 OR CAST($3 AS TEXT) IS NULL)
    ORDER BY id LIMIT $4";

/// Timers of the tenant in the order of their ids, `after` the last one seen.
///
/// # Errors
/// What the database refuses.
pub async fn list(
    session: &mut Session,
    instance: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Timer>> {
    let params = params![after.unwrap_or_default(), instance, limit.min(MAX_BATCH)];
    session.query(LIST, &params).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Timer> {
    Ok(Timer {
        tenant: row.id(0)?,
        id: row.text(1)?,
        instance: row.text(2)?,
        element: row.text(3)?,
        due_at: row.timestamp(4)?,
        epoch: row.int(5)?,
        payload: row.json(6)?,
    })
}
