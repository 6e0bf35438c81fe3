//! Business rule tasks (BPMN 2.0.2 §10.3.3) with a DMN decision: evaluated by the engine itself.

use crate::event::Event;
use crate::expression::string_of;
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{ElementId, Node, Text};
use crate::scope::VariableMap;
use crate::transition::Transition;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    decision: &Text,
    result_variable: &str,
) -> Result<(), Failure> {
    let decision = string_of(decision, &t.view(key), t.now())?;
    let value = t
        .definition
        .decisions()
        .evaluate(&decision, &t.view(key), t.now())
        .map_err(|error| Failure::new(IncidentKind::DecisionFailed, error.to_string()))?;
    t.emit(Event::DecisionEvaluated { key, element: ElementId::clone(&node.id), decision });
    t.complete(key, &VariableMap::one(result_variable, value));
    Ok(())
}
