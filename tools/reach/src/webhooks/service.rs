//! The verbs of the webhooks room.

use flowmaster_kernel::{Ctx, Error, Id, Kind, Page, PageRequest, Result, Timestamp};
use flowmaster_store::{Db, Session, WriteSet, listeners};
use tokio::sync::Notify;

use super::address::Networks;
use super::error::WebhookError;
use super::sender::Sender;
use super::signature::{Secret, SigningKey};
use super::store::{self, SubscriptionRow, deliveries};
use super::types::{
    Deliveries, Delivery, DeliveryWithEvent, GetDelivery, RemoveSubscription, RemovedSubscription,
    RetriedDeliveries, RetryDeliveries, SaveSubscription, SavedSubscription, SearchDeliveries,
    SearchSubscriptions, Subscription, SubscriptionKind, SubscriptionState, Subscriptions,
    TestSubscription,
};
use super::{events, rules};

/// What the room listens as.
const LISTENER: &str = "webhooks";
/// The most subscriptions of a tenant.
const MAX_SUBSCRIPTIONS: usize = 20;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 500;
/// The longest id of a process, in characters.
const MAX_PROCESS: usize = 200;
/// The most times an event may be sent.
const MOST_ATTEMPTS: u32 = 50;
/// How many dead letters are sent again at once.
const MAX_RETRIED: usize = 1_000;

/// Marks the id of an event that tries out a subscription.
enum TestEvent {}

impl Kind for TestEvent {
    const PREFIX: &'static str = "test";
}

/// The webhooks room.
pub struct Webhooks {
    db: Db,
    pub(super) sender: Sender,
    pub(super) key: SigningKey,
    /// Something is to be sent.
    pub(super) due: Notify,
}

impl Webhooks {
    /// The room on `db`, which signs with `key` and reaches public addresses and `networks`.
    #[must_use]
    pub fn new(db: Db, key: SigningKey, networks: Networks) -> Self {
        Self { db, sender: Sender::new(networks), key, due: Notify::new() }
    }

    pub(super) const fn db(&self) -> &Db {
        &self.db
    }

    /// The secret of a subscription.
    pub(super) fn secret(&self, ctx: &Ctx, subscription: &Subscription) -> Secret {
        self.key.secret(&ctx.tenant, &subscription.id, i64::from(subscription.secret_number))
    }

    pub(super) async fn save(
        &self,
        ctx: &Ctx,
        params: SaveSubscription,
    ) -> Result<SavedSubscription> {
        check(&params)?;
        let url = params.url.as_deref().map(|url| self.sender.check(url)).transpose()?;
        let mut tx = self.db.begin(ctx).await?;
        let mut row = match &params.id {
            Some(id) => find(&mut tx, id).await?,
            None if url.is_none() => return Err(WebhookError::Field("a URL is needed").into()),
            None if store::subscriptions(&mut tx).await?.len() >= MAX_SUBSCRIPTIONS => {
                return Err(WebhookError::TooMany.into());
            }
            None => self.new_row(ctx),
        };
        let it = &mut row.shown;
        if let Some(url) = params.url {
            it.url = url;
        }
        if let Some(mut types) = params.types {
            types.sort_unstable();
            types.dedup();
            it.types = types;
        }
        if let Some(process) = params.process {
            it.process = Some(process).filter(|process| !process.is_empty());
        }
        if let Some(description) = params.description {
            it.description = description;
        }
        if let Some(max_attempts) = params.max_attempts {
            it.max_attempts = max_attempts;
        }
        let is_new = params.id.is_none();
        if params.new_secret && !is_new {
            it.secret_number = it.secret_number.saturating_add(1);
        }
        if is_new || params.new_secret {
            self.key.id().clone_into(&mut row.key_id);
        }
        match params.paused {
            Some(true) => pause(&mut row, format!("{} paused it", ctx.principal.id)),
            Some(false) => resume(&mut row),
            None => {}
        }
        let secret = (is_new || params.new_secret).then(|| self.secret(ctx, &row.shown).reveal());
        let mut writes = WriteSet::new();
        listeners::listen(&mut writes, LISTENER);
        store::save(&mut writes, &row)?;
        tx.apply(writes).await?;
        // What is recorded for a repeated call must not hold the secret: it is shown once.
        let recorded =
            tx.commit(SavedSubscription { subscription: row.shown, secret: None }).await?;
        self.due.notify_one();
        Ok(SavedSubscription { secret, ..recorded })
    }

    fn new_row(&self, ctx: &Ctx) -> SubscriptionRow {
        let id: Id<SubscriptionKind> = ctx.fresh_id();
        SubscriptionRow {
            shown: Subscription {
                id: id.to_string(),
                url: String::new(),
                types: Vec::new(),
                process: None,
                description: String::new(),
                max_attempts: rules::MAX_ATTEMPTS,
                state: SubscriptionState::Active,
                paused_because: None,
                failures: 0,
                failing_since: None,
                last_error: None,
                last_delivered_at: None,
                secret_number: 1,
                created_by: ctx.principal.id.clone(),
                created_at: ctx.now(),
            },
            key_id: self.key.id().to_owned(),
            held_until: Timestamp::from_millis(0),
        }
    }

