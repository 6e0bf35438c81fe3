//! Event-based gateways (BPMN 2.0.2 §10.6.6): the event that comes first decides the path.

use super::catch_event::{self, Opening};
use crate::event::Event;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Node, NodeIx, NodeKind, Task};
use crate::scope::VariableMap;
use crate::transition::Transition;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    let process = t.process();
    let mut prepared = Vec::new();
    for &flow in &node.outgoing {
        let event = process.node(process.flow(flow).target);
        let opening = match &event.kind {
            NodeKind::IntermediateCatchEvent(trigger) => catch_event::prepare(t, key, trigger)?,
            NodeKind::Task(Task::Receive(message)) => {
                Some(Opening::Subscription(catch_event::subscription(t, key, message)?))
            }
            _ => None,
        };
        let Some(opening) = opening else {
            return Err(super::not_executable(&event.id, "target of an event-based gateway"));
        };
        prepared.push((ElementId::clone(&event.id), opening));
    }
    if prepared.is_empty() {
        return Err(super::not_executable(&node.id, "event-based gateway without events"));
    }
    for (event, opening) in prepared {
        catch_event::open(t, key, &event, opening);
    }
    Ok(())
}

/// Leaves the gateway `key` at `place` towards the event that happened.
pub(crate) fn leave(
    t: &mut Transition<'_>,
    key: Key,
    place: NodeIx,
    event: NodeIx,
    variables: &VariableMap,
) {
    let process = t.process();
    let gateway = process.node(place);
    let Some(&flow) = gateway.outgoing.iter().find(|flow| process.flow(**flow).target == event)
    else {
        return;
    };
    let scope = t.element(key).map_or(Key::PROCESS, |element| element.scope);
    t.close_waits(key);
    t.emit(Event::ElementCompleted { key, element: ElementId::clone(&gateway.id) });
    let flow = ElementId::clone(&process.flow(flow).id);
    t.emit(Event::FlowTaken { scope, flow, waits: false });
    let key = t.activate(scope, event, None, Vec::new());
    t.complete(key, variables);
}
