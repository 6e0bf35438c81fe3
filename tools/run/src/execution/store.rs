//! The tables of the execution room, and the instances in them; [`mail`] has the others.

pub(super) mod mail;

use std::sync::Arc;

use flowmaster_engine::Instance;
use flowmaster_kernel::{Error, Result, Timestamp};
use flowmaster_store::journal::Head;
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};

use super::error::ExecutionError;
use super::instance::Stored;

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "execution",
    steps: &[
        "
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
CREATE INDEX execution_instance_started ON execution_instance (tenant_id, started_at, id);
CREATE INDEX execution_instance_key ON execution_instance (tenant_id, business_key)
    WHERE business_key IS NOT NULL;
CREATE INDEX execution_instance_stopped ON execution_instance (tenant_id, started_at, id)
    WHERE incidents > 0;
CREATE TABLE execution_subscription (
    tenant_id TEXT NOT NULL,
    instance TEXT NOT NULL,
    wait BIGINT NOT NULL,
    process TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
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
    received_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX execution_message_name ON execution_message (tenant_id, name, correlation);
CREATE INDEX execution_message_expiry ON execution_message (expires_at);
CREATE TABLE execution_taken (
    tenant_id TEXT NOT NULL,
    message TEXT NOT NULL,
    target TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, message, target)
);
CREATE INDEX execution_taken_age ON execution_taken (at);
CREATE TABLE execution_held (
    tenant_id TEXT NOT NULL,
    instance TEXT NOT NULL,
    id TEXT NOT NULL,
    held_at BIGINT NOT NULL,
    command TEXT NOT NULL,
    PRIMARY KEY (tenant_id, instance, id)
);
",
        "
ALTER TABLE execution_taken ADD COLUMN instance TEXT NOT NULL DEFAULT '';
ALTER TABLE execution_taken ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
",
    ],
};

const FIND: &str =
    "SELECT id, process, process_version, version, head_hash, started_at, ended_at, body
    FROM execution_instance WHERE tenant_id = $1 AND id = $2";
const INSERT: &str =
    "INSERT INTO execution_instance (tenant_id, id, process, process_version, state,
    business_key, incidents, version, head_hash, started_at, ended_at, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
const UPDATE: &str =
    "UPDATE execution_instance SET state = $4, incidents = $5, version = version + 1,
    head_hash = $6, ended_at = $7, body = $8
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<Stored>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| stored(&row)).transpose()
}

/// Adds the state after a transition: a new row, or the next version of the one there is. Says how
/// many bytes the state has.
pub(super) fn put(writes: &mut WriteSet, after: &Stored) -> Result<usize> {
    let instance = &after.instance;
    let body = serde_json::to_string(instance)
        .map_err(|source| Error::internal("instance_encoding", source))?;
    let bytes = body.len();
    let incidents = i64::try_from(instance.incidents().count()).unwrap_or(i64::MAX);
    if after.version == 1 {
        let exists =
            Error::conflict("instance_exists", format!("the instance {:?} exists", instance.id));
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
        return Ok(bytes);
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
    Ok(bytes)
}

/// Which instances a list holds.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) process: Option<String>,
    pub(super) state: Option<String>,
    pub(super) business_key: Option<String>,
    pub(super) with_incidents: bool,
    pub(super) started_from: Option<Timestamp>,
    pub(super) started_before: Option<Timestamp>,
    /// The last one seen: when it was started, and its id.
    pub(super) after: Option<(Timestamp, String)>,
}

/// Up to `limit` instances that match, the newest first.
pub(super) async fn search(
    session: &mut Session,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Stored>> {
    let mut sql = String::from(
        "SELECT id, process, process_version, version, head_hash, started_at, ended_at, body
         FROM execution_instance WHERE tenant_id = $1",
    );
    let mut values: Vec<Param> = Vec::new();
    let mut bind = |value: Param| {
        values.push(value);
        values.len() + 1
    };
    for (column, value) in [
        ("process", &filter.process),
        ("state", &filter.state),
        ("business_key", &filter.business_key),
    ] {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {column} = ${}", bind(value.into())));
        }
    }
    if filter.with_incidents {
        sql.push_str(" AND incidents > 0");
    }
    if let Some(from) = filter.started_from {
        sql.push_str(&format!(" AND started_at >= ${}", bind(from.into())));
    }
    if let Some(before) = filter.started_before {
        sql.push_str(&format!(" AND started_at < ${}", bind(before.into())));
    }
    if let Some((at, id)) = &filter.after {
        let (at, id) = (bind((*at).into()), bind(id.into()));
        sql.push_str(&format!(" AND (started_at < ${at} OR (started_at = ${at} AND id < ${id}))"));
    }
    sql.push_str(&format!(" ORDER BY started_at DESC, id DESC LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(stored).collect()
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
