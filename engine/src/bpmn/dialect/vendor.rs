//! The attributes and extension elements of another engine at one element, and which of them were
//! translated.

use super::is_vendor;
use crate::bpmn::names::MODEL;
use crate::xml::Element;

/// Settings that name code.
const CODE: [&str; 6] = [
    "class",
    "delegateExpression",
    "expression",
    "variableMappingClass",
    "variableMappingDelegateExpression",
    "skipExpression",
];
/// Extension elements that run code.
const LISTENERS: [&str; 6] =
    ["executionListener", "taskListener", "eventListener", "connector", "script", "mapException"];

/// What another engine says about an element.
pub(super) struct Vendor<'a> {
    /// Prefix, name and value.
    attributes: Vec<(&'a str, &'a str, &'a str)>,
    elements: Vec<&'a Element>,
}

impl<'a> Vendor<'a> {
    pub(super) fn of(element: &'a Element) -> Self {
        let attributes = element.attributes.iter().filter(|it| is_vendor(&it.namespace));
        let extensions = element.first(MODEL, "extensionElements");
        let elements = extensions.into_iter().flat_map(Element::elements);
        Self {
            attributes: attributes
                .map(|it| (it.prefix.as_deref().unwrap_or_default(), &*it.name, it.value.as_str()))
                .collect(),
            elements: elements.filter(|element| is_vendor(&element.namespace)).collect(),
        }
    }

    /// The attribute `name`, which is translated now.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let at = self.attributes.iter().position(|(_, known, _)| *known == name)?;
        Some(self.attributes.remove(at).2)
    }

    /// As [`Self::take`], where its value is what `is_wanted` says.
    pub(super) fn take_if(
        &mut self,
        name: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        let is_it = |(_, known, value): &(_, &str, &str)| *known == name && is_wanted(value);
        let at = self.attributes.iter().position(is_it)?;
        Some(self.attributes.remove(at).2)
    }

    /// The extension elements `name`, which are translated now.
    pub(super) fn take_all(&mut self, name: &str) -> Vec<&'a Element> {
        let (taken, left) = self.elements.iter().partition(|element| &*element.name == name);
        self.elements = left;
        taken
    }

    /// What is left that runs code.
    pub(super) fn code(&self) -> Vec<String> {
        let attributes = self.attributes.iter().filter(|(_, name, _)| CODE.contains(name));
        let attributes =
            attributes.map(|(prefix, name, value)| format!("{prefix}:{name} {value:?}"));
        let elements = self.elements.iter().filter(|element| LISTENERS.contains(&&*element.name));
        attributes.chain(elements.map(|element| name_of(element))).collect()
    }

    /// The names of what is left otherwise.
    pub(super) fn settings(&self) -> Vec<String> {
        let attributes = self.attributes.iter().filter(|(_, name, _)| !CODE.contains(name));
        let attributes = attributes.map(|(prefix, name, _)| format!("{prefix}:{name}"));
        let elements = self.elements.iter().filter(|element| !LISTENERS.contains(&&*element.name));
        attributes.chain(elements.map(|element| name_of(element))).collect()
    }
}

fn name_of(element: &Element) -> String {
    match &element.prefix {
        Some(prefix) => format!("{prefix}:{}", element.name),
        None => element.name.to_string(),
    }
}
