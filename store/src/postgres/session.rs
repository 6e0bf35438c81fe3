//! One transaction on one connection of the pool.
//!
//! Invariant: a connection goes back to the pool without a transaction open on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use flowmaster_kernel::{Error, Result};
use tokio_postgres::Statement;

use super::bind::{read_row, references, wires};
use super::explain::{explain, explain_commit};
use super::pipeline::{Sent, all_in_order};
use super::row_security;
use crate::dialect::{Dialect, Scoped, Sql, check_statement};
use crate::param::Bound;
use crate::row::Row;
use crate::session::MAX_ROWS;
use crate::status::{Monitor, Wakes};
use crate::{WriteSet, error};

/// What a transaction sees of others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Isolation {
    /// As if it were alone: verbs.
    Serializable,
    /// What is committed when each statement starts: claims.
    ReadCommitted,
    /// What was committed at the start, without writing: reads.
    Snapshot,
}

impl Isolation {
    /// Begins the transaction and tells row security whose it is, in one message.
    fn begin(self, tenant: Option<&str>) -> String {
        let begin = match self {
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        format!("{begin}; {}", row_security::set(tenant))
    }
}

pub(crate) struct PgSession {
    /// `None` once the connection was given back.
    client: Option<Object>,
    state: State,
    since: Instant,
    limits: Limits,
    monitor: Arc<Monitor>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A transaction.
    pub(super) hold: Duration,
    /// The server's answer. One that keeps silent for longer is taken for gone: a broken network
    /// says nothing.
    pub(super) answer: Duration,
}

#[derive(PartialEq, Eq)]
enum State {
    /// No transaction on the connection.
    Idle,
    Open,
    /// A statement failed: only a rollback is possible.
    Failed,
    /// Held open too long: likewise.
    Expired,
}

impl PgSession {
    pub(super) fn new(client: Object, monitor: Arc<Monitor>, limits: Limits) -> Self {
        let client = Some(client);
        Self { client, state: State::Idle, since: Instant::now(), limits, monitor }
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(error::transaction_failed)
    }

    /// The answer of the server, if it comes in time.
    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        tokio::time::timeout(self.limits.answer, answer).await.map_err(|elapsed| {
            // What is idle has lost the same server.
            if let Some(pool) = self.client.as_ref().and_then(Object::pool) {
                pool.retain(|_, _| false);
            }
            error::unreachable().because(elapsed)
        })
    }

    pub(super) async fn begin(&mut self, isolation: Isolation, tenant: Option<&str>) -> Result<()> {
        // Before it is sent: dropped while it is on its way, the connection has a transaction.
        self.state = State::Open;
        let begin = isolation.begin(tenant);
        self.in_time(self.client()?.batch_execute(&begin)).await?.map_err(explain)
    }

    pub(crate) async fn query(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        self.check_open()?;
        let outcome = self.run_query(sql, bound).await;
        self.note(outcome)
    }

