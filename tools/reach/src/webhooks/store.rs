//! The tables of the webhooks room; [`due`] looks for work across tenants.

pub(super) mod deliveries;
pub(super) mod due;

use flowmaster_kernel::{Result, Timestamp};
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};

use super::types::{Subscription, SubscriptionState};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "webhooks",
    steps: &["
CREATE TABLE webhooks_subscription (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    types TEXT NOT NULL,
    process TEXT,
    description TEXT NOT NULL,
    max_attempts BIGINT NOT NULL,
    state TEXT NOT NULL,
    paused_because TEXT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_error TEXT,
    last_delivered_at BIGINT,
    held_until BIGINT NOT NULL,
    secret_number BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE webhooks_delivery (
    tenant_id TEXT NOT NULL,
    subscription TEXT NOT NULL,
    event TEXT NOT NULL,
    lane TEXT NOT NULL,
    seq BIGINT NOT NULL,
    place BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (tenant_id, subscription, event)
);
CREATE INDEX webhooks_delivery_due ON webhooks_delivery (tenant_id, subscription, state, next_at);
CREATE INDEX webhooks_delivery_lane
    ON webhooks_delivery (tenant_id, subscription, lane, state, seq, place);
CREATE INDEX webhooks_delivery_state ON webhooks_delivery (tenant_id, state, subscription, event);
CREATE INDEX webhooks_delivery_age ON webhooks_delivery (at);
"],
};

/// A subscription with what is not shown of it.
#[derive(Clone, Debug)]
pub(super) struct SubscriptionRow {
    pub(super) shown: Subscription,
    /// The signing key that its secret comes from.
    pub(super) key_id: String,
    /// Until when nothing is sent.
    pub(super) held_until: Timestamp,
}

const COLUMNS_OF_ALL: &str = "SELECT id, url, types, process, description, max_attempts, state,
    paused_because, failures, failing_since, last_error, last_delivered_at, held_until,
    secret_number, key_id, created_by, created_at FROM webhooks_subscription
    WHERE tenant_id = $1 AND ($2 = '' OR id = $2) ORDER BY created_at, id";
const SAVE: &str = "INSERT INTO webhooks_subscription (tenant_id, id, url, types, process,
    description, max_attempts, state, paused_because, failures, failing_since, last_error,
    last_delivered_at, held_until, secret_number, key_id, created_by, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (tenant_id, id) DO UPDATE SET url = excluded.url, types = excluded.types,
    process = excluded.process, description = excluded.description,
    max_attempts = excluded.max_attempts, state = excluded.state,
    paused_because = excluded.paused_because, failures = excluded.failures,
    failing_since = excluded.failing_since, last_error = excluded.last_error,
    last_delivered_at = excluded.last_delivered_at, held_until = excluded.held_until,
    secret_number = excluded.secret_number, key_id = excluded.key_id";
const REMOVE: &str = "DELETE FROM webhooks_subscription WHERE tenant_id = $1 AND id = $2";

/// Every subscription of the tenant, the oldest first.
pub(super) async fn subscriptions(session: &mut Session) -> Result<Vec<SubscriptionRow>> {
    session.query(COLUMNS_OF_ALL, &params![""]).await?.iter().map(subscription).collect()
}

/// The subscription with the id `id`.
pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<SubscriptionRow>> {
    if id.is_empty() {
        return Ok(None);
    }
    session.query_opt(COLUMNS_OF_ALL, &params![id]).await?.as_ref().map(subscription).transpose()
}

/// Adds the subscription, or replaces it.
pub(super) fn save(writes: &mut WriteSet, row: &SubscriptionRow) -> Result<()> {
    let it = &row.shown;
    let values = params![
        &it.id,
        &it.url,
        Param::json(&it.types)?,
        it.process.as_deref(),
        &it.description,
        it.max_attempts,
        it.state.as_str(),
        it.paused_because.as_deref(),
        it.failures,
        it.failing_since,
        it.last_error.as_deref(),
        it.last_delivered_at,
        row.held_until,
        it.secret_number,
        &row.key_id,
        &it.created_by,
        it.created_at,
    ];
    writes.push(SAVE, values);
    Ok(())
}

pub(super) fn remove(writes: &mut WriteSet, id: &str) {
    writes.push(REMOVE, params![id]);
}

fn subscription(row: &Row) -> Result<SubscriptionRow> {
    let state = match row.str(6)? {
        "paused" => SubscriptionState::Paused,
        _ => SubscriptionState::Active,
    };
    Ok(SubscriptionRow {
        shown: Subscription {
            id: row.text(0)?,
            url: row.text(1)?,
            types: row.json(2)?,
            process: row.opt_text(3)?,
            description: row.text(4)?,
            max_attempts: number(row, 5)?,
            state,
            paused_because: row.opt_text(7)?,
            failures: number(row, 8)?,
            failing_since: row.opt_timestamp(9)?,
            last_error: row.opt_text(10)?,
            last_delivered_at: row.opt_timestamp(11)?,
            secret_number: number(row, 13)?,
            created_by: row.text(15)?,
            created_at: row.timestamp(16)?,
        },
        held_until: row.timestamp(12)?,
        key_id: row.text(14)?,
    })
}

fn number(row: &Row, column: usize) -> Result<u32> {
    Ok(u32::try_from(row.int(column)?).unwrap_or(u32::MAX))
}
