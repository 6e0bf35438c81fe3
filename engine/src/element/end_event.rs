//! End events (BPMN 2.0.2 §10.5.3).

use super::{compensation, throw_event, transaction};
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
        Trigger::None => t.pass(key),
        Trigger::Message(message) => throw_event::send_message(t, key, node, message)?,
        Trigger::Signal { name } => throw_event::broadcast(t, key, node, name)?,
        Trigger::Escalation { code } => throw_event::escalate(t, key, code.as_deref()),
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
        Trigger::Compensation(compensation) => compensation::throw(t, key, node, compensation),
        Trigger::Cancel => transaction::cancel(t, key, node)?,
        Trigger::Timer(_) | Trigger::Conditional { .. } | Trigger::Link { .. } => {
            return Err(super::not_executable(&node.id, "end event with such a trigger"));
        }
    }
    Ok(())
}
