//! Policies in the compact form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::to_process::Reader;
use crate::finding::Finding;
use crate::governance::{Action, Otherwise, Policy, Rule, Target};
use crate::model::Text;

/// A rule that guards actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactPolicy {
    /// Name shown in refusals and in the runtime record; unique on the process and the element.
    pub id: String,
    /// Guarded actions: complete, tool_call, set_variables, start, activate, control, deliver (a
    /// message, signal, error or escalation). When empty, all but deliver; with a tool or a field,
    /// all that touch it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Action>,
    /// Only agents' calls of tools with such a name, e.g. `payment_*`; `*` stands for any letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Only what sets or changes this variable, or field in one, e.g. `invoice.amount`. The rule sees
    /// `attempt.value`, `attempt.before`, `attempt.field` and `attempt.variables`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule.
    pub rule: CompactRule,
}

/// What a policy demands; exactly one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub enum CompactRule {
    /// Somebody who did not do these elements, nor start the instance.
    FourEyes {
        /// Elements whose actors are excluded.
        #[serde(default)]
        with: Vec<String>,
        /// Whether who started the instance is excluded.
        #[serde(default)]
        starter: bool,
    },
    /// A mandate for the action and amount.
    Mandate {
        /// Business domain.
        domain: String,
        /// Action in the domain.
        action: String,
        /// FEEL of the amount.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
        /// ISO 4217 code, or FEEL beginning with `=`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
        /// Id of the unit of the organisation that the case belongs to, e.g. `sales`, or FEEL
        /// beginning with `=`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// A FEEL condition.
    Condition {
        /// The condition: over the variables, `actor` (id, kind, groups, roles) and `attempt` (the
        /// variables; `tool` and `arguments` of a tool call).
        when: String,
        /// Told to whoever is refused.
        reason: String,
        /// What happens where it does not hold. Default: refuse. What a person filled in is otherwise
        /// kept, and another has to confirm it.
        #[serde(default, skip_serializing_if = "CompactOtherwise::is_default")]
        otherwise: CompactOtherwise,
        /// For escalate: groups and ids of persons, one of whom has to confirm it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvers: Vec<String>,
    },
    /// A DMN decision: true or false, or a context with `outcome` (allow, refuse, escalate,
    /// second_person), `reason` and `approvers`. It sees the variables, `actor` and `attempt`.
    Decision {
        /// Id of the decision.
        decision: String,
    },
}

/// What happens where a condition does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CompactOtherwise {
    /// It is refused.
    #[default]
    Refuse,
    /// One of the approvers has to do it, or confirm it.
    Escalate,
    /// Any other person who may do it has to confirm it.
    SecondPerson,
}

impl CompactOtherwise {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Reader {
    pub(super) fn policy(&mut self, id: &str, policy: &CompactPolicy) -> Option<Policy> {
        let target = match (&policy.tool, &policy.field) {
            (None, None) => Ok(None),
            (Some(tool), None) => tool.parse().map(|pattern| Some(Target::Tool(pattern))),
            (None, Some(field)) => field.parse().map(|path| Some(Target::Field(path))),
            (Some(_), Some(_)) => Err("the policy has a tool and a field".to_owned()),
        };
        let target = match target {
            Ok(target) => target,
            Err(why) => {
                self.findings.push(Finding::error(
                    "policy_invalid",
                    id,
                    format!("the policy {}: {why}", policy.id),
                    "write a tool as payment_*, or a field as invoice.amount",
                ));
                return None;
            }
        };
        let rule = match &policy.rule {
            CompactRule::FourEyes { with, starter } => {
                for element in with {
                    self.name(id, element);
                }
                Rule::FourEyes {
                    elements: with.iter().map(|id| id.as_str().into()).collect(),
                    starter: *starter,
                }
            }
            CompactRule::Mandate { domain, action, amount, currency, unit } => Rule::Mandate {
                domain: domain.clone(),
                action: action.clone(),
                amount: amount.as_ref().and_then(|text| self.program(id, text)),
                currency: self.optional_text(id, currency.as_deref()),
                unit: self.optional_text(id, unit.as_deref()),
            },
            CompactRule::Condition { when, reason, otherwise, approvers } => Rule::Condition {
                expression: self.program(id, when)?,
                reason: reason.clone(),
                otherwise: match otherwise {
                    CompactOtherwise::Refuse => Otherwise::Refuse,
                    CompactOtherwise::Escalate => {
                        Otherwise::Escalate { approvers: approvers.clone() }
                    }
                    CompactOtherwise::SecondPerson => Otherwise::SecondPerson,
                },
            },
            CompactRule::Decision { decision } => Rule::Decision { decision: decision.clone() },
        };
        let on = policy.on.iter().copied().collect();
        Some(Policy { id: policy.id.clone(), on, target, rule })
    }
}

impl From<&Policy> for CompactPolicy {
    fn from(policy: &Policy) -> Self {
        let rule = match &policy.rule {
            Rule::FourEyes { elements, starter } => CompactRule::FourEyes {
                with: elements.iter().map(ToString::to_string).collect(),
                starter: *starter,
            },
            Rule::Mandate { domain, action, amount, currency, unit } => CompactRule::Mandate {
                domain: domain.clone(),
                action: action.clone(),
                amount: amount.as_ref().map(|amount| amount.text().to_owned()),
                currency: currency.as_ref().map(written),
                unit: unit.as_ref().map(written),
            },
            Rule::Condition { expression, reason, otherwise } => {
                let (otherwise, approvers) = match otherwise {
                    Otherwise::Refuse => (CompactOtherwise::Refuse, Vec::new()),
                    Otherwise::Escalate { approvers } => {
                        (CompactOtherwise::Escalate, approvers.clone())
                    }
                    Otherwise::SecondPerson => (CompactOtherwise::SecondPerson, Vec::new()),
                };
                let (when, reason) = (expression.text().to_owned(), reason.clone());
                CompactRule::Condition { when, reason, otherwise, approvers }
            }
            Rule::Decision { decision } => CompactRule::Decision { decision: decision.clone() },
        };
        let (tool, field) = match &policy.target {
            None => (None, None),
            Some(Target::Tool(pattern)) => (Some(pattern.to_string()), None),
            Some(Target::Field(path)) => (None, Some(path.to_string())),
        };
        Self { id: policy.id.clone(), on: policy.on.iter().copied().collect(), tool, field, rule }
    }
}

fn written(text: &Text) -> String {
    match text {
        Text::Literal(literal) => literal.clone(),
        Text::Feel(program) => format!("={}", program.text()),
    }
}
