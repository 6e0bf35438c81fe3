//! Reads `zeebe:` and `flowmaster:` extension elements.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Reader;
use super::names::{FLOWMASTER, ZEEBE};
use crate::finding::Finding;
use crate::governance::{Action, Policy, Rule};
use crate::model::{Contract, Mapping, NodeDraft, NodeKind, Trigger};
use crate::xml::Element;

impl Reader<'_> {
    /// Adds to a node what its extension elements say.
    pub(super) fn extend(&mut self, draft: &mut NodeDraft, extensions: &Element) {
        let id = draft.node.id.to_string();
        for mapping in extensions.named(ZEEBE, "ioMapping").flat_map(Element::elements) {
            let read = Mapping {
                source: self.text(&id, mapping.attribute("source").unwrap_or_default()),
                target: mapping.attribute("target").unwrap_or_default().to_owned(),
            };
            match &*mapping.name {
                "input" => draft.node.inputs.push(read),
                "output" => draft.node.outputs.push(read),
                _ => {}
            }
        }
        for header in extensions.named(ZEEBE, "taskHeaders").flat_map(Element::elements) {
            if let (Some(key), Some(value)) = (header.attribute("key"), header.attribute("value")) {
                draft.node.headers.insert(key.to_owned(), value.to_owned());
            }
        }
        for property in extensions.named(ZEEBE, "properties").flat_map(Element::elements) {
            if let (Some(name), Some(value)) =
                (property.attribute("name"), property.attribute("value"))
            {
                draft.node.headers.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(caught) = extensions.first(FLOWMASTER, "errorVariables") {
            self.error_variables(draft, caught);
        }
        let section = extensions.first(FLOWMASTER, "criticalSection");
        draft.node.critical_section =
            section.and_then(|it| it.attribute("name")).map(str::to_owned);
        let cancelled = extensions.first(FLOWMASTER, "cancellationSet");
        let cancelled = words(cancelled.and_then(|it| it.attribute("refs")));
        draft.node.cancellation_set = cancelled.into_iter().map(Into::into).collect();
        draft.node.completes_activity = extensions.first(FLOWMASTER, "completesActivity").is_some();
        draft.node.policies = self.policies(&id, extensions);
    }

    fn error_variables(&mut self, draft: &mut NodeDraft, caught: &Element) {
        let (NodeKind::BoundaryEvent { trigger, .. } | NodeKind::StartEvent { trigger, .. }) =
            &mut draft.node.kind
        else {
            return;
        };
        let errors = trigger.parts_mut().iter_mut().filter_map(|part| match part {
            Trigger::Error(error) => Some(error),
            _ => None,
        });
        for error in errors {
            error.code_variable = caught.attribute("code").map(str::to_owned);
            error.message_variable = caught.attribute("message").map(str::to_owned);
        }
    }

    /// `flowmaster:contract` of a process.
    pub(super) fn contract(&mut self, id: &str, extensions: &Element) -> Contract {
        let Some(contract) = extensions.first(FLOWMASTER, "contract") else {
            return Contract::default();
        };
        let mut schema =
            |name: &str| contract.first(FLOWMASTER, name).and_then(|schema| self.json(id, schema));
        Contract {
            input: schema("input"),
            output: schema("output"),
            result: words(contract.attribute("result")),
            tool: contract.attribute("tool").map(str::to_owned),
            tool_description: contract.first(FLOWMASTER, "whenToUse").map(Element::text),
        }
    }

    /// `flowmaster:policy` elements.
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
        let rule = match policy.attribute("type").unwrap_or_default() {
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
            },
            other => {
                self.bad_policy(id, format!("the policy has the unknown type {other:?}"));
                return None;
            }
        };
        let name = policy.attribute("id").map_or_else(|| format!("{id}-policy"), str::to_owned);
        Some(Policy { id: name, on, rule })
    }

    fn bad_policy(&mut self, id: &str, what: String) {
        self.findings.push(Finding::error(
            "policy_invalid",
            id,
            what,
            "types: four_eyes, mandate, condition; actions: complete, tool_call, set_variables, start, activate, control",
        ));
    }

    /// JSON written as the text of an element.
    pub(super) fn json(&mut self, id: &str, element: &Element) -> Option<Value> {
        match serde_json::from_str(&element.text()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.findings.push(Finding::error(
                    "json_invalid",
                    id,
                    format!("the JSON in {} is not readable: {error}", element.name),
                    "write one JSON value as the text of the element",
                ));
                None
            }
        }
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(|letter: char| letter.is_whitespace() || letter == ',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
