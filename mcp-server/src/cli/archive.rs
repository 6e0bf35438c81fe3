//! `flowmaster archive`: check the files of the archive, or show an instance in them. They need
//! neither a server nor its database: what is in a file proves itself.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use flowmaster_kernel::{Error, Result};
use flowmaster_run::execution::Record;
use flowmaster_store::archive;

use super::files::close;
use super::unwritable;
use crate::config::Config;
use crate::terminal::Terminal;

/// What `flowmaster archive` takes.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    #[command(subcommand)]
    action: ArchiveAction,
}

#[derive(Debug, Subcommand)]
enum ArchiveAction {
    /// Check every record: the hashes of its journal, and that replaying it leads to its state.
    Verify {
        /// Archive files, or folders with them. Default: the archive of the configuration.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Print the record of an instance as JSON, after checking it.
    Show {
        /// Id of the instance.
        instance: String,
        /// Archive files, or folders with them. Default: the archive of the configuration.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

pub(super) fn archive(config: &Config, args: ArchiveArgs, terminal: &mut Terminal) -> Result<()> {
    match args.action {
        ArchiveAction::Verify { paths } => verify(&files(config, paths)?, terminal),
        ArchiveAction::Show { instance, paths } => {
            show(&instance, &files(config, paths)?, terminal)
        }
    }
}

fn files(config: &Config, mut paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    if paths.is_empty() {
        paths.push(config.archive_dir());
    }
    let mut found = Vec::new();
    for path in paths {
        found.extend(archive::files(&path).map_err(|problem| unreadable(&path, &problem))?);
    }
    Ok(found)
}

/// A line a file, and one for each record that does not prove what it says.
fn verify(files: &[PathBuf], terminal: &mut Terminal) -> Result<()> {
    let (mut passed, mut failed) = (0, 0);
    let mut seen = BTreeSet::new();
    for file in files {
        let (mut count, mut again) = (0, 0);
        let mut faults = Vec::new();
        for (number, line) in (1..).zip(lines(file)?) {
            match line
                .map_err(|problem| unreadable(file, &problem))
                .and_then(|it| Record::read(&it))
            {
                Ok(record) => {
                    count += 1;
                    // Archived before, by a server that died between the file and the commit.
                    again += usize::from(!seen.insert((record.tenant, record.id)));
                }
                Err(error) => faults.push(format!("FAIL  {}:{number}: {error}", file.display())),
            }
        }
        let twice = if again == 0 { String::new() } else { format!(", {again} seen before") };
        let told = format!("ok    {}: {count} records{twice}", file.display());
        passed += count;
        failed += faults.len();
        for line in if faults.is_empty() { vec![told] } else { faults } {
            terminal.result(&line).map_err(unwritable)?;
        }
    }
    close(passed, failed, "archive_damaged", terminal)
}

fn show(instance: &str, files: &[PathBuf], terminal: &mut Terminal) -> Result<()> {
    for file in files {
        for line in lines(file)? {
            let line = line.map_err(|problem| unreadable(file, &problem))?;
            // Not every record has to be read to find one.
            if !line.contains(instance) {
                continue;
            }
            let record = Record::read(&line)?;
            if record.id == instance {
                let pretty = serde_json::to_string_pretty(&record)
                    .map_err(|error| Error::internal("record_encoding", error))?;
                return terminal.result(&pretty).map_err(unwritable);
            }
        }
    }
    Err(Error::not_found("archived_instance", instance))
}

fn lines(file: &Path) -> Result<impl Iterator<Item = io::Result<String>>> {
    archive::lines(file).map_err(|problem| unreadable(file, &problem))
}

fn unreadable(path: &Path, problem: &io::Error) -> Error {
    Error::invalid("archive_unreadable", format!("{} cannot be read", path.display()))
        .why(problem.to_string())
}
