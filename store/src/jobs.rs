//! Work that somebody has to do: agents, service workers, drivers.
//!
//! A job is claimed by lease. Each claim raises its epoch, and what the worker writes names the
//! epoch it was given: after the lease ran out and another got the job, the old one is refused with
//! `stale_lease`, in the statement that writes. A worker stops at two thirds of its lease. Nobody
//! gets a job of a paused instance.

use std::time::Duration;

use flowmaster_kernel::{Result, TenantId, Timestamp};
use serde_json::Value;

use crate::dialect::lease_now;
use crate::row::Row;
use crate::{Db, Param, Session, Tx, WriteSet, error, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_jobs (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    job_type TEXT NOT NULL,
    instance TEXT NOT NULL,
    element TEXT NOT NULL,
    priority BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) /*sqlite:WITHOUT ROWID*/;
CREATE INDEX store_jobs_ready ON store_jobs (kind, job_type, priority DESC, created_at, id);
CREATE INDEX store_jobs_instance ON store_jobs (tenant_id, instance);
";

/// Jobs of paused instances, and an index for each way of looking: in one queue, or in several.
pub(crate) const PAUSED: &str = "
ALTER TABLE store_jobs ADD COLUMN paused BIGINT NOT NULL DEFAULT 0;
DROP INDEX store_jobs_ready;
CREATE INDEX store_jobs_queue
    ON store_jobs (kind, tenant_id, job_type, priority DESC, created_at, id)
    WHERE paused = 0 AND retries > 0;
CREATE INDEX store_jobs_queues ON store_jobs (kind, priority DESC, created_at, id)
    WHERE paused = 0 AND retries > 0;
";

/// The most jobs one claim or list gives.
pub const MAX_BATCH: usize = 1_000;

/// A job to be done.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    /// Its id, unique in the tenant.
    pub id: &'a str,
    /// Which driver takes it, e.g. `agent` or `service`.
    pub kind: &'a str,
    /// Which worker of that driver, e.g. the job type of a service task.
    pub job_type: &'a str,
    /// The process instance.
    pub instance: &'a str,
    /// The element of the process.
    pub element: &'a str,
    /// Higher goes first.
    pub priority: i64,
    /// How many attempts are left. At 0 it waits for a person.
    pub retries: i64,
    /// Not before.
    pub due_at: Timestamp,
    /// When it was made; the older goes first.
    pub created_at: Timestamp,
    /// Whether its instance is paused: nobody gets it before that is resumed.
    pub is_paused: bool,
    /// What the worker needs.
    pub payload: &'a Value,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: String,
    /// Which driver takes it.
    pub kind: String,
    /// Which worker of that driver.
    pub job_type: String,
    /// The process instance.
    pub instance: String,
    /// The element of the process.
    pub element: String,
    /// Higher goes first.
    pub priority: i64,
    /// How many attempts are left.
    pub retries: i64,
    /// Not before.
    pub due_at: Timestamp,
    /// Who has it, or had it last.
    pub lease_owner: Option<String>,
    /// Until when.
    pub lease_until: Timestamp,
    /// The fencing token: pass it back with whatever is written about this job.
    pub epoch: i64,
    /// What the worker needs.
    pub payload: Value,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The jobs of a type in a tenant.
pub type Queue<'a> = (&'a TenantId, &'a str);

/// Which jobs a worker wants.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// Which driver.
    pub kind: &'a str,
    /// Who asks: unique for a process and worker.
    pub owner: &'a str,
    /// For how long.
    pub lease: Duration,
    /// How many at most.
    pub limit: usize,
}

const INSERT: &str = "INSERT INTO store_jobs
    (tenant_id, id, kind, job_type, instance, element, priority, retries, due_at, lease_owner,
     lease_until, epoch, payload, created_at, paused)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, 0, 0, $10, $11, $12)";

macro_rules! claim {
    ($queues:literal) => {
        concat!(
            "WITH chosen AS MATERIALIZED (
                SELECT tenant_id, id FROM store_jobs
                WHERE kind = $2 AND ",
            $queues,
            " AND paused = 0 AND retries > 0 AND due_at <= $3 AND lease_until <= ",
            lease_now!("$3"),
            " ORDER BY priority DESC, created_at, id LIMIT $4 /*postgres:FOR UPDATE SKIP LOCKED*/)
            UPDATE store_jobs SET lease_owner = $5, epoch = store_jobs.epoch + 1, lease_until = ",
            lease_now!("$3"),
            " + $6
            FROM chosen WHERE store_jobs.tenant_id = chosen.tenant_id AND store_jobs.id = chosen.id
            RETURNING store_jobs.tenant_id, store_jobs.id, kind, job_type, instance, element,
                priority, retries, due_at, lease_owner, lease_until, epoch, payload, created_at"
        )
    };
}

