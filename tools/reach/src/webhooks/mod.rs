//! Webhooks: what happens is sent to the URLs that subscribed to it, as `CloudEvents` 1.0 in structured
//! JSON, signed as Standard Webhooks 1.0 says.
//!
//! Owns the tables `webhooks_subscription`, `webhooks_delivery` and the operations `subscription_save`,
//! `subscription_search`, `subscription_remove`, `subscription_test`, `delivery_search`,
//! `delivery_get`, `delivery_retry`. Subscribes to the outbox topic `announced`.
//!
//! Invariants: an event is sent at least once to each subscription that wants it, under the same id each
//! time, and those of one instance in order; what was refused too often is kept as a dead letter, and no
//! longer holds up what follows; a slow receiver holds up nobody else's events; a tenant without a
//! subscription pays nothing; the secret of a subscription is shown once and stored nowhere; a request
//! goes only to addresses that the operator lets be reached, and to the very address that was checked.

mod address;
mod deliverer;
mod error;
mod events;
mod rules;
mod sender;
mod service;
mod signature;
mod store;
mod tools;
pub mod types;

pub use address::{Network, Networks};
pub use deliverer::Deliverer;
pub use service::Webhooks;
pub use signature::SigningKey;
#[cfg(any(test, feature = "testing"))]
pub(crate) use signature::is_signed;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
