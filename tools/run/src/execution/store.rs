//! The tables of the execution room.

use std::sync::Arc;

use flowmaster_engine::event::Subscription;
use flowmaster_engine::{Instance, Key};
use flowmaster_kernel::{Error, Result, Timestamp};
use flowmaster_store::journal::Head;
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};
use serde_json::Value;

use super::error::ExecutionError;
use super::instance::Stored;

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "execution",
    steps: &["
CREATE TABLE execution_instance (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    process TEXT NOT NULL,
    process_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    business_key TEXT,
    incidents BIGINT NOT NULL,
    version BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX execution_instance_key ON execution_instance (tenant_id, business_key);
CREATE TABLE execution_subscription (
    tenant_id TEXT NOT NULL,
    instance TEXT NOT NULL,
    wait BIGINT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation TEXT NOT NULL,
    PRIMARY KEY (tenant_id, instance, wait)
);
CREATE INDEX execution_subscription_name
    ON execution_subscription (tenant_id, kind, name, correlation);
CREATE TABLE execution_message (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation TEXT NOT NULL,
    variables TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX execution_message_name ON execution_message (tenant_id, name, correlation);
"],
};

const FIND: &str = "SELECT id, process, process_version, version, head_hash, started_at, ended_at, body
    FROM execution_instance WHERE tenant_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO execution_instance (tenant_id, id, process, process_version, state,
    business_key, incidents, version, head_hash, started_at, ended_at, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE execution_instance SET state = $4, incidents = $5, version = version + 1,
    head_hash = $6, ended_at = $7, body = $8
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const SUBSCRIBE: &str = "INSERT INTO execution_subscription
    (tenant_id, instance, wait, kind, name, correlation) VALUES ($1, $2, $3, $4, $5, $6)";
const UNSUBSCRIBE: &str =
    "DELETE FROM execution_subscription WHERE tenant_id = $1 AND instance = $2 AND wait = $3";
const SUBSCRIBERS: &str = "SELECT instance, wait FROM execution_subscription
    WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND correlation IN ($4, '')
    ORDER BY instance, wait LIMIT 1000";
const BUFFER: &str = "INSERT INTO execution_message
    (tenant_id, id, name, correlation, variables, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING";
const BUFFERED: &str = "SELECT id, variables FROM execution_message
    WHERE tenant_id = $1 AND name = $2 AND ($3 = '' OR correlation = $3) AND expires_at > $4
    ORDER BY id LIMIT 1";
const UNBUFFER: &str = "DELETE FROM execution_message WHERE tenant_id = $1 AND id = $2";

/// A message that waits for somebody who waits for it.
pub(super) struct Buffered {
    pub(super) id: String,
    pub(super) variables: Value,
}

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<Stored>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| stored(&row)).transpose()
}

/// Adds the state after a transition: a new row, or the next version of the one there is.
pub(super) fn put(writes: &mut WriteSet, after: &Stored) -> Result<()> {
    let instance = &after.instance;
    let body = Param::json(instance)?;
    let incidents = i64::try_from(instance.incidents().count()).unwrap_or(i64::MAX);
    if after.version == 1 {
        let exists = Error::conflict("instance_exists", format!("the instance {:?} exists", instance.id));
        let values = params![
            &*instance.id,
            &*after.process,
            after.process_version,
            state_name(instance),
            instance.business_key.as_deref(),
            incidents,
            after.version,
            &after.head.hash,
            after.started_at,
            after.ended_at,
            body,
        ];
        writes.push_expecting(INSERT, values, 1, exists);
        return Ok(());
    }
    let values = params![
        &*instance.id,
        after.version - 1,
        state_name(instance),
        incidents,
        &after.head.hash,
        after.ended_at,
        body,
    ];
    writes.push_expecting(UPDATE, values, 1, ExecutionError::Changed.into());
    Ok(())
}

pub(super) fn subscribe(writes: &mut WriteSet, instance: &str, wait: Key, to: &Subscription) {
    let (kind, name, correlation) = match to {
        Subscription::Message { name, correlation } => ("message", name, correlation.as_deref()),
        Subscription::Signal { name } => ("signal", name, None),
    };
    writes.push(
        SUBSCRIBE,
        params![instance, key_param(wait), kind, name, correlation.unwrap_or_default()],
    );
}

pub(super) fn unsubscribe(writes: &mut WriteSet, instance: &str, wait: Key) {
    writes.push(UNSUBSCRIBE, params![instance, key_param(wait)]);
}

/// Instance and wait of everybody who waits for `name`.
pub(super) async fn subscribers(
    session: &mut Session,
    kind: &str,
    name: &str,
    correlation: &str,
) -> Result<Vec<(String, Key)>> {
    let rows = session.query(SUBSCRIBERS, &params![kind, name, correlation]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, Key(row.count(1)?)))).collect()
}

pub(super) fn buffer(
    writes: &mut WriteSet,
    id: &str,
    name: &str,
    correlation: &str,
    variables: &Value,
    expires_at: Timestamp,
) {
    writes.push(BUFFER, params![id, name, correlation, variables, expires_at]);
}

pub(super) async fn buffered(
    session: &mut Session,
    name: &str,
    correlation: &str,
    now: Timestamp,
) -> Result<Option<Buffered>> {
    let row = session.query_opt(BUFFERED, &params![name, correlation, now]).await?;
    row.map(|row| Ok(Buffered { id: row.text(0)?, variables: row.json(1)? })).transpose()
}

/// Takes a buffered message; refused when somebody else took it.
pub(super) fn unbuffer(writes: &mut WriteSet, id: &str) {
    writes.push_expecting(UNBUFFER, params![id], 1, ExecutionError::Changed.into());
}

/// Up to `limit` instances that match, the newest first.
pub(super) async fn search(
    session: &mut Session,
    conditions: &[(&'static str, Param)],
    limit: usize,
) -> Result<Vec<Stored>> {
    let mut sql = String::from(
        "SELECT id, process, process_version, version, head_hash, started_at, ended_at, body
         FROM execution_instance WHERE tenant_id = $1",
    );
    let mut values = Vec::with_capacity(conditions.len());
    for (condition, value) in conditions {
        values.push(value.clone());
        sql.push_str(&format!(" AND {condition} ${}", values.len() + 1));
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let rows = session.query_dynamic(&sql, &values).await?;
    rows.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored> {
    let instance: Instance = row.json(7)?;
    let version = row.int(3)?;
    Ok(Stored {
        instance,
        process: Arc::from(row.str(1)?),
        process_version: row.int(2)?,
        version,
        // The journal grows by one row with every version.
        head: Head { seq: version, hash: row.text(4)? },
        started_at: row.timestamp(5)?,
        ended_at: row.opt_timestamp(6)?,
    })
}

/// What lists filter by: a held instance is active for the engine and paused for people.
pub(super) fn state_name(instance: &Instance) -> &'static str {
    if instance.paused { "paused" } else { instance.state.as_str() }
}

fn key_param(key: Key) -> i64 {
    i64::try_from(key.0).unwrap_or(i64::MAX)
}
