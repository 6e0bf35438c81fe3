//! Policies: what a model author attaches to a process or an element (`flowmaster:policy`).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feel::Program;
use crate::model::{ElementId, Text};

/// A rule, and the actions that it guards.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name shown in refusals and in the runtime record.
    pub id: String,
    /// The guarded actions. Empty means every action.
    pub on: BTreeSet<Action>,
    /// What must hold.
    pub rule: Rule,
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
    /// FEEL over the variables of the scope, `actor` (id, kind, groups) and `attempt` (variables or
    /// arguments); true allows.
    Condition {
        /// The expression.
        expression: Program,
        /// Told to whoever is refused.
        reason: String,
    },
}
