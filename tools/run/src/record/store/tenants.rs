//! Whose record there is something to do about: the upkeep goes from one tenant to the next, and then
//! acts as each tenant's own.

use flowmaster_kernel::{Result, TenantId};
use flowmaster_store::{Db, params};

const NEXT_UNSEALED: &str =
    "SELECT tenant_id FROM record_unsealed WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1";
const NEXT_RECORDED: &str =
    "SELECT tenant_id FROM record_entry WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1";

/// The first tenant behind `after` with entries that no seal covers.
pub(in super::super) async fn next_unsealed(db: &Db, after: &str) -> Result<Option<TenantId>> {
    next_tenant(db, NEXT_UNSEALED, after).await
}

/// The first tenant behind `after` that has entries.
pub(in super::super) async fn next_recorded(db: &Db, after: &str) -> Result<Option<TenantId>> {
    next_tenant(db, NEXT_RECORDED, after).await
}

async fn next_tenant(db: &Db, sql: &'static str, after: &str) -> Result<Option<TenantId>> {
    let row = db.read_system().await?.query_opt(sql, &params![after]).await?;
    row.map(|row| row.id(0)).transpose()
}
