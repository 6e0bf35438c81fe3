//! "Same key, same answer, one effect": answers recorded in the transaction they belong to.
//!
//! A key belongs to one principal of one tenant. What commits under a key commits its answer with
//! it, so after any crash the key tells what happened. A call that needs several transactions
//! gives its key to the last one alone.

use std::future::Future;
use std::time::Duration;

use flowmaster_kernel::{Ctx, Error, Result, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::{Db, Param, Session, WriteSet, error, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_idempotency (
    tenant_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    operation TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, principal, idempotency_key)
) /*sqlite:WITHOUT ROWID*/;
CREATE INDEX store_idempotency_age ON store_idempotency (at);
";

/// The largest answer that is recorded, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// How long an answer is kept: what is repeated later is a new call.
pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How often a call is run again after it collided with another.
const ATTEMPTS: usize = 5;

const RECORD: &str = "INSERT INTO store_idempotency
    (tenant_id, principal, idempotency_key, operation, body_hash, answer, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const LOOKUP: &str = "SELECT operation, body_hash, answer FROM store_idempotency
    WHERE tenant_id = $1 AND principal = $2 AND idempotency_key = $3";

pub(crate) fn record(writes: &mut WriteSet, ctx: &Ctx, answer: &impl Serialize) -> Result<()> {
    let Some(call) = &ctx.idempotency else { return Ok(()) };
    let answer = Param::json(answer)?;
    if let Param::Text(text) = &answer
        && text.len() > MAX_ANSWER_BYTES
    {
        let problem = format!("the answer of {} has {} bytes", call.operation, text.len());
        return Err(error::too_large(problem));
    }
    writes.push_expecting(
        RECORD,
        params![&ctx.principal.id, &call.key, &call.operation, &call.body_hash, answer, ctx.now()],
        1,
        recorded(),
    );
    Ok(())
}

pub(crate) fn recorded() -> Error {
    Error::conflict(error::IDEMPOTENCY_RECORDED, "this call was done before")
        .why("the idempotency key has a recorded answer")
        .fix("take the recorded answer, or use a new key for a new call")
        .retryable()
}

/// The recorded answer of this very call.
pub(crate) async fn lookup(session: &mut Session, ctx: &Ctx) -> Result<Option<Value>> {
    let Some(call) = &ctx.idempotency else { return Ok(None) };
    let key = params![&ctx.principal.id, &call.key];
    let Some(row) = session.query_opt(LOOKUP, &key).await? else { return Ok(None) };
    if row.str(0)? == call.operation && row.str(1)? == call.body_hash {
        return row.json(2).map(Some);
    }
    let what = "the idempotency key was used for another call";
    Err(Error::conflict(error::IDEMPOTENCY_CONFLICT, what)
        .why("a key stands for one operation with one set of arguments")
        .fix("use a new key, or repeat the first call with exactly its arguments"))
}

impl Db {
    /// What this call answered when it was done before. `None` without a key, or with a new one.
    ///
    /// # Errors
    /// `idempotency_conflict` if the key was used for another operation or other arguments.
    pub async fn recorded_answer(&self, ctx: &Ctx) -> Result<Option<Value>> {
        if ctx.idempotency.is_none() {
            return Ok(None);
        }
        lookup(&mut *self.read(ctx).await?, ctx).await
    }

    /// Runs a call once for its key, however often and however concurrently it is asked for, and
    /// runs it again when it collided with another transaction.
    ///
    /// # Errors
    /// What the call answers, and `idempotency_conflict`.
    pub async fn once<F, Answer>(&self, ctx: &Ctx, call: F) -> Result<Value>
    where
        F: Fn() -> Answer,
        Answer: Future<Output = Result<Value>>,
    {
        if let Some(answer) = self.recorded_answer(ctx).await? {
            return Ok(answer);
        }
        let mut attempt = 1;
        loop {
            let problem = match call().await {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem,
            };
            // Any failure may come from the same call having been faster elsewhere: then the state
            // it wanted to change is changed already, and the right answer is the recorded one.
            if let Some(answer) = self.recorded_answer(ctx).await? {
                return Ok(answer);
            }
            let collided = [error::TRANSACTION_LOST, error::IDEMPOTENCY_RECORDED];
            if attempt == ATTEMPTS || !collided.contains(&problem.code()) {
                return Err(problem);
            }
            attempt += 1;
        }
    }
}

/// Forgets answers recorded before `before`. Says how many.
///
/// # Errors
/// What the database refuses.
pub async fn purge(db: &Db, before: Timestamp, limit: usize) -> Result<u64> {
    let mut tx = db.begin_system().await?;
    let forgotten = tx
        .execute(
            "DELETE FROM store_idempotency
             WHERE (tenant_id, principal, idempotency_key) IN (
                SELECT tenant_id, principal, idempotency_key FROM store_idempotency
                WHERE at < $1 ORDER BY at LIMIT $2)",
            &params![before, limit],
        )
        .await?;
    tx.commit().await?;
    Ok(forgotten)
}
