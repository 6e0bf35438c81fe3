//! A completion that the policies sent on: what was filled in is kept as a proposal on the task, which
//! goes to whoever may confirm it. Completing the task is confirming it; what they fill in themselves
//! counts more than what was proposed.

use flowmaster_kernel::{Principal, PrincipalKind};
use serde::{Deserialize, Serialize};

use super::Verdict;
use super::step::{Refusal, RefusalCode};
use crate::instance::ActorRef;
use crate::scope::VariableMap;
use crate::wait::WaitKind;

/// What somebody filled in, and another has to confirm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who filled it in.
    pub by: ActorRef,
    /// The policy that did not let it through.
    pub policy: String,
    /// Why.
    pub code: RefusalCode,
    /// The same in words.
    pub reason: String,
    /// Groups and persons one of whom has to confirm it; empty for whoever else may do the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// What was filled in.
    #[serde(default, skip_serializing_if = "VariableMap::is_empty")]
    pub variables: VariableMap,
    /// Who confirmed exactly this before, each where another policy asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<Approval>,
}

/// A policy that somebody satisfied by confirming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The policy.
    pub policy: String,
    /// Who confirmed.
    pub by: String,
}

impl Proposal {
    /// What is kept of a completion with `variables` of the work `wait` after `refusal`. Nothing where
    /// it is no person's work, or nobody else could confirm it.
    pub(crate) fn after(
        refusal: &Refusal,
        wait: &WaitKind,
        actor: &Principal,
        variables: &VariableMap,
    ) -> Option<Self> {
        let WaitKind::Human { assignee, candidate_groups, candidate_users, proposal } = wait else {
            return None;
        };
        if actor.kind != PrincipalKind::Person {
            return None;
        }
        let others = |names: &[String]| names.iter().any(|name| *name != actor.id);
        let is_for_all =
            assignee.is_none() && candidate_groups.is_empty() && candidate_users.is_empty();
        let has_circle = is_for_all || !candidate_groups.is_empty() || others(candidate_users);
        let can_be_confirmed = match refusal.code.verdict() {
            Verdict::Escalate => others(&refusal.approvers),
            Verdict::SecondPerson => others(&refusal.approvers) || has_circle,
            Verdict::Allow | Verdict::Refuse => false,
        };
        if !can_be_confirmed {
            return None;
        }
        let approved = proposal.as_deref().map(|before| before.confirmed(actor, variables));
        Some(Self {
            by: actor.into(),
            policy: refusal.policy.clone(),
            code: refusal.code,
            reason: refusal.reason.clone(),
            approvers: refusal.approvers.clone(),
            variables: variables.clone(),
            approved: approved.unwrap_or_default(),
        })
    }

    /// What `actor` completes the work with who gives `variables`: those who proposed it begin anew.
    pub(crate) fn completed_by(&self, actor: &Principal, variables: VariableMap) -> VariableMap {
        if actor.id == self.by.id {
            return variables;
        }
        let mut merged = self.variables.clone();
        merged.merge(&variables);
        merged
    }

    /// Who satisfied `policy`, if `actor` completing the work with `variables` or somebody before does.
    pub(crate) fn approver_of(
        &self,
        policy: &str,
        actor: &Principal,
        variables: &VariableMap,
    ) -> Option<String> {
        let approvals = self.confirmed(actor, variables);
        approvals.into_iter().find(|approval| approval.policy == policy).map(|it| it.by)
    }

    /// The policies that are satisfied for `variables` when `actor` confirms them. What somebody
    /// confirmed before holds only while nothing is changed.
    fn confirmed(&self, actor: &Principal, variables: &VariableMap) -> Vec<Approval> {
        let mut approvals = Vec::new();
        if *variables == self.variables {
            approvals.clone_from(&self.approved);
        }
        if self.is_for(actor) {
            approvals.push(Approval { policy: self.policy.clone(), by: actor.id.clone() });
        }
        approvals
    }

    fn is_for(&self, actor: &Principal) -> bool {
        actor.kind == PrincipalKind::Person
            && actor.id != self.by.id
            && (self.approvers.is_empty() || is_among(&self.approvers, actor))
    }
}

/// Whether a person is among the approvers: groups and ids.
pub(super) fn is_among(approvers: &[String], actor: &Principal) -> bool {
    let is_named = |name: &String| *name == actor.id || actor.groups.contains(name);
    actor.kind == PrincipalKind::Person && approvers.iter().any(is_named)
}