pub(crate) const CLAIM_OF_ONE: &str = claim!("tenant_id = $1 AND job_type = $7");
/// `$1` is a JSON array of pairs.
pub(crate) const CLAIM_OF_SEVERAL: &str = claim!(
    "(tenant_id, job_type) IN (
        SELECT /*sqlite:value ->> 0, value ->> 1 FROM json_each($1)*/
            /*postgres:value ->> 0, value ->> 1
            FROM jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB))*/)"
);

// Without statistics SQLite takes the tenant's rows one by one rather than look up two trees.
pub(crate) const CANCEL_INSTANCE: &str =
    "DELETE FROM store_jobs /*sqlite:INDEXED BY store_jobs_instance*/
    WHERE tenant_id = $1 AND instance = $2";
pub(crate) const PAUSE_INSTANCE: &str =
    "UPDATE store_jobs /*sqlite:INDEXED BY store_jobs_instance*/ SET paused = 1
    WHERE tenant_id = $1 AND instance = $2";
pub(crate) const RESUME_INSTANCE: &str =
    "UPDATE store_jobs /*sqlite:INDEXED BY store_jobs_instance*/ SET paused = 0
    WHERE tenant_id = $1 AND instance = $2";

/// Adds a job to a write set.
pub fn insert(writes: &mut WriteSet, job: &NewJob<'_>) {
    writes.wakes.jobs = true;
    writes.push(
        INSERT,
        params![
            job.id,
            job.kind,
            job.job_type,
            job.instance,
            job.element,
            job.priority,
            job.retries,
            job.due_at,
            job.payload,
            job.created_at,
            job.is_paused,
        ],
    );
}

/// Takes jobs for a worker: lease and next epoch in one statement. The most urgent job of all
/// queues comes first, then the oldest: no queue keeps another waiting.
///
/// # Errors
/// What the database refuses.
pub async fn claim(db: &Db, queues: &[Queue<'_>], claim: &Claim<'_>) -> Result<Vec<Job>> {
    let mut params = claim.params(db.now());
    let statement = match queues {
        [] => return Ok(Vec::new()),
        [(tenant, job_type)] => {
            params.splice(0..0, params![*tenant]);
            params.extend(params![*job_type]);
            CLAIM_OF_ONE
        }
        several => {
            let pairs: Vec<[&str; 2]> =
                several.iter().map(|(tenant, job_type)| [tenant.as_str(), *job_type]).collect();
            params.insert(0, Param::json(&pairs)?);
            CLAIM_OF_SEVERAL
        }
    };
    let mut tx = db.begin_system().await?;
    let jobs = in_order(&tx.query(statement, &params).await?)?;
    tx.commit().await?;
    Ok(jobs)
}

/// As [`claim`] from one queue of the tenant, within a transaction of [`Db::begin_claim`]: who
/// records its answer in it has the jobs if, and only if, the answer is there.
///
/// # Errors
/// What the database refuses.
pub async fn claim_in(tx: &mut Tx, job_type: &str, claim: &Claim<'_>) -> Result<Vec<Job>> {
    let mut params = claim.params(tx.ctx.now());
    params.extend(params![job_type]);
    in_order(&tx.query(CLAIM_OF_ONE, &params).await?)
}

impl Claim<'_> {
    /// `$2` and following.
    fn params(&self, now: Timestamp) -> Vec<Param> {
        let lease = lease_millis(self.lease);
        params![self.kind, now, self.limit.min(MAX_BATCH), self.owner, lease]
    }
}

/// The jobs in the order in which they are urgent, which `RETURNING` does not keep.
fn in_order(rows: &[Row]) -> Result<Vec<Job>> {
    let mut jobs = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    jobs.sort_by(|a, b| (b.priority, a.created_at, &a.id).cmp(&(a.priority, b.created_at, &b.id)));
    Ok(jobs)
}

/// Removes a job that the holder of `epoch` has done; with an older epoch the whole set is refused.
pub fn close(writes: &mut WriteSet, id: &str, epoch: i64) {
    writes.push_expecting(
        "DELETE FROM store_jobs WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch],
        1,
        error::stale_lease("job"),
    );
}

/// Removes a job, whoever has it: its element was left otherwise.
pub fn cancel(writes: &mut WriteSet, id: &str) {
    writes.push("DELETE FROM store_jobs WHERE tenant_id = $1 AND id = $2", params![id]);
}

/// Removes all jobs of an instance that ended.
pub fn cancel_instance(writes: &mut WriteSet, instance: &str) {
    writes.push(CANCEL_INSTANCE, params![instance]);
}

