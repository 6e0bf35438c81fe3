//! Copies of the embedded database, and whether a database is undamaged.
//!
//! Invariants: a copy is one consistent state that has everything acknowledged before it began; it
//! is checked before it counts; nothing that exists is ever overwritten. The server may run
//! meanwhile: it is read as by any reader, so its write-ahead log does not shrink until the end.
//!
//! Not here: PostgreSQL, which has its own programs for this.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowmaster_kernel::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::config::Place;
use crate::sqlite::{FILE, create_private, sync_folder};
use crate::{DbConfig, OpenError};

/// Copies the database at `url` to the new file `to`, readable by its owner alone. Gives its size
/// in bytes.
///
/// # Errors
/// `file_exists`; `backup_by_server` on PostgreSQL; a database that cannot be read; a copy that
/// cannot be written, or is damaged: then it is removed.
pub fn create(url: &str, to: &Path) -> Result<u64> {
    let from = data_folder(url)?.join(FILE);
    if !from.exists() {
        let what = format!("there is no {}", from.display());
        return Err(Error::new(ErrorKind::NotFound, "no_database", what)
            .fix("name the data folder of the server with --data-dir"));
    }
    let reader = open(&from)?;
    new_file(to)?;
    let copied = copy(&reader, to);
    if copied.is_err()
        && let Err(problem) = fs::remove_file(to)
    {
        tracing::error!(%problem, file = %to.display(), "an incomplete copy could not be removed");
    }
    copied
}

fn copy(reader: &Connection, to: &Path) -> Result<u64> {
    let cannot = |problem: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Unavailable, "backup_failed", "the database could not be copied")
            .why(problem.to_string())
            .fix("check the disk space and the permissions there, and repeat it")
    };
    let name = to.to_str().ok_or_else(|| cannot(&"the name of the file is not UTF-8"))?;
    reader.execute("VACUUM INTO ?1", [name]).map_err(|problem| cannot(&problem))?;
    let durable = File::open(to).and_then(|file| {
        file.sync_all()?;
        sync_folder(folder_of(to))?;
        file.metadata()
    });
    let bytes = durable.map_err(|problem| cannot(&problem))?.len();
    check(to)?;
    Ok(bytes)
}

/// Puts the backup `from` into the empty data folder of `url`.
///
/// # Errors
/// `data_folder_not_empty`; `backup_by_server` on PostgreSQL; a file that is damaged or no backup.
pub fn restore(url: &str, from: &Path) -> Result<()> {
    let folder = data_folder(url)?;
    check(from)?;
    let cannot = |problem: io::Error| {
        Error::new(ErrorKind::Unavailable, "restore_failed", "the backup could not be restored")
            .why(problem.to_string())
            .fix("check the disk space and the permissions of the data folder")
    };
    create_private(&folder).map_err(cannot)?;
    if fs::read_dir(&folder).map_err(cannot)?.next().is_some() {
        let what = format!("the data folder {} is not empty", folder.display());
        return Err(Error::conflict("data_folder_not_empty", what)
            .why("what is in it would be lost")
            .fix("stop the server and move it away, or name another folder with --data-dir"));
    }
    // Under its name only once it is complete.
    let partial = folder.join("restoring");
    let mut file = new_file(&partial)?;
    let copied = File::open(from).and_then(|mut source| {
        io::copy(&mut source, &mut file)?;
        file.sync_all()?;
        fs::rename(&partial, folder.join(FILE))?;
        sync_folder(&folder)
    });
    if copied.is_err() && partial.exists() {
        fs::remove_file(&partial).map_err(cannot)?;
    }
    copied.map_err(cannot)
}

/// Checks the database at `url`. `None` if there is none yet, or on PostgreSQL.
///
/// # Errors
/// `database_damaged`, with the first thing that was found.
pub fn check_data(url: &str) -> Result<Option<()>> {
    let Ok(Place::Folder(folder)) = DbConfig::new(url).place() else { return Ok(None) };
    let file = folder.join(FILE);
    if file.exists() { check(&file).map(Some) } else { Ok(None) }
}

fn check(file: &Path) -> Result<()> {
    let found = open(file)?
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
        .map_err(|problem| unreadable(file, &problem))?;
    if found == "ok" { Ok(()) } else { Err(damaged(file, found)) }
}

/// Opens a database of ours for reading.
fn open(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(file, flags).and_then(|reader| {
        reader.busy_timeout(Duration::from_secs(5))?;
        reader.query_row("SELECT count(*) FROM store_migrations", [], |_| Ok(()))?;
        Ok(reader)
    });
    opened.map_err(|problem| unreadable(file, &problem))
}

fn unreadable(file: &Path, problem: &rusqlite::Error) -> Error {
    if problem.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) {
        return damaged(file, problem.to_string());
    }
    let what = format!("{} cannot be read as a database of FlowMaster", file.display());
    Error::conflict("database_unreadable", what)
        .why(problem.to_string())
        .fix("check that it is the right file, and that this user may read it")
}

fn damaged(file: &Path, why: String) -> Error {
    Error::conflict("database_damaged", format!("{} is damaged", file.display()))
        .why(why)
        .fix("restore a backup with flowmaster restore; keep the damaged file for a look at it")
}

fn data_folder(url: &str) -> Result<PathBuf> {
    match DbConfig::new(url).place().map_err(|problem: OpenError| Error::from(problem))? {
        Place::Folder(folder) => Ok(folder),
        Place::Server => {
            Err(Error::invalid("backup_by_server", "the data is on a PostgreSQL server")
                .why("its own programs copy it consistently while it is in use")
                .fix("use pg_dump --format=custom --file=FILE, and pg_restore to bring it back"))
        }
    }
}

/// Makes a file that did not exist, for its owner alone to read.
pub(crate) fn new_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|problem| match problem.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::conflict("file_exists", format!("{} exists already", path.display()))
                .fix("choose another name: nothing is overwritten")
        }
        _ => Error::invalid("file_unwritable", format!("{} cannot be made", path.display()))
            .why(problem.to_string())
            .fix("choose a folder that exists and may be written"),
    })
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
