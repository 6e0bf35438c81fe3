//! Which instances ended and are still here, and which lie in the archive, and where.
//!
//! Invariant: an instance leaves its tables in the commit that says where it lies.

use flowmaster_kernel::{Result, TenantId, Timestamp};
use flowmaster_store::archive::Place;
use flowmaster_store::journal::{self, Head};
use flowmaster_store::{Db, Param, Row, Session, WriteSet, params};

use super::super::error::ExecutionError;
use super::super::instance::Stored;

/// Added in one step.
pub(super) const TABLES: &str = "
CREATE TABLE execution_ended (
    tenant_id TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    instance TEXT NOT NULL,
    process TEXT NOT NULL,
    PRIMARY KEY (tenant_id, ended_at, instance)
) /*sqlite:WITHOUT ROWID*/;
INSERT INTO execution_ended (tenant_id, ended_at, instance, process)
    SELECT tenant_id, ended_at, id, process FROM execution_instance
    WHERE ended_at IS NOT NULL AND id NOT LIKE '%-%';
CREATE TABLE execution_archived (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    process TEXT NOT NULL,
    process_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    business_key TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    head_hash TEXT NOT NULL,
    file TEXT NOT NULL,
    file_start BIGINT NOT NULL,
    file_bytes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX execution_archived_ended ON execution_archived (tenant_id, ended_at, id);
CREATE INDEX execution_archived_key ON execution_archived (tenant_id, business_key, ended_at, id)
    WHERE business_key IS NOT NULL;
";

const NOTE_END: &str = "INSERT INTO execution_ended (tenant_id, ended_at, instance, process)
    VALUES ($1, $2, $3, $4)";
const NEXT_TENANT: &str = "SELECT tenant_id FROM execution_ended WHERE tenant_id > $1
    ORDER BY tenant_id LIMIT 1";
const ENDED: &str = "SELECT ended_at, instance FROM execution_ended
    WHERE tenant_id = $1 AND ended_at < $2 AND (process = $3 OR CAST($3 AS TEXT) IS NULL)
    AND ended_at >= $4 AND (ended_at > $4 OR instance > $5)
    ORDER BY ended_at, instance LIMIT $6";
const FORGET_END: &str =
    "DELETE FROM execution_ended WHERE tenant_id = $1 AND ended_at = $2 AND instance = $3";
const REMOVE: &str =
    "DELETE FROM execution_instance WHERE tenant_id = $1 AND id = $2 AND version = $3";
const REMOVE_HELD: &str = "DELETE FROM execution_held WHERE tenant_id = $1 AND instance = $2";
const ADD: &str = "INSERT INTO execution_archived (tenant_id, id, process, process_version, state,
    business_key, started_at, ended_at, archived_at, head_seq, head_hash, file, file_start,
    file_bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const FIND: &str = "SELECT id, process, process_version, state, business_key, started_at, ended_at,
    archived_at, head_seq, head_hash, file, file_start, file_bytes
    FROM execution_archived WHERE tenant_id = $1 AND id = $2";

/// How many statements [`leave`] makes at most.
pub(in crate::execution) const STATEMENTS: usize = 5;

/// The place of an instance among those that ended.
pub(in crate::execution) type EndedAt = (Timestamp, String);

/// An instance that lies in the archive.
#[derive(Clone, Debug)]
pub(in crate::execution) struct ArchivedRow {
    pub(in crate::execution) id: String,
    pub(in crate::execution) process: String,
    pub(in crate::execution) process_version: i64,
    pub(in crate::execution) state: String,
    pub(in crate::execution) business_key: Option<String>,
    pub(in crate::execution) started_at: Timestamp,
    pub(in crate::execution) ended_at: Timestamp,
    pub(in crate::execution) archived_at: Timestamp,
    pub(in crate::execution) head: Head,
    pub(in crate::execution) place: Place,
}

/// Which ended instances are meant.
#[derive(Clone, Debug)]
pub(in crate::execution) struct Ended {
    pub(in crate::execution) before: Timestamp,
    pub(in crate::execution) process: Option<String>,
    /// The last one seen.
    pub(in crate::execution) after: Option<EndedAt>,
}

/// Which archived instances are meant.
#[derive(Clone, Debug, Default)]
pub(in crate::execution) struct ArchivedFilter {
    pub(in crate::execution) process: Option<String>,
    pub(in crate::execution) business_key: Option<String>,
    pub(in crate::execution) ended_from: Option<Timestamp>,
    pub(in crate::execution) ended_before: Option<Timestamp>,
    /// The last one seen.
    pub(in crate::execution) after: Option<EndedAt>,
}

/// Notes that an instance that nothing called has ended: it may leave one day, and takes with it
/// what it called.
pub(in crate::execution) fn note_end(writes: &mut WriteSet, stored: &Stored) {
    if let (Some(at), None) = (stored.ended_at, &stored.instance.caller) {
        writes.push(NOTE_END, params![at, &*stored.instance.id, &*stored.process]);
    }
}

/// The first tenant behind `after` that has instances that ended.
pub(in crate::execution) async fn next_tenant(db: &Db, after: &str) -> Result<Option<TenantId>> {
    let row = db.read_system().await?.query_opt(NEXT_TENANT, &params![after]).await?;
    row.map(|row| row.id(0)).transpose()
}

/// Up to `limit` instances that ended and that nothing called, the longest ended first.
pub(in crate::execution) async fn ended(
    session: &mut Session,
    wanted: &Ended,
    limit: usize,
) -> Result<Vec<EndedAt>> {
    let (at, id) = match &wanted.after {
        Some((at, id)) => (*at, id.as_str()),
        None => (Timestamp::from_millis(i64::MIN), ""),
    };
    let values = params![wanted.before, wanted.process.as_deref(), at, id, limit];
    let rows = session.query(ENDED, &values).await?;
    rows.iter().map(|row| Ok((row.timestamp(0)?, row.text(1)?))).collect()
}

/// Takes an instance out of its tables into the list of those that lie in the archive; refused when
/// it changed meanwhile.
pub(in crate::execution) fn leave(
    writes: &mut WriteSet,
    stored: &Stored,
    place: &Place,
    now: Timestamp,
) {
    let id = &*stored.instance.id;
    let ended_at = stored.ended_at.unwrap_or(now);
    let count = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let values = params![
        id,
        &*stored.process,
        stored.process_version,
        super::state_name(&stored.instance),
        stored.instance.business_key.as_deref(),
        stored.started_at,
        ended_at,
        now,
        stored.head.seq,
        &stored.head.hash,
        &place.file,
        count(place.start),
        count(place.bytes),
    ];
    let changed = || ExecutionError::Changed.into();
    writes.push_expecting(REMOVE, params![id, stored.version], 1, changed());
    writes.push(ADD, values);
    journal::remove(writes, id, &stored.head);
    writes.push(REMOVE_HELD, params![id]);
    if stored.instance.caller.is_none() {
        writes.push(FORGET_END, params![ended_at, id]);
    }
}

/// Where the instance with the id `id` lies, if it was archived.
pub(in crate::execution) async fn find(
    session: &mut Session,
    id: &str,
) -> Result<Option<ArchivedRow>> {
    session.query_opt(FIND, &params![id]).await?.as_ref().map(archived).transpose()
}

/// Up to `limit` archived instances that match, the last ended first.
pub(in crate::execution) async fn search(
    session: &mut Session,
    filter: &ArchivedFilter,
    limit: usize,
) -> Result<Vec<ArchivedRow>> {
    let mut sql = String::from(
        "SELECT id, process, process_version, state, business_key, started_at, ended_at,
         archived_at, head_seq, head_hash, file, file_start, file_bytes
         FROM execution_archived WHERE tenant_id = $1",
    );
    let mut values: Vec<Param> = Vec::new();
    let mut and = |condition: &str, value: Param| {
        values.push(value);
        let place = format!("${}", values.len() + 1);
        sql.push_str(" AND ");
        sql.push_str(&condition.replace('?', &place));
    };
    if let Some(process) = &filter.process {
        and("process = ?", process.into());
    }
    if let Some(key) = &filter.business_key {
        and("business_key = ?", key.into());
    }
    if let Some(from) = filter.ended_from {
        and("ended_at >= ?", from.into());
    }
    if let Some(before) = filter.ended_before {
        and("ended_at < ?", before.into());
    }
    if let Some((at, id)) = &filter.after {
        and("ended_at <= ?", (*at).into());
        and("(ended_at < ?", (*at).into());
        values.push(id.into());
        sql.push_str(&format!(" OR id < ${})", values.len() + 1));
    }
    sql.push_str(&format!(" ORDER BY ended_at DESC, id DESC LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(archived).collect()
}

fn archived(row: &Row) -> Result<ArchivedRow> {
    Ok(ArchivedRow {
        id: row.text(0)?,
        process: row.text(1)?,
        process_version: row.int(2)?,
        state: row.text(3)?,
        business_key: row.opt_text(4)?,
        started_at: row.timestamp(5)?,
        ended_at: row.timestamp(6)?,
        archived_at: row.timestamp(7)?,
        head: Head { seq: row.int(8)?, hash: row.text(9)? },
        place: Place { file: row.str(10)?.into(), start: row.count(11)?, bytes: row.count(12)? },
    })
}
