//! Events (BPMN 2.0.2 §10.5): what each place lets them wait for or throw.

use super::Check;
use crate::model::{Gateway, Node, NodeIx, NodeKind, SubProcess, Trigger};

impl Check<'_> {
    /// What a start event waits for: of the process, or of an event sub-process.
    pub(super) fn start_trigger(&mut self, node: &Node, trigger: &Trigger) {
        let around = node.parent.map(|ix| self.process.node(ix));
        if around.is_some_and(|node| !matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)))
        {
            return;
        }
        for part in trigger.parts() {
            match around {
                None => self.start_of_process(node, part),
                Some(handler) => self.start_of_handler(node, part, handler),
            }
        }
        if matches!(trigger, Trigger::Multiple(_)) {
            self.several(node, trigger);
            if around.is_none() {
                self.several_starts(node, trigger);
            }
        }
    }

    fn start_of_process(&mut self, node: &Node, part: &Trigger) {
        let (what, fix) = match part {
            Trigger::Error(_)
            | Trigger::Escalation { .. }
            | Trigger::Terminate
            | Trigger::Compensation(_)
            | Trigger::Cancel => (
                "a process cannot be started by what happens inside one",
                "use a plain, message, timer, signal or conditional start event",
            ),
            _ => return,
        };
        self.error("start_trigger", &node.id, what, fix);
    }

    fn start_of_handler(&mut self, node: &Node, part: &Trigger, handler: &Node) {
        let (what, fix) = match part {
            Trigger::Compensation(_) if handler.parent.is_none() => (
                "a process cannot be undone as a whole: once it completed, nothing reaches it",
                "put the event sub-process into the sub-process that it undoes",
            ),
            Trigger::Cancel | Trigger::Terminate => (
                "an event sub-process cannot be started by that",
                "use a message, timer, error, signal, escalation, condition or compensation",
            ),
            _ => return,
        };
        self.error("start_trigger", &node.id, what, fix);
    }

    fn several_starts(&mut self, node: &Node, trigger: &Trigger) {
        // The first one begins an instance, which the others have to find.
        for part in trigger.parts().iter().filter(|_| trigger.is_parallel()) {
            if let Trigger::Message(message) = part {
                self.correlation(&node.id, message.correlation.is_given());
            }
        }
        let is_timer = |part: &&Trigger| matches!(part, Trigger::Timer(_));
        if trigger.parts().iter().filter(is_timer).count() > 1 {
            self.error(
                "start_trigger",
                &node.id,
                "a start event has one timer at most",
                "give each timer a start event of its own",
            );
        }
    }

    /// What does not go together with other definitions in a catching event.
    fn several(&mut self, node: &Node, trigger: &Trigger) {
        for part in trigger.parts() {
            let what = match part {
                Trigger::Compensation(_) | Trigger::Cancel | Trigger::Link { .. } => {
                    "compensation, cancel and link events have one definition"
                }
                Trigger::Error(_) | Trigger::Escalation { .. } if trigger.is_parallel() => {
                    "an event that waits for all its definitions cannot catch errors or escalations"
                }
                _ => continue,
            };
            self.error("multiple_event", &node.id, what, "give it an event of its own");
        }
    }

    /// What an intermediate throw or end event throws.
    pub(super) fn throws(&mut self, node: &Node, trigger: &Trigger) {
        for part in trigger.parts() {
            self.throws_part(node, part);
        }
        let is_last = |part: &&Trigger| match part {
            Trigger::Message(message) => message.job.is_some(),
            Trigger::Error(_)
            | Trigger::Terminate
            | Trigger::Cancel
            | Trigger::Compensation(_)
            | Trigger::Link { .. } => true,
            _ => false,
        };
        if trigger.parts().iter().filter(is_last).count() > 1 {
            self.error(
                "multiple_event",
                &node.id,
                "several of its definitions end the path or wait for something",
                "keep one error, termination, cancellation, compensation or message with a job",
            );
        }
        let has_link = trigger.parts().iter().any(|part| matches!(part, Trigger::Link { .. }));
        if has_link && matches!(trigger, Trigger::Multiple(_)) {
            self.several(node, trigger);
        }
    }

    fn throws_part(&mut self, node: &Node, part: &Trigger) {
        self.thrown_compensation(node, part);
        let is_end = matches!(node.kind, NodeKind::EndEvent(_));
        let (what, fix) = match part {
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

    /// What an intermediate event waits for.
    pub(super) fn catch(&mut self, ix: NodeIx, node: &Node, trigger: &Trigger) {
        if self.process.instantiates(ix) {
            self.started_by(node, trigger);
        }
        if self.starts_alone(ix) {
            return;
        }
        for part in trigger.parts() {
            match part {
                Trigger::Message(message) => {
                    self.correlation(&node.id, message.correlation.is_given());
                }
                Trigger::Timer(_)
                | Trigger::Signal { .. }
                | Trigger::Conditional { .. }
                | Trigger::Link { .. } => {}
                Trigger::None
                | Trigger::Error(_)
                | Trigger::Escalation { .. }
                | Trigger::Terminate
                | Trigger::Compensation(_)
                | Trigger::Cancel
                | Trigger::Multiple(_) => self.error(
                    "catches_nothing",
                    &node.id,
                    "an intermediate catch event must wait for a message, a timer, a signal or a condition",
                    "give it one of them",
                ),
            }
        }
        if matches!(trigger, Trigger::Multiple(_)) {
            self.several(node, trigger);
        }
    }

    /// Whether the event at `ix` always starts an instance: one after a parallel gateway may also
    /// have to find the instance that another one started.
    pub(super) fn starts_alone(&self, ix: NodeIx) -> bool {
        let process = self.process;
        let gateway = process.instantiating_gateway(ix).map(|(place, _)| process.node(place));
        let joins = gateway.is_some_and(|gateway| {
            matches!(gateway.kind, NodeKind::Gateway(Gateway::ParallelEventBased))
        });
        process.instantiates(ix) && !joins
    }

    /// An event after a gateway that starts the process.
    fn started_by(&mut self, node: &Node, trigger: &Trigger) {
        for part in trigger.parts() {
            self.start_of_process(node, part);
        }
        if matches!(trigger, Trigger::Multiple(_)) {
            self.several_starts(node, trigger);
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
        if node.outgoing.is_empty()
            && !node.completes_activity
            && !matches!(trigger, Trigger::Compensation(_))
        {
            self.warning(
                "boundary_without_flow",
                &node.id,
                "nothing happens after the boundary event",
                "connect it to what should happen",
            );
        }
        if matches!(trigger, Trigger::Multiple(_)) {
            self.several(node, trigger);
        }
        for part in trigger.parts() {
            self.boundary_part(node, attached_to, part);
        }
    }

    fn boundary_part(&mut self, node: &Node, attached_to: NodeIx, part: &Trigger) {
        match part {
            Trigger::Message(message) => {
                self.correlation(&node.id, message.correlation.is_given());
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
            | Trigger::Link { .. }
            | Trigger::Multiple(_) => {}
        }
    }

    /// An element that starts the process without a start event.
    pub(super) fn instantiates(&mut self, node: &Node) {
        let parallel = matches!(node.kind, NodeKind::Gateway(Gateway::ParallelEventBased));
        if parallel && !node.instantiates {
            self.error(
                "parallel_event_gateway",
                &node.id,
                "an event-based gateway with all its events is for starting a process",
                "set instantiate, or use a parallel gateway with catch events behind it",
            );
        }
        if !node.instantiates {
            return;
        }
        if !node.incoming.is_empty() {
            self.error(
                "flow_into_start",
                &node.id,
                "a flow leads into an element that starts the process",
                "remove the flow, or unset instantiate",
            );
        }
        if node.parent.is_some() {
            self.error(
                "instantiate_place",
                &node.id,
                "what starts a process lies outside its sub-processes",
                "move it there, or unset instantiate",
            );
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
