//! Tokens of activities (BPMN 2.0.2 §10.3, §13.3.2): how many there are, what they wait for and whom
//! they cancel.

use super::Check;
use crate::flow::activity_start::MAX_QUANTITY;
use crate::model::{Behavior, Loop, Node, NodeIx, NodeKind, Trigger};

impl Check<'_> {
    /// What is wrong with what the tokens of `node` do.
    pub(super) fn tokens(&mut self, ix: NodeIx, node: &Node) {
        self.quantities(node);
        self.critical_section(node);
        self.waits_for_tokens(node);
        self.cancellation_set(ix, node);
        self.completes_activity(node);
        self.behavior(node);
    }

    fn quantities(&mut self, node: &Node) {
        let quantities = [node.start_quantity, node.completion_quantity];
        if quantities.iter().any(|quantity| *quantity != 1) && !node.is_activity() {
            self.error(
                "token_quantity",
                &node.id,
                "only activities have a startQuantity and a completionQuantity",
                "remove it, or put it on the activity before or behind",
            );
        } else if quantities.iter().any(|quantity| !(1..=MAX_QUANTITY).contains(quantity)) {
            self.error(
                "token_quantity",
                &node.id,
                format!(
                    "its startQuantity and completionQuantity are not within 1 and {MAX_QUANTITY}"
                ),
                "set a number of tokens that makes sense",
            );
        }
    }

    fn critical_section(&mut self, node: &Node) {
        let Some(name) = &node.critical_section else { return };
        if !node.is_activity() {
            self.error(
                "critical_section",
                &node.id,
                "only an activity can be a critical section",
                "put the elements of the section into a sub-process",
            );
        }
        let mut around = node.parent;
        while let Some(outer) = around.map(|ix| self.process.node(ix)) {
            if outer.critical_section.as_ref() == Some(name) {
                self.error(
                    "critical_section",
                    &node.id,
                    format!(
                        "it waits for {}, in which it lies, to leave the section {name:?}",
                        outer.id
                    ),
                    "give one of them another name",
                );
            }
            around = outer.parent;
        }
    }

    /// What waits for tokens has flows on which they come, and nobody else who lets it begin.
    fn waits_for_tokens(&mut self, node: &Node) {
        if node.start_quantity <= 1 && node.critical_section.is_none() {
            return;
        }
        let around = node.parent.and_then(|ix| self.process.node(ix).ad_hoc());
        if node.incoming.is_empty() || around.is_some_and(|ad_hoc| ad_hoc.sequential) {
            self.error(
                "begins_without_token",
                &node.id,
                "tokens wait for it to begin, but none comes, or somebody selects when it begins",
                "connect it, outside of a sequential ad-hoc sub-process, or remove startQuantity or \
                 the critical section",
            );
        }
    }

    fn cancellation_set(&mut self, ix: NodeIx, node: &Node) {
        let process = self.process;
        for id in &node.cancellation_set {
            let place = process.find(id);
            let flow = process.flows().find(|(_, flow)| flow.id == *id);
            let scope = match (place, flow) {
                (Some(place), _) if place != ix => process.node(place).parent,
                (None, Some((_, flow))) => process.node(flow.source).parent,
                _ => {
                    self.error(
                        "cancellation_set",
                        &node.id,
                        format!("its cancellation set names {id:?}, which is no other element"),
                        "name activities, events, gateways or sequence flows of the process",
                    );
                    continue;
                }
            };
            if scope != node.parent {
                self.error(
                    "cancellation_set",
                    &node.id,
                    format!("its cancellation set names {id:?}, which lies in another scope"),
                    "name what lies in the same scope, for example the sub-process around it",
                );
            }
        }
        let is_gateway =
            matches!(node.kind, NodeKind::Gateway(_) | NodeKind::ComplexGateway { .. });
        if is_gateway && !node.cancellation_set.is_empty() {
            self.error(
                "cancellation_set",
                &node.id,
                "a gateway cancels nothing",
                "give the set to an activity or event before or behind it",
            );
        }
    }

    fn completes_activity(&mut self, node: &Node) {
        if !node.completes_activity {
            return;
        }
        let completes = match node.kind {
            NodeKind::BoundaryEvent { attached_to, interrupting, .. } => {
                let activity = self.process.node(attached_to);
                interrupting && matches!(activity.repeat, Some(Loop::MultiInstance(_)))
            }
            _ => false,
        };
        if !completes {
            self.error(
                "completes_activity",
                &node.id,
                "only an interrupting boundary event of a multi-instance activity completes it",
                "attach it to one, or remove completesActivity",
            );
        }
    }

    /// Implicit throw events throw what an intermediate one throws and goes on from.
    fn behavior(&mut self, node: &Node) {
        let Some(Loop::MultiInstance(repeat)) = &node.repeat else { return };
        let thrown = repeat.behavior.events().flat_map(Trigger::parts);
        let is_complex = matches!(repeat.behavior, Behavior::Complex(_));
        let nothing = is_complex && repeat.behavior.events().next().is_none();
        let is_thrown = |part: &Trigger| {
            matches!(
                part,
                Trigger::Message(_) | Trigger::Signal { .. } | Trigger::Escalation { .. }
            )
        };
        if nothing || !thrown.into_iter().all(is_thrown) {
            self.error(
                "multi_instance_behavior",
                &node.id,
                "its instances throw messages, signals and escalations when they complete",
                "give each definition one of these events; an interrupting boundary event ends the \
                 activity",
            );
        }
    }
}
