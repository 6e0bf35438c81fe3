//! Names of types: those of the language (DMN 1.5 §10.3.2.3), those of DMN 1.1 with a prefix, and
//! those of Java that some modellers write. In what is evaluated they become the names that the
//! evaluator knows, which has the names of XML Schema for dates and durations; the file stays as it
//! is.

use std::collections::BTreeSet;

use crate::xml::{Element, Node};

/// Puts the names of the evaluator where others stand for them, and says whether there were any.
pub(super) fn settle(root: &mut Element) -> bool {
    let items = root.elements().filter(|it| &*it.name == "itemDefinition");
    let own: BTreeSet<String> =
        items.filter_map(|it| it.attribute("name").map(str::to_owned)).collect();
    replace(root, &mut |name| meant(name, &own))
}

/// Puts other names of types below `element` where `other` gives some, and says whether it did.
pub(super) fn replace(
    element: &mut Element,
    other: &mut dyn FnMut(&str) -> Option<String>,
) -> bool {
    let mut is_changed = false;
    for attribute in element.attributes.iter_mut().filter(|it| &*it.name == "typeRef") {
        if let Some(name) = other(&attribute.value) {
            attribute.value = name;
            is_changed = true;
        }
    }
    if &*element.name == "typeRef"
        && let Some(name) = other(&element.text())
    {
        element.children = vec![Node::Text(name)];
        return true;
    }
    for child in element.elements_mut() {
        is_changed |= replace(child, other);
    }
    is_changed
}

/// The types of the language, as the evaluator names them.
pub(super) const OF_LANGUAGE: [&str; 9] = [
    "number",
    "string",
    "boolean",
    "date",
    "time",
    "dateTime",
    "dayTimeDuration",
    "yearMonthDuration",
    "Any",
];

/// Whether `name` is a type of the language, by any of its names.
pub(super) fn is_of_language(name: &str) -> bool {
    let own = BTreeSet::new();
    OF_LANGUAGE.contains(&meant(name, &own).as_deref().unwrap_or(name))
}

/// The name that the evaluator has for `name`, if it is another one.
fn meant(name: &str, own: &BTreeSet<String>) -> Option<String> {
    if own.contains(name) {
        return None;
    }
    let meant = match name.strip_prefix("feel:").unwrap_or(name) {
        "date and time" => "dateTime",
        "days and time duration" => "dayTimeDuration",
        "years and months duration" => "yearMonthDuration",
        "integer" | "long" | "double" => "number",
        "any" => "Any",
        other => other,
    };
    (meant != name).then(|| meant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_the_evaluator_unless_the_model_has_such_a_type() {
        for (model, expected) in [
            ("<d><i typeRef='date and time'/></d>", "<d><i typeRef='dateTime'/></d>"),
            ("<d><i typeRef='feel:string'/></d>", "<d><i typeRef='string'/></d>"),
            (
                "<d><c><typeRef>days and time duration</typeRef></c></d>",
                "<d><c><typeRef>dayTimeDuration</typeRef></c></d>",
            ),
            (
                "<d><itemDefinition name='long'/><i typeRef='long'/><i typeRef='integer'/></d>",
                "<d><itemDefinition name='long'/><i typeRef='long'/><i typeRef='number'/></d>",
            ),
        ] {
            let [mut root, expected] =
                [model, expected].map(|xml| Element::parse(xml.as_bytes()).unwrap());
            assert!(settle(&mut root), "{model}");
            assert_eq!(root, expected);
            assert!(!settle(&mut root), "{model}");
        }
    }
}
