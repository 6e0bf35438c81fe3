//! Compensation and transactions (BPMN 2.0.2 §10.5.5, §10.3.5): what undoes an activity, and from
//! where it is reached.

use super::Check;
use crate::model::{Node, NodeIx, NodeKind, Process, SubProcess, Trigger};

impl Check<'_> {
    /// What is wrong with `node` as a handler of compensation, or as an activity that has one.
    pub(super) fn compensation(&mut self, ix: NodeIx, node: &Node) {
        if node.for_compensation {
            self.handler(ix, node);
        }
        let process = self.process;
        let events = node.boundary.iter().map(|event| process.node(*event));
        let by_event = events.filter(|event| undoes(event)).count();
        let by_sub_process = process
            .children(Some(ix))
            .filter(|(_, child)| matches!(child.kind, NodeKind::SubProcess(SubProcess::Event)))
            .flat_map(|(inner, _)| process.start_events(Some(inner)))
            .filter(|(_, start)| undoes(start))
            .count();
        if by_event + by_sub_process > 1 {
            self.error(
                "several_compensations",
                &node.id,
                "there are several ways to undo the activity",
                "keep one: a compensation boundary event, or a compensation event sub-process",
            );
        }
    }

    fn handler(&mut self, ix: NodeIx, node: &Node) {
        if !node.incoming.is_empty() || !node.outgoing.is_empty() {
            self.error(
                "flow_at_compensation_handler",
                &node.id,
                "a sequence flow leads to or from an activity that is for compensation",
                "remove the flow, or unset isForCompensation",
            );
        }
        if !self.process.nodes().any(|(_, event)| event.handler == Some(ix)) {
            self.error(
                "handler_without_event",
                &node.id,
                "the activity is for compensation, and nothing says what it undoes",
                "associate a compensation boundary event with it",
            );
        }
    }

    /// A boundary event that says how its activity is undone.
    pub(super) fn compensation_boundary(&mut self, node: &Node) {
        if !node.outgoing.is_empty() {
            self.error(
                "flow_out_of_compensation",
                &node.id,
                "a sequence flow leaves a compensation boundary event",
                "remove it; an association leads to the activity that undoes",
            );
        }
        let handler = node.handler.map(|ix| self.process.node(ix));
        let Some(handler) = handler else {
            self.error(
                "compensation_without_handler",
                &node.id,
                "the compensation boundary event has no handler",
                "associate it with an activity that has isForCompensation",
            );
            return;
        };
        if !handler.is_activity() || handler.parent != node.parent || !handler.for_compensation {
            self.error(
                "compensation_handler",
                &node.id,
                format!("{} cannot undo what the event is attached to", handler.id),
                "use an activity with isForCompensation in the same process or sub-process",
            );
        }
    }

    /// What a throw event with `trigger` undoes must be in its reach.
    pub(super) fn thrown_compensation(&mut self, node: &Node, trigger: &Trigger) {
        let Trigger::Compensation(compensation) = trigger else { return };
        let process = self.process;
        let scopes = reach(process, node);
        let mut reached = process
            .nodes()
            .filter(|(ix, one)| scopes.contains(&one.parent) && can_be_undone(process, *ix));
        let Some(wanted) = &compensation.activity else {
            if reached.next().is_none() {
                self.warning(
                    "nothing_to_compensate",
                    &node.id,
                    "no activity in the reach of the event can be undone",
                    "attach a compensation boundary event with a handler to what it should undo",
                );
            }
            return;
        };
        if reached.any(|(_, one)| one.id == *wanted) {
            return;
        }
        let what = match process.find(wanted).map(|ix| process.node(ix)) {
            None => format!("it undoes {wanted}, which does not exist"),
            Some(one) if !scopes.contains(&one.parent) => {
                format!("it undoes {wanted}, which lies in another scope")
            }
            Some(_) => format!("it undoes {wanted}, and nothing says how"),
        };
        self.error(
            "compensation_unreachable",
            &node.id,
            what,
            "name an activity of the same scope that has a compensation handler, or none for all",
        );
    }

    /// A cancel event inside `node` needs a transaction, and a way out of it.
    pub(super) fn cancel_end(&mut self, node: &Node) {
        let around = node.parent.map(|ix| self.process.node(ix));
        let transaction = around
            .filter(|node| matches!(node.kind, NodeKind::SubProcess(SubProcess::Transaction)));
        let Some(transaction) = transaction else {
            self.error(
                "cancel_place",
                &node.id,
                "there is no transaction around the cancel end event",
                "put it directly into a transaction",
            );
            return;
        };
        let process = self.process;
        let is_exit = |ix: &NodeIx| matches!(process.node(*ix).trigger(), Some(Trigger::Cancel));
        if !transaction.boundary.iter().any(is_exit) {
            self.error(
                "cancel_without_boundary",
                &node.id,
                format!("nothing says how {} goes on when it is cancelled", transaction.id),
                "attach a cancel boundary event to the transaction",
            );
        }
    }

    pub(super) fn cancel_boundary(&mut self, node: &Node, attached_to: NodeIx) {
        let host = self.process.node(attached_to);
        if !matches!(host.kind, NodeKind::SubProcess(SubProcess::Transaction)) {
            self.error(
                "cancel_place",
                &node.id,
                "only a transaction can be cancelled",
                "attach it to a transaction, or use an error or escalation",
            );
            return;
        }
        let cancels =
            |ix: &&NodeIx| matches!(self.process.node(**ix).trigger(), Some(Trigger::Cancel));
        if host.boundary.iter().filter(cancels).count() > 1 {
            self.error(
                "cancel_ambiguous",
                &node.id,
                "the transaction has several cancel boundary events",
                "keep one",
            );
        }
    }
}

fn undoes(event: &Node) -> bool {
    matches!(event.trigger(), Some(Trigger::Compensation(_)))
}

/// The scopes whose activities a throw event reaches: its own, and from an event sub-process those
/// of the activity that it belongs to (BPMN 2.0.2 §13.5.5).
fn reach(process: &Process, node: &Node) -> Vec<Option<NodeIx>> {
    let mut scopes = vec![node.parent];
    let mut scope = node.parent;
    while let Some(ix) = scope {
        let around = process.node(ix);
        if !matches!(around.kind, NodeKind::SubProcess(SubProcess::Event)) {
            break;
        }
        scope = around.parent;
        scopes.push(scope);
    }
    scopes
}

/// Whether something undoes the activity at `ix`, or something inside it.
fn can_be_undone(process: &Process, ix: NodeIx) -> bool {
    process.compensation_handler(process.node(ix)).is_some()
        || process.compensation_start(ix).is_some()
        || process.nodes().any(|(inner, node)| {
            process.compensation_handler(node).is_some() && process.is_inside(inner, ix)
        })
}
