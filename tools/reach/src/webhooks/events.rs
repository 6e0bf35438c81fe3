//! What the room hears from the outbox, and how it is told: as `CloudEvents` 1.0 in structured JSON.

use flowmaster_kernel::{Ctx, Error, Result, TenantId, Timestamp};
use flowmaster_run::announced::{self, Announced};
use flowmaster_store::WriteSet;
use flowmaster_store::outbox::Message;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::rules;
use super::service::Webhooks;
use super::store::deliveries::{self, NewDelivery};
use super::store::subscriptions;
use super::types::Subscription;

/// The type of the event that tries out a subscription.
const TEST: &str = "webhook.test";

/// Something that happened, as a CloudEvent 1.0 in structured JSON.
#[derive(Serialize, JsonSchema)]
pub(super) struct CloudEvent<'a, T> {
    /// Always `1.0`.
    specversion: &'static str,
    /// Id of the event, the same each time it is sent.
    id: &'a str,
    /// Where it happened: `urn:flowmaster:` and the tenant.
    source: String,
    /// What it is about: the id of the instance or of the process.
    subject: &'a str,
    /// When it happened.
    time: Timestamp,
    /// Always `application/json`.
    datacontenttype: &'static str,
    /// Its type and data.
    #[serde(flatten)]
    content: T,
}

fn cloud_event(
    tenant: &TenantId,
    id: &str,
    subject: &str,
    at: Timestamp,
    content: impl Serialize,
) -> Result<String> {
    let event = CloudEvent {
        specversion: "1.0",
        id,
        source: format!("urn:flowmaster:{tenant}"),
        subject,
        time: at,
        datacontenttype: "application/json",
        content,
    };
    serde_json::to_string(&event).map_err(|source| Error::internal("event_encoding", source))
}

impl Webhooks {
    /// Notes what was announced for each subscription that wants it; once, however often it is told.
    ///
    /// # Errors
    /// A payload that is not one, or what the store reports.
    pub async fn hear(&self, ctx: &Ctx, message: &Message, mark: WriteSet) -> Result<()> {
        let announced = announced::read(&message.payload)?;
        let subscriptions = subscriptions(&mut *self.db().read(ctx).await?).await?;
        let mut writes = mark;
        for (place, happened) in announced.iter().enumerate() {
            let wanting = subscriptions.iter().map(|row| &row.shown);
            let wanting = wanting.filter(|it| rules::wants(it, happened)).peekable();
            note(&mut writes, ctx, message, (place, happened), wanting)?;
        }
        self.db().submit(ctx, writes).await?;
        self.due.notify_one();
        Ok(())
    }
}

fn note<'a>(
    writes: &mut WriteSet,
    ctx: &Ctx,
    message: &Message,
    (place, happened): (usize, &Announced),
    mut wanting: std::iter::Peekable<impl Iterator<Item = &'a Subscription>>,
) -> Result<()> {
    if wanting.peek().is_none() {
        return Ok(());
    }
    let id = format!("{}/{place}", message.id);
    let body = cloud_event(&ctx.tenant, &id, happened.subject(), message.at, happened)?;
    for subscription in wanting {
        let new = NewDelivery {
            subscription: &subscription.id,
            event: &id,
            lane: &message.key,
            order: (message.seq, place),
            event_type: happened.event_type().as_str(),
            subject: happened.subject(),
            at: message.at,
            body: &body,
        };
        deliveries::add(writes, &new);
    }
    Ok(())
}

/// Adds an event that tries out a subscription.
pub(super) fn test(writes: &mut WriteSet, ctx: &Ctx, subscription: &str, id: &str) -> Result<()> {
    let content: Value = json!({ "type": TEST, "data": { "subscription": subscription } });
    let at = ctx.now();
    let body = cloud_event(&ctx.tenant, id, subscription, at, content)?;
    let new = NewDelivery {
        subscription,
        event: id,
        // Behind nothing, and before nothing.
        lane: id,
        order: (0, 0),
        event_type: TEST,
        subject: subscription,
        at,
        body: &body,
    };
    deliveries::add(writes, &new);
    Ok(())
}
