//! Business rule tasks (BPMN 2.0.2 §10.3.3) with a DMN decision: evaluated by the engine itself.

use crate::evaluation::Evaluation;
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
    let (decisions, view) = (t.definition.decisions(), t.view(key));
    let outcome = decisions.evaluate(&decision, &view, t.now());
    let names = decisions.inputs_of_file(&decision);
    let evaluation = Evaluation::new(&node.id, &decision, names, &view, outcome.clone());
    t.note(evaluation);
    let value =
        outcome.map_err(|error| Failure::new(IncidentKind::DecisionFailed, error.to_string()))?;
    t.emit(Event::DecisionEvaluated { key, element: ElementId::clone(&node.id), decision });
    t.complete(key, &VariableMap::one(result_variable, value));
    Ok(())
}
