//! `flowmaster doctor`: is everything there that the server needs, and what to do about what is not.

use std::net::TcpListener;
use std::sync::Arc;

use flowmaster_kernel::{Error, ErrorKind, Result};
use flowmaster_store::{Db, DbConfig, backup};

use super::unwritable;
use crate::config::Config;
use crate::system::SystemClock;
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
        Ok(Some(())) => Finding::Fine("the database is undamaged (quick_check)".to_owned()),
        Ok(None) => Finding::Note("there is no embedded database to check for damage".to_owned()),
        Err(error) => {
            let body = error.body();
            Finding::Broken { what: error.to_string(), fix: body.fix.clone().unwrap_or_default() }
        }
    }
}

fn key(config: &Config) -> Finding {
    match &config.key {
        Some(_) => Finding::Fine("FLOWMASTER_KEY is set".to_owned()),
        None => Finding::Note("FLOWMASTER_KEY is not set; call and key need it".to_owned()),
    }
}
