//! The versions of prompts: immutable, numbered per prompt, found by content.
//!
//! Owns the table `prompts_version`. Saving an unchanged file is no change.

use flowmaster_kernel::{Ctx, Result, Timestamp};
use flowmaster_store::{Db, Migrations, Row, Session, Tx, params};
use schemars::JsonSchema;
use serde::Serialize;

use crate::file::{PromptError, PromptFile};

/// The registry's table.
pub const MIGRATIONS: Migrations = Migrations {
    room: "prompts",
    steps: &["
CREATE TABLE prompts_version (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    hash TEXT NOT NULL,
    description TEXT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id, version),
    UNIQUE (tenant_id, id, hash)
);
"],
};

const ADD: &str = "INSERT INTO prompts_version
    (tenant_id, id, version, hash, description, text, author, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const NEWEST: &str = "SELECT id, version, hash, description, author, created_at, text
    FROM prompts_version WHERE tenant_id = $1 AND id = $2 ORDER BY version DESC LIMIT 1";
const ONE: &str = "SELECT id, version, hash, description, author, created_at, text
    FROM prompts_version WHERE tenant_id = $1 AND id = $2 AND version = $3";
const BY_HASH: &str = "SELECT id, version, hash, description, author, created_at, text
    FROM prompts_version WHERE tenant_id = $1 AND id = $2 AND hash = $3";
const LIST: &str = "SELECT v.id, v.version, v.hash, v.description, v.author, v.created_at
    FROM prompts_version v WHERE v.tenant_id = $1 AND v.id > $2
    AND v.version = (SELECT MAX(w.version) FROM prompts_version w
        WHERE w.tenant_id = v.tenant_id AND w.id = v.id)
    ORDER BY v.id LIMIT $3";

/// What is known of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VersionInfo {
    /// Id of the prompt.
    pub id: String,
    /// Number of the version, from 1.
    pub version: i64,
    /// SHA-256 of its content, in hexadecimal.
    pub hash: String,
    /// What the prompt is for.
    pub description: String,
    /// Who saved it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
}

/// A version with its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// What is known of it.
    pub info: VersionInfo,
    /// Its content.
    pub file: PromptFile,
}

/// What saving did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Saved {
    /// The version that now holds the content.
    #[serde(flatten)]
    pub version: VersionInfo,
    /// Whether the content was new.
    pub is_new: bool,
}

/// The prompts of all tenants.
#[derive(Clone)]
pub struct Registry {
    db: Db,
}

impl Registry {
    /// The registry on `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Saves a prompt file: a new version if its content is new.
    ///
    /// # Errors
    /// A file that is not a prompt, or what the store reports.
    pub async fn save(&self, ctx: &Ctx, text: &str) -> Result<Saved> {
        let file = PromptFile::parse(text)?;
        let mut tx = self.db.begin(ctx).await?;
        let known = tx.query_opt(BY_HASH, &params![&file.front.id, &file.hash]).await?;
        if let Some(row) = known {
            return tx.commit(Saved { version: info(&row)?, is_new: false }).await;
        }
        let newest = tx.query_opt(NEWEST, &params![&file.front.id]).await?;
        let version = VersionInfo {
            id: file.front.id.clone(),
            version: newest.map(|row| row.int(1)).transpose()?.unwrap_or(0) + 1,
            hash: file.hash.clone(),
            description: file.front.description.clone(),
            author: ctx.principal.id.clone(),
            created_at: ctx.now(),
        };
        add(&mut tx, &version, &file.to_text()?).await?;
        tx.commit(Saved { version, is_new: true }).await
    }

    /// A version of the prompt `id`: the one with that number, or the newest.
    ///
    /// # Errors
    /// `prompt_not_found`.
    pub async fn get(&self, ctx: &Ctx, id: &str, version: Option<i64>) -> Result<Version> {
        let mut session = self.db.read(ctx).await?;
        let row = match version {
            Some(number) => session.query_opt(ONE, &params![id, number]).await?,
            None => session.query_opt(NEWEST, &params![id]).await?,
        };
        let row = row.ok_or_else(|| PromptError::NotFound(id.to_owned()))?;
        Ok(Version { info: info(&row)?, file: PromptFile::parse(row.str(6)?)? })
    }

    /// The newest version of up to `limit` prompts, by id, after `after`.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn list(&self, ctx: &Ctx, after: &str, limit: usize) -> Result<Vec<VersionInfo>> {
        let mut session = self.db.read(ctx).await?;
        list(&mut session, after, limit).await
    }
}

async fn list(session: &mut Session, after: &str, limit: usize) -> Result<Vec<VersionInfo>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    session.query(LIST, &params![after, limit]).await?.iter().map(info).collect()
}

async fn add(tx: &mut Tx, version: &VersionInfo, text: &str) -> Result<()> {
    let values = params![
        &version.id,
        version.version,
        &version.hash,
        &version.description,
        text,
        &version.author,
        version.created_at,
    ];
    tx.execute(ADD, &values).await.map(drop)
}

fn info(row: &Row) -> Result<VersionInfo> {
    Ok(VersionInfo {
        id: row.text(0)?,
        version: row.int(1)?,
        hash: row.text(2)?,
        description: row.text(3)?,
        author: row.text(4)?,
        created_at: row.timestamp(5)?,
    })
}
