//! The tables of the agents room, and the versions of agents.

pub(super) mod runs;

use flowmaster_kernel::{Result, TenantId};
use flowmaster_store::{Migrations, Param, Row, Session, SystemSnapshot, Tx, params};

use super::types::{Agent, Runner};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "agents",
    steps: &[
        "
CREATE TABLE agents_agent (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    runner TEXT NOT NULL,
    definition TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id, version)
);
CREATE TABLE agents_run (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    agent TEXT NOT NULL,
    agent_version BIGINT NOT NULL,
    prompt TEXT NOT NULL,
    prompt_version BIGINT NOT NULL,
    job TEXT NOT NULL,
    instance TEXT NOT NULL,
    element TEXT NOT NULL,
    state TEXT NOT NULL,
    client TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    lease_ms BIGINT NOT NULL,
    confidence DOUBLE PRECISION,
    below_threshold BIGINT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    steps BIGINT NOT NULL,
    detail TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX agents_run_job ON agents_run (tenant_id, job, id);
CREATE INDEX agents_run_instance ON agents_run (tenant_id, instance, id);
CREATE INDEX agents_run_agent ON agents_run (tenant_id, agent, id);
CREATE INDEX agents_run_state ON agents_run (state, updated_at);
CREATE TABLE agents_step (
    tenant_id TEXT NOT NULL,
    run TEXT NOT NULL,
    seq BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    kind TEXT NOT NULL,
    tool TEXT,
    step_key TEXT,
    request_hash TEXT,
    payload TEXT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, run, seq)
);
",
        "
ALTER TABLE agents_run ADD COLUMN scope BIGINT;
CREATE INDEX agents_run_scope ON agents_run (tenant_id, instance, scope, id)
    WHERE scope IS NOT NULL;
",
    ],
};

const ADD: &str = "INSERT INTO agents_agent
    (tenant_id, id, version, hash, runner, definition, author, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const NEWEST: &str = "SELECT version, definition, author, created_at, hash FROM agents_agent
    WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC LIMIT 1";
const ONE: &str = "SELECT version, definition, author, created_at, hash FROM agents_agent
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const LIST: &str = "SELECT a.version, a.definition, a.author, a.created_at, a.hash
    FROM agents_agent a WHERE a.tenant_id = $1 AND a.id > $2
    AND (a.runner = $3 OR CAST($3 AS TEXT) IS NULL)
    AND a.version = (SELECT MAX(b.version) FROM agents_agent b
        WHERE b.tenant_id = a.tenant_id AND b.id = a.id)
    ORDER BY a.id LIMIT $4";
const SERVED: &str = "SELECT a.tenant_id, a.version, a.definition, a.author, a.created_at, a.hash
    FROM agents_agent a WHERE a.runner = 'server'
    AND a.version = (SELECT MAX(b.version) FROM agents_agent b
        WHERE b.tenant_id = a.tenant_id AND b.id = a.id)
    ORDER BY a.tenant_id, a.id LIMIT 1000";

/// A version and what it is recognised by.
pub(super) struct Versioned {
    pub(super) agent: Agent,
    pub(super) hash: String,
}

pub(super) async fn add(tx: &mut Tx, agent: &Agent, hash: &str) -> Result<()> {
    let values = params![
        &agent.definition.id,
        agent.version,
        hash,
        agent.definition.runner.as_str(),
        Param::json(&agent.definition)?,
        &agent.author,
        agent.created_at,
    ];
    tx.execute(ADD, &values).await.map(drop)
}

/// The version with that number, or the newest.
pub(super) async fn find(
    session: &mut Session,
    id: &str,
    version: Option<i64>,
) -> Result<Option<Versioned>> {
    let row = match version {
        Some(number) => session.query_opt(ONE, &params![id, number]).await?,
        None => session.query_opt(NEWEST, &params![id]).await?,
    };
    row.map(|row| read(&row, 0)).transpose()
}

/// The newest versions, by id, after `after`.
pub(super) async fn list(
    session: &mut Session,
    after: &str,
    runner: Option<Runner>,
    limit: usize,
) -> Result<Vec<Agent>> {
    let params = params![after, runner.map(Runner::as_str), limit];
    let rows = session.query(LIST, &params).await?;
    rows.iter().map(|row| Ok(read(row, 0)?.agent)).collect()
}

/// The agents of all tenants whose work this server does.
pub(super) async fn served(system: &mut SystemSnapshot) -> Result<Vec<(TenantId, Agent)>> {
    let rows = system.query(SERVED, &[]).await?;
    rows.iter().map(|row| Ok((row.id(0)?, read(row, 1)?.agent))).collect()
}

fn read(row: &Row, first: usize) -> Result<Versioned> {
    let agent = Agent {
        version: row.int(first)?,
        definition: row.json(first + 1)?,
        author: row.text(first + 2)?,
        created_at: row.timestamp(first + 3)?,
    };
    Ok(Versioned { agent, hash: row.text(first + 4)? })
}
