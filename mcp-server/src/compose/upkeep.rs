//! What every node sees to by itself: answers recorded under idempotency keys are forgotten once
//! nobody will ask for them again, so that they do not fill the disk.
//!
//! Invariant: one node at a time does it, under a lease; what a paused holder forgets late had
//! expired all the same.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Clock, Result, Timestamp};
use flowmaster_store::idempotency::{self, RETENTION};
use flowmaster_store::{Db, Health, STALE_LEASE, lease};
use tokio::sync::watch;

/// The name of the lease.
const FORGETTING: &str = "forget-answers";
/// How long the holder of the lease may take for one batch.
const LEASE: Duration = Duration::from_secs(60);
/// How many answers are forgotten in one transaction: others write in between.
const BATCH: usize = 500;
/// How often there is a look for expired answers.
const EVERY_MILLIS: i64 = 10 * 60_000;
/// How often there is a look at the clock.
const GLANCE: Duration = Duration::from_secs(1);

/// The upkeep of a node.
pub(super) struct Upkeep {
    pub(super) db: Db,
    pub(super) clock: Arc<dyn Clock>,
    /// The name of the node.
    pub(super) owner: String,
}

impl Upkeep {
    /// Runs until `stop` says so.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let health = self.db.health();
        let mut next = Timestamp::from_millis(i64::MIN);
        while !*stop.borrow() && *health.borrow() != Health::Poisoned {
            let now = self.clock.now();
            if now >= next {
                next = now.plus_millis(EVERY_MILLIS);
                match self.forget_answers(now).await {
                    Ok(0) => {}
                    Ok(answers) => tracing::info!(answers, "expired answers were forgotten"),
                    // Another node took over: it goes on.
                    Err(error) if error.code() == STALE_LEASE => {}
                    Err(error) => tracing::warn!(%error, "expired answers could not be forgotten"),
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
        let kept = i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
        let before = now.plus_millis(kept.saturating_neg());
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
}
