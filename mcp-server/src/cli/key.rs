//! `flowmaster key`: make, list and revoke API keys, on a running server or, when the last key is
//! lost, on the data folder of one that is stopped.

use clap::{Args, Subcommand};
use flowmaster_kernel::{Error, Result};
use serde_json::{Map, Value, json};

use super::call::send;
use super::unwritable;
use crate::compose::{Server, compose};
use crate::config::Config;
use crate::mcp::Observer;
use crate::ports::Caller;
use crate::terminal::Terminal;

/// What `flowmaster key` takes.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    action: KeyAction,
    /// Work on the data folder itself; the server must be stopped. For when no key is left.
    #[arg(long, global = true)]
    local: bool,
    /// The tenant, by name or id; on the data folder, as with --local. Default: that of your key,
    /// or the first one.
    #[arg(long, global = true, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Make a key; it is shown once.
    Create {
        /// Whom the key stands for. Default: yourself.
        #[arg(long)]
        principal: Option<String>,
        /// What the key is for.
        #[arg(long, default_value = "")]
        name: String,
        /// What the key allows, e.g. `tasks:write`; repeat it for more. Default: all that you have.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// When the key ends, e.g. 2027-01-01T00:00:00Z. Default: never.
        #[arg(long, value_name = "MOMENT")]
        expires_at: Option<String>,
    },
    /// List keys; the keys themselves are not stored and not shown.
    List,
    /// Revoke a key.
    Revoke {
        /// Id of the key, from `flowmaster key list`.
        id: String,
    },
}

pub(super) async fn key(config: Config, args: KeyArgs, terminal: &mut Terminal) -> Result<()> {
    let (operation, arguments) = match args.action {
        KeyAction::Create { principal, name, scopes, expires_at } => {
            let mut arguments = Map::from_iter([("name".to_owned(), json!(name))]);
            let mut set = |field: &str, value: Option<Value>| {
                arguments.extend(value.map(|value| (field.to_owned(), value)));
            };
            set("principal", principal.map(Value::from));
            set("scopes", (!scopes.is_empty()).then(|| json!(scopes)));
            set("expires_at", expires_at.map(Value::from));
            ("key_create", Value::Object(arguments))
        }
        KeyAction::List => ("key_list", json!({})),
        KeyAction::Revoke { id } => ("key_revoke", json!({ "id": id })),
    };
    let answer = if args.local || args.tenant.is_some() {
        call_locally(config, args.tenant.as_deref(), operation, arguments).await?
    } else {
        let base = config.base_url(config.bind);
        send(&config, &base, operation, &arguments, None).await?
    };
    let pretty = serde_json::to_string_pretty(&answer)
        .map_err(|error| Error::internal("answer_encoding", error))?;
    terminal.result(&pretty).map_err(unwritable)
}

/// Calls an operation as the owner of the data folder: the administrator of a tenant.
async fn call_locally(
    config: Config,
    tenant: Option<&str>,
    operation: &str,
    arguments: Value,
) -> Result<Value> {
    let server = compose(config, Observer::default()).await?;
    let administrator = match tenant {
        Some(name) => server.rooms.identity.administrator_of(name).await.map(Caller::from),
        None => Ok(server.owner.clone()),
    };
    let answer = match administrator {
        Ok(caller) => {
            let surface = &server.app.surface;
            surface.dispatcher.call(surface.ctx(&caller, None), operation, arguments).await
        }
        Err(error) => Err(error),
    };
    close(server).await;
    answer
}

/// Lets go of the data folder.
pub(super) async fn close(server: Server) {
    server.background.stop().await;
    server.rooms.db.close().await;
}
