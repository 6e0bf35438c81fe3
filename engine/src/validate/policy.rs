//! Policies that refer to what is not there, that nobody could satisfy, or that are never asked.

use std::collections::BTreeSet;

use super::Check;
use crate::governance::{Action, Otherwise, Policy, Rule, Target};
use crate::model::{ElementId, Text};

impl Check<'_> {
    /// The policies of the process, with which those of each element are asked.
    pub(super) fn policies(&mut self) {
        let process = self.process;
        self.policies_of(&process.id, &process.policies, &[]);
        for (_, node) in process.nodes() {
            self.policies_of(&node.id, &node.policies, &process.policies);
        }
    }

    fn policies_of(&mut self, id: &str, policies: &[Policy], around: &[Policy]) {
        let mut seen: BTreeSet<&str> = around.iter().map(|policy| policy.id.as_str()).collect();
        for policy in policies {
            if !seen.insert(&policy.id) {
                self.error(
                    "policy_duplicate",
                    id,
                    format!("the policy id {:?} is used twice for the same action", policy.id),
                    "give each policy of the process and of the element an id of its own",
                );
            }
            self.policy(id, policy);
        }
    }

    fn policy(&mut self, id: &str, policy: &Policy) {
        match &policy.rule {
            Rule::FourEyes { elements, .. } => self.four_eyes(id, policy, elements),
            Rule::Decision { decision } => {
                let known = self.surroundings.decisions.as_ref();
                let decision = Text::Literal(decision.clone());
                self.reference("decision_missing", id, "decision", &decision, known);
            }
            Rule::Condition { otherwise: Otherwise::Escalate { approvers }, .. }
                if approvers.is_empty() =>
            {
                self.error(
                    "policy_without_approvers",
                    id,
                    format!("the policy {} escalates to nobody", policy.id),
                    "name groups or persons as its approvers",
                );
            }
            Rule::Condition { .. } | Rule::Mandate { .. } => {}
        }
        let guards = |actions: &[Action]| actions.iter().any(|action| policy.on.contains(action));
        let is_asked = match &policy.target {
            None => true,
            _ if policy.on.is_empty() => true,
            Some(Target::Tool(_)) => guards(&[Action::ToolCall]),
            Some(Target::Field(_)) => guards(&[
                Action::Complete,
                Action::SetVariables,
                Action::Start,
                Action::Activate,
                Action::Control,
                Action::Deliver,
            ]),
        };
        if !is_asked {
            self.error(
                "policy_never_asked",
                id,
                format!("the policy {} guards actions that do not touch its target", policy.id),
                "leave out its actions, or name tool_call for a tool and others for a field",
            );
        }
    }

    fn four_eyes(&mut self, id: &str, policy: &Policy, elements: &[ElementId]) {
        for element in elements {
            if self.process.find(element).is_none() {
                self.error(
                    "policy_unknown_element",
                    id,
                    format!("the policy {} refers to {element:?}, which does not exist", policy.id),
                    "name elements of this process",
                );
            }
        }
    }
}
