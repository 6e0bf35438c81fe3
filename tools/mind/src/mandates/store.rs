//! The table of the mandates room.

use flowmaster_engine::governance::MandateSet;
use flowmaster_kernel::{Error, Result, Timestamp};
use flowmaster_store::{Migrations, Row, Session, Tx, intact, params};

/// The room's table. The rules room had it once, and hands it over before these steps.
pub const MIGRATIONS: Migrations = Migrations {
    room: "mandates",
    steps: &[
        "
CREATE TABLE IF NOT EXISTS mandates_set (
    tenant_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    mandates TEXT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
",
        "
ALTER TABLE mandates_set ADD COLUMN hash TEXT;
",
    ],
};

const ADD: &str = "INSERT INTO mandates_set
    (tenant_id, version, author, created_at, mandates, hash) VALUES ($1, $2, $3, $4, $5, $6)";
const ONE: &str = "SELECT mandates, hash FROM mandates_set WHERE tenant_id = $1 AND version = $2";
const NEWEST: &str = "SELECT COALESCE(MAX(version), 0) FROM mandates_set WHERE tenant_id = $1";

/// The number of the version in force; 0 when there is none.
pub(super) async fn newest(session: &mut Session) -> Result<i64> {
    session.query_one(NEWEST, &[]).await?.int(0)
}

/// The mandates of that version.
pub(super) async fn find(session: &mut Session, version: i64) -> Result<Option<MandateSet>> {
    let row = session.query_opt(ONE, &params![version]).await?;
    let read = |row: Row| {
        // Those of before there were fingerprints have none.
        if let Some(hash) = row.opt_text(1)? {
            intact::check("mandates", &version.to_string(), row.str(0)?, &hash)?;
        }
        row.json(0)
    };
    row.map(read).transpose()
}

pub(super) async fn add(
    tx: &mut Tx,
    version: i64,
    mandates: &MandateSet,
    author: &str,
    now: Timestamp,
) -> Result<()> {
    let text =
        serde_json::to_string(mandates).map_err(|source| Error::internal("not_json", source))?;
    let hash = intact::fingerprint(&text);
    let values = params![version, author, now, text, hash];
    tx.execute(ADD, &values).await.map(drop)
}
