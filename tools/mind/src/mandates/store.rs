//! The table of the mandates room.

use flowmaster_engine::governance::MandateSet;
use flowmaster_kernel::{Result, Timestamp};
use flowmaster_store::{Migrations, Param, Session, Tx, params};

/// The room's table. The rules room had it once, and hands it over before these steps.
pub const MIGRATIONS: Migrations = Migrations {
    room: "mandates",
    steps: &["
CREATE TABLE IF NOT EXISTS mandates_set (
    tenant_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    mandates TEXT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
"],
};

const ADD: &str = "INSERT INTO mandates_set
    (tenant_id, version, author, created_at, mandates) VALUES ($1, $2, $3, $4, $5)";
const ONE: &str = "SELECT mandates FROM mandates_set WHERE tenant_id = $1 AND version = $2";
const NEWEST: &str = "SELECT COALESCE(MAX(version), 0) FROM mandates_set WHERE tenant_id = $1";

/// The number of the version in force; 0 when there is none.
pub(super) async fn newest(session: &mut Session) -> Result<i64> {
    session.query_one(NEWEST, &[]).await?.int(0)
}

/// The mandates of that version.
pub(super) async fn find(session: &mut Session, version: i64) -> Result<Option<MandateSet>> {
    let row = session.query_opt(ONE, &params![version]).await?;
    row.map(|row| row.json(0)).transpose()
}

pub(super) async fn add(
    tx: &mut Tx,
    version: i64,
    mandates: &MandateSet,
    author: &str,
    now: Timestamp,
) -> Result<()> {
    let values = params![version, author, now, Param::json(mandates)?];
    tx.execute(ADD, &values).await.map(drop)
}
