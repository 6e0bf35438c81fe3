//! The table of the handles room.

use flowmaster_kernel::{Ctx, Result, Timestamp};
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};

use super::types::{Handle, HandleState};

/// The room's table.
pub const MIGRATIONS: Migrations = Migrations {
    room: "handles",
    steps: &["
CREATE TABLE handles_handle (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX handles_handle_subject ON handles_handle (tenant_id, owner, subject);
CREATE INDEX handles_handle_expiry ON handles_handle (tenant_id, expires_at);
"],
};

const FIND: &str =
    "SELECT id, operation, subject, state, version, created_at, updated_at, expires_at
    FROM handles_handle WHERE tenant_id = $1 AND id = $2 AND owner = $3 AND expires_at > $4";
const OF_SUBJECT: &str = "SELECT id, operation, subject, state, version, created_at, updated_at,
    expires_at FROM handles_handle
    WHERE tenant_id = $1 AND owner = $2 AND subject = $3 AND operation = $4 AND expires_at > $5
    ORDER BY created_at, id LIMIT 1";
const COUNT: &str = "SELECT COUNT(*) FROM handles_handle WHERE tenant_id = $1 AND owner = $2";
const ADD: &str = "INSERT INTO handles_handle (tenant_id, id, owner, operation, subject, state,
    version, created_at, updated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)";
const CHANGE: &str = "UPDATE handles_handle SET state = $4, version = version + 1, updated_at = $5
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const FORGET: &str = "DELETE FROM handles_handle WHERE tenant_id = $1 AND expires_at <= $2";

/// A handle with the version of its row.
pub(super) struct Stored {
    pub(super) handle: Handle,
    pub(super) version: i64,
}

/// The caller's handle with the id `id`.
pub(super) async fn find(session: &mut Session, ctx: &Ctx, id: &str) -> Result<Option<Stored>> {
    let found = session.query_opt(FIND, &params![id, &ctx.principal.id, ctx.now()]).await?;
    found.as_ref().map(stored).transpose()
}

/// The caller's handle of `subject`, got from `operation`.
pub(super) async fn of_subject(
    session: &mut Session,
    ctx: &Ctx,
    operation: &str,
    subject: &str,
) -> Result<Option<Stored>> {
    let values = params![&ctx.principal.id, subject, operation, ctx.now()];
    session.query_opt(OF_SUBJECT, &values).await?.as_ref().map(stored).transpose()
}

/// How many handles the caller has.
pub(super) async fn count(session: &mut Session, ctx: &Ctx) -> Result<i64> {
    session.query_one(COUNT, &params![&ctx.principal.id]).await?.int(0)
}

pub(super) fn add(writes: &mut WriteSet, ctx: &Ctx, handle: &Handle) -> Result<()> {
    let values = params![
        &handle.id,
        &ctx.principal.id,
        &handle.operation,
        &handle.subject,
        Param::json(&handle.state)?,
        handle.created_at,
        handle.updated_at,
        handle.expires_at,
    ];
    writes.push(ADD, values);
    Ok(())
}

/// The statement and its values that change a handle as it was read.
pub(super) fn change(
    stored: &Stored,
    state: &HandleState,
    now: Timestamp,
) -> Result<(&'static str, [Param; 4])> {
    let values =
        [(&stored.handle.id).into(), stored.version.into(), Param::json(state)?, now.into()];
    Ok((CHANGE, values))
}

/// Forgets what has expired in the tenant.
pub(super) fn forget(writes: &mut WriteSet, now: Timestamp) {
    writes.push(FORGET, params![now]);
}

fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored {
        handle: Handle {
            id: row.text(0)?,
            operation: row.text(1)?,
            subject: row.text(2)?,
            state: row.json(3)?,
            created_at: row.timestamp(5)?,
            updated_at: row.timestamp(6)?,
            expires_at: row.timestamp(7)?,
        },
        version: row.int(4)?,
    })
}
