//! Link events (BPMN 2.0.2 §10.5.5): the token of a throw event goes on at the catch event of the
//! same name in the same scope, as along a sequence flow.

use crate::incident::Failure;
use crate::instance::Key;
use crate::model::Node;
use crate::transition::Transition;

pub(crate) fn throw(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    if t.process().link_target(node).is_none() {
        return Err(super::not_executable(&node.id, "link without a catch event of its name"));
    }
    t.pass(key);
    Ok(())
}

/// Goes on at the other end of the link, if `node`, which completed in `scope`, throws one.
pub(crate) fn follow(t: &mut Transition<'_>, scope: Key, node: &Node) {
    if let Some(target) = t.process().link_target(node) {
        let key = t.activate(scope, target, None, Vec::new());
        t.begin(key);
    }
}
