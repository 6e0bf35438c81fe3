//! Cancellation sets (`flowmaster:cancellationSet`, as in YAWL): when an element completes, the nodes
//! and flows of its set lose their tokens.
//!
//! It concerns the scope of the element alone: what runs at these nodes ends, with everything inside;
//! tokens that wait before them, at joins also, or are on their way to them, are taken.

use std::collections::BTreeSet;

use crate::instance::Key;
use crate::model::{FlowIx, Node};
use crate::transition::Transition;

/// Cancels what the set of `node` names in `scope`.
pub(super) fn cancel(t: &mut Transition<'_>, scope: Key, node: &Node) {
    if node.cancellation_set.is_empty() {
        return;
    }
    let process = t.process();
    let running = t.instance.elements().filter(|(_, element)| {
        element.scope == scope && node.cancellation_set.contains(&element.element)
    });
    let running: Vec<Key> = running.map(|(key, _)| key).collect();
    for key in running {
        t.terminate(key);
    }
    let flows = process.flows().filter(|(_, flow)| {
        let target = &process.node(flow.target).id;
        node.cancellation_set.contains(&flow.id) || node.cancellation_set.contains(target)
    });
    let flows: BTreeSet<FlowIx> = flows.map(|(ix, _)| ix).collect();
    t.take_tokens_from(scope, &flows);
}
