//! Sends what is due: a task for each subscription that has something, so that a slow receiver holds up
//! nobody else. Run on every node; a lease keeps two of them from serving one subscription at a time,
//! which would mix up the order of its events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Clock, Ctx, IdSource, Result, TenantId, Timestamp};
use flowmaster_store::lease::{self, Held};
use flowmaster_store::{Health, TRANSACTION_LOST, WriteSet};
use futures::StreamExt as _;
use futures::stream;
use tokio::sync::watch;
use tokio::task::{Id as TaskId, JoinSet};

use super::rules;
use super::sender::{Outgoing, Refused};
use super::service::{Webhooks, pause};
use super::signature::seconds;
use super::store::deliveries::{self, DeliveryRow};
use super::store::{self, SubscriptionRow, due};
use super::types::SubscriptionState;

/// How long a node serves a subscription without saying that it still does.
const LEASE: Duration = Duration::from_secs(10);
/// How often it says so.
const RENEW: Duration = Duration::from_secs(3);
/// How long the driver sleeps when nothing wakes it.
const IDLE: Duration = Duration::from_secs(1);
/// How many events of a subscription are taken at once.
const BATCH: usize = 64;
/// How many of them are on their way at a time.
const AT_ONCE: usize = 8;
/// How long events are kept that are not accepted: 30 days.
const KEPT_MILLIS: i64 = 30 * 24 * 3_600_000;
/// How often those that are too old are forgotten, and how many in one transaction.
const FORGET_EVERY_MILLIS: i64 = 10 * 60_000;
const FORGOTTEN: usize = 500;
/// How often the state of a subscription is noted again after a collision with another change.
const ATTEMPTS: usize = 5;

/// Why a subscription is paused whose secret this server cannot make.
const OTHER_KEY: &str = "its secret comes from another signing key: give all servers one signing_key, or ask for a new secret";

type Served = (TenantId, String);

/// The driver of a node.
pub struct Deliverer {
    room: Arc<Webhooks>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    owner: String,
}

/// What became of a batch.
#[derive(Default)]
struct Tally {
    accepted: u32,
    failed: u32,
    last_error: Option<String>,
    is_gone: bool,
}

impl Deliverer {
    /// The driver of the node `owner`.
    #[must_use]
    pub const fn new(
        room: Arc<Webhooks>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        owner: String,
    ) -> Self {
        Self { room, clock, ids, owner }
    }

