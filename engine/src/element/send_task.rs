//! Send tasks without a job (BPMN 2.0.2 §10.3.3): send their message and go on.

use super::catch_event;
use super::throw_event::{self, Outgoing};
use crate::expression::string_of;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{Message, Node};
use crate::transition::Transition;
use crate::trigger::AfterThrow;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    message: &Message,
) -> Result<(), Failure> {
    let outgoing = Outgoing::Message {
        name: string_of(&message.name, &t.view(key), t.now())?,
        correlation: catch_event::correlation(t, key, message)?,
    };
    throw_event::send(t, key, node, outgoing, AfterThrow::Complete);
    Ok(())
}
