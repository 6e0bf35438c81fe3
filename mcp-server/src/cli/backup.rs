//! `flowmaster backup` and `flowmaster restore`: the embedded database as one file.

use std::path::PathBuf;

use clap::Args;
use flowmaster_kernel::Result;
use flowmaster_store::backup;

use super::unwritable;
use crate::config::Config;
use crate::terminal::Terminal;

/// What `flowmaster backup` takes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to make; it must not exist.
    file: PathBuf,
}

/// What `flowmaster restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A file made by `flowmaster backup`.
    file: PathBuf,
}

pub(super) fn create(config: &Config, args: &BackupArgs, terminal: &mut Terminal) -> Result<()> {
    let bytes = backup::create(&config.store_url(), &args.file)?;
    let file = args.file.display();
    terminal.result(&format!("{file}: {bytes} bytes, checked")).map_err(unwritable)
}

pub(super) fn restore(config: &Config, args: &RestoreArgs, terminal: &mut Terminal) -> Result<()> {
    backup::restore(&config.store_url(), &args.file)?;
    let folder = config.data_dir.display();
    terminal.result(&format!("restored into {folder}; start the server")).map_err(unwritable)
}
