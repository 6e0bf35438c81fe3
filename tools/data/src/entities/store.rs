//! The table of the entities room.

use flowmaster_engine::governance::Organisation;
use flowmaster_kernel::{Error, Result, Timestamp};
use flowmaster_store::{Migrations, Row, Session, Tx, intact, params};

/// The room's table.
pub const MIGRATIONS: Migrations = Migrations {
    room: "entities",
    steps: &["
CREATE TABLE entities_organisation (
    tenant_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    organisation TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
"],
};

const ADD: &str = "INSERT INTO entities_organisation
    (tenant_id, version, author, created_at, organisation, hash) VALUES ($1, $2, $3, $4, $5, $6)";
const ONE: &str =
    "SELECT organisation, hash FROM entities_organisation WHERE tenant_id = $1 AND version = $2";
const NEWEST: &str =
    "SELECT COALESCE(MAX(version), 0) FROM entities_organisation WHERE tenant_id = $1";

/// The number of the newest version; 0 when there is none.
pub(super) async fn newest(session: &mut Session) -> Result<i64> {
    session.query_one(NEWEST, &[]).await?.int(0)
}

/// The organisation of that version.
pub(super) async fn find(session: &mut Session, version: i64) -> Result<Option<Organisation>> {
    let row = session.query_opt(ONE, &params![version]).await?;
    let read = |row: Row| {
        intact::check("organisation", &version.to_string(), row.str(0)?, row.str(1)?)?;
        row.json(0)
    };
    row.map(read).transpose()
}

pub(super) async fn add(
    tx: &mut Tx,
    version: i64,
    organisation: &Organisation,
    author: &str,
    now: Timestamp,
) -> Result<()> {
    let text = serde_json::to_string(organisation)
        .map_err(|source| Error::internal("not_json", source))?;
    let hash = intact::fingerprint(&text);
    let values = params![version, author, now, text, hash];
    tx.execute(ADD, &values).await.map(drop)
}
