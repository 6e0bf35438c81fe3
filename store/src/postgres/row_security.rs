//! The second line between tenants: the server itself filters rows by the tenant of the
//! transaction (PostgreSQL manual §5.9), should a statement of ours ever forget to.
//!
//! It binds the owner of the tables too (FORCE), but not a superuser nor a role with BYPASSRLS.

use deadpool_postgres::{Client, ClientWrapper};
use tokio_postgres::Error;

/// Says, for the rest of the transaction, whose rows may be seen: one tenant's or, for drivers and
/// migrations, everyone's.
pub(super) fn set(tenant: Option<&str>) -> String {
    match tenant {
        Some(tenant) => {
            let quoted = tenant.replace('\'', "''");
            format!("SELECT set_config('flowmaster.tenant', '{quoted}', true)")
        }
        None => "SELECT set_config('flowmaster.system', 'on', true)".to_owned(),
    }
}

/// Whether the role of this connection is bound by it.
pub(super) async fn binds(client: &ClientWrapper) -> Result<bool, Error> {
    let bypasses = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let row = client.query_opt(bypasses, &[]).await?;
    row.map_or(Ok(false), |row| row.try_get::<_, bool>(0).map(|bypasses| !bypasses))
}

/// Puts every table with a tenant under the policy that is not yet.
pub(super) async fn protect(client: &mut Client) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    // One node at a time: the others find everything done.
    let turn = "SELECT step FROM store_migrations WHERE room = 'store' AND step = 1 FOR UPDATE";
    transaction.query(turn, &[]).await?;
    let open = "SELECT quote_ident(relname) FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
        WHERE relkind = 'r' AND NOT relrowsecurity
          AND relnamespace = current_schema()::regnamespace";
    for row in transaction.query(open, &[]).await? {
        let table: String = row.try_get(0)?;
        let protect = format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY flowmaster_tenant ON {table} USING (
                 tenant_id = current_setting('flowmaster.tenant', true)
                 OR current_setting('flowmaster.system', true) = 'on')"
        );
        transaction.batch_execute(&protect).await?;
    }
    transaction.commit().await
}
