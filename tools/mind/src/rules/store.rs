//! The tables of the rules room.

use flowmaster_kernel::Result;
use flowmaster_store::{Migrations, Param, Row, Session, Tx, intact, params};

use super::types::{RuleInfo, RulePin, SearchRules};

/// The room's tables. `rules_active` says which active version holds a decision. The second step
/// hands the mandates over to the room that has them now, whose steps come after these.
pub const MIGRATIONS: Migrations = Migrations {
    room: "rules",
    steps: &[
        "
CREATE TABLE rules_decision (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    decisions TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    dmn TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id, version)
);
CREATE TABLE rules_active (
    tenant_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    file TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, decision_id)
);
CREATE TABLE rules_mandates (
    tenant_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    mandates TEXT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
",
        "
ALTER TABLE rules_mandates RENAME TO mandates_set;
",
    ],
};

const ADD: &str = "INSERT INTO rules_decision
    (tenant_id, id, version, hash, name, decisions, author, created_at, dmn)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const NEWEST: &str = "SELECT id, version, hash, name, decisions, author, created_at
    FROM rules_decision WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC LIMIT 1";
const ONE: &str = "SELECT id, version, hash, name, decisions, author, created_at
    FROM rules_decision WHERE tenant_id = $1 AND id = $2 AND version = $3";
const DMN: &str =
    "SELECT dmn, hash FROM rules_decision WHERE tenant_id = $1 AND id = $2 AND version = $3";
const ACTIVATE: &str = "INSERT INTO rules_active (tenant_id, decision_id, file, version)
    VALUES ($1, $2, $3, $4)";
const DEACTIVATE: &str = "DELETE FROM rules_active WHERE tenant_id = $1 AND file = $2";
const HOLDER: &str =
    "SELECT file, version FROM rules_active WHERE tenant_id = $1 AND decision_id = $2";
const ACTIVE: &str =
    "SELECT decision_id FROM rules_active WHERE tenant_id = $1 ORDER BY decision_id";

pub(super) async fn add(tx: &mut Tx, rule: &RuleInfo, dmn: &str) -> Result<()> {
    let values = params![
        &rule.id,
        rule.version,
        &rule.hash,
        &rule.name,
        Param::json(&rule.decisions)?,
        &rule.author,
        rule.created_at,
        dmn,
    ];
    tx.execute(ADD, &values).await?;
    tx.execute(DEACTIVATE, &params![&rule.id]).await?;
    for decision in &rule.decisions {
        tx.execute(ACTIVATE, &params![&decision.id, &rule.id, rule.version]).await?;
    }
    Ok(())
}

/// The version of that number, or the newest one.
pub(super) async fn find(
    session: &mut Session,
    id: &str,
    version: Option<i64>,
) -> Result<Option<RuleInfo>> {
    let row = match version {
        Some(version) => session.query_opt(ONE, &params![id, version]).await?,
        None => session.query_opt(NEWEST, &params![id]).await?,
    };
    row.map(|row| info(&row)).transpose()
}

pub(super) async fn dmn(session: &mut Session, pin: &RulePin) -> Result<Option<String>> {
    let row = session.query_opt(DMN, &params![&pin.file, pin.version]).await?;
    row.map(|row| {
        intact::check("decisions", &pin.file, row.str(0)?, row.str(1)?)?;
        row.text(0)
    })
    .transpose()
}

/// The active version that holds `decision`.
pub(super) async fn holder(session: &mut Session, decision: &str) -> Result<Option<RulePin>> {
    let row = session.query_opt(HOLDER, &params![decision]).await?;
    row.map(|row| Ok(RulePin { file: row.text(0)?, version: row.int(1)? })).transpose()
}

/// The ids of the decisions of all active versions.
pub(super) async fn active(session: &mut Session) -> Result<Vec<String>> {
    session.query(ACTIVE, &[]).await?.iter().map(|row| row.text(0)).collect()
}

/// Up to `limit` active versions that match, by id.
pub(super) async fn search(
    session: &mut Session,
    filter: &SearchRules,
    limit: usize,
) -> Result<Vec<RuleInfo>> {
    let mut sql = String::from(
        "SELECT r.id, r.version, r.hash, r.name, r.decisions, r.author, r.created_at
         FROM rules_decision r WHERE r.tenant_id = $1 AND r.version = (
            SELECT MAX(n.version) FROM rules_decision n
            WHERE n.tenant_id = r.tenant_id AND n.id = r.id)",
    );
    let mut values: Vec<Param> = Vec::new();
    if let Some(cursor) = &filter.cursor {
        values.push((&cursor.0).into());
        sql.push_str(&format!(" AND r.id > ${}", values.len() + 1));
    }
    if let Some(text) = &filter.text {
        values.push(text.into());
        let number = values.len() + 1;
        sql.push_str(&format!(
            " AND (/*sqlite:INSTR*//*postgres:STRPOS*/(LOWER(r.id), LOWER(CAST(${number} AS TEXT))) > 0
                OR /*sqlite:INSTR*//*postgres:STRPOS*/(LOWER(r.name), LOWER(CAST(${number} AS TEXT))) > 0)"
        ));
    }
    if let Some(decision) = &filter.decision {
        values.push(decision.into());
        sql.push_str(&format!(
            " AND r.id = (SELECT a.file FROM rules_active a
                WHERE a.tenant_id = r.tenant_id AND a.decision_id = ${})",
            values.len() + 1
        ));
    }
    sql.push_str(&format!(" ORDER BY r.id LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(info).collect()
}

fn info(row: &Row) -> Result<RuleInfo> {
    Ok(RuleInfo {
        id: row.text(0)?,
        version: row.int(1)?,
        hash: row.text(2)?,
        name: row.text(3)?,
        decisions: row.json(4)?,
        author: row.text(5)?,
        created_at: row.timestamp(6)?,
    })
}
