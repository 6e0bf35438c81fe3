//! Reads data associations (BPMN 2.0.2 §10.4.2) as mappings: data objects, properties, data inputs
//! and data outputs are variables of their names.
//!
//! Only what says from where and to where has an effect: an association with assignments or a
//! transformation, or between a data object and an input or output of the activity. The others are
//! drawn, and data stores are outside.

use std::collections::BTreeMap;

use super::names::MODEL;
use super::{Reader, local_name};
use crate::model::{Mapping, NodeDraft, Text};
use crate::xml::Element;

/// What holds data in a file, by id.
pub(super) struct DataElements<'a>(BTreeMap<&'a str, &'a Element>);

impl<'a> DataElements<'a> {
    pub(super) fn of(root: &'a Element) -> Self {
        let mut found = BTreeMap::new();
        for process in root.named(MODEL, "process") {
            collect(process, &mut found);
        }
        Self(found)
    }

    /// The variable that the data element `reference` is; none where it is not one.
    fn variable(&self, reference: &str) -> Option<String> {
        let element = *self.0.get(local_name(reference))?;
        let object = match &*element.name {
            "dataObjectReference" => self.0.get(local_name(element.attribute("dataObjectRef")?)),
            _ => None,
        };
        // The object names the variable, so that its references are the same one.
        let named = [object.copied(), Some(element)];
        let mut names = named.into_iter().flatten().filter_map(|it| it.attribute("name"));
        let name =
            names.find(|name| is_variable(name)).or(object.unwrap_or(&element).attribute("id"));
        name.map(str::to_owned)
    }
}

fn collect<'a>(scope: &'a Element, found: &mut BTreeMap<&'a str, &'a Element>) {
    for element in scope.elements().filter(|element| &*element.namespace == MODEL) {
        match &*element.name {
            "dataObject" | "dataObjectReference" | "dataInput" | "dataOutput" => {
                found.extend(element.attribute("id").map(|id| (id, element)));
            }
            // What the modelers of bpmn.io write where there is no input to lead to.
            "property" if element.attribute("name") == Some("__targetRef_placeholder") => {}
            "property" => found.extend(element.attribute("id").map(|id| (id, element))),
            "extensionElements" => {}
            _ => collect(element, found),
        }
    }
}

/// Whether FEEL takes `name` for one name without looking at what is known.
fn is_variable(name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    name.chars().all(is_word)
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

impl Reader<'_> {
    /// Adds what the data associations of `element` map; mappings of its own are the last word.
    pub(super) fn data_associations(&mut self, draft: &mut NodeDraft, element: &Element) {
        if draft.node.inputs.is_empty() {
            draft.node.inputs = self.associations(element, "dataInputAssociation");
        }
        if draft.node.outputs.is_empty() {
            draft.node.outputs = self.associations(element, "dataOutputAssociation");
        }
    }

    fn associations(&mut self, element: &Element, kind: &str) -> Vec<Mapping> {
        let mut mappings = Vec::new();
        for association in element.named(MODEL, kind) {
            for assignment in association.named(MODEL, "assignment") {
                let to = assignment.first(MODEL, "to").map(Element::text).unwrap_or_default();
                let to = to.strip_prefix('=').unwrap_or(&to).trim().to_owned();
                let target = self.data.variable(&to).unwrap_or(to);
                if let Some(from) = self.expression(element, assignment, "from")
                    && !target.is_empty()
                {
                    mappings.push(Mapping { source: Text::Feel(from), target });
                }
            }
            if association.first(MODEL, "assignment").is_none() {
                mappings.extend(self.association(element, association));
            }
        }
        mappings
    }

    fn association(&mut self, element: &Element, association: &Element) -> Option<Mapping> {
        let end = |name: &str| association.first(MODEL, name).map(Element::text);
        let target = self.data.variable(&end("targetRef")?)?;
        if association.first(MODEL, "transformation").is_some() {
            let source = self.expression(element, association, "transformation")?;
            return Some(Mapping { source: Text::Feel(source), target });
        }
        let source = self.data.variable(&end("sourceRef")?)?;
        // A variable need not be copied onto itself.
        if source == target {
            return None;
        }
        let id = element.attribute("id").unwrap_or_default();
        Some(Mapping { source: Text::Feel(self.program(id, &source)?), target })
    }

    /// The variable that a multi-instance marker of `element` goes through, or collects into: its
    /// data input or output stands for the data that is associated with it (BPMN 2.0.2 §10.3.8).
    pub(super) fn loop_data(
        &self,
        element: &Element,
        marker: &Element,
        name: &str,
    ) -> Option<String> {
        let reference = marker.first(MODEL, name)?.text();
        let (kind, own, other) = match name {
            "loopDataInputRef" => ("dataInputAssociation", "targetRef", "sourceRef"),
            _ => ("dataOutputAssociation", "sourceRef", "targetRef"),
        };
        let end = |association: &Element, name| Some(association.first(MODEL, name)?.text());
        let mut associated = element.named(MODEL, kind);
        let outside = associated
            .find(|association| end(association, own).as_ref() == Some(&reference))
            .and_then(|association| end(association, other))
            .and_then(|other| self.data.variable(&other));
        outside.or_else(|| self.data.variable(&reference))
    }
}
