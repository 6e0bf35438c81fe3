//! Reads and writes `flowmaster:policy` elements: a rule that guards actions, on the process or on an
//! element, and where it says so only the calls of some tools or the changes of a field.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::Reader;
use super::extension::words;
use super::names::FLOWMASTER;
use super::write::{flowmaster, source};
use crate::finding::Finding;
use crate::governance::{Action, Otherwise, Policy, Rule, Target};
use crate::xml::Element;

impl Reader<'_> {
    /// The policies among the extension elements of `id`.
    pub(super) fn policies(&mut self, id: &str, extensions: &Element) -> Vec<Policy> {
        extensions
            .named(FLOWMASTER, "policy")
            .filter_map(|policy| self.policy(id, policy))
            .collect()
    }

    fn policy(&mut self, id: &str, policy: &Element) -> Option<Policy> {
        let mut on = BTreeSet::new();
        for word in words(policy.attribute("on")) {
            match serde_json::from_value::<Action>(Value::String(word.clone())) {
                Ok(action) => drop(on.insert(action)),
                Err(_) => {
                    self.bad_policy(id, format!("the policy guards {word:?}, which is no action"));
                }
            }
        }
        let target = match (policy.attribute("tool"), policy.attribute("field")) {
            (None, None) => None,
            (Some(tool), None) => Some(Target::Tool(self.parsed(id, tool)?)),
            (None, Some(field)) => Some(Target::Field(self.parsed(id, field)?)),
            (Some(_), Some(_)) => {
                self.bad_policy(id, "the policy has a tool and a field".to_owned());
                return None;
            }
        };
        let name = policy.attribute("id").map_or_else(|| format!("{id}-policy"), str::to_owned);
        Some(Policy { id: name, on, target, rule: self.rule(id, policy)? })
    }

    fn rule(&mut self, id: &str, policy: &Element) -> Option<Rule> {
        Some(match policy.attribute("type").unwrap_or_default() {
            "four_eyes" => Rule::FourEyes {
                elements: words(policy.attribute("with")).into_iter().map(Into::into).collect(),
                starter: policy.attribute("starter") == Some("true"),
            },
            "mandate" => {
                let amount = policy.attribute("amount");
                Rule::Mandate {
                    domain: policy.attribute("domain").unwrap_or_default().to_owned(),
                    action: policy.attribute("action").unwrap_or_default().to_owned(),
                    amount: amount.and_then(|amount| self.program(id, amount)),
                    currency: policy.attribute("currency").map(|currency| self.text(id, currency)),
                    unit: policy.attribute("unit").map(|unit| self.text(id, unit)),
                }
            }
            "condition" => Rule::Condition {
                expression: self.program(id, policy.attribute("condition").unwrap_or_default())?,
                reason: policy
                    .attribute("reason")
                    .unwrap_or("the condition does not hold")
                    .to_owned(),
                otherwise: self.otherwise(id, policy)?,
            },
            "decision" => match policy.attribute("decision").map(str::trim) {
                Some(decision) if !decision.is_empty() => {
                    Rule::Decision { decision: decision.to_owned() }
                }
                _ => {
                    self.bad_policy(id, "the policy names no decision".to_owned());
                    return None;
                }
            },
            other => {
                self.bad_policy(id, format!("the policy has the unknown type {other:?}"));
                return None;
            }
        })
    }

    fn otherwise(&mut self, id: &str, policy: &Element) -> Option<Otherwise> {
        let approvers = policy.attribute("approvers").unwrap_or_default().split(',').map(str::trim);
        match policy.attribute("otherwise") {
            None | Some("refuse") => Some(Otherwise::Refuse),
            Some("escalate") => Some(Otherwise::Escalate {
                approvers: approvers.filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            }),
            Some("second_person") => Some(Otherwise::SecondPerson),
            Some(other) => {
                self.bad_policy(id, format!("{other:?} is nothing that a policy can do otherwise"));
                None
            }
        }
    }

    fn parsed<T: FromStr<Err = String>>(&mut self, id: &str, text: &str) -> Option<T> {
        text.parse().map_err(|why| self.bad_policy(id, why)).ok()
    }

    fn bad_policy(&mut self, id: &str, what: String) {
        self.findings.push(Finding::error(
            "policy_invalid",
            id,
            what,
            "types: four_eyes, mandate, condition, decision; actions: complete, tool_call, \
             set_variables, start, activate, control, deliver; otherwise: refuse, escalate, \
             second_person; a tool as payment_*, or a field as invoice.amount",
        ));
    }
}

/// The element of `policy`.
pub(super) fn element(policy: &Policy) -> Element {
    let on: Vec<String> = policy
        .on
        .iter()
        .filter_map(|action| serde_json::to_value(action).ok()?.as_str().map(str::to_owned))
        .collect();
    let element = flowmaster("policy")
        .with("id", &policy.id)
        .with_some("on", (!on.is_empty()).then(|| on.join(" ")));
    let element = match &policy.target {
        None => element,
        Some(Target::Tool(pattern)) => with(element, "tool", pattern),
        Some(Target::Field(path)) => with(element, "field", path),
    };
    match &policy.rule {
        Rule::FourEyes { elements, starter } => {
            let with: Vec<&str> = elements.iter().map(|id| &**id).collect();
            element
                .with("type", "four_eyes")
                .with_some("with", (!with.is_empty()).then(|| with.join(" ")))
                .with_some("starter", starter.then_some("true"))
        }
        Rule::Mandate { domain, action, amount, currency, unit } => element
            .with("type", "mandate")
            .with("domain", domain)
            .with("action", action)
            .with_some("amount", amount.as_ref().map(|amount| format!("={}", amount.text())))
            .with_some("currency", currency.as_ref().map(source))
            .with_some("unit", unit.as_ref().map(source)),
        Rule::Condition { expression, reason, otherwise } => {
            let element = element
                .with("type", "condition")
                .with("condition", format!("={}", expression.text()))
                .with("reason", reason);
            match otherwise {
                Otherwise::Refuse => element,
                Otherwise::Escalate { approvers } => {
                    element.with("otherwise", "escalate").with("approvers", approvers.join(", "))
                }
                Otherwise::SecondPerson => element.with("otherwise", "second_person"),
            }
        }
        Rule::Decision { decision } => element.with("type", "decision").with("decision", decision),
    }
}

fn with(element: Element, name: &str, value: &impl Display) -> Element {
    element.with(name, value.to_string())
}
