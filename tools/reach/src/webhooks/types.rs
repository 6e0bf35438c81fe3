//! Parameters and answers of the webhook operations.

use flowmaster_kernel::{Cursor, Kind, Page, Timestamp};
pub use flowmaster_run::announced::EventType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Marks the id of a subscription.
#[derive(Debug)]
pub enum SubscriptionKind {}

impl Kind for SubscriptionKind {
    const PREFIX: &'static str = "sub";
}

/// Subscribes a URL to what happens, or changes a subscription.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveSubscription {
    /// Id of the subscription to change, from `subscription_search`. Leave out to make one.
    #[serde(default)]
    pub id: Option<String>,
    /// Where events are sent by POST: `https://…`, at most 2,000 characters. Needed for a new one.
    #[serde(default)]
    pub url: Option<String>,
    /// The types of events that are wanted. Empty: all. Default: all, or as before.
    #[serde(default)]
    pub types: Option<Vec<EventType>>,
    /// Only what happens in this process (BPMN id). Empty: in all. Default: all, or as before.
    #[serde(default)]
    pub process: Option<String>,
    /// What the subscription is for, so that people can tell it from others.
    #[serde(default)]
    pub description: Option<String>,
    /// How often an event is sent before it becomes a dead letter, 1 to 50. Default: 16, which is
    /// about ten hours, or as before.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub max_attempts: Option<u32>,
    /// True holds events back until it is false again: then those that waited are sent.
    #[serde(default)]
    pub paused: Option<bool>,
    /// Replaces the secret. The old one signs nothing from then on.
    #[serde(default)]
    pub new_secret: bool,
}

/// A subscription that was saved.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SavedSubscription {
    /// The subscription.
    pub subscription: Subscription,
    /// What its requests are signed with (Standard Webhooks, `whsec_…`). Shown when it is made and
    /// never again: keep it safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Whether events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SubscriptionState {
    /// They are.
    Active,
    /// They wait, for 30 days at most.
    Paused,
}

impl SubscriptionState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }
}

/// A URL that is told what happens.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// Id.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// The types of events that are wanted; empty: all.
    pub types: Vec<EventType>,
    /// Only of this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// What it is for.
    pub description: String,
    /// How often an event is sent before it becomes a dead letter.
    pub max_attempts: u32,
    /// Whether events are sent.
    pub state: SubscriptionState,
    /// Why they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_because: Option<String>,
    /// How many sendings failed since the last one that did not.
    pub failures: u32,
    /// Since when every sending fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why the last sending that failed did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When an event was last accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
    /// The number of the secret: it grows with each new one.
    pub secret_number: u32,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// Finds subscriptions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchSubscriptions {
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<SubscriptionState>,
    /// Only the one with this id.
    #[serde(default)]
    pub id: Option<String>,
}

/// All subscriptions that match, the oldest first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Subscriptions {
    /// The subscriptions, at most 20.
    pub items: Vec<Subscription>,
}

/// Removes a subscription with everything that waits for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSubscription {
    /// Id of the subscription.
    pub id: String,
}

/// What was removed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RemovedSubscription {
    /// Id of the subscription.
    pub id: String,
    /// How many events waited for it or were dead letters; they are gone.
    pub removed_deliveries: u64,
}

/// Sends an event of the type `webhook.test`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestSubscription {
    /// Id of the subscription.
    pub id: String,
}

/// Where an event stands on its way to a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum DeliveryState {
    /// It is sent, or sent again, when its time comes.
    Waiting,
    /// It was refused too often: a dead letter.
    #[default]
    Dead,
}

impl DeliveryState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }
}

/// Finds events that were not accepted yet.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchDeliveries {
    /// Dead letters, or those that wait. Default: dead.
    #[serde(default)]
    pub state: DeliveryState,
    /// Only of this subscription.
    #[serde(default)]
    pub subscription: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// An event on its way to a subscription. It is gone once it is accepted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Id of the delivery, for `delivery_get` and `delivery_retry`.
    pub id: String,
    /// The subscription.
    pub subscription: String,
    /// Id of the event, the same each time it is sent (`webhook-id`).
    pub event: String,
    /// Type of the event.
    pub event_type: String,
    /// The instance or process that it is about.
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent in vain.
    pub attempts: u32,
    /// Not before this moment is it sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// What became of the last sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Deliveries by subscription and event.
pub type Deliveries = Page<Delivery>;

/// Reads a delivery with what is sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDelivery {
    /// Id of the delivery, from `delivery_search`.
    pub id: String,
}

/// A delivery with what is sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveryWithEvent {
    /// The delivery.
    pub delivery: Delivery,
    /// The event, a `CloudEvent` 1.0.
    pub content: Value,
}

/// Sends again what was refused.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryDeliveries {
    /// Id of one delivery, a dead letter or one that waits.
    #[serde(default)]
    pub id: Option<String>,
    /// Or a subscription: all its dead letters, up to 1,000 at once.
    #[serde(default)]
    pub subscription: Option<String>,
}

/// What is sent again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RetriedDeliveries {
    /// How many deliveries begin anew.
    pub retried: u64,
}
