//! What the policies said about an attempt, with what they looked at. It is no event: the runtime
//! record is made of it, in the commit of the step.

use super::step::{Consulted, Refusal, RefusalCode};
use super::target::Target;
use super::{Action, Policy, Rule};
use crate::instance::Key;
use crate::model::ElementId;
use crate::scope::VariableMap;

/// What the rules make of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It happens.
    Allow,
    /// It does not happen.
    Refuse,
    /// Somebody with more authority has to do it, or confirm it.
    Escalate,
    /// Another person has to do it, or confirm it.
    SecondPerson,
}

impl Verdict {
    /// The name in stored and sent data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
            Self::Escalate => "escalate",
            Self::SecondPerson => "second_person",
        }
    }
}

impl RefusalCode {
    /// What follows from a refusal for this reason.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::FourEyes | Self::SegregationOfDuties => Verdict::SecondPerson,
            Self::Escalate => Verdict::Escalate,
            Self::MandateDenied
            | Self::ConditionFailed
            | Self::DecisionRefused
            | Self::PolicyFailed => Verdict::Refuse,
        }
    }
}

/// An attempt, and what each policy that was asked said. The first that does not allow it is the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing {
    /// What was tried.
    pub action: Action,
    /// The element, if not the process as a whole.
    pub element: Option<ElementId>,
    /// The tool, for a tool call.
    pub tool: Option<String>,
    /// The scope whose variables the policies saw, as they were before the command.
    pub scope: Key,
    /// The variables or arguments of the attempt.
    pub attempted: VariableMap,
    /// What the policies said, in order; at least one did.
    pub opinions: Vec<Opinion>,
}

impl Hearing {
    /// Why the attempt was not let through.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.opinions.last()?.refusal.as_deref()
    }

    /// What the rules make of the attempt.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.refusal().map_or(Verdict::Allow, |refusal| refusal.code.verdict())
    }
}

/// What one policy said.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// The policy, and by what it allowed the attempt if it did.
    pub consulted: Consulted,
    /// The kind of its rule: `four_eyes`, `mandate`, `condition` or `decision`.
    pub rule: &'static str,
    /// The decision that it asked.
    pub decision: Option<String>,
    /// The field that it guards.
    pub field: Option<String>,
    /// The variables that the rule read. What it read of the actor and the attempt is not among them.
    pub read: VariableMap,
    /// Why it did not allow the attempt.
    pub refusal: Option<Box<Refusal>>,
    /// What it would let through, in words, where it did not allow the attempt.
    pub would_allow: Option<String>,
}

impl Opinion {
    /// An opinion of `policy` that allows.
    pub(super) fn of(policy: &Policy) -> Self {
        let consulted = Consulted {
            policy: policy.id.clone(),
            mandate: None,
            delegation: None,
            substitute_for: None,
            approved_by: None,
        };
        let (rule, decision) = match &policy.rule {
            Rule::FourEyes { .. } => ("four_eyes", None),
            Rule::Mandate { .. } => ("mandate", None),
            Rule::Condition { .. } => ("condition", None),
            Rule::Decision { decision } => ("decision", Some(decision.clone())),
        };
        let field = match &policy.target {
            Some(Target::Field(path)) => Some(path.to_string()),
            Some(Target::Tool(_)) | None => None,
        };
        let read = VariableMap::new();
        Self { consulted, rule, decision, field, read, refusal: None, would_allow: None }
    }

    /// What this policy makes of the attempt.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.refusal.as_ref().map_or(Verdict::Allow, |refusal| refusal.code.verdict())
    }
}
