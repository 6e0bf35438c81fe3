//! What the nodes see to by themselves as time passes: answers recorded under idempotency keys are
//! forgotten once nobody will ask for them again, and instances that ended long ago go to the
//! archive, so that neither fills the tables; and what was written into the runtime record is sealed.
//!
//! Invariant: one node at a time does each, under a lease; what a paused holder does late was due
//! all the same, and seals are refused to a holder whose lease another took. All go in small batches:
//! others write in between.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Clock, Ctx, IdSource, Result, Timestamp};
use flowmaster_run::execution::Execution;
use flowmaster_run::record::Record;
use flowmaster_store::idempotency::{self, RETENTION};
use flowmaster_store::{Db, Health, STALE_LEASE, lease};
use tokio::sync::watch;

/// The names of the leases.
const FORGETTING: &str = "forget-answers";
const ARCHIVING: &str = "archive-instances";
const SEALING: &str = "seal-record";
/// How long the holder of a lease may take for one batch.
const LEASE: Duration = Duration::from_secs(60);
/// How many answers are forgotten in one transaction.
const BATCH: usize = 500;
/// How often there is a look for what is due.
const EVERY_MILLIS: i64 = 10 * 60_000;
/// How soon after the first look the second one is; from there on the time between two doubles, up to
/// [`EVERY_MILLIS`]. What keeps an instance here as a node starts, messages that wait to be handed over,
/// is soon gone.
const SECOND_MILLIS: i64 = 5_000;
/// How often there is a look for entries of the runtime record to seal: what was written since the last
/// seal can be changed without a trace by whoever has the database.
const SEAL_EVERY_MILLIS: i64 = 5_000;
/// How often there is a look at the clock.
const GLANCE: Duration = Duration::from_secs(1);

/// The upkeep of a node.
pub(super) struct Upkeep {
    pub(super) db: Db,
    pub(super) execution: Arc<Execution>,
    pub(super) record: Arc<Record>,
    /// How long instances that ended stay in the tables.
    pub(super) retention: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    /// The name of the node.
    pub(super) owner: String,
}

impl Upkeep {
    /// Runs until `stop` says so.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let health = self.db.health();
        let mut next = Timestamp::from_millis(i64::MIN);
        let mut next_seal = next;
        let mut pause_millis = SECOND_MILLIS;
        while !*stop.borrow() && *health.borrow() != Health::Poisoned {
            let now = self.clock.now();
            if now >= next_seal {
                next_seal = now.plus_millis(SEAL_EVERY_MILLIS);
                if let Err(error) = self.seal_record(&stop).await
                    && !matches!(error.code(), STALE_LEASE | "record_raced")
                {
                    tracing::warn!(%error, "the runtime record could not be sealed");
                }
            }
            if now >= next {
                next = now.plus_millis(pause_millis);
                pause_millis = (pause_millis * 2).min(EVERY_MILLIS);
                log(self.forget_answers(now).await, "expired answers were forgotten");
                if let Some(retention) = self.retention {
                    let archived = self.archive_instances(ago(now, retention), &stop).await;
                    log(archived, "ended instances were archived");
                }
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    }

    /// Forgets what expired before `now`; says how many answers.
    async fn forget_answers(&self, now: Timestamp) -> Result<u64> {
        let Some(held) = lease::acquire(&self.db, FORGETTING, &self.owner, LEASE).await? else {
            return Ok(0);
        };
        let before = ago(now, RETENTION);
        let mut forgotten = 0;
        loop {
            let batch = idempotency::purge(&self.db, before, BATCH).await?;
            forgotten += batch;
            if batch < BATCH as u64 {
                break;
            }
            lease::renew(&self.db, &held, LEASE).await?;
        }
        lease::release(&self.db, &held).await?;
        Ok(forgotten)
    }

    /// Seals what was written into the runtime records of all tenants. While there is nothing, nothing
    /// is written.
    async fn seal_record(&self, stop: &watch::Receiver<bool>) -> Result<()> {
        let Some(mut tenant) = self.record.next_tenant_to_seal("").await? else { return Ok(()) };
        let Some(held) = lease::acquire(&self.db, SEALING, &self.owner, LEASE).await? else {
            return Ok(());
        };
        loop {
            let ctx = Ctx::system(tenant.clone(), &self.clock, &self.ids);
            while self.record.seal(&ctx, Some(&held)).await? > 0 && !*stop.borrow() {
                lease::renew(&self.db, &held, LEASE).await?;
            }
            match self.record.next_tenant_to_seal(tenant.as_str()).await? {
                Some(next) if !*stop.borrow() => tenant = next,
                _ => break,
            }
        }
        lease::release(&self.db, &held).await
    }

    /// Archives the instances of all tenants that ended before `before`; says how many.
    async fn archive_instances(
        &self,
        before: Timestamp,
        stop: &watch::Receiver<bool>,
    ) -> Result<u64> {
        let Some(held) = lease::acquire(&self.db, ARCHIVING, &self.owner, LEASE).await? else {
            return Ok(0);
        };
        let mut count = 0;
        let mut last = String::new();
        while let Some(tenant) = self.execution.next_tenant_with_ended(&last).await? {
            let ctx = Ctx::system(tenant.clone(), &self.clock, &self.ids);
            let mut after = None;
            loop {
                let batch = self.execution.archive_ended(&ctx, before, after).await?;
                count += batch.count as u64;
                after = batch.next;
                if after.is_none() {
                    break;
                }
                if *stop.borrow() {
                    lease::release(&self.db, &held).await?;
                    return Ok(count);
                }
                lease::renew(&self.db, &held, LEASE).await?;
            }
            last = tenant.as_str().to_owned();
        }
        lease::release(&self.db, &held).await?;
        Ok(count)
    }
}

fn ago(now: Timestamp, duration: Duration) -> Timestamp {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    now.plus_millis(millis.saturating_neg())
}

fn log(done: Result<u64>, what: &str) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what}"),
        // Another node took over: it goes on.
        Err(error) if error.code() == STALE_LEASE => {}
        Err(error) => tracing::warn!(%error, "upkeep failed"),
    }
}
