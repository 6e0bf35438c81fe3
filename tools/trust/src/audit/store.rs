//! The table of the audit room.

use flowmaster_kernel::Result;
use flowmaster_store::{Migrations, Param, Session, WriteSet, params};

use super::types::{Entry, SearchAudit};

/// The room's table.
pub const MIGRATIONS: Migrations = Migrations {
    room: "audit",
    steps: &["
CREATE TABLE audit_entry (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    operation TEXT NOT NULL,
    outcome TEXT NOT NULL,
    arguments_hash TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    trace TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
"],
};

const ADD: &str = "INSERT INTO audit_entry (tenant_id, id, at, principal, operation, outcome,
    arguments_hash, duration_ms, trace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(super) fn add(writes: &mut WriteSet, entry: &Entry) {
    writes.push(
        ADD,
        params![
            &entry.id,
            entry.at,
            &entry.principal,
            &entry.operation,
            &entry.outcome,
            &entry.arguments_hash,
            entry.duration_ms,
            &entry.trace,
        ],
    );
}

/// Up to `limit` entries that match, the newest first.
pub(super) async fn search(
    session: &mut Session,
    filter: &SearchAudit,
    limit: usize,
) -> Result<Vec<Entry>> {
    let mut sql = String::from(
        "SELECT id, at, principal, operation, outcome, arguments_hash, duration_ms, trace
         FROM audit_entry WHERE tenant_id = $1",
    );
    let mut values: Vec<Param> = Vec::new();
    let mut also = |column: &str, comparison: &str, value: Option<&str>| {
        if let Some(value) = value {
            values.push(value.into());
            sql.push_str(&format!(" AND {column} {comparison} ${}", values.len() + 1));
        }
    };
    also("principal", "=", filter.principal.as_deref());
    also("operation", "=", filter.operation.as_deref());
    also("outcome", "=", filter.outcome.as_deref());
    also("id", "<", filter.cursor.as_ref().map(|cursor| cursor.0.as_str()));
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let rows = session.query_dynamic(&sql, &values).await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                id: row.id(0)?,
                at: row.timestamp(1)?,
                principal: row.text(2)?,
                operation: row.text(3)?,
                outcome: row.text(4)?,
                arguments_hash: row.text(5)?,
                duration_ms: row.int(6)?,
                trace: row.text(7)?,
            })
        })
        .collect()
}
