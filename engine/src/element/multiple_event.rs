//! Multiple and parallel multiple events (BPMN 2.0.2 §10.5.5): several definitions in one event.
//!
//! A throw event throws every one. A catch event waits for each of them and goes on with the first;
//! a parallel one keeps what its parts bring and goes on with the last.

use super::throw_event::{self, Outgoing};
use super::{catch_event, conditional_event, end_event};
use crate::event::{Event, PartArrived};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Multiple, Node, NodeIx, NodeKind, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::{AfterThrow, trigger};
use crate::wait::{Wait, WaitKind};

/// Throws everything that `several` consists of. What ends the path or waits comes last, and there
/// is one such part at most.
pub(crate) fn throw(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    several: &Multiple,
) -> Result<(), Failure> {
    // Everything is resolved first: what fails is tried again as a whole.
    let mut at_once: Vec<Outgoing> = Vec::new();
    let mut last = &Trigger::None;
    for part in &several.triggers {
        match throw_event::resolve(t, key, part)? {
            Some(outgoing) => at_once.push(outgoing),
            None => last = part,
        }
    }
    for outgoing in at_once {
        throw_event::send(t, key, node, outgoing, AfterThrow::Stay);
        // An escalation may interrupt its thrower.
        if t.element(key).is_none() {
            return Ok(());
        }
    }
    match node.kind {
        NodeKind::EndEvent(_) => end_event::enter(t, key, node, last),
        _ => throw_event::enter(t, key, node, last),
    }
}

/// Something that the event at `target` waits for happened: the event itself, unless others of its
/// parts are still to come.
pub(crate) fn arrive(
    t: &mut Transition<'_>,
    key: Key,
    wait: &Wait,
    target: NodeIx,
    variables: &VariableMap,
) {
    let event = t.process().node(target);
    let owner = wait.owner;
    if !event.trigger().is_some_and(Trigger::is_parallel) {
        return trigger(t, owner, target, variables);
    }
    t.close(key);
    let others = t
        .instance
        .waits()
        .filter(|(_, other)| other.owner == owner && other.element == wait.element);
    let mut is_last = true;
    let mut arrived: Vec<(Key, VariableMap)> = Vec::new();
    for (key, other) in others {
        match &other.kind {
            WaitKind::Arrived { variables, .. } => arrived.push((key, variables.clone())),
            _ => is_last = false,
        }
    }
    if !is_last {
        let (key, element) = (t.next_key(), ElementId::clone(&wait.element));
        let variables = variables.clone();
        t.emit(Event::PartArrived(PartArrived { key, owner, element, variables, part: None }));
        return;
    }
    let mut all = VariableMap::new();
    for (key, brought) in arrived {
        all.merge(&brought);
        t.close(key);
    }
    all.merge(variables);
    trigger(t, owner, target, &all);
    let goes_on = matches!(
        event.kind,
        NodeKind::BoundaryEvent { interrupting: false, .. }
            | NodeKind::StartEvent { interrupting: false, .. }
    );
    if goes_on && t.instance.has_scope(owner) {
        catch_event::wait_for(t, owner, target);
        conditional_event::pass_over(t, owner, &wait.element);
    }
}
