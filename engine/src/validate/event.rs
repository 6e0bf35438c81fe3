//! Events (BPMN 2.0.2 §10.5): what each place lets them wait for or throw.

use super::Check;
use crate::model::{Node, NodeIx, NodeKind, SubProcess, Trigger};

impl Check<'_> {
    pub(super) fn start_trigger(&mut self, node: &Node, trigger: &Trigger) {
        let id = &*node.id;
        let around = node.parent.map(|ix| self.process.node(ix));
        if around.is_some_and(|node| !matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)))
        {
            return;
        }
        let (what, fix) = match (trigger, around) {
            (Trigger::Compensation(_), Some(handler)) if handler.parent.is_none() => (
                "a process cannot be undone as a whole: once it completed, nothing reaches it",
                "put the event sub-process into the sub-process that it undoes",
            ),
            (Trigger::Link { .. } | Trigger::Cancel | Trigger::Terminate, Some(_)) => (
                "an event sub-process cannot be started by that",
                "use a message, timer, error, signal, escalation, condition or compensation",
            ),
            (Trigger::Conditional { .. }, None) => (
                "a condition starts event sub-processes; it does not start a process here",
                "start it by a message, timer or signal, and put the condition behind that",
            ),
            (
                Trigger::Error(_)
                | Trigger::Escalation { .. }
                | Trigger::Terminate
                | Trigger::Compensation(_)
                | Trigger::Cancel,
                None,
            ) => (
                "a process cannot be started by what happens inside one",
                "use a plain, message, timer or signal start event",
            ),
            _ => return,
        };
        self.error("start_trigger", id, what, fix);
    }

    /// What an intermediate throw or end event throws.
    pub(super) fn throws(&mut self, node: &Node, trigger: &Trigger) {
        self.thrown_compensation(node, trigger);
        let is_end = matches!(node.kind, NodeKind::EndEvent(_));
        let (what, fix) = match trigger {
            Trigger::Cancel if is_end => return self.cancel_end(node),
            Trigger::Timer(_) => (
                "a timer is waited for; it cannot be thrown",
                "use an intermediate catch event, or a throw event without a timer",
            ),
            Trigger::Conditional { .. } => (
                "a condition is waited for; it cannot be thrown",
                "use an intermediate catch event, or a throw event without a condition",
            ),
            Trigger::Error(_) | Trigger::Terminate | Trigger::Cancel if !is_end => (
                "an error, a termination and a cancellation end the path that throws them",
                "use an end event, or an escalation to go on",
            ),
            _ => return,
        };
        self.error("cannot_throw", &node.id, what, fix);
    }

    pub(super) fn catch(&mut self, id: &str, trigger: &Trigger) {
        match trigger {
            Trigger::Message(message) => self.correlation(id, message.correlation.0.is_some()),
            Trigger::Timer(_)
            | Trigger::Signal { .. }
            | Trigger::Conditional { .. }
            | Trigger::Link { .. } => {}
            Trigger::None
            | Trigger::Error(_)
            | Trigger::Escalation { .. }
            | Trigger::Terminate
            | Trigger::Compensation(_)
            | Trigger::Cancel => self.error(
                "catches_nothing",
                id,
                "an intermediate catch event must wait for a message, a timer, a signal or a condition",
                "give it one of them",
            ),
        }
    }

    pub(super) fn boundary(&mut self, node: &Node, attached_to: NodeIx, trigger: &Trigger) {
        if !node.incoming.is_empty() {
            self.error(
                "flow_into_boundary",
                &node.id,
                "a flow leads into a boundary event",
                "remove it",
            );
        }
        if node.outgoing.is_empty() && !matches!(trigger, Trigger::Compensation(_)) {
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
            Trigger::Compensation(_) => self.compensation_boundary(node),
            Trigger::Cancel => self.cancel_boundary(node, attached_to),
            Trigger::None | Trigger::Terminate => self.error(
                "catches_nothing",
                &node.id,
                "a boundary event must wait for something",
                "give it a message, timer, error, signal, escalation, condition or compensation",
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
