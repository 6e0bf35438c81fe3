//! End events (BPMN 2.0.2 §10.5.3).

use super::{throw_event, transaction};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{Node, Trigger};
use crate::transition::Transition;
use crate::trigger::throw_error;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    trigger: &Trigger,
) -> Result<(), Failure> {
    match trigger {
        Trigger::Error(error) => {
            let code = error.code.clone().unwrap_or_default();
            let variables = throw_event::payload(t, key);
            throw_error(t, key, &code, None, variables);
        }
        Trigger::Terminate => {
            let scope = t.element(key).map_or(Key::PROCESS, |element| element.scope);
            t.pass(key);
            t.terminate_inside(scope);
        }
        Trigger::Cancel => transaction::cancel(t, key, node)?,
        Trigger::Link { .. } => {
            return Err(super::not_executable(&node.id, "end event with such a trigger"));
        }
        _ => throw_event::enter(t, key, node, trigger)?,
    }
    Ok(())
}
