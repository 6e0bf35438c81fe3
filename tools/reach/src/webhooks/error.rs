//! What can go wrong with webhooks.

use flowmaster_kernel::Error;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookError {
    #[error("no subscription {0:?}")]
    NoSubscription(String),
    #[error("no delivery {0:?}")]
    NoDelivery(String),
    #[error("the URL cannot be subscribed: {0}")]
    Url(&'static str),
    #[error("a tenant has 20 subscriptions at most")]
    TooMany,
    #[error("{0}")]
    Field(&'static str),
    #[error("name one delivery or one subscription")]
    Choice,
}

impl From<WebhookError> for Error {
    fn from(error: WebhookError) -> Self {
        let what = error.to_string();
        match error {
            WebhookError::NoSubscription(id) => {
                Self::not_found("subscription", &id).next("subscription_search")
            }
            WebhookError::NoDelivery(id) => Self::not_found("delivery", &id)
                .fix("it may be delivered by now; search for those that are not")
                .next("delivery_search"),
            WebhookError::Url(_) => Self::invalid("invalid_url", what).fix(
                "use an https URL of a public host; the operator may allow others with \
                 webhook_networks",
            ),
            WebhookError::TooMany => Self::conflict("too_many_subscriptions", what)
                .fix("remove one, or have one receiver pass events on")
                .next("subscription_search"),
            WebhookError::Field(_) | WebhookError::Choice => Self::invalid("invalid_webhook", what),
        }
    }
}
