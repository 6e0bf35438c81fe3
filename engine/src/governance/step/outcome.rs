//! What follows where a rule does not hold: for whom it is then, who confirmed it already, and what
//! would be let through.

use std::collections::BTreeSet;

use super::{Refusal, RefusalCode, Step, first_pair};
use crate::governance::answer::Said;
use crate::governance::proposal::is_among;
use crate::governance::{Otherwise, Policy, Rule, Verdict};

impl Step<'_> {
    pub(super) fn not_fulfilled(
        &self,
        policy: &Policy,
        reason: &str,
        otherwise: &Otherwise,
    ) -> Box<Refusal> {
        let (code, approvers) = match otherwise {
            Otherwise::Refuse => (RefusalCode::ConditionFailed, Vec::new()),
            Otherwise::Escalate { approvers } => (RefusalCode::Escalate, approvers.clone()),
            Otherwise::SecondPerson => (RefusalCode::FourEyes, Vec::new()),
        };
        let mut refusal = self.refuse(policy, code, reason.to_owned());
        refusal.approvers = approvers;
        refusal
    }

    pub(super) fn decided(
        &self,
        policy: &Policy,
        decision: &str,
        said: Said,
    ) -> Option<Box<Refusal>> {
        let code = match said.verdict {
            Verdict::Allow => return None,
            Verdict::Refuse => RefusalCode::DecisionRefused,
            Verdict::Escalate => RefusalCode::Escalate,
            Verdict::SecondPerson => RefusalCode::FourEyes,
        };
        let reason = said.reason.unwrap_or_else(|| format!("the decision {decision} says no"));
        let mut refusal = self.refuse(policy, code, reason);
        refusal.approvers = said.approvers;
        Some(refusal)
    }

    /// Who lets through what the rule alone would send on: the actor where it is sent to them, or
    /// whoever confirmed it before. Mandates and four eyes are looked at again for whoever confirms,
    /// and cannot be confirmed away.
    pub(super) fn approver(&self, policy: &Policy, refusal: &Refusal) -> Option<String> {
        match (&policy.rule, refusal.code.verdict()) {
            (Rule::FourEyes { .. } | Rule::Mandate { .. }, _)
            | (_, Verdict::Allow | Verdict::Refuse) => return None,
            (_, Verdict::Escalate) if is_among(&refusal.approvers, self.env.actor) => {
                return Some(self.env.actor.id.clone());
            }
            (_, Verdict::Escalate | Verdict::SecondPerson) => {}
        }
        let proposal = self.attempt.proposal?;
        proposal.approver_of(&policy.id, self.env.actor, self.attempt.variables)
    }

    /// What the policy would let through, for whoever was refused and may try something else.
    pub(super) fn would_allow(&self, policy: &Policy, refusal: &Refusal) -> String {
        let by = match refusal.approvers.as_slice() {
            [] => String::new(),
            approvers => format!(", or the same by {}", approvers.join(", ")),
        };
        match &policy.rule {
            Rule::FourEyes { elements, starter } => {
                let first: BTreeSet<&str> = first_pair(self.instance, elements, *starter)
                    .map(|actor| actor.id.as_str())
                    .collect();
                let first: Vec<&str> = first.into_iter().collect();
                format!("the same by a person other than {}", first.join(", "))
            }
            Rule::Mandate { domain, action, .. } => {
                format!("{action} in {domain} within a mandate of {}{by}", self.env.actor.id)
            }
            Rule::Condition { expression, .. } => {
                format!("what fulfils {}{by}", expression.text())
            }
            Rule::Decision { decision } => {
                let inputs: Vec<&str> = self.definition.decisions().inputs(decision).collect();
                format!(
                    "what the decision {decision} allows, which looks at {}{by}",
                    inputs.join(", ")
                )
            }
        }
    }
}
