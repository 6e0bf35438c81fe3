//! Activities that do not begin with any token: those that take several (`startQuantity`, BPMN 2.0.2
//! §10.3, §13.3.2) and critical sections, of which one at a time runs in an instance.
//!
//! Tokens wait at the end of their flows, whichever these are; the oldest are taken. What is activated
//! without a token, by a modification, begins at once.

use std::collections::BTreeSet;

use crate::instance::{Instance, Key};
use crate::model::{ElementId, Node, NodeIx, Process};
use crate::transition::Transition;

/// The most tokens that an activity takes or gives at once.
pub(crate) const MAX_QUANTITY: u32 = 1_000;

/// Whether tokens that arrive at `node` may have to wait.
pub(super) fn waits(node: &Node) -> bool {
    node.start_quantity > 1 || node.critical_section.is_some()
}

/// Lets the activity at `place` begin if it can. Whether it did.
pub(super) fn begin(t: &mut Transition<'_>, scope: Key, place: NodeIx) -> bool {
    let process = t.process();
    let node = process.node(place);
    if node.critical_section.as_deref().is_some_and(|name| is_taken(&t.instance, process, name)) {
        return false;
    }
    let quantity = usize::try_from(node.start_quantity).unwrap_or(usize::MAX);
    let waiting = t.instance.tokens().filter(|token| {
        token.scope == scope && super::target_of(process, &token.flow) == Some(place)
    });
    let joined: Vec<ElementId> =
        waiting.take(quantity).map(|token| ElementId::clone(&token.flow)).collect();
    if joined.len() < quantity {
        return false;
    }
    let key = t.activate(scope, place, None, joined);
    t.enter(key);
    true
}

/// Lets one activity begin for which tokens wait, the oldest first. Whether there was one.
pub(crate) fn settle(t: &mut Transition<'_>) -> bool {
    let process = t.process();
    let mut seen = BTreeSet::new();
    let waiting: Vec<(Key, NodeIx)> = t
        .instance
        .tokens()
        .filter_map(|token| Some((token.scope, super::target_of(process, &token.flow)?)))
        .filter(|at| waits(process.node(at.1)) && seen.insert(*at))
        .collect();
    waiting.into_iter().any(|(scope, place)| begin(t, scope, place))
}

/// Whether an activity runs that is the critical section `name`.
pub(super) fn is_taken(instance: &Instance, process: &Process, name: &str) -> bool {
    let mut running = instance.elements().filter_map(|(_, it)| process.find(&it.element));
    running.any(|place| process.node(place).critical_section.as_deref() == Some(name))
}
