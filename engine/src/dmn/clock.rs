//! The clock in decisions: `now()` and `today()` (DMN 1.5 §10.3.4.9) give the moment that whoever
//! asks for the decision says, so that a decision is a pure function of what it is given.
//!
//! A call becomes an input of the decision that has it. A function has only its parameters, and a
//! decision service only the inputs that it names: neither may read the clock.

use std::collections::BTreeSet;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use flowmaster_kernel::Timestamp;

use super::{DecisionError, label, requirements};
use crate::feel::{self, FeelError};
use crate::xml::{Element, Node};

/// The inputs that stand for the clock, with their types as the evaluator names them.
const INPUTS: [(&str, &str); 2] = [(feel::NOW, "dateTime"), (feel::TODAY, "date")];

/// Replaces the calls in the decisions of `root` by inputs, and gives the ids of those decisions.
///
/// # Errors
/// A call where there can be no input.
pub(super) fn replace(root: &mut Element) -> Result<BTreeSet<String>, DecisionError> {
    let mut readers = BTreeSet::new();
    for element in root.elements_mut() {
        let is_reader = replace_in(element)
            .map_err(|source| DecisionError::Expression { element: label(element), source })?;
        if !is_reader {
            continue;
        }
        if &*element.name != "decision" {
            return Err(refused(element, "pass the moment in as a parameter"));
        }
        for (name, _) in INPUTS {
            requirements::require_input(element, name);
        }
        readers.insert(element.attribute("id").unwrap_or_default().to_owned());
    }
    if readers.is_empty() {
        return Ok(readers);
    }
    let first = root
        .children
        .iter()
        .position(|it| matches!(it, Node::Element(it) if &*it.name == "decision"));
    let inputs = INPUTS.map(|(name, type_ref)| Node::Element(input(root, name, type_ref)));
    let first = first.unwrap_or_default();
    root.children.splice(first..first, inputs);
    Ok(readers)
}

/// Refuses services of `files` that evaluate a decision which reads the clock; `readers` gives those
/// of each file.
///
/// # Errors
/// Such a service.
pub(super) fn check_services<'a>(
    files: &[Element],
    readers: impl Fn(usize) -> Option<&'a BTreeSet<String>>,
) -> Result<(), DecisionError> {
    for file in files {
        let is_reader = |href: &str| {
            let (base, id) = href.rsplit_once('#').unwrap_or_default();
            let mut places = files.iter().enumerate().filter(|(_, it)| match base {
                "" => std::ptr::eq(*it, file),
                base => it.attribute("namespace") == Some(base),
            });
            places.any(|(place, _)| readers(place).is_some_and(|it| it.contains(id)))
        };
        let evaluates_reader = |part: &Element| {
            ["outputDecision", "encapsulatedDecision"].contains(&&*part.name)
                && part.attribute("href").is_some_and(is_reader)
        };
        for service in file.elements().filter(|it| &*it.name == "decisionService") {
            if service.elements().any(evaluates_reader) {
                return Err(refused(service, "give its decisions the moment as an input"));
            }
        }
    }
    Ok(())
}

/// Replaces the calls in the expressions below `element`, and says whether there were any.
fn replace_in(element: &mut Element) -> Result<bool, FeelError> {
    if &*element.name == "text" {
        let Some(replaced) = feel::without_clock(&element.text())? else { return Ok(false) };
        element.children = vec![Node::Text(replaced)];
        return Ok(true);
    }
    let mut is_changed = false;
    for child in element.elements_mut() {
        is_changed |= replace_in(child)?;
    }
    Ok(is_changed)
}

fn input(root: &Element, name: &str, type_ref: &str) -> Element {
    let made = |kind: &str| Element::new(root.prefix.as_deref(), &root.namespace, kind);
    let mut input = made("inputData").with("id", name).with("name", name);
    input.push(made("variable").with("name", name).with("typeRef", type_ref));
    input
}

fn refused(element: &Element, fix: &'static str) -> DecisionError {
    DecisionError::Refused { element: label(element), what: "now() or today()", fix }
}

/// Whether the input `name` stands for the clock.
pub(super) fn is_input(name: &str) -> bool {
    INPUTS.iter().any(|(input, _)| *input == name)
}

/// Gives the inputs that stand for the clock their values.
pub(super) fn set(inputs: &mut FeelContext, now: Timestamp) {
    for (name, _) in INPUTS {
        if let Some(value) = feel::clock_value(name, now) {
            inputs.set_entry(&Name::from(name), value);
        }
    }
}
