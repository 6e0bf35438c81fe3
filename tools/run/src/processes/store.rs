//! The tables of the processes room.

use flowmaster_kernel::{Result, Timestamp};
use flowmaster_mind::rules::RulePin;
use flowmaster_store::{Migrations, Param, Row, Session, Tx, intact, params};

use super::types::{ProcessSummary, VersionSummary};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "processes",
    steps: &["
CREATE TABLE processes_process (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    active_version BIGINT,
    tool TEXT,
    draft TEXT,
    draft_hash TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX processes_tool ON processes_process (tenant_id, tool);
CREATE TABLE processes_version (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    xml TEXT NOT NULL,
    rules TEXT NOT NULL,
    author TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id, version)
);
CREATE TABLE processes_start (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    element TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, name, id, element)
);
"],
};

const FIND: &str = "SELECT id, name, active_version, tool, draft, draft_hash, updated_at
    FROM processes_process WHERE tenant_id = $1 AND id = $2";
const ACTIVE: &str =
    "SELECT active_version FROM processes_process WHERE tenant_id = $1 AND id = $2";
const BY_TOOL: &str = "SELECT id, active_version FROM processes_process
    WHERE tenant_id = $1 AND tool = $2";
const TOOLS: &str = "SELECT id, active_version FROM processes_process
    WHERE tenant_id = $1 AND tool IS NOT NULL AND active_version IS NOT NULL ORDER BY tool LIMIT 200";
const SEARCH: &str = "SELECT id, name, active_version, tool, NULL, draft_hash, updated_at
    FROM processes_process WHERE tenant_id = $1 AND id > $2
    AND ($3 = '' OR LOWER(id) LIKE $3 OR LOWER(name) LIKE $3) ORDER BY id LIMIT $4";
const PUBLISHED_IDS: &str = "SELECT id FROM processes_process
    WHERE tenant_id = $1 AND active_version IS NOT NULL ORDER BY id LIMIT 5000";
const SAVE_DRAFT: &str = "INSERT INTO processes_process
    (tenant_id, id, name, draft, draft_hash, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, draft = excluded.draft,
    draft_hash = excluded.draft_hash, updated_at = excluded.updated_at";
const ACTIVATE: &str = "UPDATE processes_process SET active_version = $3, tool = $4, draft = NULL,
    draft_hash = NULL, updated_at = $5 WHERE tenant_id = $1 AND id = $2";
const ADD_VERSION: &str = "INSERT INTO processes_version
    (tenant_id, id, version, hash, xml, rules, author, published_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const VERSION: &str = "SELECT version, hash, xml, rules FROM processes_version
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const VERSIONS: &str = "SELECT version, hash, author, published_at FROM processes_version
    WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC LIMIT 50";
const CLEAR_STARTS: &str = "DELETE FROM processes_start WHERE tenant_id = $1 AND id = $2";
const ADD_START: &str = "INSERT INTO processes_start (tenant_id, kind, name, id, element)
    VALUES ($1, $2, $3, $4, $5)";
const STARTS: &str = "SELECT id, element FROM processes_start
    WHERE tenant_id = $1 AND kind = $2 AND name = $3 ORDER BY id, element LIMIT 1000";

const PINNING: &str = "SELECT p.id, v.version, v.hash, v.xml, v.rules
    FROM processes_process p JOIN processes_version v
    ON v.tenant_id = p.tenant_id AND v.id = p.id AND v.version = p.active_version
    WHERE p.tenant_id = $1 AND p.id > $2 AND REPLACE(v.rules, $3, '') <> v.rules
    ORDER BY p.id LIMIT $4";

/// A process with its draft.
pub(super) struct ProcessRow {
    pub(super) summary: ProcessSummary,
    pub(super) draft: Option<String>,
    pub(super) draft_hash: Option<String>,
}

/// A version with its content.
pub(super) struct VersionRow {
    pub(super) version: i64,
    pub(super) hash: String,
    pub(super) xml: String,
    pub(super) rules: Vec<RulePin>,
}

/// What begins a process without being called.
pub(super) struct StartRow<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) element: &'a str,
}

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<ProcessRow>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| process_row(&row)).transpose()
}

/// The active version of a process, if there is such a process and it has one.
pub(super) async fn active(session: &mut Session, id: &str) -> Result<Option<Option<i64>>> {
    session.query_opt(ACTIVE, &params![id]).await?.map(|row| row.opt_int(0)).transpose()
}

/// Id and active version of the process offered as `tool`.
pub(super) async fn by_tool(
    session: &mut Session,
    tool: &str,
) -> Result<Option<(String, Option<i64>)>> {
    let row = session.query_opt(BY_TOOL, &params![tool]).await?;
    row.map(|row| Ok((row.text(0)?, row.opt_int(1)?))).transpose()
}

