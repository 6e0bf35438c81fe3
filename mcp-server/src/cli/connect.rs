//! `flowmaster connect`: puts the server into the configuration of an MCP client.
//!
//! The change is shown before it is made, what was there is kept beside it, and a file is replaced
//! as a whole or not at all.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use flowmaster_kernel::{Error, Result};
use similar::TextDiff;

use super::clients::{Client, Facts};
use super::{links, this_program, unwritable};
use crate::config::{Config, Secret, home_dir};
use crate::terminal::Terminal;

/// What `flowmaster connect` takes.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// The client to configure.
    #[arg(required_unless_present = "links")]
    client: Option<Client>,
    /// Print install links instead.
    #[arg(long)]
    links: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// The folder that holds the client's configuration, instead of the home folder.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

impl ConnectArgs {
    /// Connects `client` below `home` without asking.
    #[must_use]
    pub fn unattended(client: Client, home: &Path) -> Self {
        Self { client: Some(client), links: false, yes: true, home: Some(home.to_owned()) }
    }
}

pub(super) fn connect(config: &Config, args: &ConnectArgs, terminal: &mut Terminal) -> Result<()> {
    let base = config.base_url(config.bind);
    let Some(client) = args.client.filter(|_| !args.links) else {
        for link in links::links(&base) {
            terminal.result(&format!("{}: {}", link.client, link.address)).map_err(unwritable)?;
        }
        return Ok(());
    };
    let home = args.home.clone().or_else(home_dir).ok_or_else(|| {
        Error::invalid("no_home", "the home folder is not known").fix("name it with --home")
    })?;
    let file = client.file(&home);
    let before = current(&file)?;
    let program = this_program()?;
    let facts = Facts { base: &base, key: config.key.as_ref(), program: &program };
    let after = client.configure(&before, &facts)?;
    if before == after {
        return terminal
            .note(&format!("{} has this server already", file.display()))
            .map_err(unwritable);
    }
    terminal.note(&difference(&file, &before, &after, config.key.as_ref())).map_err(unwritable)?;
    if !args.yes && !terminal.confirm("Write this?").map_err(unwritable)? {
        return terminal.note("nothing was written").map_err(unwritable);
    }
    let backup = replace(&file, &before, &after)?;
    let kept = backup.map(|path| format!("; the old one is {}", path.display()));
    terminal
        .result(&format!("wrote {}{}", file.display(), kept.unwrap_or_default()))
        .map_err(unwritable)
}

fn current(file: &Path) -> Result<String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::invalid("unreadable_config", "the client's file cannot be read")
            .why(format!("{}: {error}", file.display()))),
    }
}

/// The change as a unified diff, without the key.
fn difference(file: &Path, before: &str, after: &str, key: Option<&Secret>) -> String {
    let name = file.display().to_string();
    let diff = TextDiff::from_lines(before, after).unified_diff().header(&name, &name).to_string();
    match key {
        Some(key) if !key.expose().is_empty() => diff.replace(key.expose(), "***"),
        _ => diff,
    }
}

/// Writes `after` in place of `before` and returns where `before` is kept.
fn replace(file: &Path, before: &str, after: &str) -> Result<Option<PathBuf>> {
    let failed = |error: std::io::Error| {
        Error::invalid("unwritable_config", "the client's file cannot be written")
            .why(format!("{}: {error}", file.display()))
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let backup = if before.is_empty() { None } else { Some(keep(file).map_err(failed)?) };
    let fresh = beside(file, "flowmaster-new");
    write_private(&fresh, after).map_err(failed)?;
    if let Ok(metadata) = fs::metadata(file) {
        fs::set_permissions(&fresh, metadata.permissions()).map_err(failed)?;
    }
    // A link stays a link: its target is what is replaced.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    fs::rename(&fresh, target).map_err(failed)?;
    Ok(backup)
}

/// Copies the file beside itself, never over an earlier copy.
fn keep(file: &Path) -> std::io::Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let backup = beside(file, &format!("flowmaster-backup-{number}"));
        if !backup.exists() {
            fs::copy(file, &backup)?;
            return Ok(backup);
        }
        number += 1;
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    file.with_file_name(name)
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut handle = options.open(file)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()
}
