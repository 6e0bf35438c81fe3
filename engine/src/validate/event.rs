//! Events (BPMN 2.0.2 §10.5): what each place lets them wait for.

use super::Check;
use crate::model::{Node, Trigger};

impl Check<'_> {
    pub(super) fn start_trigger(&mut self, id: &str, trigger: &Trigger) {
        if matches!(trigger, Trigger::Conditional { .. }) {
            self.error(
                "start_trigger",
                id,
                "a condition starts event sub-processes; it does not start a process here",
                "start it by a message, timer or signal, and put the condition behind that",
            );
        }
        if matches!(trigger, Trigger::Error(_) | Trigger::Escalation { .. } | Trigger::Terminate) {
            self.error(
                "start_trigger",
                id,
                "a process cannot be started by an error, an escalation or a termination",
                "use a plain, message, timer or signal start event",
            );
        }
    }

    pub(super) fn catch(&mut self, id: &str, trigger: &Trigger) {
        match trigger {
            Trigger::Message(message) => self.correlation(id, message.correlation.0.is_some()),
            Trigger::Timer(_)
            | Trigger::Signal { .. }
            | Trigger::Conditional { .. }
            | Trigger::Link { .. } => {}
            Trigger::None | Trigger::Error(_) | Trigger::Escalation { .. } | Trigger::Terminate => {
                self.error(
                    "catches_nothing",
                    id,
                    "an intermediate catch event must wait for a message, a timer, a signal or a condition",
                    "give it one of them",
                );
            }
        }
    }

    pub(super) fn boundary(&mut self, node: &Node, trigger: &Trigger) {
        if !node.incoming.is_empty() {
            self.error(
                "flow_into_boundary",
                &node.id,
                "a flow leads into a boundary event",
                "remove it",
            );
        }
        if node.outgoing.is_empty() {
            self.warning(
                "boundary_without_flow",
                &node.id,
                "nothing happens after the boundary event",
                "connect it to what should happen",
            );
        }
        match trigger {
            Trigger::Message(message) => {
                self.correlation(&node.id, message.correlation.0.is_some());
            }
            Trigger::None | Trigger::Terminate => self.error(
                "catches_nothing",
                &node.id,
                "a boundary event must wait for something",
                "give it a message, timer, error, signal, escalation or condition",
            ),
            Trigger::Timer(_)
            | Trigger::Error(_)
            | Trigger::Signal { .. }
            | Trigger::Escalation { .. }
            | Trigger::Conditional { .. }
            | Trigger::Link { .. } => {}
        }
    }

    pub(super) fn correlation(&mut self, id: &str, has_key: bool) {
        if !has_key {
            self.error(
                "no_correlation_key",
                id,
                "a waiting element must say how it recognises its message",
                "set the correlation key of the message, for example =orderId",
            );
        }
    }
}
