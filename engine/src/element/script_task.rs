//! Script tasks (BPMN 2.0.2 §10.3.3) in FEEL: evaluated by the engine itself.

use crate::incident::Failure;
use crate::instance::Key;
use crate::model::Script;
use crate::scope::VariableMap;
use crate::transition::Transition;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key, script: &Script) -> Result<(), Failure> {
    let value = script.expression.evaluate(&t.view(key), t.now())?;
    t.complete(key, &VariableMap::one(&script.result_variable, value));
    Ok(())
}
