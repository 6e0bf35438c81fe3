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
    hold_limit: Duration,
    monitor: Arc<Monitor>,
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
    pub(super) fn new(client: Object, monitor: Arc<Monitor>, hold_limit: Duration) -> Self {
        let client = Some(client);
        Self { client, state: State::Idle, since: Instant::now(), hold_limit, monitor }
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(error::transaction_failed)
    }

    pub(super) async fn begin(&mut self, isolation: Isolation, tenant: Option<&str>) -> Result<()> {
        // Before it is sent: dropped while it is on its way, the connection has a transaction.
        self.state = State::Open;
        self.client()?.batch_execute(&isolation.begin(tenant)).await.map_err(explain)
    }

    pub(crate) async fn query(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        self.check_open()?;
        let outcome = self.run_query(sql, bound).await;
        self.note(outcome)
    }

    async fn run_query(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql, bound).await?;
        let values = wires(bound)?;
        let rows = self.client()?.query(&statement, &references(&values)).await.map_err(explain)?;
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
        self.client()?.execute(&statement, &references(&values)).await.map_err(explain)
    }

    async fn prepare(&self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Statement> {
        let client = self.client()?;
        let text = Dialect::Postgres.translate(sql.text());
        let statement = match sql {
            Sql::Fixed(_) => client.prepare_cached(&text).await,
            Sql::Dynamic(_) => client.prepare(&text).await,
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
        let mut answers = all_in_order(sent).await.into_iter();
        if let Some(Err(problem)) = answers.next() {
            return Err(problem);
        }
        Ok(answers.collect())
    }

    pub(crate) async fn commit(mut self, wakes: Wakes) -> Result<()> {
        self.check_open()?;
        let committed = self.client()?.batch_execute("COMMIT").await;
        if let Err(problem) = committed {
            return Err(explain_commit(problem));
        }
        self.state = State::Idle;
        self.monitor.committed(1, wakes);
        Ok(())
    }

    pub(crate) async fn rollback(mut self) {
        let Ok(client) = self.client() else { return };
        match client.batch_execute("ROLLBACK").await {
            Ok(()) => self.state = State::Idle,
            // The drop closes the connection, and the server rolls back.
            Err(problem) => tracing::warn!(%problem, "a transaction could not be rolled back"),
        }
    }

    fn check_open(&mut self) -> Result<()> {
        if self.state == State::Open && self.since.elapsed() > self.hold_limit {
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
                runtime.spawn(async move {
                    if let Err(problem) = client.batch_execute("ROLLBACK").await {
                        tracing::warn!(%problem, "a dropped transaction could not be rolled back");
                        drop(Object::take(client));
                    }
                });
            }
            // Outside a runtime nothing can be sent: closing the connection rolls back as well.
            Err(_) => drop(Object::take(client)),
        }
    }
}
