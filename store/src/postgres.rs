//! PostgreSQL and what speaks its protocol: a pool of connections to the server that writes.
//!
//! Transactions are serializable, so verbs written for the one writer of SQLite stay correct here;
//! a collision answers `transaction_lost` and the call may run again. Concurrent commits share an
//! fsync in the server.

mod bind;
mod explain;
mod pipeline;
mod row_security;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
    Timeouts,
};
use flowmaster_kernel::{Error, Result, Timestamp};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use self::session::Limits;
pub(crate) use self::session::{Isolation, PgSession};

use crate::config::OpenError;
use crate::dialect::Dialect;
use crate::migrate::{self, Step};
use crate::status::{Health, Monitor, Status};
use crate::{DbConfig, WriteSet, error};

/// How often a write set is sent again after a collision.
const ATTEMPTS: u32 = 12;
/// How much longer the answer to a statement may take than the statement.
const ANSWER_SLACK: Duration = Duration::from_secs(5);

pub(crate) struct Postgres {
    pool: Pool,
    monitor: Arc<Monitor>,
    version: String,
    row_security: bool,
    limits: Limits,
}

impl Postgres {
    pub(crate) async fn open(config: &DbConfig, monitor: Arc<Monitor>) -> Result<Self, OpenError> {
        let pool = pool(config)?;
        let client = pool.get().await.map_err(|problem| match problem {
            PoolError::Backend(source) => OpenError::Postgres(source),
            other => OpenError::Pool(other.to_string()),
        })?;
        let row =
            client.query_one("SHOW server_version", &[]).await.map_err(OpenError::Postgres)?;
        let version = row.try_get(0).map_err(OpenError::Postgres)?;
        let row_security = row_security::binds(&client).await.map_err(OpenError::Postgres)?;
        if !row_security {
            tracing::warn!(
                "the database role bypasses row security: use one that is neither superuser nor \
                 BYPASSRLS, for a second line of defence between tenants"
            );
        }
        let limits =
            Limits { hold: config.hold_limit, answer: config.statement_limit + ANSWER_SLACK };
        Ok(Self { pool, monitor, version, row_security, limits })
    }

    /// Begins a transaction of `tenant`, or of the system.
    pub(crate) async fn begin(
        &self,
        isolation: Isolation,
        tenant: Option<&str>,
    ) -> Result<Box<PgSession>> {
        let mut session = self.session().await?;
        session.begin(isolation, tenant).await?;
        Ok(Box::new(session))
    }

    async fn session(&self) -> Result<PgSession> {
        let client = self.client().await?;
        Ok(PgSession::new(client, Arc::clone(&self.monitor), self.limits))
    }

    async fn client(&self) -> Result<Object> {
        if self.monitor.health() == Health::Closed {
            return Err(error::closed());
        }
        match self.pool.get().await {
            Ok(client) => {
                self.monitor.set_health(Health::Ready);
                Ok(client)
            }
            // All connections are busy: the server itself may be well.
            Err(problem @ PoolError::Timeout(TimeoutType::Wait)) => {
                Err(error::unreachable().because(problem))
            }
            Err(problem) => {
                self.monitor.set_health(Health::Unreachable);
                Err(error::unreachable().because(problem))
            }
        }
    }

    /// Applies `writes` in one transaction, again after each collision with another.
    pub(crate) async fn submit(&self, tenant: &str, mut writes: WriteSet) -> Result<()> {
        writes.check_size()?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.session().await?.submit(tenant, &mut writes).await {
                Err(problem) if problem.code() == error::TRANSACTION_LOST && attempt < ATTEMPTS => {
                    // Those who collided would collide again if they all came back at once.
                    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
                }
                outcome => return outcome,
            }
        }
    }

    pub(crate) async fn apply_step(&self, step: &Step, now: Timestamp) -> Result<(), OpenError> {
        let mut client = self.client().await?;
        let outcome = async {
            let transaction = client.transaction().await?;
            // A step on a large table takes as long as it takes.
            transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
            transaction.batch_execute(&row_security::set(None)).await?;
            if step.number > 0 {
                // First of all: the key makes a second node wait here until this one is done.
                let at = now.as_millis();
                let record = [
                    &step.room as &(dyn tokio_postgres::types::ToSql + Sync),
                    &step.number,
                    &step.checksum,
                    &at,
                ];
                transaction.execute(migrate::RECORD, &record).await?;
            }
            transaction.batch_execute(&step.script(Dialect::Postgres)).await?;
            transaction.commit().await
        };
        let Err(source) = outcome.await else { return Ok(()) };
        // Another node may have applied the same step at the same time.
        let collided = source.code() == Some(&SqlState::UNIQUE_VIOLATION);
        if collided && (step.number == 0 || already_applied(&client, step).await) {
            return Ok(());
        }
        Err(OpenError::Step {
            room: step.room.clone(),
            step: step.number,
            source: Box::new(source),
        })
    }

    /// Puts every table that has tenants under row security.
    pub(crate) async fn protect(&self) -> Result<(), OpenError> {
        let mut client = self.client().await?;
        row_security::protect(&mut client).await.map_err(OpenError::Postgres)
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            row_security: Some(self.row_security),
            ..self.monitor.status(Dialect::Postgres, &self.version)
        }
    }

    pub(crate) fn close(&self) {
        self.monitor.set_health(Health::Closed);
        self.pool.close();
    }
}

async fn already_applied(client: &Object, step: &Step) -> bool {
    let find = "SELECT 1 FROM store_migrations WHERE room = $1 AND step = $2 AND checksum = $3";
    let key =
        [&step.room as &(dyn tokio_postgres::types::ToSql + Sync), &step.number, &step.checksum];
    matches!(client.query_opt(find, &key).await, Ok(Some(_)))
}

fn pool(config: &DbConfig) -> Result<Pool, OpenError> {
    let (url, asked) = tls::split(&config.url);
    let mut server: Config =
        url.parse().map_err(|_| config.wrong_url("PostgreSQL does not understand it"))?;
    let tls = tls::decide(&mut server, &asked)?;
    server.application_name("flowmaster").connect_timeout(Duration::from_secs(5));
    let limits = format!(
        "{} -c statement_timeout={} -c idle_in_transaction_session_timeout={}",
        server.get_options().unwrap_or_default(),
        config.statement_limit.as_millis(),
        config.hold_limit.as_millis(),
    );
    server.options(limits.trim());
    let recycling_method = RecyclingMethod::Fast;
    let settings = ManagerConfig { recycling_method };
    let manager = match tls {
        Some(tls) => Manager::from_config(server, tls, settings),
        None => Manager::from_config(server, NoTls, settings),
    };
    let wait = Some(Duration::from_secs(5));
    Pool::builder(manager)
        .max_size(config.connections.max(1))
        .timeouts(Timeouts { wait, create: wait, recycle: wait })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|problem| OpenError::Pool(problem.to_string()))
}

/// What went wrong on the way to the server, as the caller sees it.
fn connection_lost(problem: tokio_postgres::Error) -> Error {
    error::unreachable().because(problem)
}
