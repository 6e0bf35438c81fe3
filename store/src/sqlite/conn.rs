//! One SQLite connection: how it is set up, and how statements run on it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flowmaster_kernel::{Error, Result};
use rusqlite::config::DbConfig as Setting;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ffi};

use crate::config::{Durability, OpenError};
use crate::dialect::{Dialect, Sql};
use crate::param::Bound;
use crate::row::{Cell, Row};
use crate::session::MAX_ROWS;
use crate::{DbConfig, Param, error};

/// The first release without the WAL-reset bug, as `sqlite3_libversion_number` gives it.
pub(super) const OLDEST_SQLITE: i32 = 3_051_003;

/// Statement limit that is never reached.
const UNLIMITED: u64 = u64::MAX;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    Read,
}

/// A connection whose statements end after the time limit.
pub(super) struct Conn {
    raw: Connection,
    opened: Instant,
    /// Milliseconds after `opened` at which the running statement is interrupted.
    until: Arc<AtomicU64>,
    limit: Duration,
    /// Statements of the source by where they stand in memory, as SQLite is given them.
    texts: RefCell<HashMap<(usize, usize), Arc<str>>>,
}

/// Why a statement did not run to its end.
#[derive(Debug)]
pub(super) enum Fault {
    /// Refused by us before it ran.
    Refused(Error),
    /// Failed in SQLite, which may have ended the whole transaction.
    Sqlite(rusqlite::Error),
}

