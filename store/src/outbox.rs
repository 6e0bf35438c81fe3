//! Messages that leave a transaction: written with it, delivered after it, at least once.
//!
//! Messages of one key of a tenant are delivered in the order of `seq` (then of their ids). They
//! are claimed by state, never by "id greater than the last one": a transaction that commits late
//! would be passed over. A message that failed too often becomes a dead letter and no longer holds
//! up its key. A delivered message is removed; a crash between sending and removing sends it again,
//! with the same id.

use std::time::Duration;

use flowmaster_kernel::{Result, TenantId, Timestamp};
use serde_json::Value;

use crate::dialect::lease_now;
use crate::jobs::{MAX_BATCH, lease_millis};
use crate::row::Row;
use crate::{Db, Session, WriteSet, error, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_outbox (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    topic TEXT NOT NULL,
    message_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) /*sqlite:WITHOUT ROWID*/;
CREATE INDEX store_outbox_ready ON store_outbox (state, at, tenant_id, message_key, seq, id);
CREATE INDEX store_outbox_key ON store_outbox (tenant_id, message_key, state, seq, id);
INSERT INTO store_leases (name, owner, epoch, lease_until) VALUES ('store.outbox', '', 0, 0);
";

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    /// Its id, unique in the tenant. Receivers recognise a message sent twice by it.
    pub id: &'a str,
    /// What it is about: who subscribes.
    pub topic: &'a str,
    /// What is kept in order, e.g. the process instance.
    pub key: &'a str,
    /// The order within the key, e.g. the version of the instance.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub payload: &'a Value,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id, the same at every delivery.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// What is kept in order.
    pub key: String,
    /// The order within the key.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub payload: Value,
    /// How often its delivery failed.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// The fencing token.
    pub epoch: i64,
}

/// How full the outbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Messages that wait for delivery.
    pub pending: u64,
    /// Messages given up.
    pub dead: u64,
}

/// Adds a message.
pub fn append(writes: &mut WriteSet, message: &NewMessage<'_>) {
    writes.wakes.outbox = true;
    writes.push(
        "INSERT INTO store_outbox
            (tenant_id, id, topic, message_key, seq, at, payload, state, attempts, next_at,
             last_error, lease_until, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', 0, 0, NULL, 0, 0)",
        params![message.id, message.topic, message.key, message.seq, message.at, message.payload],
    );
}

/// On PostgreSQL claims take turns: one that skipped the locked rows of another could take a later
/// message of the same key.
const TAKE_TURN: &str =
    "SELECT name FROM store_leases WHERE name = 'store.outbox' /*postgres:FOR UPDATE*/";

// As with jobs: SQLite would look at all messages of the tenant, for each that it takes.
pub(crate) const CLAIM: &str = concat!(
    "WITH chosen AS MATERIALIZED (
        SELECT tenant_id, id FROM store_outbox AS message
        WHERE state = 'pending' AND next_at <= $1 AND lease_until <= ",
    lease_now!("$1"),
    " AND NOT EXISTS (
            SELECT 1 FROM store_outbox AS earlier /*sqlite:INDEXED BY store_outbox_key*/
            WHERE earlier.tenant_id = message.tenant_id
              AND earlier.message_key = message.message_key
              AND earlier.state = 'pending'
              AND (earlier.seq < message.seq
                   OR (earlier.seq = message.seq AND earlier.id < message.id))
              AND (earlier.next_at > $1 OR earlier.lease_until > ",
    lease_now!("$1"),
    "))
        ORDER BY at, tenant_id, message_key, seq, id LIMIT $2)
    UPDATE store_outbox SET epoch = store_outbox.epoch + 1, lease_until = ",
    lease_now!("$1"),
    " + $3
    FROM chosen WHERE store_outbox.tenant_id = chosen.tenant_id AND store_outbox.id = chosen.id
    RETURNING store_outbox.tenant_id, store_outbox.id, topic, message_key, seq, at, payload,
        attempts, last_error, epoch"
);

/// Takes messages to deliver, of all tenants. Within a key they come in order and without a gap:
/// deliver them one after the other, and when one fails [`release`] those of its key behind it.
///
/// # Errors
/// What the database refuses.
pub async fn claim(db: &Db, lease: Duration, limit: usize) -> Result<Vec<Message>> {
    let mut tx = db.begin_system().await?;
    tx.query(TAKE_TURN, &[]).await?;
    let params = params![db.now(), limit.min(MAX_BATCH), lease_millis(lease)];
    let rows = tx.query(CLAIM, &params).await?;
    let mut messages = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    tx.commit().await?;
    messages
        .sort_by(|a, b| (&a.tenant, &a.key, a.seq, &a.id).cmp(&(&b.tenant, &b.key, b.seq, &b.id)));
    Ok(messages)
}

/// Removes a message that was delivered; with an older epoch the whole set is refused.
pub fn delivered(writes: &mut WriteSet, id: &str, epoch: i64) {
    writes.push_expecting(
        "DELETE FROM store_outbox WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch],
        1,
        error::stale_lease("message"),
    );
}

/// What happens to a message after a delivery failed.
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    /// Why, for people.
    pub reason: &'a str,
    /// When to try again.
    pub next_at: Timestamp,
    /// After how many failures it becomes a dead letter.
    pub max_attempts: i64,
}

