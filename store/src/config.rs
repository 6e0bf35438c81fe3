//! How a store is opened.

use std::path::PathBuf;
use std::time::Duration;

use flowmaster_kernel::{Error, ErrorKind};

/// Where the data is and what limits hold. [`DbConfig::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct DbConfig {
    /// `sqlite:FOLDER` (the file is `FOLDER/flowmaster.db`) or `postgres://…`.
    pub url: String,
    /// Connections that read (SQLite).
    pub readers: usize,
    /// Connections to the server (PostgreSQL).
    pub connections: usize,
    /// The most callers that share one commit (SQLite).
    pub group_limit: usize,
    /// The longest time a group takes in callers before it commits (SQLite).
    pub group_time: Duration,
    /// How long the writer waits for a caller it expects, to share the commit (SQLite).
    pub linger: Duration,
    /// The most writes that wait (SQLite).
    pub queue_limit: usize,
    /// The longest time a transaction is held open; then it is rolled back.
    pub hold_limit: Duration,
    /// The longest time a snapshot is held open while others write.
    pub snapshot_limit: Duration,
    /// The longest time of one statement.
    pub statement_limit: Duration,
    /// Bytes held back for the moment the disk is full (SQLite). 0 for none.
    pub reserve_bytes: u64,
    /// How often a store that ran out of space looks whether there is some again (SQLite).
    pub space_check: Duration,
    /// The largest size of the database file (SQLite). `None` for what the disk has.
    pub max_bytes: Option<u64>,
    /// What an acknowledgement promises (SQLite).
    pub durability: Durability,
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// What was acknowledged survives a power cut (`synchronous=FULL`).
    Full,
    /// What was acknowledged survives the end of the process only. For tests and demonstrations.
    ProcessOnly,
}

impl DbConfig {
    /// The defaults for a database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: 4,
            connections: 16,
            group_limit: 512,
            group_time: Duration::from_millis(20),
            linger: Duration::from_micros(200),
            queue_limit: 10_000,
            hold_limit: Duration::from_secs(5),
            snapshot_limit: Duration::from_secs(5),
            statement_limit: Duration::from_secs(5),
            reserve_bytes: 16 * 1024 * 1024,
            space_check: Duration::from_secs(5),
            max_bytes: None,
            durability: Durability::Full,
        }
    }

    pub(crate) fn place(&self) -> Result<Place, OpenError> {
        if let Some(folder) = self.url.strip_prefix("sqlite:") {
            let folder = folder.strip_prefix("//").unwrap_or(folder);
            if folder.is_empty() || folder.starts_with(':') || folder.contains('?') {
                return Err(self.wrong_url("sqlite: takes a folder, e.g. sqlite:./data"));
            }
            return Ok(Place::Folder(PathBuf::from(folder)));
        }
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            return Ok(Place::Server);
        }
        Err(self.wrong_url("it starts with neither sqlite: nor postgres://"))
    }

    pub(crate) fn wrong_url(&self, problem: &str) -> OpenError {
        // The URL may hold a password: only its scheme is told.
        let scheme = self.url.split(':').next().unwrap_or_default().to_owned();
        OpenError::Url { scheme, problem: problem.to_owned() }
    }
}

pub(crate) enum Place {
    Folder(PathBuf),
    Server,
}

