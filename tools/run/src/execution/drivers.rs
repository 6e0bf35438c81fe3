//! What happens by itself: timers that are due, errands between instances, whatever other rooms
//! subscribe to in the outbox. Run on every node; leases keep two nodes from doing the same.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use flowmaster_engine::Command;
use flowmaster_kernel::{Ctx, Error, Result};
use flowmaster_store::outbox::{self, Message};
use flowmaster_store::timers::{self, Timer};
use flowmaster_store::{Health, STALE_LEASE, WriteSet};
use futures::future::join_all;
use tokio::sync::watch;

use super::calls::{Errand, Mark};
use super::error::PAUSED;
use super::instance::WorkRef;
use super::service::Execution;
use super::store::mail;
use crate::processes::StartTimer;

/// How long a driver may take for one batch before another takes it over.
const LEASE: Duration = Duration::from_secs(30);
/// How many timers or messages are taken at once.
const BATCH: usize = 64;
/// How long a driver sleeps when nothing wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// How often expired messages are forgotten, and messages looked for that nobody took.
const SWEEP_EVERY_MILLIS: i64 = 60_000;
/// How long it is remembered who took a message: 7 days.
const TAKEN_MILLIS: i64 = 7 * 24 * 3_600_000;
/// After how many failures a message becomes a dead letter.
const MAX_ATTEMPTS: i64 = 20;

/// Handles a message of the outbox: it must submit `mark` with what it writes.
pub type Handler = Arc<
    dyn Fn(Ctx, Message, WriteSet) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>
        + Send
        + Sync,
>;

/// The drivers of a node.
pub struct Drivers {
    execution: Arc<Execution>,
    handlers: BTreeMap<&'static str, Handler>,
    next_sweep: AtomicI64,
}

impl Drivers {
    /// The drivers of `execution`.
    #[must_use]
    pub fn new(execution: Arc<Execution>) -> Self {
        Self { execution, handlers: BTreeMap::new(), next_sweep: AtomicI64::new(i64::MIN) }
    }

    /// Has messages of `topic` handled by `handler`.
    #[must_use]
    pub fn on(mut self, topic: &'static str, handler: Handler) -> Self {
        self.handlers.insert(topic, handler);
        self
    }