    pub(super) async fn search(
        &self,
        ctx: &Ctx,
        params: SearchSubscriptions,
    ) -> Result<Subscriptions> {
        let rows = store::subscriptions(&mut *self.db.read(ctx).await?).await?;
        let items = rows.into_iter().map(|row| row.shown);
        let items = items
            .filter(|it| params.state.is_none_or(|state| it.state == state))
            .filter(|it| params.id.as_ref().is_none_or(|id| it.id == *id));
        Ok(Subscriptions { items: items.collect() })
    }

    pub(super) async fn remove(
        &self,
        ctx: &Ctx,
        params: RemoveSubscription,
    ) -> Result<RemovedSubscription> {
        let mut tx = self.db.begin(ctx).await?;
        find(&mut tx, &params.id).await?;
        let removed_deliveries = deliveries::remove_all(&mut tx, &params.id).await?;
        let mut writes = WriteSet::new();
        store::remove(&mut writes, &params.id);
        if store::subscriptions(&mut tx).await?.len() == 1 {
            listeners::leave(&mut writes, LISTENER);
        }
        tx.apply(writes).await?;
        tx.commit(RemovedSubscription { id: params.id, removed_deliveries }).await
    }

    pub(super) async fn test(&self, ctx: &Ctx, params: TestSubscription) -> Result<Delivery> {
        let event: Id<TestEvent> = ctx.fresh_id();
        let mut tx = self.db.begin(ctx).await?;
        find(&mut tx, &params.id).await?;
        let mut writes = WriteSet::new();
        events::test(&mut writes, ctx, &params.id, event.as_str())?;
        tx.apply(writes).await?;
        let added = delivery(&mut tx, &format!("{}/{event}", params.id)).await?.shown;
        let added = tx.commit(added).await?;
        self.due.notify_one();
        Ok(added)
    }

    pub(super) async fn deliveries(
        &self,
        ctx: &Ctx,
        params: SearchDeliveries,
    ) -> Result<Deliveries> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let after = params.cursor.map(|cursor| cursor.0).unwrap_or_default();
        if !after.is_empty() && !after.contains('/') {
            return Err(Error::invalid("invalid_cursor", "the cursor is not one of this list")
                .fix("start again without a cursor"));
        }
        let mut session = self.db.read(ctx).await?;
        let only = params.subscription.as_deref();
        let found = deliveries::list(&mut session, params.state, only, &after, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |delivery| delivery.id.clone()))
    }

    pub(super) async fn delivery(
        &self,
        ctx: &Ctx,
        params: GetDelivery,
    ) -> Result<DeliveryWithEvent> {
        let row = delivery(&mut *self.db.read(ctx).await?, &params.id).await?;
        let content = serde_json::from_str(&row.body)
            .map_err(|source| Error::internal("event_decoding", source))?;
        Ok(DeliveryWithEvent { delivery: row.shown, content })
    }

    pub(super) async fn retry(
        &self,
        ctx: &Ctx,
        params: RetryDeliveries,
    ) -> Result<RetriedDeliveries> {
        let mut tx = self.db.begin(ctx).await?;
        let retried = match (params.id, params.subscription) {
            (Some(id), None) if deliveries::retry(&mut tx, &id).await? => 1,
            (Some(id), None) => return Err(WebhookError::NoDelivery(id).into()),
            (None, Some(subscription)) => {
                find(&mut tx, &subscription).await?;
                deliveries::retry_dead(&mut tx, &subscription, MAX_RETRIED).await?
            }
            _ => return Err(WebhookError::Choice.into()),
        };
        let answer = tx.commit(RetriedDeliveries { retried }).await?;
        self.due.notify_one();
        Ok(answer)
    }
}

/// Holds events back, and says why.
pub(super) fn pause(row: &mut SubscriptionRow, reason: String) {
    row.shown.state = SubscriptionState::Paused;
    row.shown.paused_because = Some(reason);
}

/// Sends again as if nothing had failed.
fn resume(row: &mut SubscriptionRow) {
    row.held_until = Timestamp::from_millis(0);
    row.shown.state = SubscriptionState::Active;
    row.shown.paused_because = None;
    row.shown.failures = 0;
    row.shown.failing_since = None;
}

async fn find(session: &mut Session, id: &str) -> Result<SubscriptionRow> {
    let found = store::find(session, id).await?;
    Ok(found.ok_or_else(|| WebhookError::NoSubscription(id.to_owned()))?)
}

async fn delivery(session: &mut Session, id: &str) -> Result<deliveries::DeliveryRow> {
    let found = deliveries::find(session, id).await?;
    Ok(found.ok_or_else(|| WebhookError::NoDelivery(id.to_owned()))?)
}

fn check(params: &SaveSubscription) -> Result<(), WebhookError> {
    let is_longer = |text: &Option<String>, most: usize| {
        text.as_deref().is_some_and(|text| text.chars().count() > most)
    };
    if is_longer(&params.description, MAX_DESCRIPTION) {
        return Err(WebhookError::Field("a description has at most 500 characters"));
    }
    if is_longer(&params.process, MAX_PROCESS) {
        return Err(WebhookError::Field("the id of a process has at most 200 characters"));
    }
    if params.max_attempts.is_some_and(|attempts| !(1..=MOST_ATTEMPTS).contains(&attempts)) {
        return Err(WebhookError::Field("an event is sent 1 to 50 times"));
    }
    Ok(())
}
