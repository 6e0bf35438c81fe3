//! The tables of the execution room, and the instances in them; [`mail`] has who waits for messages,
//! [`archived`] what has ended, [`search`] finds many.

pub(super) mod archived;
pub(super) mod mail;
mod search;
mod sum;

use std::sync::Arc;

use flowmaster_engine::Instance;
use flowmaster_kernel::{Error, Result};
use flowmaster_store::journal::Head;
use flowmaster_store::{Migrations, Row, Session, WriteSet, params};

use super::error::ExecutionError;
use super::instance::Stored;

pub(super) use search::{Filter, search};
pub(super) use sum::damaged;

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
        "
DROP INDEX execution_instance_key;
CREATE INDEX execution_instance_key ON execution_instance
    (tenant_id, business_key /*postgres:COLLATE \"C\"*/, started_at, id)
    WHERE business_key IS NOT NULL;
CREATE INDEX execution_instance_process ON execution_instance (tenant_id, process, started_at, id);
/*sqlite:CREATE INDEX execution_instance_state
    ON execution_instance (tenant_id, state, started_at, id) WHERE state <> 'completed';*/
",
        "
ALTER TABLE execution_instance ADD COLUMN row_sum BIGINT;
",
        archived::TABLES,
    ],
};

const FIND: &str =
    "SELECT id, process, process_version, version, head_hash, started_at, ended_at, body, row_sum
    FROM execution_instance WHERE tenant_id = $1 AND id = $2";
const INSERT: &str =
    "INSERT INTO execution_instance (tenant_id, id, process, process_version, state,
    business_key, incidents, version, head_hash, started_at, ended_at, body, row_sum)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
const UPDATE: &str =
    "UPDATE execution_instance SET state = $4, incidents = $5, version = version + 1,
    head_hash = $6, ended_at = $7, body = $8, row_sum = $9
    WHERE tenant_id = $1 AND id = $2 AND version = $3";

/// The instance with the id `id`.
pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<Stored>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| stored(&row)).transpose()
}

/// What lists filter an instance by.
pub(super) struct Listed {
    pub(super) id: String,
    state: String,
    business_key: Option<String>,
    incidents: i64,
}

impl Listed {
    /// Whether it says what the state does.
    pub(super) fn fits(&self, stored: &Stored) -> bool {
        let instance = &stored.instance;
        self.state == state_name(instance)
            && self.business_key == instance.business_key
            && self.incidents == incidents(instance)
    }
}

/// The instance behind the id `after`.
pub(super) async fn next_listed(session: &mut Session, after: &str) -> Result<Option<Listed>> {
    let found = session
        .query_opt(
            "SELECT id, state, business_key, incidents FROM execution_instance
             WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1",
            &params![after],
        )
        .await?;
    let listed = |row: Row| {
        Ok(Listed {
            id: row.text(0)?,
            state: row.text(1)?,
            business_key: row.opt_text(2)?,
            incidents: row.int(3)?,
        })
    };
    found.map(listed).transpose()
}

fn incidents(instance: &Instance) -> i64 {
    i64::try_from(instance.incidents().count()).unwrap_or(i64::MAX)
}

/// Adds the state after a transition: a new row, or the next version of the one there is. Says how
/// many bytes the state has.
pub(super) fn put(writes: &mut WriteSet, after: &Stored) -> Result<usize> {
    let instance = &after.instance;
    let body = serde_json::to_string(instance)
        .map_err(|source| Error::internal("instance_encoding", source))?;
    let bytes = body.len();
    let row_sum = sum::of(after, &body);
    let incidents = incidents(instance);
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
            row_sum,
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
        row_sum,
    ];
    writes.push_expecting(UPDATE, values, 1, ExecutionError::Changed.into());
    Ok(bytes)
}

fn stored(row: &Row) -> Result<Stored> {
    let body = row.str(7)?;
    let damaged = |_| sum::damaged(row.str(0).unwrap_or_default());
    let instance: Instance = serde_json::from_str(body).map_err(damaged)?;
    let version = row.int(3)?;
    let stored = Stored {
        instance,
        process: Arc::from(row.str(1)?),
        process_version: row.int(2)?,
        version,
        // The journal grows by one row with every version.
        head: Head { seq: version, hash: row.text(4)? },
        started_at: row.timestamp(5)?,
        ended_at: row.opt_timestamp(6)?,
    };
    sum::check(&stored, body, row.opt_int(8)?)?;
    Ok(stored)
}

/// What lists filter by: a held instance is active for the engine and paused for people.
pub(super) fn state_name(instance: &Instance) -> &'static str {
    if instance.paused { "paused" } else { instance.state.as_str() }
}
