//! Receive tasks (BPMN 2.0.2 §10.3.3): wait for a message, unless theirs started the process.

use super::catch_event::{self, Opening};
use super::start_event;
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
    if t.place(key).is_some_and(|(place, _)| t.process().instantiates(place)) {
        return start_event::enter(t, key);
    }
    let subscription = catch_event::subscription(t, key, message)?;
    catch_event::open(t, key, &node.id, Opening::Subscription(subscription));
    Ok(())
}
