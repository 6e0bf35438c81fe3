//! Policies: what a model author attaches to a process or an element (`flowmaster:policy`).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::feel::Program;
use crate::model::{ElementId, Text};

/// A rule, and the actions that it guards.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name shown in refusals and in the runtime record.
    pub id: String,
    /// The guarded actions. Empty means every action but [`Action::Deliver`], and every one that
    /// touches the target where there is one.
    pub on: BTreeSet<Action>,
    /// The part of those actions that it is about; all of them without.
    pub target: Option<Target>,
    /// What must hold.
    pub rule: Rule,
}

impl Policy {
    /// Whether the policy is about actions of this kind.
    pub(crate) fn is_on(&self, action: Action) -> bool {
        self.on.contains(&action)
            || (self.on.is_empty() && (self.target.is_some() || action != Action::Deliver))
    }

    /// Whether every action of this kind is guarded, whatever it touches.
    pub(crate) fn guards_all(&self, action: Action) -> bool {
        self.target.is_none() && self.is_on(action)
    }
}

/// What somebody tries to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Action {
    /// Complete a human task, a job or an agent's work.
    Complete,
    /// Let an agent's tool call through.
    ToolCall,
    /// Change variables from outside.
    SetVariables,
    /// Start an instance.
    Start,
    /// Let an element of an ad-hoc sub-process begin.
    Activate,
    /// Cancel, pause, resume or modify an instance.
    Control,
    /// Deliver a message or signal, or report an error or escalation of some work, with what it
    /// brings. Guarded where a policy names it, or guards a field that it sets.
    Deliver,
}

/// The rules a policy can state.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The actor must not have completed any of `elements` in this instance, nor started it when
    /// `starter` is set. An agent never counts as the second pair of eyes for an agent.
    FourEyes {
        /// The elements whose actors are excluded.
        elements: Vec<ElementId>,
        /// Whether who started the instance is excluded too.
        starter: bool,
    },
    /// The actor must hold a mandate for the action and amount.
    Mandate {
        /// E.g. `finance`.
        domain: String,
        /// E.g. `approve_invoice`.
        action: String,
        /// The amount at stake.
        amount: Option<Program>,
        /// ISO 4217 code, fixed or computed.
        currency: Option<Text>,
        /// Id of the unit of the organisation that the case belongs to, fixed or computed.
        unit: Option<Text>,
    },
    /// FEEL over the variables of the scope, `actor` (id, kind, groups, roles) and `attempt`: the
    /// variables; `tool` and `arguments` of a tool call; `field`, `value`, `before` and `variables`
    /// where the policy guards a field. True allows.
    Condition {
        /// The expression.
        expression: Program,
        /// Told to whoever is refused.
        reason: String,
        /// What happens where it does not hold.
        otherwise: Otherwise,
    },
    /// A DMN decision that sees what a condition sees. True allows, false refuses; or a context with
    /// `outcome` (allow, refuse, escalate, second_person), `reason` and `approvers`.
    Decision {
        /// Id of the decision, in the version that was pinned when the process was published.
        decision: String,
    },
}

/// What happens where a condition does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// It is refused.
    #[default]
    Refuse,
    /// One of these groups or persons has to do it, or confirm it.
    Escalate {
        /// Groups and ids of persons.
        approvers: Vec<String>,
    },
    /// Any other person who may do it has to confirm it.
    SecondPerson,
}
