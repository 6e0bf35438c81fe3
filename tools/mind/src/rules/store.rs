//! The tables of the rules room.

use flowmaster_kernel::Result;
use flowmaster_store::{Migrations, Param, Row, Session, Tx, intact, params};

use super::types::{
    DecisionInfo, RulePin, RuleSummary, RuleTest, RuleVersion, SavedRule, SearchRules,
};

/// The room's tables: `rules_file` has what is worked on, `rules_decision` the versions, and
/// `rules_active` says which active version holds a decision. The second step hands the mandates over to
/// the room that has them now, whose steps come after these. Before the third every save was a version.
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
        "
CREATE TABLE rules_file (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    active_version BIGINT,
    draft TEXT,
    draft_hash TEXT,
    draft_decisions TEXT,
    tests TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
ALTER TABLE rules_decision ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
ALTER TABLE rules_decision ADD COLUMN imports TEXT NOT NULL DEFAULT '[]';
CREATE INDEX rules_decision_namespace ON rules_decision (tenant_id, namespace);
INSERT INTO rules_file (tenant_id, id, name, active_version, tests, updated_at)
    SELECT r.tenant_id, r.id, r.name, r.version, '[]', r.created_at FROM rules_decision r
    WHERE r.version = (SELECT MAX(n.version) FROM rules_decision n
        WHERE n.tenant_id = r.tenant_id AND n.id = r.id);
",
    ],
};

const FILE: &str = "SELECT f.id, f.name, f.active_version, f.draft_hash,
    COALESCE(r.decisions, f.draft_decisions), f.updated_at, f.draft, f.tests, f.draft_decisions
    FROM rules_file f LEFT JOIN rules_decision r
    ON r.tenant_id = f.tenant_id AND r.id = f.id AND r.version = f.active_version
    WHERE f.tenant_id = $1 AND f.id = $2";
const ACTIVE_VERSION: &str =
    "SELECT active_version FROM rules_file WHERE tenant_id = $1 AND id = $2";
const SAVE_DRAFT: &str = "INSERT INTO rules_file
    (tenant_id, id, name, draft, draft_hash, draft_decisions, tests, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, draft = excluded.draft,
    draft_hash = excluded.draft_hash, draft_decisions = excluded.draft_decisions,
    tests = excluded.tests, updated_at = excluded.updated_at";
const SAVE_TESTS: &str =
    "UPDATE rules_file SET tests = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2";
const ACTIVATE: &str = "UPDATE rules_file SET active_version = $3, draft = NULL, draft_hash = NULL,
    draft_decisions = NULL, updated_at = $4 WHERE tenant_id = $1 AND id = $2";
const ADD_VERSION: &str = "INSERT INTO rules_decision
    (tenant_id, id, version, hash, name, decisions, author, created_at, dmn, namespace, imports)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const NAME: &str = "UPDATE rules_decision SET namespace = $4
    WHERE tenant_id = $1 AND id = $2 AND version = $3 AND namespace = ''";
const VERSIONS: &str = "SELECT version, hash, author, created_at FROM rules_decision
    WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC LIMIT 50";
const VERSION: &str = "SELECT name, hash, decisions, dmn, imports FROM rules_decision
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const HOLD: &str = "INSERT INTO rules_active (tenant_id, decision_id, file, version)
    VALUES ($1, $2, $3, $4)";
const LET_GO: &str = "DELETE FROM rules_active WHERE tenant_id = $1 AND file = $2";
const HOLDER: &str =
    "SELECT file, version FROM rules_active WHERE tenant_id = $1 AND decision_id = $2";
const ACTIVE: &str =
    "SELECT decision_id FROM rules_active WHERE tenant_id = $1 ORDER BY decision_id";
const BY_NAMESPACE: &str = "SELECT r.id, r.version FROM rules_decision r JOIN rules_file f
    ON f.tenant_id = r.tenant_id AND f.id = r.id AND f.active_version = r.version
    WHERE r.tenant_id = $1 AND r.namespace = $2 AND r.namespace <> '' ORDER BY r.id LIMIT 2";
const ACTIVE_FILES: &str = "SELECT r.dmn FROM rules_file f JOIN rules_decision r
    ON r.tenant_id = f.tenant_id AND r.id = f.id AND r.version = f.active_version
    WHERE f.tenant_id = $1 ORDER BY f.id LIMIT $2";

/// A rule file with its draft and its tests.
pub(super) struct FileRow {
    pub(super) summary: RuleSummary,
    pub(super) draft: Option<Draft>,
    pub(super) tests: Vec<RuleTest>,
}

/// What is worked on.
pub(super) struct Draft {
    pub(super) dmn: String,
    pub(super) hash: String,
    pub(super) decisions: Vec<DecisionInfo>,
}

/// The content of a version.
pub(super) struct VersionRow {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) decisions: Vec<DecisionInfo>,
    pub(super) dmn: String,
    /// The versions of the files that it imports.
    pub(super) imports: Vec<RulePin>,
}

/// A version that is about to be published.
pub(super) struct NewVersion<'a> {
    pub(super) number: i64,
    /// Whether it has to be added.
    pub(super) is_new: bool,
    pub(super) content: &'a VersionRow,
    pub(super) author: &'a str,
    pub(super) namespace: &'a str,
}

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<FileRow>> {
    let Some(row) = session.query_opt(FILE, &params![id]).await? else { return Ok(None) };
    let draft = match row.opt_text(6)?.zip(row.opt_text(3)?) {
        None => None,
        Some((dmn, hash)) => {
            intact::check("draft of the rules", id, &dmn, &hash)?;
            Some(Draft { dmn, hash, decisions: row.json(8)? })
        }
    };
    Ok(Some(FileRow { summary: summary(&row)?, draft, tests: row.json(7)? }))
}

