//! Receive tasks (BPMN 2.0.2 §10.3.3): wait for a message.

use super::catch_event::{self, Opening};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{Message, Node};
use crate::transition::Transition;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    message: &Message,
) -> Result<(), Failure> {
    let subscription = catch_event::subscription(t, key, message)?;
    catch_event::open(t, key, &node.id, Opening::Subscription(subscription));
    Ok(())
}
