//! The declarations of the webhook operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Webhooks;

const READERS: &[Role] = &[Role::Admin, Role::Developer, Role::Auditor];
const DEVELOPERS: &[Role] = &[Role::Admin, Role::Developer];

/// The operations of the room.
pub fn operations(room: &Arc<Webhooks>) -> Vec<Operation> {
    let mut operations = subscriptions(room);
    operations.extend(deliveries(room));
    operations
}

fn spec(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
) -> Spec {
    let roles = if effect == Effect::Read { READERS } else { DEVELOPERS };
    let (area, toolset) = ("webhooks", Toolset::Integrations);
    Spec { name, title, description, effect, area, roles, toolset }
}

fn subscriptions(room: &Arc<Webhooks>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "subscription_save",
                "Subscribe to events",
                "Use this to have a URL told what happens: instances started and ended, incidents, \
                 human tasks, published processes. Events are CloudEvents, signed as Standard \
                 Webhooks. A new secret is in the answer and is never shown again. Also changes, \
                 pauses and resumes a subscription.",
                Effect::Write,
            ),
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "subscription_search",
                "Find subscriptions",
                "Use this to see which URLs are told what happens, and whether that works: \
                 failures, the last error, why one is paused.",
                Effect::Read,
            ),
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "subscription_remove",
                "Remove a subscription",
                "Use this when a URL is to be told nothing more. What waited for it is gone; to \
                 keep it, pause the subscription instead.",
                Effect::Destroy,
            ),
            room,
            |room, ctx, params| async move { room.remove(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "subscription_test",
                "Try out a subscription",
                "Use this to send an event of the type webhook.test to a subscription. It is \
                 delivered once delivery_get finds it no more; until then it says what is wrong.",
                Effect::Write,
            ),
            room,
            |room, ctx, params| async move { room.test(&ctx, params).await },
        ),
    ]
}

fn deliveries(room: &Arc<Webhooks>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "delivery_search",
                "Find undelivered events",
                "Use this to see which events a subscription has not accepted: the dead letters, or \
                 those that wait to be sent again, with the last error.",
                Effect::Read,
            ),
            room,
            |room, ctx, params| async move { room.deliveries(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "delivery_get",
                "Read an undelivered event",
                "Use this to see what is sent: the event itself, and what became of it so far.",
                Effect::Read,
            ),
            room,
            |room, ctx, params| async move { room.delivery(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "delivery_retry",
                "Send events again",
                "Use this once a receiver works again: a dead letter, or all of a subscription, are \
                 sent anew.",
                Effect::Write,
            ),
            room,
            |room, ctx, params| async move { room.retry(&ctx, params).await },
        ),
    ]
}