    async fn run_query(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql, bound).await?;
        let values = wires(bound)?;
        let values = references(&values);
        let rows = self.in_time(self.client()?.query(&statement, &values)).await?;
        let rows = rows.map_err(explain)?;
        if rows.len() > MAX_ROWS {
            let problem = format!("the answer has more than {MAX_ROWS} rows");
            return Err(error::too_large(problem));
        }
        rows.iter().map(read_row).collect()
    }

    pub(crate) async fn execute(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<u64> {
        self.check_open()?;
        let outcome = self.run_execute(sql, bound).await;
        self.note(outcome)
    }

    async fn run_execute(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<u64> {
        let statement = self.prepare(sql, bound).await?;
        let values = wires(bound)?;
        let values = references(&values);
        self.in_time(self.client()?.execute(&statement, &values)).await?.map_err(explain)
    }

    async fn prepare(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Statement> {
        let client = self.client()?;
        let text = Dialect::Postgres.translate(sql.text());
        let statement = match sql {
            Sql::Fixed(_) => self.in_time(client.prepare_cached(&text)).await?,
            Sql::Dynamic(_) => self.in_time(client.prepare(&text)).await?,
        };
        let statement = statement.map_err(explain)?;
        let wanted = statement.params().len();
        if wanted != bound.len() {
            let problem = format!("the statement has {wanted} parameters, {} given", bound.len());
            return Err(error::statement(problem));
        }
        Ok(statement)
    }

    /// Sends the whole set at once, looks at the answers, and commits.
    pub(super) async fn submit(mut self, tenant: &str, writes: &mut WriteSet) -> Result<()> {
        let mut prepared = Vec::with_capacity(writes.len());
        for statement in &writes.statements {
            check_statement(statement.sql, statement.scoped)?;
            let tenant = (statement.scoped == Scoped::Tenant).then_some(tenant);
            let bound = Bound { tenant, params: &statement.params };
            let values = wires(bound)?;
            prepared.push((self.prepare(Sql::Fixed(statement.sql), bound).await?, values));
        }
        self.state = State::Open;
        let begin = Isolation::Serializable.begin(Some(tenant));
        let changed = self.send_all(&begin, &prepared).await?;
        drop(prepared);
        for (statement, changed) in writes.statements.iter_mut().zip(changed) {
            let settled = changed.and_then(|changed| statement.settle(changed));
            if let Err(problem) = settled {
                self.rollback().await;
                return Err(problem);
            }
        }
        self.commit(writes.wakes).await
    }

    /// `BEGIN` and every statement in one go; the answer of each.
    async fn send_all(
        &self,
        begin: &str,
        prepared: &[(Statement, Vec<super::bind::Wire<'_>>)],
    ) -> Result<Vec<Result<u64>>> {
        let client = self.client()?;
        let begin = async { client.batch_execute(begin).await.map(|()| 0).map_err(explain) };
        let mut sent: Vec<Sent<'_, Result<u64>>> = vec![Box::pin(begin)];
        for (statement, values) in prepared {
            sent.push(Box::pin(async move {
                client.execute(statement, &references(values)).await.map_err(explain)
            }));
        }
        let mut answers = self.in_time(all_in_order(sent)).await?.into_iter();
        if let Some(Err(problem)) = answers.next() {
            return Err(problem);
        }
        Ok(answers.collect())
    }

    pub(crate) async fn commit(mut self, wakes: Wakes) -> Result<()> {
        self.check_open()?;
        match self.in_time(self.client()?.batch_execute("COMMIT")).await {
            Ok(committed) => committed.map_err(explain_commit)?,
            Err(silence) => return Err(error::outcome_unknown().because(silence)),
        }
        self.state = State::Idle;
        self.monitor.committed(1, wakes);
        Ok(())
    }

    pub(crate) async fn rollback(mut self) {
        let Ok(client) = self.client() else { return };
        match self.in_time(client.batch_execute("ROLLBACK")).await {
            Ok(Ok(())) => self.state = State::Idle,
            // The drop closes the connection, and the server rolls back.
            Ok(Err(problem)) => tracing::warn!(%problem, "a transaction could not be rolled back"),
            Err(silence) => tracing::warn!(%silence, "a transaction could not be rolled back"),
        }
    }

    fn check_open(&mut self) -> Result<()> {
        if self.state == State::Open && self.since.elapsed() > self.limits.hold {
            self.state = State::Expired;
            self.monitor.expired();
        }
        match self.state {
            State::Open => Ok(()),
            State::Expired => Err(error::transaction_expired()),
            State::Idle | State::Failed => Err(error::transaction_failed()),
        }
    }

    fn note<T>(&mut self, outcome: Result<T, Error>) -> Result<T> {
        if outcome.is_err() {
            self.state = State::Failed;
        }
        outcome
    }
}

impl Drop for PgSession {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.state == State::Idle {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let limit = self.limits.answer;
                runtime.spawn(async move {
                    let rolled_back = client.batch_execute("ROLLBACK");
                    if !matches!(tokio::time::timeout(limit, rolled_back).await, Ok(Ok(()))) {
                        tracing::warn!("a dropped transaction could not be rolled back");
                        drop(Object::take(client));
                    }
                });
            }
            // Outside a runtime nothing can be sent: closing the connection rolls back as well.
            Err(_) => drop(Object::take(client)),
        }
    }
}