    /// Runs until `stop` says so. What is on its way then is sent again by whoever comes next.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let health = self.room.db().health();
        let this = Arc::new(self);
        let (mut serving, mut next_forget) = (JoinSet::new(), Timestamp::from_millis(i64::MIN));
        let mut served: HashMap<TaskId, Served> = HashMap::new();
        while !*stop.borrow() && *health.borrow() != Health::Poisoned {
            let now = this.clock.now();
            let found = due::subscriptions(this.room.db(), now).await;
            for due in logged(found).unwrap_or_default() {
                if served.values().all(|it| *it != due) {
                    let work = Arc::clone(&this).serve(due.clone(), stop.clone());
                    served.insert(serving.spawn(work).id(), due);
                }
            }
            if now >= next_forget {
                next_forget = now.plus_millis(FORGET_EVERY_MILLIS);
                logged(this.forget(now).await);
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = this.room.due.notified() => {}
                Some(ended) = serving.join_next_with_id() => {
                    let id = ended.map_or_else(|broken| broken.id(), |(id, ())| id);
                    served.remove(&id);
                }
                () = tokio::time::sleep(IDLE) => {}
            }
        }
        while serving.join_next().await.is_some() {}
    }

    async fn forget(&self, now: Timestamp) -> Result<()> {
        let before = now.plus_millis(-KEPT_MILLIS);
        while due::forget(self.room.db(), before, FORGOTTEN).await? == FORGOTTEN as u64 {}
        Ok(())
    }

    /// Sends what is due to a subscription, as long as this node may.
    async fn serve(self: Arc<Self>, (tenant, id): Served, mut stop: watch::Receiver<bool>) {
        let ctx = Ctx::system(tenant, &self.clock, &self.ids);
        let sent = self.serve_alone(&ctx, &id, &mut stop).await;
        if matches!(logged(sent), Some(true)) {
            return;
        }
        // Whoever has nothing to do here does not come back at once.
        tokio::select! {
            () = tokio::time::sleep(IDLE) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Whether anything was sent. Once `stop` says so, what is on its way is left.
    async fn serve_alone(
        &self,
        ctx: &Ctx,
        id: &str,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool> {
        let db = self.room.db();
        let name = format!("webhooks {} {id}", ctx.tenant);
        let Some(held) = lease::acquire(db, &name, &self.owner, LEASE).await? else {
            return Ok(false);
        };
        let sent = tokio::select! {
            sent = self.send_due(ctx, id) => sent,
            lost = self.keep(&held) => lost.map(|()| false),
            _ = stop.wait_for(|stop| *stop) => Ok(false),
        };
        lease::release(db, &held).await?;
        sent
    }

    /// Ends once another node has the lease.
    async fn keep(&self, held: &Held) -> Result<()> {
        loop {
            tokio::time::sleep(RENEW).await;
            lease::renew(self.room.db(), held, LEASE).await?;
        }
    }

    async fn send_due(&self, ctx: &Ctx, id: &str) -> Result<bool> {
        let mut any = false;
        loop {
            let now = ctx.now();
            let mut session = self.room.db().read(ctx).await?;
            let found = store::find(&mut session, id).await?;
            let Some(row) = found.filter(|row| is_open(row, now)) else { return Ok(any) };
            if row.key_id != self.room.key.id() {
                drop(session);
                self.change(ctx, id, |row| pause(row, OTHER_KEY.to_owned())).await?;
                return Ok(true);
            }
            let limit = if row.shown.failures < rules::DOWN_AFTER { BATCH } else { AT_ONCE };
            let batch = deliveries::due(&mut session, id, now, limit).await?;
            drop(session);
            if batch.is_empty() {
                return Ok(any);
            }
            any = true;
            let sent = batch.into_iter().map(|delivery| self.send(ctx, &row, delivery));
            let sent: Vec<_> = stream::iter(sent).buffer_unordered(AT_ONCE).collect().await;
            let mut tally = Tally::default();
            for outcome in sent {
                tally.add(outcome?);
            }
            self.change(ctx, id, |row| tally.note(ctx, row)).await?;
        }
    }

    /// Sends one event and notes what became of it.
    async fn send(
        &self,
        ctx: &Ctx,
        to: &SubscriptionRow,
        delivery: DeliveryRow,
    ) -> Result<Option<Refused>> {
        let (now, it) = (ctx.now(), &delivery.shown);
        let secret = self.room.secret(ctx, &to.shown);
        let outgoing = Outgoing {
            url: &to.shown.url,
            id: &it.event,
            seconds: seconds(now),
            signature: secret.sign(&it.event, now, &delivery.body),
            body: delivery.body.clone(),
        };
        let refused = self.room.sender.send(outgoing, now).await.err();
        let mut writes = WriteSet::new();
        match &refused {
            None => deliveries::delivered(&mut writes, it),
            Some(refused) => {
                let (failures, asked) = (it.attempts.saturating_add(1), refused.retry_after_millis);
                let next_at = rules::next_at(ctx.now(), failures, asked, chance(ctx));
                let most = to.shown.max_attempts;
                deliveries::failed(&mut writes, &delivery, &refused.reason, next_at, most);
            }
        }
        self.room.db().submit(ctx, writes.finishing()).await?;
        Ok(refused)
    }

    /// Changes what is noted of a subscription, if it is still there.
    async fn change(
        &self,
        ctx: &Ctx,
        id: &str,
        change: impl Fn(&mut SubscriptionRow) + Send + Sync,
    ) -> Result<()> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.try_change(ctx, id, &change).await {
                Err(error) if error.code() == TRANSACTION_LOST && attempt < ATTEMPTS => {}
                done => return done,
            }
        }
    }

    async fn try_change(
        &self,
        ctx: &Ctx,
        id: &str,
        change: impl Fn(&mut SubscriptionRow) + Send + Sync,
    ) -> Result<()> {
        let mut tx = self.room.db().begin_finishing(ctx).await?;
        let Some(mut row) = store::find(&mut tx, id).await? else { return Ok(()) };
        change(&mut row);
        let mut writes = WriteSet::new();
        store::save(&mut writes, &row)?;
        tx.apply(writes).await?;
        tx.commit(()).await
    }
}

impl Tally {
    fn add(&mut self, refused: Option<Refused>) {
        let Some(refused) = refused else {
            self.accepted += 1;
            return;
        };
        self.failed += 1;
        self.is_gone |= refused.is_gone;
        self.last_error = Some(refused.reason);
    }

    /// Notes how the receiver is.
    fn note(&self, ctx: &Ctx, row: &mut SubscriptionRow) {
        let (now, it) = (ctx.now(), &mut row.shown);
        if self.last_error.is_some() {
            it.last_error.clone_from(&self.last_error);
        }
        if self.accepted > 0 {
            it.last_delivered_at = Some(now);
            (it.failures, it.failing_since) = (0, None);
            row.held_until = Timestamp::from_millis(0);
        } else {
            let since = *it.failing_since.get_or_insert(now);
            it.failures = it.failures.saturating_add(self.failed);
            let failures = it.failures;
            row.held_until = rules::held_until(now, failures, chance(ctx));
            if rules::is_given_up(now, failures, since) {
                pause(row, "every sending failed for three days".to_owned());
            }
        }
        if self.is_gone {
            pause(row, "the receiver wants no more: it answered 410".to_owned());
        }
    }
}

fn is_open(row: &SubscriptionRow, now: Timestamp) -> bool {
    row.shown.state == SubscriptionState::Active && row.held_until <= now
}

/// A number that differs from call to call.
fn chance(ctx: &Ctx) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = ctx.ids.entropy().to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn logged<T>(outcome: Result<T>) -> Option<T> {
    outcome.inspect_err(|error| tracing::warn!(%error, "the webhooks could not be seen to")).ok()
}