/// Id and active version of every process offered as a tool.
pub(super) async fn tools(session: &mut Session) -> Result<Vec<(String, i64)>> {
    session.query(TOOLS, &[]).await?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

pub(super) async fn search(
    session: &mut Session,
    after: &str,
    text: &str,
    limit: usize,
) -> Result<Vec<ProcessSummary>> {
    let pattern = match text.trim() {
        "" => String::new(),
        text => format!("%{}%", text.to_lowercase().replace(['%', '_'], "")),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = session.query(SEARCH, &params![after, pattern, limit]).await?;
    rows.iter().map(|row| process_row(row).map(|row| row.summary)).collect()
}

pub(super) async fn published_ids(session: &mut Session) -> Result<Vec<String>> {
    session.query(PUBLISHED_IDS, &[]).await?.iter().map(|row| row.text(0)).collect()
}

pub(super) async fn save_draft(
    tx: &mut Tx,
    id: &str,
    name: Option<&str>,
    draft: &str,
    hash: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(SAVE_DRAFT, &params![id, name, draft, hash, now]).await.map(drop)
}

pub(super) async fn add_version(
    tx: &mut Tx,
    id: &str,
    row: &VersionRow,
    author: &str,
    now: Timestamp,
) -> Result<()> {
    let rules = Param::json(&row.rules)?;
    let values = params![id, row.version, &row.hash, &row.xml, rules, author, now];
    tx.execute(ADD_VERSION, &values).await.map(drop)
}

pub(super) async fn activate(
    tx: &mut Tx,
    id: &str,
    version: i64,
    tool: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    tx.execute(ACTIVATE, &params![id, version, tool, now]).await.map(drop)
}

/// Replaces what begins the process.
pub(super) async fn set_starts(tx: &mut Tx, id: &str, starts: &[StartRow<'_>]) -> Result<()> {
    tx.execute(CLEAR_STARTS, &params![id]).await?;
    for start in starts {
        tx.execute(ADD_START, &params![start.kind, start.name, id, start.element]).await?;
    }
    Ok(())
}

/// Process and start event of everything that begins by `kind` and `name`.
pub(super) async fn starts(
    session: &mut Session,
    kind: &str,
    name: &str,
) -> Result<Vec<(String, String)>> {
    let rows = session.query(STARTS, &params![kind, name]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

pub(super) async fn version(
    session: &mut Session,
    id: &str,
    version: i64,
) -> Result<Option<VersionRow>> {
    let row = session.query_opt(VERSION, &params![id, version]).await?;
    row.map(|row| {
        intact::check("process", id, row.str(2)?, row.str(1)?)?;
        Ok(VersionRow {
            version: row.int(0)?,
            hash: row.text(1)?,
            xml: row.text(2)?,
            rules: row.json(3)?,
        })
    })
    .transpose()
}

/// Up to `limit` processes behind `after` whose active version takes some version of a rule file, with
/// that version; by id.
pub(super) async fn pinning(
    session: &mut Session,
    file: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, VersionRow)>> {
    // As it stands in the stored list. Ids of files have no letter that JSON escapes.
    let pinned = format!("\"file\":\"{file}\",");
    let rows = session.query(PINNING, &params![after, pinned, limit]).await?;
    let of_process = |row: &Row| {
        let (id, xml, hash) = (row.text(0)?, row.text(3)?, row.text(2)?);
        intact::check("process", &id, &xml, &hash)?;
        Ok((id, VersionRow { version: row.int(1)?, hash, xml, rules: row.json(4)? }))
    };
    rows.iter().map(of_process).collect()
}

pub(super) async fn versions(session: &mut Session, id: &str) -> Result<Vec<VersionSummary>> {
    let rows = session.query(VERSIONS, &params![id]).await?;
    rows.iter()
        .map(|row| {
            Ok(VersionSummary {
                version: row.int(0)?,
                hash: row.text(1)?,
                author: row.text(2)?,
                published_at: row.timestamp(3)?,
            })
        })
        .collect()
}

fn process_row(row: &Row) -> Result<ProcessRow> {
    let (id, draft, draft_hash) = (row.text(0)?, row.opt_text(4)?, row.opt_text(5)?);
    // Lists do not read drafts.
    if let (Some(draft), Some(hash)) = (&draft, &draft_hash) {
        intact::check("draft of the process", &id, draft, hash)?;
    }
    Ok(ProcessRow {
        summary: ProcessSummary {
            id,
            name: row.opt_text(1)?,
            active_version: row.opt_int(2)?,
            tool: row.opt_text(3)?,
            has_draft: draft_hash.is_some(),
            updated_at: row.timestamp(6)?,
        },
        draft,
        draft_hash,
    })
}
