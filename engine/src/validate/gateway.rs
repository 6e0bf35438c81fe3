//! Gateways (BPMN 2.0.2 §10.6): every token that comes to one must find a way on.

use super::Check;
use crate::model::{Gateway, Node, NodeKind, Task};

impl Check<'_> {
    pub(super) fn gateway(&mut self, node: &Node, gateway: Gateway) {
        match gateway {
            Gateway::Exclusive | Gateway::Inclusive => self.decision_is_total(node),
            Gateway::EventBased => {
                for &flow in &node.outgoing {
                    let target = self.process.node(self.process.flow(flow).target);
                    let waits = matches!(
                        target.kind,
                        NodeKind::IntermediateCatchEvent(_) | NodeKind::Task(Task::Receive(_))
                    );
                    if !waits {
                        self.error(
                            "event_gateway_target",
                            &node.id,
                            format!(
                                "{} after the event-based gateway does not wait for an event",
                                target.id
                            ),
                            "put catch events or receive tasks after it",
                        );
                    }
                }
            }
            Gateway::Parallel => {}
        }
        self.gateway_leads_on(node);
    }

    pub(super) fn complex_gateway(&mut self, node: &Node, has_activation: bool) {
        if node.incoming.len() > 1 && !has_activation {
            self.error(
                "no_activation_condition",
                &node.id,
                "nothing says which tokens are enough for the complex gateway to go on",
                "set its activation condition, for example =activationCount >= 2",
            );
        }
        self.decision_is_total(node);
        self.gateway_leads_on(node);
    }

    fn gateway_leads_on(&mut self, node: &Node) {
        if node.outgoing.is_empty() {
            self.error(
                "gateway_without_flow",
                &node.id,
                "no flow leaves the gateway",
                "connect it to what comes next",
            );
        }
    }

    /// Every way out of a decision needs a condition, and one must be the default.
    fn decision_is_total(&mut self, node: &Node) {
        if node.outgoing.len() < 2 {
            return;
        }
        for &ix in &node.outgoing {
            let flow = self.process.flow(ix);
            if flow.condition.is_none() && node.default_flow != Some(ix) {
                self.error(
                    "flow_without_condition",
                    &flow.id,
                    format!("the flow from {} has no condition and is not the default", node.id),
                    "give it a condition, or make it the default flow",
                );
            }
        }
        if node.default_flow.is_none() {
            self.warning(
                "no_default_flow",
                &node.id,
                "when no condition holds, the instance stops with an incident",
                "make one flow the default",
            );
        }
    }
}