    /// Runs until `stop` says so. What is taken is finished first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut commits = self.execution.db().commits();
        let health = self.execution.db().health();
        while !*stop.borrow() && *health.borrow() != Health::Poisoned {
            let busy = match self.turn().await {
                Ok(busy) => busy,
                Err(error) => {
                    tracing::warn!(%error, "a driver could not look for work");
                    false
                }
            };
            if busy {
                continue;
            }
            tokio::select! {
                _ = stop.changed() => {}
                _ = commits.changed() => {}
                () = tokio::time::sleep(self.pause().await) => {}
            }
        }
    }

    /// Takes and does whatever is due now; says whether there was anything.
    ///
    /// # Errors
    /// What the store reports while looking for work.
    pub async fn turn(&self) -> Result<bool> {
        self.sweep().await?;
        let db = self.execution.db();
        let due = timers::claim_due(db, LEASE, BATCH).await?;
        let messages = outbox::claim(db, LEASE, BATCH).await?;
        let busy = !due.is_empty() || !messages.is_empty();
        join_all(due.into_iter().map(|timer| self.fire(timer))).await;
        let mut by_key: BTreeMap<(String, String), Vec<Message>> = BTreeMap::new();
        for message in messages {
            let key = (message.tenant.to_string(), message.key.clone());
            by_key.entry(key).or_default().push(message);
        }
        join_all(by_key.into_values().map(|messages| self.deliver_in_order(messages))).await;
        Ok(busy)
    }

    /// Until the next timer, but not longer than a look is cheap.
    async fn pause(&self) -> Duration {
        let next = timers::next_due(self.execution.db()).await.ok().flatten();
        let millis = next.map_or(i64::MAX, |due| {
            due.as_millis().saturating_sub(self.execution.clock.now().as_millis())
        });
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
            .clamp(Duration::from_millis(1), IDLE)
    }

    /// Forgets what expired, and makes up for whoever opened a subscription and went away before
    /// looking for a message that was kept.
    async fn sweep(&self) -> Result<()> {
        let now = self.execution.clock.now();
        if now.as_millis() < self.next_sweep.load(Ordering::Relaxed) {
            return Ok(());
        }
        let next = now.plus_millis(SWEEP_EVERY_MILLIS).as_millis();
        self.next_sweep.store(next, Ordering::Relaxed);
        let db = self.execution.db();
        mail::purge(db, now, now.plus_millis(-TAKEN_MILLIS)).await?;
        for (tenant, instance, key) in mail::missed(db, now).await? {
            let ctx = self.ctx(&tenant);
            // One that cannot take its message must not keep the others from theirs.
            let taken = match self.execution.stored(&ctx, &instance).await {
                Ok(stored) => self.execution.take_buffered(&ctx, &stored, &[key]).await,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                tracing::warn!(%error, instance, "a kept message could not be given");
            }
        }
        Ok(())
    }

    async fn fire(&self, timer: Timer) {
        let ctx = self.ctx(&timer.tenant);
        let fired = match StartTimer::of(&timer) {
            Some(start) => self.execution.start_by_timer(&ctx, &timer, &start).await,
            None => self.fire_in_instance(&ctx, &timer).await,
        };
        if let Err(error) = fired
            && error.code() != STALE_LEASE
        {
            // The lease ends, and the timer is taken again.
            tracing::warn!(%error, timer = timer.id, "a timer could not be fired");
        }
    }

    async fn fire_in_instance(&self, ctx: &Ctx, timer: &Timer) -> Result<()> {
        let mark = |writes: &mut WriteSet| timers::fired(writes, &timer.id, timer.epoch);
        let work: WorkRef = timer
            .id
            .parse()
            .map_err(|()| Error::internal("timer_without_wait", timer.id.clone()))?;
        let command = Command::FireTimer { key: work.key };
        match self.execution.tell(ctx, &work.instance, &command, &Mark(&mark)).await {
            // Pausing took the timer away, and resuming sets it again.
            Err(error) if error.code() == PAUSED => Ok(()),
            told => told,
        }
    }

    async fn deliver_in_order(&self, messages: Vec<Message>) {
        let mut failed = false;
        for message in messages {
            let ctx = self.ctx(&message.tenant);
            if failed {
                let mut writes = WriteSet::new();
                outbox::release(&mut writes, &message.id, message.epoch);
                log(self.execution.db().submit(&ctx, writes).await, &message.id);
                continue;
            }
            if let Err(error) = self.deliver(&ctx, &message).await {
                if error.code() == STALE_LEASE {
                    return;
                }
                failed = true;
                tracing::warn!(%error, message = message.id, topic = message.topic, "a delivery failed");
                let wait = 100_i64.saturating_mul(1 << message.attempts.clamp(0, 9));
                let failure = outbox::Failure {
                    reason: &error.to_string(),
                    next_at: ctx.now().plus_millis(wait),
                    max_attempts: MAX_ATTEMPTS,
                };
                let mut writes = WriteSet::new();
                outbox::failed(&mut writes, &message.id, message.epoch, &failure);
                log(self.execution.db().submit(&ctx, writes).await, &message.id);
            }
        }
    }

    async fn deliver(&self, ctx: &Ctx, message: &Message) -> Result<()> {
        let mark = |writes: &mut WriteSet| outbox::delivered(writes, &message.id, message.epoch);
        if message.topic == Errand::TOPIC {
            let errand = serde_json::from_value(message.payload.clone())
                .map_err(|error| Error::internal("errand_decoding", error))?;
            return self.execution.run_errand(ctx, &message.id, errand, &Mark(&mark)).await;
        }
        let mut writes = WriteSet::new();
        mark(&mut writes);
        match self.handlers.get(message.topic.as_str()) {
            Some(handler) => handler(ctx.clone(), message.clone(), writes.finishing()).await,
            None => {
                tracing::debug!(topic = message.topic, "nobody subscribes to the topic");
                self.execution.db().submit(ctx, writes.finishing()).await
            }
        }
    }

    fn ctx(&self, tenant: &flowmaster_kernel::TenantId) -> Ctx {
        Ctx::system(tenant.clone(), &self.execution.clock, &self.execution.ids)
    }
}

fn log(result: Result<()>, message: &str) {
    if let Err(error) = result
        && error.code() != STALE_LEASE
    {
        tracing::warn!(%error, message, "the state of a message could not be noted");
    }
}
