//! The store as everybody sees it.

use std::future::Future;
use std::sync::Arc;

use flowmaster_kernel::{Clock, Ctx, Result, Timestamp};
use tokio::sync::watch;

use crate::config::{OpenError, Place};
use crate::listeners::Beliefs;
use crate::migrate::{self, Migrations};
use crate::postgres::{Isolation, Postgres};
use crate::session::Link;
use crate::sqlite::Sqlite;
use crate::status::{Commits, Health, Monitor, Status, Wakes};
use crate::write_set::Urgency;
use crate::{DbConfig, Session, Snapshot, SystemSnapshot, SystemTx, Tx, WriteSet};

/// A database. Clones are the same database; the last one that goes closes it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    backend: Backend,
    monitor: Arc<Monitor>,
    clock: Arc<dyn Clock>,
    beliefs: Beliefs,
    #[cfg(any(test, feature = "testing"))]
    _folder: Option<tempfile::TempDir>,
    #[cfg(any(test, feature = "testing"))]
    fates: std::sync::OnceLock<crate::fate::Decided>,
}

pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Db {
    /// Opens the database and checks everything its promises rest on.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong and what to do about it.
    pub async fn open(config: &DbConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let monitor = Arc::new(Monitor::default());
        let backend = match config.place()? {
            Place::Folder(folder) => Backend::Sqlite(Sqlite::open(
                &folder,
                config,
                Arc::clone(&monitor),
                Arc::clone(&clock),
            )?),
            Place::Server => Backend::Postgres(Postgres::open(config, Arc::clone(&monitor)).await?),
        };
        Ok(Self(Arc::new(Inner {
            backend,
            monitor,
            clock,
            beliefs: Beliefs::default(),
            #[cfg(any(test, feature = "testing"))]
            _folder: None,
            #[cfg(any(test, feature = "testing"))]
            fates: std::sync::OnceLock::new(),
        })))
    }

    /// A migrated SQLite database in a folder of its own that goes away with it. It does not wait
    /// for the disk.
    ///
    /// # Panics
    /// If the temporary folder cannot be used: a test cannot go on without it.
    #[cfg(any(test, feature = "testing"))]
    #[expect(clippy::expect_used, reason = "for tests only: they stop here")]
    pub async fn temporary(clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = DbConfig {
            reserve_bytes: 0,
            durability: crate::Durability::ProcessOnly,
            ..DbConfig::new(format!("sqlite:{}", folder.path().display()))
        };
        let mut db = Self::open(&config, clock).await.expect("a temporary database");
        let inner = Arc::get_mut(&mut db.0).expect("nobody else has it yet");
        inner._folder = Some(folder);
        db.migrate(&[]).await.expect("the tables of the store");
        db
    }

    /// Brings the tables of the store, then those of each room, to the newest step.
    ///
    /// # Errors
    /// A database of a newer release, an applied step with another text, a step that fails.
    pub async fn migrate(&self, sets: &[Migrations]) -> Result<(), OpenError> {
        migrate::run(self, sets).await
    }

    /// Begins a write transaction. Callers are served in order of arrival (SQLite).
    ///
    /// # Errors
    /// `idempotency_recorded` if the call was done before; `storage_full`, `store_overloaded`,
    /// `deadline_exceeded` and what else keeps the store from writing.
    pub async fn begin(&self, ctx: &Ctx) -> Result<Tx> {
        self.begin_with(ctx, Urgency::New, Isolation::Serializable).await
    }

    /// As [`Db::begin`] for work that finishes something accepted before, such as completing a
    /// task: it is let through while storage space is low.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_finishing(&self, ctx: &Ctx) -> Result<Tx> {
        self.begin_with(ctx, Urgency::Finishing, Isolation::Serializable).await
    }

    /// As [`Db::begin`] for claims: they skip what others have locked, which needs to see what
    /// others committed meanwhile.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_claim(&self, ctx: &Ctx) -> Result<Tx> {
        self.begin_with(ctx, Urgency::Finishing, Isolation::ReadCommitted).await
    }

    async fn begin_with(&self, ctx: &Ctx, urgency: Urgency, isolation: Isolation) -> Result<Tx> {
        ctx.check_deadline()?;
        let link = match &self.0.backend {
            Backend::Sqlite(sqlite) => {
                Link::Writing(self.granted(sqlite.begin(ctx.deadline, urgency)).await?)
            }
            Backend::Postgres(server) => {
                Link::Server(server.begin(isolation, Some(ctx.tenant.as_str())).await?)
            }
        };
        let session = self.session(ctx, link);
        let tx = Tx { session, ctx: ctx.clone(), wakes: Wakes::default() };
        if ctx.idempotency.is_none() {
            return Ok(tx);
        }
        tx.refuse_recorded().await
    }

    /// Opens a consistent view of the tenant's rows. On PostgreSQL it reads from the server that
    /// writes: a replica may lag, and decisions rest on what is read here.
    ///
    /// # Errors
    /// `database_unreachable` if no connection gets free in time.
    pub async fn read(&self, ctx: &Ctx) -> Result<Snapshot> {
        ctx.check_deadline()?;
        let link = self.read_link(Some(ctx.tenant.as_str())).await?;
        Ok(Snapshot(self.session(ctx, link)))
    }

    /// Applies `writes` as one, and returns once they are durable. Concurrent callers share the
    /// commit.
    ///
    /// # Errors
    /// The error of a statement that changed another number of rows than expected, or as
    /// [`Tx::commit`] and [`Db::begin`]; nothing is applied then.
    pub async fn submit(&self, ctx: &Ctx, writes: WriteSet) -> Result<()> {
        ctx.check_deadline()?;
        let tenant = Arc::from(ctx.tenant.as_str());
        match &self.0.backend {
            Backend::Sqlite(sqlite) => {
                self.committed(sqlite.submit(tenant, writes, ctx.deadline)).await
            }
            Backend::Postgres(server) => server.submit(&tenant, writes).await,
        }
    }

    /// Begins a write transaction across tenants. For drivers, nothing else.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_system(&self) -> Result<SystemTx> {
        let link = match &self.0.backend {
            Backend::Sqlite(sqlite) => {
                Link::Writing(self.granted(sqlite.begin(None, Urgency::Finishing)).await?)
            }
            // For claims, as in `begin_claim`.
            Backend::Postgres(server) => {
                Link::Server(server.begin(Isolation::ReadCommitted, None).await?)
            }
        };
        Ok(SystemTx { link, wakes: Wakes::default(), db: self.clone() })
    }

    /// Opens a consistent view across tenants. For drivers and finding a credential, nothing else.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_system(&self) -> Result<SystemSnapshot> {
        Ok(SystemSnapshot { link: self.read_link(None).await?, _db: self.clone() })
    }

    async fn read_link(&self, tenant: Option<&str>) -> Result<Link> {
        Ok(match &self.0.backend {
            Backend::Sqlite(sqlite) => Link::Reading(sqlite.read().await?),
            Backend::Postgres(server) => {
                Link::Server(server.begin(Isolation::Snapshot, tenant).await?)
            }
        })
    }

    /// Waits for the turn to write.
    async fn granted<T>(&self, turn: impl Future<Output = T>) -> T {
        #[cfg(any(test, feature = "testing"))]
        if self.0.fates.get().is_some() {
            return crate::fate::at_once(turn);
        }
        turn.await
    }

    /// Waits for a commit.
    pub(crate) async fn committed(&self, commit: impl Future<Output = Result<()>>) -> Result<()> {
        #[cfg(any(test, feature = "testing"))]
        if let Some(fates) = self.0.fates.get() {
            return fates.commit(commit);
        }
        commit.await
    }

    /// From now on `fates` decide what becomes of commits; only the first call counts.
    #[cfg(any(test, feature = "testing"))]
    pub fn simulate(&self, fates: Arc<dyn crate::Fates>) {
        self.0.fates.get_or_init(|| crate::fate::Decided(fates));
    }

    fn session(&self, ctx: &Ctx, link: Link) -> Session {
        Session { link, tenant: Arc::from(ctx.tenant.as_str()), db: self.clone() }
    }

    /// Changes after each commit of this process that wrote jobs, timers or messages. A hint:
    /// other processes commit too, so drivers also poll.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<Commits> {
        self.0.monitor.hints()
    }

    /// Changes with the health of the store.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.0.monitor.watch_health()
    }

    /// Returns when a commit failed with unknown outcome: the process then has to restart. Until
    /// then it waits, for ever if all goes well.
    pub async fn poisoned(&self) {
        // The sender lives as long as `self`, so this cannot end any other way.
        let _ = self.health().wait_for(|health| *health == Health::Poisoned).await;
    }

    /// The state of the store.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.status(),
            Backend::Postgres(server) => server.status(),
        }
    }

    /// Does what was accepted, then takes nothing more and gives the data folder back.
    pub async fn close(self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(server) => server.close(),
        }
    }

    pub(crate) fn beliefs(&self) -> &Beliefs {
        &self.0.beliefs
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
