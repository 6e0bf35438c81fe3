//! Event-based gateways (BPMN 2.0.2 §10.6.6): the event that comes first decides the path.
//!
//! One that instantiates has no incoming flow: its event started the process. A parallel one goes
//! on waiting for its other events, which must find this instance by their correlation keys, and
//! every one takes its path.

use super::catch_event::{self, Opening};
use crate::event::Event;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, FlowIx, Gateway, Node, NodeIx, NodeKind, Task};
use crate::scope::VariableMap;
use crate::transition::Transition;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    let process = t.process();
    let mut prepared = Vec::new();
    for &flow in &node.outgoing {
        let event = process.node(process.flow(flow).target);
        let openings = match &event.kind {
            NodeKind::IntermediateCatchEvent(trigger) => catch_event::prepare(t, key, trigger)?,
            NodeKind::Task(Task::Receive(message)) => {
                vec![Opening::Subscription(catch_event::subscription(t, key, message)?)]
            }
            _ => Vec::new(),
        };
        if openings.is_empty() {
            return Err(super::not_executable(&event.id, "target of an event-based gateway"));
        }
        prepared.extend(openings.into_iter().map(|opening| (ElementId::clone(&event.id), opening)));
    }
    if prepared.is_empty() {
        return Err(super::not_executable(&node.id, "event-based gateway without events"));
    }
    for (event, opening) in prepared {
        catch_event::open(t, key, &event, opening);
    }
    Ok(())
}

/// Lets an instantiating gateway at `place` go on to the event that started the process.
pub(crate) fn start(t: &mut Transition<'_>, place: NodeIx, flow: FlowIx) -> Key {
    let process = t.process();
    let gateway = process.node(place);
    let key = t.activate(Key::PROCESS, place, None, Vec::new());
    if !is_parallel(gateway) {
        t.emit(Event::ElementCompleted { key, element: ElementId::clone(&gateway.id) });
    }
    let flow = ElementId::clone(&process.flow(flow).id);
    t.emit(Event::FlowTaken { scope: Key::PROCESS, flow, waits: false });
    key
}

/// Lets the gateway `key`, if it is still there, wait for its events other than `event`.
pub(crate) fn await_others(t: &mut Transition<'_>, key: Key, event: NodeIx) {
    let Some((_, gateway)) = t.place(key) else { return };
    let process = t.process();
    let targets = gateway.outgoing.iter().map(|flow| process.flow(*flow).target);
    for other in targets.filter(|other| *other != event) {
        catch_event::wait_for(t, key, other);
    }
    complete_when_done(t, key, gateway);
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
    if is_parallel(gateway) {
        let happened = &process.node(event).id;
        t.close_waits_where(key, |element| element == happened);
        complete_when_done(t, key, gateway);
    } else {
        t.close_waits(key);
        t.emit(Event::ElementCompleted { key, element: ElementId::clone(&gateway.id) });
    }
    let flow = ElementId::clone(&process.flow(flow).id);
    t.emit(Event::FlowTaken { scope, flow, waits: false });
    let key = t.activate(scope, event, None, Vec::new());
    t.complete(key, variables);
}

fn is_parallel(gateway: &Node) -> bool {
    matches!(gateway.kind, NodeKind::Gateway(Gateway::ParallelEventBased))
}

/// Ends a parallel gateway that waits for nothing any more.
fn complete_when_done(t: &mut Transition<'_>, key: Key, gateway: &Node) {
    let waits = t.instance.waits().any(|(_, wait)| wait.owner == key);
    if !waits && t.instance.incident_of(key).is_none() {
        t.emit(Event::ElementCompleted { key, element: ElementId::clone(&gateway.id) });
    }
}
