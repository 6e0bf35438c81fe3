//! Writing: transactions of one tenant, and of the system.

use std::ops::{Deref, DerefMut};

use flowmaster_kernel::{Ctx, Error, Result};
use serde::Serialize;

use crate::dialect::{Scoped, Sql, check_statement};
use crate::param::Bound;
use crate::session::{Link, at_most_one, query_system};
use crate::status::Wakes;
use crate::write_set::Statement;
use crate::{Db, Param, Row, Session, WriteSet, error, idempotency};

/// A write transaction of one tenant. Reads through it (see [`Session`]) see its own writes.
///
/// Dropped without [`Tx::commit`] it is rolled back, it alone. After a statement failed it can only
/// be rolled back. Other writers wait while it is open (SQLite), so nothing but the store is
/// awaited meanwhile; held longer than the limit it is rolled back with `transaction_expired`.
pub struct Tx {
    pub(crate) session: Session,
    pub(crate) ctx: Ctx,
    pub(crate) wakes: Wakes,
}

impl Tx {
    /// Runs a statement and says how many rows it changed. `params` are `$2` and following.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param]) -> Result<u64> {
        self.run(Sql::Fixed(sql), params).await
    }

    /// As [`Tx::execute`] with a statement put together at run time.
    ///
    /// # Errors
    /// As [`Tx::execute`].
    pub async fn execute_dynamic(&mut self, sql: &str, params: &[Param]) -> Result<u64> {
        self.run(Sql::Dynamic(sql), params).await
    }

    async fn run(&mut self, sql: Sql<'_>, params: &[Param]) -> Result<u64> {
        check_statement(sql.text(), Scoped::Tenant)?;
        let bound = Bound { tenant: Some(&self.session.tenant), params };
        self.session.link.execute(sql, bound).await
    }

    /// Runs the statements of `writes` within this transaction.
    ///
    /// # Errors
    /// What the database refuses, or the error of a statement that changed another number of rows
    /// than expected; the transaction then has to be dropped.
    pub async fn apply(&mut self, writes: WriteSet) -> Result<()> {
        writes.check_size()?;
        self.wakes.add(writes.wakes);
        for mut statement in writes.statements {
            let changed = self.run_statement(&statement).await?;
            statement.settle(changed)?;
        }
        Ok(())
    }

    async fn run_statement(&mut self, statement: &Statement) -> Result<u64> {
        check_statement(statement.sql, statement.scoped)?;
        let tenant = (statement.scoped == Scoped::Tenant).then_some(&*self.session.tenant);
        let bound = Bound { tenant, params: &statement.params };
        self.session.link.execute(Sql::Fixed(statement.sql), bound).await
    }

    /// Makes everything durable, together with `answer` under the idempotency key of the call, and
    /// gives the answer back.
    ///
    /// # Errors
    /// `idempotency_recorded` if another call with the key was faster, `transaction_lost` if the
    /// same call may run again, `outcome_unknown` if nobody can tell whether it is durable.
    pub async fn commit<T: Serialize>(mut self, answer: T) -> Result<T> {
        let mut record = WriteSet::new();
        record.answer(&self.ctx, &answer)?;
        match self.apply(record).await {
            Ok(()) => {
                let Session { link, db, .. } = self.session;
                db.committed(link.commit(self.wakes)).await.map(|()| answer)
            }
            // The other call's answer has to be durable before anybody goes to look for it.
            Err(error) if error.code() == error::IDEMPOTENCY_RECORDED => {
                self.rollback_after(error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Undoes everything this transaction wrote.
    pub async fn rollback(self) {
        self.session.link.rollback().await;
    }

    /// Refuses to run a call that was done before.
    pub(crate) async fn refuse_recorded(mut self) -> Result<Self> {
        match idempotency::lookup(&mut self.session, &self.ctx).await {
            Ok(None) => Ok(self),
            Ok(Some(_)) => self.rollback_after(idempotency::recorded()).await,
            Err(error) => Err(error),
        }
    }

    async fn rollback_after<T>(self, reason: Error) -> Result<T> {
        self.session.link.rollback_after_group().await?;
        Err(reason)
    }
}

impl Deref for Tx {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

impl Link {
    async fn commit(self, wakes: Wakes) -> Result<()> {
        match self {
            Self::Writing(baton) => baton.commit(wakes).await,
            Self::Reading(_) => Err(error::statement("a snapshot cannot write")),
            Self::Server(session) => session.commit(wakes).await,
        }
    }

    async fn rollback(self) {
        match self {
            // Their drop gives the connection back, and the other side rolls back.
            Self::Writing(_) | Self::Reading(_) => {}
            Self::Server(session) => session.rollback().await,
        }
    }

    async fn rollback_after_group(self) -> Result<()> {
        match self {
            Self::Writing(baton) => baton.rollback_after_group().await,
            other => {
                other.rollback().await;
                Ok(())
            }
        }
    }
}

/// A write transaction across tenants. For drivers (claiming work, purging), nothing else.
pub struct SystemTx {
    pub(crate) link: Link,
    pub(crate) wakes: Wakes,
    pub(crate) db: Db,
}

impl SystemTx {
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
    /// As [`SystemTx::query`]; more than one row is a defect of the statement.
    pub async fn query_opt(&mut self, sql: &'static str, params: &[Param]) -> Result<Option<Row>> {
        at_most_one(self.query(sql, params).await?)
    }

    /// Runs a statement and says how many rows it changed. `params` are `$1` and following.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn execute(&mut self, sql: &'static str, params: &[Param]) -> Result<u64> {
        check_statement(sql, Scoped::System)?;
        self.link.execute(Sql::Fixed(sql), Bound { tenant: None, params }).await
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn commit(self) -> Result<()> {
        // Named, so that the store is not closed before the commit is done.
        let Self { link, wakes, db } = self;
        db.committed(link.commit(wakes)).await
    }
}
