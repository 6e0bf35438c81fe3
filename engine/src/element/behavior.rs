//! What a multi-instance activity throws when one of its instances completes (`behavior`, BPMN 2.0.2
//! §10.3.8, §13.3.7): implicit throw events.
//!
//! Each is thrown by the body, with its counters as variables. A boundary event of the activity that
//! waits for it catches it at once, and then nobody else does; an escalation is caught as everywhere,
//! a message or a signal that no boundary event waits for is sent as usual.

use serde_json::Value;

use super::throw_event::{self, Outgoing};
use crate::event::Event;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{Behavior, MultiInstance, Node, Trigger};
use crate::scope::{Overlay, VariableMap};
use crate::transition::Transition;
use crate::trigger::AfterThrow;
use crate::wait::{Wait, WaitKind};

/// What is thrown because the inner instance `key` completes, as `counters` count it; resolved before
/// anything happens.
pub(super) fn resolve(
    t: &Transition<'_>,
    key: Key,
    repeat: &MultiInstance,
    counters: &VariableMap,
) -> Result<Vec<Outgoing>, Failure> {
    let is_first = counters.get(super::multi_instance::COMPLETED) == Some(&Value::from(1));
    let mut events: Vec<&Trigger> = Vec::new();
    match &repeat.behavior {
        Behavior::None(event) => events.push(event),
        Behavior::One(event) if is_first => events.push(event),
        Behavior::All | Behavior::One(_) => {}
        Behavior::Complex(definitions) => {
            let view = t.view(key);
            let seen = Overlay { top: counters, below: &view };
            for definition in definitions {
                if definition.condition.test(&seen, t.now())? {
                    events.push(&definition.event);
                }
            }
        }
    }
    let parts = events.into_iter().flat_map(Trigger::parts);
    parts.filter_map(|part| throw_event::resolve(t, key, part).transpose()).collect()
}

/// Throws `thrown` from the body, which an event that catches it may end.
pub(super) fn throw(
    t: &mut Transition<'_>,
    body: Key,
    node: &Node,
    thrown: Vec<Outgoing>,
    counters: &VariableMap,
) {
    for outgoing in thrown {
        if t.element(body).is_none() {
            return;
        }
        match caught(t, body, &outgoing) {
            Some((wait, caught)) => {
                let Some(target) = t.process().find(&caught.element) else { continue };
                let element = caught.element.clone();
                t.emit(Event::SubscriptionTriggered { key: wait, element, message_id: None });
                super::multiple_event::arrive(t, wait, &caught, target, counters);
            }
            None => throw_event::send_with(t, body, node, outgoing, counters, AfterThrow::Stay),
        }
    }
}

/// What the boundary events of the activity wait for and `outgoing` is.
fn caught(t: &Transition<'_>, body: Key, outgoing: &Outgoing) -> Option<(Key, Wait)> {
    let is_it = |wait: &Wait| match (&wait.kind, outgoing) {
        (WaitKind::Signal { name: waited }, Outgoing::Signal { name }) => waited == name,
        (
            WaitKind::Message { name: waited, correlation: expected },
            Outgoing::Message { name, correlation },
        ) => waited == name && (expected.is_none() || expected == correlation),
        _ => false,
    };
    let found = t.instance.waits().find(|(_, wait)| wait.owner == body && is_it(wait));
    found.map(|(key, wait)| (key, wait.clone()))
}
