//! `flowmaster doctor`: is everything there that the server needs, and what to do about what is not.

use std::net::TcpListener;
use std::sync::Arc;

use flowmaster_kernel::{Clock, Ctx, Error, ErrorKind, IdSource, Result};
use flowmaster_run::execution::verify_instances;
use flowmaster_store::{Db, DbConfig, backup};
use flowmaster_trust::identity::Identity;

use super::unwritable;
use crate::config::Config;
use crate::system::{RandomIds, SystemClock};
use crate::terminal::Terminal;

/// What one check found.
enum Finding {
    Fine(String),
    Note(String),
    Broken { what: String, fix: String },
}

pub(super) async fn doctor(config: &Config, terminal: &mut Terminal) -> Result<()> {
    let findings = [
        Finding::Fine(format!("flowmaster {}", env!("CARGO_PKG_VERSION"))),
        port(config).await,
        store(config).await,
        integrity(config),
        instances(config).await,
        key(config),
    ];
    let mut broken = 0;
    for finding in &findings {
        let line = match finding {
            Finding::Fine(what) => format!("ok    {what}"),
            Finding::Note(what) => format!("note  {what}"),
            Finding::Broken { what, fix } => {
                broken += 1;
                format!("FAIL  {what}\n      fix: {fix}")
            }
        };
        terminal.result(&line).map_err(unwritable)?;
    }
    match broken {
        0 => Ok(()),
        count => Err(Error::new(
            ErrorKind::Conflict,
            "doctor_found",
            format!("{count} things are broken"),
        )),
    }
}

/// Whether the port is free, or already ours.
async fn port(config: &Config) -> Finding {
    let bind = config.bind;
    match TcpListener::bind(bind) {
        Ok(_) => Finding::Fine(format!("{bind} is free to listen at")),
        Err(_) if answers(config).await => Finding::Fine(format!("a server is up at {bind}")),
        Err(error) => Finding::Broken {
            what: format!("cannot listen at {bind}: {error}"),
            fix: "stop what listens there, or choose another address with --bind".to_owned(),
        },
    }
}

async fn answers(config: &Config) -> bool {
    let address = format!("{}/healthz", config.base_url(config.bind));
    reqwest::get(address).await.is_ok_and(|response| response.status().is_success())
}

/// Whether the data can be opened, and by what.
async fn store(config: &Config) -> Finding {
    if config.database_url.is_none() && !config.data_dir.exists() {
        let folder = config.data_dir.display();
        return Finding::Note(format!("the data folder {folder} is made on the first start"));
    }
    match Db::open(&DbConfig::new(config.store_url()), Arc::new(SystemClock)).await {
        Ok(db) => {
            let status = db.status();
            db.close().await;
            Finding::Fine(format!("the data opens with {:?} {}", status.dialect, status.version))
        }
        Err(_) if answers(config).await => {
            Finding::Fine("the data is in use by the server that is up".to_owned())
        }
        Err(error) => Finding::Broken {
            what: format!("the data does not open: {error}"),
            fix: error.fix().to_owned(),
        },
    }
}

/// Whether the embedded database is undamaged, be it in use or not.
fn integrity(config: &Config) -> Finding {
    match backup::check_data(&config.store_url()) {
        Ok(Some(())) => Finding::Fine("the database is undamaged (integrity_check)".to_owned()),
        Ok(None) => Finding::Note("there is no embedded database to check for damage".to_owned()),
        Err(error) => {
            let body = error.body();
            Finding::Broken { what: error.to_string(), fix: body.fix.clone().unwrap_or_default() }
        }
    }
}

/// Whether the journals lead to what is stored about instances, on an embedded database that no
/// server has.
async fn instances(config: &Config) -> Finding {
    let not_now = "the journals are checked when no server is up, on an embedded database";
    if config.database_url.is_some() || !config.data_dir.exists() {
        return Finding::Note(not_now.to_owned());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match Db::open(&DbConfig::new(config.store_url()), Arc::clone(&clock)).await {
        Ok(db) => {
            let verified = verify_all(&db, &clock).await;
            db.close().await;
            match verified {
                Ok(count) => Finding::Fine(format!("{count} instances are as their journals say")),
                // Damage of the file is what the check before this one finds.
                Err(error) if error.code() == "database_error" => Finding::Note(
                    "the tables are of another release: start the server once, then look again"
                        .to_owned(),
                ),
                Err(error) => Finding::Broken {
                    what: error.to_string(),
                    fix: error.body().fix.clone().unwrap_or_default(),
                },
            }
        }
        Err(_) => Finding::Note(not_now.to_owned()),
    }
}

async fn verify_all(db: &Db, clock: &Arc<dyn Clock>) -> Result<usize> {
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let mut count = 0;
    for tenant in Identity::new(db.clone(), Arc::clone(clock)).tenants().await? {
        let ctx = Ctx::system(tenant.id, clock, &ids);
        count += verify_instances(db, &ctx).await?;
    }
    Ok(count)
}

fn key(config: &Config) -> Finding {
    match &config.key {
        Some(_) => Finding::Fine("FLOWMASTER_KEY is set".to_owned()),
        None => Finding::Note("FLOWMASTER_KEY is not set; call and key need it".to_owned()),
    }
}