impl Conn {
    pub(super) fn open(
        path: &Path,
        purpose: Purpose,
        config: &DbConfig,
    ) -> Result<Self, OpenError> {
        let flags = match purpose {
            Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        // Each connection is used by one thread at a time, under our own lock.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = Connection::open_with_flags(path, flags).map_err(OpenError::Sqlite)?;
        let conn = Self {
            raw,
            opened: Instant::now(),
            until: Arc::new(AtomicU64::new(UNLIMITED)),
            limit: config.statement_limit,
            texts: RefCell::default(),
        };
        conn.set_up(purpose, config)?;
        Ok(conn)
    }

    fn set_up(&self, purpose: Purpose, config: &DbConfig) -> Result<(), OpenError> {
        let synchronous = match config.durability {
            Durability::Full => "2",
            Durability::ProcessOnly => "0",
        };
        // The busy timeout comes first: switching to WAL may already have to wait.
        let mut settings = vec![("busy_timeout", "5000")];
        if purpose == Purpose::Write {
            settings.push(("journal_mode", "wal"));
        }
        settings.extend([
            ("synchronous", synchronous),
            ("foreign_keys", "1"),
            // Memory mapping turns a stray write or an I/O error into corruption or a signal.
            ("mmap_size", "0"),
            // Statement journals stay in memory, so a full temporary folder cannot fail a write.
            ("temp_store", "2"),
            ("trusted_schema", "0"),
        ]);
        match purpose {
            Purpose::Write => settings.extend([
                // Each commit looks through all of it.
                ("cache_size", "-8000"),
                ("wal_autocheckpoint", "4000"),
                ("journal_size_limit", "67108864"),
            ]),
            Purpose::Read => settings.extend([("cache_size", "-8000"), ("query_only", "1")]),
        }
        for (name, wanted) in settings {
            self.set(name, wanted)?;
        }
        if let (Purpose::Write, Some(max_bytes)) = (purpose, config.max_bytes) {
            let page_size: u64 = self.pragma("page_size")?.parse().unwrap_or(4096);
            self.set("max_page_count", &(max_bytes / page_size.max(1)).to_string())?;
        }
        // Without this guarantee a statement with LIKE is planned anew for each value that is bound.
        self.raw
            .set_db_config(Setting::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(OpenError::Sqlite)?;
        self.raw.set_prepared_statement_cache_capacity(256);
        self.watch_time()
    }

    /// Sets a PRAGMA and reads it back: a setting that silently did not take loses data.
    pub(super) fn set(&self, name: &'static str, wanted: &str) -> Result<(), OpenError> {
        let set = format!("PRAGMA {name}={wanted}");
        self.raw.execute_batch(&set).map_err(OpenError::Sqlite)?;
        let found = self.pragma(name)?;
        if found == wanted {
            return Ok(());
        }
        Err(OpenError::Setting { setting: name, wanted: wanted.to_owned(), found })
    }

    pub(super) fn pragma(&self, name: &str) -> Result<String, OpenError> {
        let found = self.raw.query_row(&format!("PRAGMA {name}"), [], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(int) => int.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            })
        });
        found.map_err(OpenError::Sqlite)
    }

    fn watch_time(&self) -> Result<(), OpenError> {
        let (opened, until) = (self.opened, Arc::clone(&self.until));
        let over = move || millis(opened.elapsed()) > until.load(Ordering::Relaxed);
        self.raw.progress_handler(20_000, Some(over)).map_err(OpenError::Sqlite)
    }

    /// Whether no transaction is open. After an error this is the only proof that it still is.
    pub(super) fn is_autocommit(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Runs a statement of ours that takes and gives nothing, e.g. `SAVEPOINT`.
    pub(super) fn control(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.raw.prepare_cached(sql)?.raw_execute().map(drop)
    }

    pub(super) fn raw(&self) -> &Connection {
        &self.raw
    }

    pub(super) fn query(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>, Fault> {
        self.with(sql, bound, |statement| {
            let columns = statement.column_count();
            let mut answer = statement.raw_query();
            let mut rows = Vec::new();
            while let Some(row) = answer.next().map_err(Fault::Sqlite)? {
                if rows.len() == MAX_ROWS {
                    let problem = format!("the answer has more than {MAX_ROWS} rows");
                    return Err(Fault::Refused(error::too_large(problem)));
                }
                rows.push(read_row(row, columns)?);
            }
            Ok(rows)
        })
    }

    pub(super) fn execute(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<u64, Fault> {
        self.with(sql, bound, |statement| {
            statement.raw_execute().map(|changed| changed as u64).map_err(Fault::Sqlite)
        })
    }

    fn with<T>(
        &self,
        sql: Sql<'_>,
        bound: Bound<'_>,
        run: impl FnOnce(&mut Statement<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        bound.check_sizes().map_err(Fault::Refused)?;
        let end = millis(self.opened.elapsed().saturating_add(self.limit));
        self.until.store(end, Ordering::Relaxed);
        let run = |statement: &mut Statement<'_>| {
            bind(statement, bound)?;
            run(statement)
        };
        let outcome = match sql {
            Sql::Fixed(text) => self
                .raw
                .prepare_cached(&self.translated(text))
                .map_err(Fault::Sqlite)
                .and_then(|mut statement| run(&mut statement)),
            Sql::Dynamic(text) => self
                .raw
                .prepare(&Dialect::Sqlite.translate(text))
                .map_err(Fault::Sqlite)
                .and_then(|mut statement| run(&mut statement)),
        };
        self.until.store(UNLIMITED, Ordering::Relaxed);
        outcome
    }

    fn translated(&self, text: &'static str) -> Arc<str> {
        let place = (text.as_ptr().addr(), text.len());
        let mut texts = self.texts.borrow_mut();
        let known = texts.entry(place).or_insert_with(|| Dialect::Sqlite.translate(text).into());
        Arc::clone(known)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(UNLIMITED)
}

fn bind(statement: &mut Statement<'_>, bound: Bound<'_>) -> Result<(), Fault> {
    let wanted = statement.parameter_count();
    if wanted != bound.len() {
        let problem = format!("the statement has {wanted} parameters, {} given", bound.len());
        return Err(Fault::Refused(error::statement(problem)));
    }
    let mut place = 0;
    if let Some(tenant) = bound.tenant {
        place += 1;
        statement.raw_bind_parameter(place, tenant).map_err(Fault::Sqlite)?;
    }
    for param in bound.params {
        place += 1;
        let value = match param {
            Param::Null => ToSqlOutput::Owned(Owned::Null),
            Param::Int(int) => ToSqlOutput::Owned(Owned::Integer(*int)),
            Param::Real(real) => ToSqlOutput::Owned(Owned::Real(*real)),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Param::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        };
        statement.raw_bind_parameter(place, value).map_err(Fault::Sqlite)?;
    }
    Ok(())
}

fn read_row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row, Fault> {
    let mut cells = Vec::with_capacity(columns);
    for column in 0..columns {
        cells.push(match row.get_ref(column).map_err(Fault::Sqlite)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(int) => Cell::Int(int),
            ValueRef::Real(real) => Cell::Real(real),
            ValueRef::Text(text) => Cell::Text(
                str::from_utf8(text)
                    .map_err(|source| {
                        Fault::Refused(Error::internal("stored_text_invalid", source))
                    })?
                    .to_owned(),
            ),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        });
    }
    Ok(Row(cells))
}

pub(super) fn is_full(problem: &rusqlite::Error) -> bool {
    problem.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

impl Fault {
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(problem) if is_full(problem))
    }

    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(problem) => explain(problem),
        }
    }
}

/// What a failure of SQLite means to the caller.
pub(super) fn explain(problem: rusqlite::Error) -> Error {
    let Some(code) = problem.sqlite_error_code() else {
        return Error::internal("database_error", problem);
    };
    let extended = problem.sqlite_error().map_or(0, |inner| inner.extended_code);
    let error = match code {
        ErrorCode::ConstraintViolation => match extended {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => error::duplicate(),
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
                error::constraint("reference_missing", "it refers to something that does not exist")
            }
            _ => error::constraint(error::CONSTRAINT_FAILED, "the value is not allowed here"),
        },
        ErrorCode::DiskFull => error::storage_full(),
        ErrorCode::OperationInterrupted => error::statement_timeout(),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => error::unreachable(),
        _ => return Error::internal("database_error", problem),
    };
    error.because(problem)
}
