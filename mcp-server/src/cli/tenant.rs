//! `flowmaster tenant`: make and list tenants, on the data folder itself. No operation does this:
//! whoever calls the server belongs to one tenant and does not know of others.

use std::sync::Arc;

use clap::{Args, Subcommand};
use flowmaster_kernel::{Error, IdSource, Result};
use flowmaster_trust::identity::Secret;
use serde_json::{Value, json};

use super::key::close;
use super::unwritable;
use crate::compose::{Server, compose};
use crate::config::Config;
use crate::mcp::Observer;
use crate::system::RandomIds;
use crate::terminal::Terminal;

/// What `flowmaster tenant` takes.
#[derive(Debug, Args)]
pub struct TenantArgs {
    #[command(subcommand)]
    action: TenantAction,
}

#[derive(Debug, Subcommand)]
enum TenantAction {
    /// Make a tenant with an administrator; the administrator's key is shown once.
    Create {
        /// Its name, unique on the server.
        name: String,
    },
    /// List the tenants.
    List,
}

pub(super) async fn tenant(
    config: Config,
    args: TenantArgs,
    terminal: &mut Terminal,
) -> Result<()> {
    let server = compose(config, Observer::default()).await?;
    let answer = act(&server, args.action).await;
    let first_key = server.new_key.clone();
    close(server).await;
    if let Some(key) = first_key {
        // This was the first start: nobody would ever see the key of the first tenant again.
        let told = format!("The first tenant was made too. Its key, shown once: {}", key.expose());
        terminal.note(&told).map_err(unwritable)?;
    }
    let pretty = serde_json::to_string_pretty(&answer?)
        .map_err(|error| Error::internal("answer_encoding", error))?;
    terminal.result(&pretty).map_err(unwritable)
}

async fn act(server: &Server, action: TenantAction) -> Result<Value> {
    let identity = &server.rooms.identity;
    match action {
        TenantAction::Create { name } => {
            let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
            let made = identity.add_tenant(&ids, &name).await?;
            let secret = made.new_key.as_ref().map(Secret::reveal);
            let (tenant, principal) = (made.admin.tenant, &made.admin.principal.id);
            Ok(json!({ "id": tenant, "name": name, "principal": principal, "secret": secret }))
        }
        TenantAction::List => Ok(json!({ "tenants": identity.tenants().await? })),
    }
}
