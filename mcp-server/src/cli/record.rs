//! `flowmaster record`: check an export of the runtime record, which needs neither a server nor its
//! database, or the runtime records of all tenants in a database.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use flowmaster_kernel::{Clock, Ctx, Error, IdSource, Result, TenantId};
use flowmaster_run::record::types::VerifyRecord;
use flowmaster_run::record::{KnownSeal, Record, Verified, export_lines, verify_export};
use flowmaster_store::{Db, DbConfig};

use super::files::close;
use super::unwritable;
use crate::config::Config;
use crate::system::{RandomIds, SystemClock};
use crate::terminal::Terminal;

/// What `flowmaster record` takes.
#[derive(Debug, Args)]
pub struct RecordArgs {
    #[command(subcommand)]
    action: RecordAction,
}

#[derive(Debug, Subcommand)]
enum RecordAction {
    /// Check that no entry was changed, removed, added or moved.
    Verify {
        /// Files with all lines that `record_export` gave. Default: the database of the configuration,
        /// of a server that is stopped or on PostgreSQL.
        #[arg(value_name = "FILE", conflicts_with = "data")]
        files: Vec<PathBuf>,
        /// A data folder to check instead of that of the configuration.
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// A seal that was noted, as `number:hash`: it must be there. Of one file, or of one tenant.
        #[arg(long, value_name = "SEAL", value_parser = known_seal)]
        known: Option<KnownSeal>,
    },
}

pub(super) async fn record(
    config: Config,
    args: RecordArgs,
    terminal: &mut Terminal,
) -> Result<()> {
    let RecordAction::Verify { files, data, known } = args.action;
    if files.is_empty() {
        let config = match data {
            Some(data_dir) => Config { data_dir, database_url: None, ..config },
            None => config,
        };
        return verify_database(&config, known, terminal).await;
    }
    let (mut passed, mut failed) = (0, 0);
    for file in &files {
        let unreadable = |problem: io::Error| unreadable(file, &problem);
        let lines = export_lines(BufReader::new(File::open(file).map_err(unreadable)?));
        let verified = verify_export(lines, known.as_ref()).map_err(unreadable)?;
        tell(&file.display().to_string(), &verified, terminal)?;
        passed += usize::from(verified.intact);
        failed += usize::from(!verified.intact);
    }
    close(passed, failed, "record_tampered", terminal)
}

/// A line for each tenant.
async fn verify_database(
    config: &Config,
    known: Option<KnownSeal>,
    terminal: &mut Terminal,
) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    if config.database_url.is_none() && !config.data_dir.is_dir() {
        let what = format!("there is no data folder {}", config.data_dir.display());
        return Err(Error::invalid("data_not_found", what).fix("name it with --data"));
    }
    let opened = Db::open(&DbConfig::new(config.store_url()), Arc::clone(&clock)).await;
    let db = opened.map_err(|error| {
        Error::invalid("store_not_opened", "the data cannot be opened")
            .why(error.to_string())
            .fix(error.fix())
    })?;
    let record = Record::new(db.clone());
    let (mut passed, mut failed) = (0, 0);
    let mut last = String::new();
    while let Some(tenant) = record.next_tenant(&last).await? {
        last = tenant.as_str().to_owned();
        let ctx = Ctx::system(tenant.clone(), &clock, &ids);
        let verified = verify_tenant(&record, &ctx, known.as_ref()).await?;
        tell(&told_tenant(&tenant), &verified, terminal)?;
        passed += usize::from(verified.intact);
        failed += usize::from(!verified.intact);
    }
    db.close().await;
    close(passed, failed, "record_tampered", terminal)
}

async fn verify_tenant(record: &Record, ctx: &Ctx, known: Option<&KnownSeal>) -> Result<Verified> {
    let mut all = Verified::default();
    let mut cursor = None;
    loop {
        let params = VerifyRecord { known: known.cloned(), cursor };
        let part = record.verify(ctx, params).await?;
        all =
            Verified { seals: all.seals + part.seals, entries: all.entries + part.entries, ..part };
        match all.next_cursor.take() {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn told_tenant(tenant: &TenantId) -> String {
    format!("tenant {}", tenant.as_str())
}

fn tell(of: &str, verified: &Verified, terminal: &mut Terminal) -> Result<()> {
    let Verified { seals, entries, unsealed, newest, fault, .. } = verified;
    let line = match fault {
        None => {
            let newest = newest.as_ref().map(|it| format!(", newest {}:{}", it.seal, it.hash));
            let newest = newest.unwrap_or_default();
            format!("ok    {of}: {entries} entries in {seals} seals, {unsealed} not sealed{newest}")
        }
        Some(fault) => {
            let entry = fault.entry.as_ref().map(|id| format!(", entry {id}")).unwrap_or_default();
            format!("FAIL  {of}: seal {}{entry}: {}", fault.seal, fault.what)
        }
    };
    terminal.result(&line).map_err(unwritable)
}

fn known_seal(text: &str) -> Result<KnownSeal, String> {
    let parts = text.split_once(':').and_then(|(seal, hash)| Some((seal.parse().ok()?, hash)));
    let (seal, hash) = parts.ok_or("write it as number:hash, as record verify shows it")?;
    Ok(KnownSeal { seal, hash: hash.to_owned() })
}

fn unreadable(path: &Path, problem: &io::Error) -> Error {
    Error::invalid("export_unreadable", format!("{} cannot be read", path.display()))
        .why(problem.to_string())
        .fix("write each line of record_export into the file, followed by a line feed")
}
