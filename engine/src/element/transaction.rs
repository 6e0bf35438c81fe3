//! Transactions (BPMN 2.0.2 §10.3.5, §13.3.4): a sub-process that a cancel end event gives up.
//!
//! What still runs is ended, what completed is undone, also inside sub-processes that were on their
//! way, and the transaction is left by its cancel boundary event. Everything else that ends a
//! transaction early, such as an error, undoes nothing.

use super::compensation;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{Node, NodeIx, NodeKind, SubProcess, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::{starts_event_sub_process, trigger};

/// Gives up the transaction that the cancel end event `key` lies in.
pub(crate) fn cancel(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    if exit(t, key).is_none() {
        let what = "cancel end event without a transaction that has a cancel boundary event";
        return Err(super::not_executable(&node.id, what));
    }
    let scope = t.element(key).map_or(Key::PROCESS, |element| element.scope);
    for inner in t.instance.inside(scope).into_iter().rev().filter(|inner| *inner != key) {
        compensation::keep_part(t, inner);
    }
    t.terminate_inside_but(scope, Some(key));
    let process = t.process();
    t.close_waits_where(scope, |element| starts_event_sub_process(process, element));
    compensation::undo_all(t, key, node, scope);
    Ok(())
}

/// Leaves the transaction when everything is undone.
pub(crate) fn leave(t: &mut Transition<'_>, key: Key) {
    let Some((transaction, event)) = exit(t, key) else { return };
    t.pass(key);
    trigger(t, transaction, event, &VariableMap::new());
}

/// The element instance whose cancel boundary event the end event `key` leads to, and that event.
/// The boundary events of a multi-instance activity belong to its body.
fn exit(t: &Transition<'_>, key: Key) -> Option<(Key, NodeIx)> {
    let scope = t.element(key)?.scope;
    let transaction = t.element(scope)?;
    let owner = if transaction.index.is_some() { transaction.scope } else { scope };
    let (_, node) = t.place(owner)?;
    if !matches!(node.kind, NodeKind::SubProcess(SubProcess::Transaction)) {
        return None;
    }
    let is_exit = |ix: &&NodeIx| matches!(t.process().node(**ix).trigger(), Some(Trigger::Cancel));
    node.boundary.iter().find(is_exit).map(|ix| (owner, *ix))
}