/// The active version of a file, if there is such a file and it has one.
pub(super) async fn active_version(session: &mut Session, id: &str) -> Result<Option<Option<i64>>> {
    session.query_opt(ACTIVE_VERSION, &params![id]).await?.map(|row| row.opt_int(0)).transpose()
}

/// Keeps a draft, and the tests of the file.
pub(super) async fn save_draft(
    tx: &mut Tx,
    saved: &SavedRule,
    name: &str,
    dmn: &str,
    tests: &[RuleTest],
) -> Result<()> {
    let (decisions, tests) = (Param::json(&saved.decisions)?, Param::json(&tests)?);
    let now = tx.now();
    let values = params![&saved.id, name, dmn, &saved.hash, decisions, tests, now];
    tx.execute(SAVE_DRAFT, &values).await.map(drop)
}

pub(super) async fn save_tests(tx: &mut Tx, id: &str, tests: &[RuleTest]) -> Result<()> {
    let values = params![id, Param::json(&tests)?, tx.now()];
    tx.execute(SAVE_TESTS, &values).await.map(drop)
}

/// Adds a version, unless it is there, and makes it the active one.
pub(super) async fn publish(tx: &mut Tx, id: &str, new: &NewVersion<'_>) -> Result<()> {
    let now = tx.now();
    let NewVersion { number: version, is_new, content: row, author, namespace } = *new;
    if is_new {
        let (decisions, imports) = (Param::json(&row.decisions)?, Param::json(&row.imports)?);
        let VersionRow { name, hash, dmn, .. } = row;
        let values =
            params![id, version, hash, name, decisions, author, now, dmn, namespace, imports];
        tx.execute(ADD_VERSION, &values).await?;
        tx.execute(LET_GO, &params![id]).await?;
        for decision in &row.decisions {
            tx.execute(HOLD, &params![&decision.id, id, version]).await?;
        }
    } else {
        // Versions from before there were imports have no namespace.
        tx.execute(NAME, &params![id, version, namespace]).await?;
    }
    tx.execute(ACTIVATE, &params![id, version, now]).await.map(drop)
}

/// The published versions, the newest first.
pub(super) async fn versions(session: &mut Session, id: &str) -> Result<Vec<RuleVersion>> {
    let version = |row: &Row| {
        Ok(RuleVersion {
            version: row.int(0)?,
            hash: row.text(1)?,
            author: row.text(2)?,
            published_at: row.timestamp(3)?,
        })
    };
    session.query(VERSIONS, &params![id]).await?.iter().map(version).collect()
}

pub(super) async fn version(session: &mut Session, pin: &RulePin) -> Result<Option<VersionRow>> {
    let row = session.query_opt(VERSION, &params![&pin.file, pin.version]).await?;
    row.map(|row| {
        intact::check("decisions", &pin.file, row.str(3)?, row.str(1)?)?;
        let (name, hash, dmn) = (row.text(0)?, row.text(1)?, row.text(3)?);
        Ok(VersionRow { name, hash, decisions: row.json(2)?, dmn, imports: row.json(4)? })
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

/// The first two active versions with this namespace, by id of their files.
pub(super) async fn by_namespace(session: &mut Session, namespace: &str) -> Result<Vec<RulePin>> {
    let rows = session.query(BY_NAMESPACE, &params![namespace]).await?;
    rows.iter().map(|row| Ok(RulePin { file: row.text(0)?, version: row.int(1)? })).collect()
}

/// The active versions of up to `limit` files, by id.
pub(super) async fn active_files(session: &mut Session, limit: usize) -> Result<Vec<String>> {
    session.query(ACTIVE_FILES, &params![limit]).await?.iter().map(|row| row.text(0)).collect()
}

/// Up to `limit` rule files that match, by id.
pub(super) async fn search(
    session: &mut Session,
    filter: &SearchRules,
    limit: usize,
) -> Result<Vec<RuleSummary>> {
    let mut sql = String::from(
        "SELECT f.id, f.name, f.active_version, f.draft_hash,
         COALESCE(r.decisions, f.draft_decisions), f.updated_at
         FROM rules_file f LEFT JOIN rules_decision r
         ON r.tenant_id = f.tenant_id AND r.id = f.id AND r.version = f.active_version
         WHERE f.tenant_id = $1",
    );
    let mut values: Vec<Param> = Vec::new();
    if let Some(cursor) = &filter.cursor {
        values.push((&cursor.0).into());
        sql.push_str(&format!(" AND f.id > ${}", values.len() + 1));
    }
    if let Some(text) = &filter.text {
        values.push(text.into());
        let number = values.len() + 1;
        sql.push_str(&format!(
            " AND (/*sqlite:INSTR*//*postgres:STRPOS*/(LOWER(f.id), LOWER(CAST(${number} AS TEXT))) > 0
                OR /*sqlite:INSTR*//*postgres:STRPOS*/(LOWER(f.name), LOWER(CAST(${number} AS TEXT))) > 0)"
        ));
    }
    if let Some(decision) = &filter.decision {
        values.push(decision.into());
        sql.push_str(&format!(
            " AND f.id = (SELECT a.file FROM rules_active a
                WHERE a.tenant_id = f.tenant_id AND a.decision_id = ${})",
            values.len() + 1
        ));
    }
    sql.push_str(&format!(" ORDER BY f.id LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(summary).collect()
}

fn summary(row: &Row) -> Result<RuleSummary> {
    Ok(RuleSummary {
        id: row.text(0)?,
        name: row.text(1)?,
        active_version: row.opt_int(2)?,
        has_draft: row.opt_text(3)?.is_some(),
        decisions: row.json(4)?,
        updated_at: row.timestamp(5)?,
    })
}