/// Why a store could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database URL is not usable.
    #[error("the database URL ({scheme}:…) is not usable: {problem}")]
    Url {
        /// Its scheme.
        scheme: String,
        /// What is wrong.
        problem: String,
    },
    /// Another process has the data folder.
    #[error("the data folder {} is in use by another FlowMaster", folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("the data folder {} cannot be used", folder.display())]
    Folder {
        /// The data folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite has the WAL-reset bug (fixed in 3.51.3).
    #[error("SQLite {found} can corrupt databases; 3.51.3 or newer is needed")]
    SqliteTooOld {
        /// Its version.
        found: String,
    },
    /// A setting that durability rests on did not take.
    #[error("SQLite did not take {setting}={wanted}: it says {found}")]
    Setting {
        /// The PRAGMA.
        setting: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// SQLite refused.
    #[error("SQLite could not open the database")]
    Sqlite(#[source] rusqlite::Error),
    /// PostgreSQL refused or does not answer.
    #[error("PostgreSQL could not be reached")]
    Postgres(#[source] tokio_postgres::Error),
    /// The connection pool gave up.
    #[error("PostgreSQL gave no connection: {0}")]
    Pool(String),
    /// The URL asks for TLS that anybody on the way could switch off, or for what nobody knows.
    #[error("the sslmode of the database URL is none of disable, require and verify-full")]
    TlsMode,
    /// There is nothing to verify the server's certificate by.
    #[error("the root certificates for PostgreSQL cannot be used: {0}")]
    TlsRoots(String),
    /// A thread could not be started.
    #[error("the writer thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The database was written by a newer FlowMaster.
    #[error("the database has step {found} of {room:?}, this FlowMaster knows {known}")]
    NewerDatabase {
        /// Whose tables.
        room: String,
        /// The newest step applied.
        found: i64,
        /// The newest step this binary has.
        known: i64,
    },
    /// A migration step that was applied has another text now.
    #[error("step {step} of {room:?} was applied with another text")]
    ChangedStep {
        /// Whose tables.
        room: String,
        /// The step.
        step: i64,
    },
    /// A migration step failed.
    #[error("step {step} of {room:?} failed")]
    Step {
        /// Whose tables.
        room: String,
        /// The step.
        step: i64,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store stopped meanwhile.
    #[error(transparent)]
    Store(#[from] Error),
}

impl OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "invalid_database_url",
            Self::Locked { .. } => "data_folder_locked",
            Self::Folder { .. } => "data_folder_unusable",
            Self::SqliteTooOld { .. } => "sqlite_too_old",
            Self::Setting { .. } => "database_setting_refused",
            Self::Sqlite(_) => "database_unreadable",
            Self::Postgres(_) | Self::Pool(_) => "database_unreachable",
            Self::TlsMode => "database_tls_mode",
            Self::TlsRoots(_) => "database_tls_roots",
            Self::Thread(_) => "writer_not_started",
            Self::NewerDatabase { .. } => "database_newer",
            Self::ChangedStep { .. } => "migration_changed",
            Self::Step { .. } => "migration_failed",
            Self::Store(_) => "store_unavailable",
        }
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Url { .. } => "set it to sqlite:FOLDER or postgres://USER:PASSWORD@HOST/DATABASE",
            Self::Locked { .. } => {
                "stop the other process, or give this one another folder; \
                 the lock goes away with the process that holds it"
            }
            Self::Folder { .. } => "check that the folder exists and may be written by this user",
            Self::SqliteTooOld { .. } => "build FlowMaster with its bundled SQLite",
            Self::Setting { .. } => "use a local disk: network file systems do not support it",
            Self::Sqlite(_) => "check the file and the disk; restore a backup if it is damaged",
            Self::Postgres(_) | Self::Pool(_) => {
                "check that the server runs, and the host, user, password and database of the URL; \
                 with another machine TLS is spoken: its certificate must be for this host name, and \
                 sslrootcert=FILE names the authority when the system does not know it"
            }
            Self::TlsMode => {
                "use sslmode=verify-full, or sslmode=disable on a network that you trust"
            }
            Self::TlsRoots(_) => {
                "name a PEM file of the server's authority by sslrootcert=FILE in the database URL"
            }
            Self::Thread(_) => "raise the limit of threads of this user",
            Self::NewerDatabase { .. } => {
                "start the newer FlowMaster again, or restore the backup made before the upgrade"
            }
            Self::ChangedStep { .. } => "use an unmodified release; applied steps never change",
            Self::Step { .. } => "nothing of this step was applied; report it with the log",
            Self::Store(_) => "see the error before it",
        }
    }
}

impl From<OpenError> for Error {
    fn from(problem: OpenError) -> Self {
        match problem {
            OpenError::Store(error) => error,
            problem => Self::new(ErrorKind::Unavailable, problem.code(), problem.to_string())
                .fix(problem.fix())
                .because(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_refused_without_telling_the_password() {
        for url in ["", "mysql://root:secret@h/db", "sqlite:", "sqlite::memory:", "sqlite:x?mode"] {
            let Err(problem) = DbConfig::new(url).place() else { panic!("{url} was taken") };
            let error = Error::from(problem);
            assert_eq!(error.code(), "invalid_database_url", "{url}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