/// Keeps the jobs of an instance that is paused from being claimed. Who has one keeps its lease.
pub fn pause_instance(writes: &mut WriteSet, instance: &str) {
    writes.push(PAUSE_INSTANCE, params![instance]);
}

/// Lets the jobs of an instance that is resumed be claimed again.
pub fn resume_instance(writes: &mut WriteSet, instance: &str) {
    writes.wakes.jobs = true;
    writes.push(RESUME_INSTANCE, params![instance]);
}

/// Prolongs the lease of the holder of `epoch`, counted from now.
pub fn extend(writes: &mut WriteSet, id: &str, epoch: i64, lease: Duration, now: Timestamp) {
    writes.push_expecting(
        concat!(
            "UPDATE store_jobs SET lease_until = ",
            lease_now!("$5"),
            " + $4 WHERE tenant_id = $1 AND id = $2 AND epoch = $3"
        ),
        params![id, epoch, lease_millis(lease), now],
        1,
        error::stale_lease("job"),
    );
}

/// Gives a job back undone: `retries` attempts are left, the next not before `due_at`.
pub fn release(writes: &mut WriteSet, id: &str, epoch: i64, retries: i64, due_at: Timestamp) {
    writes.wakes.jobs = true;
    writes.push_expecting(
        "UPDATE store_jobs SET lease_owner = NULL, lease_until = 0, retries = $4, due_at = $5
         WHERE tenant_id = $1 AND id = $2 AND epoch = $3",
        params![id, epoch, retries, due_at],
        1,
        error::stale_lease("job"),
    );
}

/// Gives a job new attempts, whoever has it: a person resolved what stopped it.
pub fn retry(writes: &mut WriteSet, id: &str, retries: i64, due_at: Timestamp) {
    writes.wakes.jobs = true;
    writes.push_expecting(
        "UPDATE store_jobs SET lease_owner = NULL, lease_until = 0, retries = $3, due_at = $4,
             epoch = epoch + 1
         WHERE tenant_id = $1 AND id = $2",
        params![id, retries, due_at],
        1,
        error::stale_lease("job"),
    );
}

const FIND: &str = "SELECT tenant_id, id, kind, job_type, instance, element, priority, retries,
        due_at, lease_owner, lease_until, epoch, payload, created_at
    FROM store_jobs WHERE tenant_id = $1 AND id = $2";

/// One job of the tenant.
///
/// # Errors
/// What the database refuses.
pub async fn find(session: &mut Session, id: &str) -> Result<Option<Job>> {
    session.query_opt(FIND, &params![id]).await?.as_ref().map(read).transpose()
}

pub(crate) const OF_INSTANCE: &str =
    "SELECT tenant_id, id, kind, job_type, instance, element, priority,
        retries, due_at, lease_owner, lease_until, epoch, payload, created_at
    FROM store_jobs /*sqlite:INDEXED BY store_jobs_instance*/
    WHERE tenant_id = $1 AND instance = $2 ORDER BY id LIMIT $3";

/// The jobs of an instance, in the order of their ids.
///
/// # Errors
/// What the database refuses.
pub async fn of_instance(session: &mut Session, instance: &str, limit: usize) -> Result<Vec<Job>> {
    let params = params![instance, limit.min(MAX_BATCH)];
    session.query(OF_INSTANCE, &params).await?.iter().map(read).collect()
}

const LIST: &str = "SELECT tenant_id, id, kind, job_type, instance, element, priority, retries,
        due_at, lease_owner, lease_until, epoch, payload, created_at
    FROM store_jobs
    WHERE tenant_id = $1 AND id > $2
      AND (instance = $3 OR CAST($3 AS TEXT) IS NULL)
      AND (kind = $4 OR CAST($4 AS TEXT) IS NULL)
    ORDER BY id LIMIT $5";

/// Jobs of the tenant in the order of their ids, `after` the last one seen.
///
/// # Errors
/// What the database refuses.
pub async fn list(
    session: &mut Session,
    instance: Option<&str>,
    kind: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Job>> {
    let params = params![after.unwrap_or_default(), instance, kind, limit.min(MAX_BATCH)];
    session.query(LIST, &params).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Job> {
    Ok(Job {
        tenant: row.id(0)?,
        id: row.text(1)?,
        kind: row.text(2)?,
        job_type: row.text(3)?,
        instance: row.text(4)?,
        element: row.text(5)?,
        priority: row.int(6)?,
        retries: row.int(7)?,
        due_at: row.timestamp(8)?,
        lease_owner: row.opt_text(9)?,
        lease_until: row.timestamp(10)?,
        epoch: row.int(11)?,
        payload: row.json(12)?,
        created_at: row.timestamp(13)?,
    })
}

pub(crate) fn lease_millis(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 4)
}
