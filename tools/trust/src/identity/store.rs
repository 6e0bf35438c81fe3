//! The tables of the identity room.

use std::collections::BTreeSet;

use flowmaster_kernel::{Id, PrincipalKind, Result, Role, Scopes, TenantId, Timestamp};
use flowmaster_store::{Migrations, Row, Session, SystemSnapshot, Tx, params};

use super::types::{Key, KeyInfo, Tenant, User};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "identity",
    steps: &[
        "
CREATE TABLE identity_tenant (
    tenant_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE identity_principal (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    groups TEXT NOT NULL,
    active BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE identity_key (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    principal TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);
",
        "CREATE UNIQUE INDEX identity_tenant_name ON identity_tenant (name)",
    ],
};

/// A key and its principal, as a call needs them.
pub(super) struct Credential {
    pub(super) tenant: TenantId,
    pub(super) user: User,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
}

const USER: &str = "SELECT id, kind, name, roles, groups, active FROM identity_principal
    WHERE tenant_id = $1 AND id = $2";
const USERS: &str = "SELECT id, kind, name, roles, groups, active FROM identity_principal
    WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
const SAVE_USER: &str = "INSERT INTO identity_principal
    (tenant_id, id, kind, name, roles, groups, active) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
    roles = excluded.roles, groups = excluded.groups, active = excluded.active";
const ADD_TENANT: &str =
    "INSERT INTO identity_tenant (tenant_id, name, created_at) VALUES ($1, $2, $3)";
const ADD_KEY: &str = "INSERT INTO identity_key
    (tenant_id, id, hash, hint, principal, name, scopes, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const REVOKE: &str = "UPDATE identity_key SET revoked_at = $3
    WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
const KEYS: &str = "SELECT id, hint, principal, name, scopes, created_at, expires_at, revoked_at
    FROM identity_key WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 200";
const CREDENTIAL: &str = "SELECT k.tenant_id, k.scopes, k.expires_at, k.revoked_at,
    p.id, p.kind, p.name, p.roles, p.groups, p.active
    FROM identity_key k JOIN identity_principal p ON p.tenant_id = k.tenant_id AND p.id = k.principal
    WHERE k.hash = $1";
const FIRST_TENANT: &str =
    "SELECT tenant_id FROM identity_tenant ORDER BY created_at, tenant_id LIMIT 1";

const TENANTS: &str =
    "SELECT tenant_id, name, created_at FROM identity_tenant ORDER BY created_at, tenant_id";
const TENANT: &str = "SELECT tenant_id, name, created_at FROM identity_tenant
    WHERE name = $1 OR tenant_id = $1 ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1";

pub(super) async fn tenants(system: &mut SystemSnapshot) -> Result<Vec<Tenant>> {
    system.query(TENANTS, &[]).await?.iter().map(tenant).collect()
}

/// The tenant with this name, or else with this id.
pub(super) async fn tenant_called(
    system: &mut SystemSnapshot,
    name: &str,
) -> Result<Option<Tenant>> {
    system.query_opt(TENANT, &params![name]).await?.as_ref().map(tenant).transpose()
}

fn tenant(row: &Row) -> Result<Tenant> {
    Ok(Tenant { id: row.id(0)?, name: row.text(1)?, created_at: row.timestamp(2)? })
}

pub(super) async fn first_tenant(system: &mut SystemSnapshot) -> Result<Option<TenantId>> {
    system.query_opt(FIRST_TENANT, &[]).await?.map(|row| row.id(0)).transpose()
}

pub(super) async fn credential(
    system: &mut SystemSnapshot,
    hash: &str,
) -> Result<Option<Credential>> {
    let Some(row) = system.query_opt(CREDENTIAL, &params![hash]).await? else { return Ok(None) };
    Ok(Some(Credential {
        tenant: row.id(0)?,
        scopes: row.json(1)?,
        expires_at: row.opt_timestamp(2)?,
        revoked_at: row.opt_timestamp(3)?,
        user: user(&row, 4)?,
    }))
}

pub(super) async fn find_user(session: &mut Session, id: &str) -> Result<Option<User>> {
    session.query_opt(USER, &params![id]).await?.map(|row| user(&row, 0)).transpose()
}

pub(super) async fn users(session: &mut Session, after: &str, limit: usize) -> Result<Vec<User>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    session.query(USERS, &params![after, limit]).await?.iter().map(|row| user(row, 0)).collect()
}

pub(super) async fn add_tenant(tx: &mut Tx, name: &str) -> Result<()> {
    let now = tx.now();
    tx.execute(ADD_TENANT, &params![name, now]).await.map(drop)
}

pub(super) async fn save_user(tx: &mut Tx, user: &User) -> Result<()> {
    let values = params![
        &user.id,
        kind_name(user.kind),
        &user.name,
        flowmaster_store::Param::json(&user.roles)?,
        flowmaster_store::Param::json(&user.groups)?,
        user.active,
    ];
    tx.execute(SAVE_USER, &values).await.map(drop)
}

pub(super) async fn add_key(tx: &mut Tx, key: &KeyInfo, hash: &str) -> Result<()> {
    let values = params![
        &key.id,
        hash,
        &key.hint,
        &key.principal,
        &key.name,
        flowmaster_store::Param::json(&key.scopes)?,
        key.created_at,
        key.expires_at,
    ];
    tx.execute(ADD_KEY, &values).await.map(drop)
}

/// Whether there was such a key to revoke.
pub(super) async fn revoke(tx: &mut Tx, id: &Id<Key>, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(REVOKE, &params![id, now]).await? == 1)
}

pub(super) async fn keys(session: &mut Session) -> Result<Vec<KeyInfo>> {
    session.query(KEYS, &[]).await?.iter().map(key_info).collect()
}

fn key_info(row: &Row) -> Result<KeyInfo> {
    Ok(KeyInfo {
        id: row.id(0)?,
        hint: row.text(1)?,
        principal: row.text(2)?,
        name: row.text(3)?,
        scopes: row.json(4)?,
        created_at: row.timestamp(5)?,
        expires_at: row.opt_timestamp(6)?,
        revoked_at: row.opt_timestamp(7)?,
    })
}

fn user(row: &Row, first: usize) -> Result<User> {
    let roles: BTreeSet<Role> = row.json(first + 3)?;
    Ok(User {
        id: row.text(first)?,
        kind: kind_of(row.str(first + 1)?),
        name: row.text(first + 2)?,
        roles,
        groups: row.json(first + 4)?,
        active: row.bool(first + 5)?,
    })
}

const fn kind_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Person => "person",
        PrincipalKind::Agent => "agent",
        PrincipalKind::System => "system",
    }
}

fn kind_of(name: &str) -> PrincipalKind {
    match name {
        "agent" => PrincipalKind::Agent,
        "system" => PrincipalKind::System,
        _ => PrincipalKind::Person,
    }
}
