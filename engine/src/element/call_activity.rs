//! Call activities (BPMN 2.0.2 §10.3.6): another process, as an instance of its own.

use std::sync::Arc;

use crate::event::Event;
use crate::expression::string_of;
use crate::incident::Failure;
use crate::instance::{Instance, Key};
use crate::model::{CallActivity, ElementId, Node};
use crate::scope::VariableMap;
use crate::transition::Transition;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    call: &CallActivity,
) -> Result<(), Failure> {
    let process = string_of(&call.process, &t.view(key), t.now())?;
    let wait = t.next_key();
    let instance = Arc::from(format!("{}-{wait}", t.instance.id));
    let element = ElementId::clone(&node.id);
    t.emit(Event::ChildRequested { key: wait, owner: key, element, process, instance });
    Ok(())
}

/// What goes into the called instance.
pub(crate) fn handed_over(instance: &Instance, owner: Key, call: &CallActivity) -> VariableMap {
    if call.propagate_parent_variables {
        return instance.view(owner).collect();
    }
    instance.element(owner).map(|element| element.variables.clone()).unwrap_or_default()
}

/// What comes back of the results of the called instance.
pub(crate) fn handed_back(node: &Node, call: &CallActivity, results: VariableMap) -> VariableMap {
    if call.propagate_child_variables || !node.outputs.is_empty() {
        results
    } else {
        VariableMap::new()
    }
}