/// Notes that a delivery failed.
pub fn failed(writes: &mut WriteSet, id: &str, epoch: i64, failure: &Failure<'_>) {
    writes.wakes.outbox = true;
    writes.push_expecting(
        "UPDATE store_outbox SET attempts = attempts + 1, last_error = $4, next_at = $5,
             lease_until = 0,
             state = CASE WHEN attempts + 1 >= $6 THEN 'dead' ELSE 'pending' END
         WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch, failure.reason, failure.next_at, failure.max_attempts],
        1,
        error::stale_lease("message"),
    );
}

/// Gives a claimed message back that was not tried.
pub fn release(writes: &mut WriteSet, id: &str, epoch: i64) {
    writes.wakes.outbox = true;
    writes.push_expecting(
        "UPDATE store_outbox SET lease_until = 0
         WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch],
        1,
        error::stale_lease("message"),
    );
}

/// Tries a dead letter again.
pub fn redrive(writes: &mut WriteSet, id: &str) {
    writes.wakes.outbox = true;
    writes.push_expecting(
        "UPDATE store_outbox SET state = 'pending', attempts = 0, next_at = 0, lease_until = 0
         WHERE tenant_id = $1 AND id = $2 AND state = 'dead'",
        params![id],
        1,
        flowmaster_kernel::Error::not_found("dead_letter", id),
    );
}

/// Dead letters of the tenant in the order of their ids, `after` the last one seen.
///
/// # Errors
/// What the database refuses.
pub async fn dead(
    session: &mut Session,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Message>> {
    let rows = session
        .query(
            "SELECT tenant_id, id, topic, message_key, seq, at, payload, attempts, last_error, epoch
             FROM store_outbox WHERE tenant_id = $1 AND state = 'dead' AND id > $2
             ORDER BY id LIMIT $3",
            &params![after.unwrap_or_default(), limit.min(MAX_BATCH)],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How full the tenant's outbox is.
///
/// # Errors
/// What the database refuses.
pub async fn backlog(session: &mut Session) -> Result<Backlog> {
    let row = session
        .query_one(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0) AS BIGINT),
                    CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM store_outbox WHERE tenant_id = $1",
            &[],
        )
        .await?;
    Ok(Backlog { pending: row.count(0)?, dead: row.count(1)? })
}

/// Whether messages of `key` are not delivered yet, dead letters among them.
///
/// # Errors
/// What the database refuses.
pub async fn has_of_key(session: &mut Session, key: &str) -> Result<bool> {
    let row = session
        .query_opt(
            "SELECT id FROM store_outbox /*sqlite:INDEXED BY store_outbox_key*/
             WHERE tenant_id = $1 AND message_key = $2 LIMIT 1",
            &params![key],
        )
        .await?;
    Ok(row.is_some())
}

fn read(row: &Row) -> Result<Message> {
    Ok(Message {
        tenant: row.id(0)?,
        id: row.text(1)?,
        topic: row.text(2)?,
        key: row.text(3)?,
        seq: row.int(4)?,
        at: row.timestamp(5)?,
        payload: row.json(6)?,
        attempts: row.int(7)?,
        last_error: row.opt_text(8)?,
        epoch: row.int(9)?,
    })
}
