//! The table of the log.

use flowmaster_kernel::{Id, Result, Timestamp};
use flowmaster_mind::rules::RulePin;
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};

use super::types::{EvaluationId, LoggedEvaluation, SearchEvaluations};

/// The room's table. Ids are in the order of time.
pub const MIGRATIONS: Migrations = Migrations {
    room: "evaluations",
    steps: &["
CREATE TABLE evaluations_evaluation (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    decision TEXT NOT NULL,
    file TEXT NOT NULL,
    version BIGINT NOT NULL,
    process TEXT NOT NULL,
    process_version BIGINT NOT NULL,
    instance TEXT NOT NULL,
    element TEXT NOT NULL,
    inputs TEXT,
    value TEXT,
    error TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX evaluations_decision ON evaluations_evaluation (tenant_id, decision, id);
CREATE INDEX evaluations_instance ON evaluations_evaluation (tenant_id, instance, id);
"],
};

const ADD: &str = "INSERT INTO evaluations_evaluation (tenant_id, id, at, decision, file, version,
    process, process_version, instance, element, inputs, value, error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const COLUMNS: &str =
    "id, at, decision, file, version, process, process_version, instance, element,
    inputs, value, error";
const FIND: &str = "SELECT id, at, decision, file, version, process, process_version, instance,
    element, inputs, value, error FROM evaluations_evaluation WHERE tenant_id = $1 AND id = $2";
const OF_INSTANCE: &str =
    "SELECT id, at, decision, file, version, process, process_version, instance,
    element, inputs, value, error FROM evaluations_evaluation
    WHERE tenant_id = $1 AND instance = $2 ORDER BY id LIMIT $3";
const REMOVE: &str = "DELETE FROM evaluations_evaluation WHERE tenant_id = $1 AND instance = $2";

/// A row that is about to be written.
pub(super) struct NewEvaluation<'a> {
    pub(super) id: Id<EvaluationId>,
    pub(super) at: Timestamp,
    pub(super) decision: &'a str,
    pub(super) pin: &'a RulePin,
    pub(super) process: &'a str,
    pub(super) process_version: i64,
    pub(super) instance: &'a str,
    pub(super) element: &'a str,
    pub(super) inputs: Option<String>,
    pub(super) value: Option<String>,
    pub(super) error: Option<String>,
}

pub(super) fn add(writes: &mut WriteSet, new: &NewEvaluation<'_>) {
    let values = params![
        &new.id,
        new.at,
        new.decision,
        &new.pin.file,
        new.pin.version,
        new.process,
        new.process_version,
        new.instance,
        new.element,
        new.inputs.as_deref(),
        new.value.as_deref(),
        new.error.as_deref(),
    ];
    writes.push(ADD, values);
}

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<LoggedEvaluation>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| logged(&row)).transpose()
}

/// Up to `limit` evaluations that match, the newest first.
pub(super) async fn search(
    session: &mut Session,
    search: &SearchEvaluations,
    limit: usize,
) -> Result<Vec<LoggedEvaluation>> {
    let mut sql = format!("SELECT {COLUMNS} FROM evaluations_evaluation WHERE tenant_id = $1");
    let mut values: Vec<Param> = Vec::new();
    let mut also = |condition: &str, value: Option<Param>| {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ${}", values.len() + 1));
        }
    };
    also("id <", search.cursor.as_ref().map(|cursor| (&cursor.0).into()));
    also("decision =", search.decision.as_ref().map(Into::into));
    also("file =", search.file.as_ref().map(Into::into));
    also("version =", search.version.map(Into::into));
    also("process =", search.process.as_ref().map(Into::into));
    also("instance =", search.instance.as_ref().map(Into::into));
    also("at >=", search.from.map(Into::into));
    also("at <", search.before.map(Into::into));
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(logged).collect()
}

/// Up to `limit` evaluations of an instance, the oldest first.
pub(super) async fn of_instance(
    session: &mut Session,
    instance: &str,
    limit: usize,
) -> Result<Vec<LoggedEvaluation>> {
    session.query(OF_INSTANCE, &params![instance, limit]).await?.iter().map(logged).collect()
}

/// Removes the `count` evaluations of an instance; refused when there are others by now.
pub(super) fn remove_of_instance(
    writes: &mut WriteSet,
    instance: &str,
    count: usize,
    changed: flowmaster_kernel::Error,
) {
    writes.push_expecting(REMOVE, params![instance], count as u64, changed);
}

fn logged(row: &Row) -> Result<LoggedEvaluation> {
    Ok(LoggedEvaluation {
        id: row.text(0)?,
        at: row.timestamp(1)?,
        decision: row.text(2)?,
        file: row.text(3)?,
        version: row.int(4)?,
        process: row.text(5)?,
        process_version: row.int(6)?,
        instance: row.text(7)?,
        element: row.text(8)?,
        inputs: row.opt_json(9)?,
        value: row.opt_json(10)?,
        error: row.opt_text(11)?,
    })
}
