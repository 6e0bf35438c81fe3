//! Reading: what a transaction and a snapshot have in common.
//!
//! Invariant: a handle that is scoped to a tenant cannot be built without a `Ctx`, and it binds
//! the tenant as `$1` of every statement itself.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use flowmaster_kernel::{Error, Result, Timestamp};

use crate::dialect::{Scoped, Sql, check_statement};
use crate::param::Bound;
use crate::postgres::PgSession;
use crate::sqlite::{Baton, ReadLease};
use crate::{Db, Param, Row, error};

/// The most rows one statement may answer.
pub const MAX_ROWS: usize = 100_000;

/// Something that can be read through: a [`Tx`](crate::Tx) or a [`Snapshot`]. Functions that only
/// read take `&mut Session` and so serve both.
pub struct Session {
    pub(crate) link: Link,
    pub(crate) tenant: Arc<str>,
    /// Last, so that the connection is given back before the store may close.
    pub(crate) db: Db,
}

pub(crate) enum Link {
    Writing(Baton),
    Reading(ReadLease),
    Server(Box<PgSession>),
}

impl Link {
    pub(crate) async fn query(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<Vec<Row>> {
        match self {
            Self::Writing(baton) => baton.query(sql, bound),
            Self::Reading(lease) => lease.query(sql, bound),
            Self::Server(session) => session.query(sql, bound).await,
        }
    }

    pub(crate) async fn execute(&mut self, sql: Sql<'_>, bound: Bound<'_>) -> Result<u64> {
        match self {
            Self::Writing(baton) => baton.execute(sql, bound),
            Self::Reading(_) => Err(error::statement("a snapshot cannot write")),
            Self::Server(session) => session.execute(sql, bound).await,
        }
    }
}

impl Session {
    /// Runs a statement that answers rows. `params` are `$2` and following.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn query(&mut self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>> {
        self.run(Sql::Fixed(sql), params).await
    }

    /// As [`Session::query`] with a statement put together at run time, for filters. Values go in
    /// as parameters, never as text.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn query_dynamic(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>> {
        self.run(Sql::Dynamic(sql), params).await
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// As [`Session::query`]; more than one row is a defect of the statement.
    pub async fn query_opt(&mut self, sql: &'static str, params: &[Param]) -> Result<Option<Row>> {
        at_most_one(self.query(sql, params).await?)
    }

    /// The one row, for statements that always have one, such as `SELECT COUNT(*)`.
    ///
    /// # Errors
    /// As [`Session::query`]; no row or more than one is a defect of the statement.
    pub async fn query_one(&mut self, sql: &'static str, params: &[Param]) -> Result<Row> {
        exactly_one(self.query(sql, params).await?)
    }

    async fn run(&mut self, sql: Sql<'_>, params: &[Param]) -> Result<Vec<Row>> {
        check_statement(sql.text(), Scoped::Tenant)?;
        self.link.query(sql, Bound { tenant: Some(&self.tenant), params }).await
    }

    /// The moment on the clock of the store.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.db.now()
    }
}

pub(crate) fn at_most_one(mut rows: Vec<Row>) -> Result<Option<Row>> {
    match rows.len() {
        0 | 1 => Ok(rows.pop()),
        many => Err(error::statement(format!("{many} rows where one was expected"))),
    }
}

pub(crate) fn exactly_one(rows: Vec<Row>) -> Result<Row> {
    at_most_one(rows)?.ok_or_else(|| error::statement("no row where one was expected"))
}

/// A consistent view of one tenant's rows. Short-lived: it is ended when it is held open while
/// others write for longer than the limit.
pub struct Snapshot(pub(crate) Session);

impl Deref for Snapshot {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl DerefMut for Snapshot {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}

/// A consistent view across tenants. For drivers and for finding a credential, nothing else.
pub struct SystemSnapshot {
    pub(crate) link: Link,
    pub(crate) _db: Db,
}

impl SystemSnapshot {
    /// Runs a statement that answers rows. `params` are `$1` and following.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn query(&mut self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>> {
        query_system(&mut self.link, sql, params).await
    }

    /// The row, if there is one.
    ///
    /// # Errors
    /// As [`SystemSnapshot::query`]; more than one row is a defect of the statement.
    pub async fn query_opt(&mut self, sql: &'static str, params: &[Param]) -> Result<Option<Row>> {
        at_most_one(self.query(sql, params).await?)
    }

    /// The one row.
    ///
    /// # Errors
    /// As [`SystemSnapshot::query`]; no row or more than one is a defect of the statement.
    pub async fn query_one(&mut self, sql: &'static str, params: &[Param]) -> Result<Row> {
        exactly_one(self.query(sql, params).await?)
    }
}

pub(crate) async fn query_system(
    link: &mut Link,
    sql: &'static str,
    params: &[Param],
) -> Result<Vec<Row>, Error> {
    check_statement(sql, Scoped::System)?;
    link.query(Sql::Fixed(sql), Bound { tenant: None, params }).await
}
