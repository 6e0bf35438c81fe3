//! What a business rule task asked of a decision, and what it answered: for the log of evaluations.

use serde_json::{Map, Value};

use crate::dmn::DecisionError;
use crate::feel::Variables;
use crate::model::ElementId;

/// One evaluation. It is no event: the journal has the answer as a variable, and the inputs in the state
/// before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// BPMN id of the task.
    pub element: ElementId,
    /// Id of the decision.
    pub decision: String,
    /// What it saw: the inputs of its file that there are.
    pub inputs: Map<String, Value>,
    /// What it answered, or why it did not.
    pub outcome: Result<Value, DecisionError>,
}

impl Evaluation {
    /// What `decision`, which has inputs called `names`, saw and answered.
    pub(crate) fn new<'a>(
        element: &ElementId,
        decision: &str,
        names: impl Iterator<Item = &'a str>,
        variables: &dyn Variables,
        outcome: Result<Value, DecisionError>,
    ) -> Self {
        let seen =
            names.filter_map(|name| Some((name.to_owned(), variables.variable(name)?.clone())));
        Self {
            element: ElementId::clone(element),
            decision: decision.to_owned(),
            inputs: seen.collect(),
            outcome,
        }
    }
}
