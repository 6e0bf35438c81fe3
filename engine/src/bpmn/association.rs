//! Reads which activity a compensation boundary event is associated with (BPMN 2.0.2 §10.5.5).

use std::collections::{BTreeMap, BTreeSet};

use super::names::MODEL;
use crate::xml::Element;

/// The handlers of compensation boundary events, by the id of the event.
pub(super) struct Handlers<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Handlers<'a> {
    /// Those of a whole file. An association also leads to notes, so both its ends are looked at, and
    /// modelers draw it in either direction.
    pub(super) fn of(file: &'a Element) -> Self {
        let mut parts = Parts::default();
        parts.collect(file);
        let Parts { handlers, associations } = parts;
        let mut known = BTreeMap::new();
        for (source, target) in associations {
            for (event, activity) in [(source, target), (target, source)] {
                if handlers.contains(activity) {
                    known.entry(event).or_insert(activity);
                }
            }
        }
        Self(known)
    }

    /// The handler of `event`, if it is a compensation boundary event that has one.
    pub(super) fn of_event(&self, event: &Element) -> Option<&'a str> {
        let is_compensation = event.is(MODEL, "boundaryEvent")
            && event.first(MODEL, "compensateEventDefinition").is_some();
        self.0.get(event.attribute("id").filter(|_| is_compensation)?).copied()
    }
}

#[derive(Default)]
struct Parts<'a> {
    /// Ids of the activities that are for compensation.
    handlers: BTreeSet<&'a str>,
    /// Source and target of every association.
    associations: Vec<(&'a str, &'a str)>,
}

impl<'a> Parts<'a> {
    fn collect(&mut self, scope: &'a Element) {
        for element in scope.elements() {
            if element.attribute("isForCompensation") == Some("true") {
                self.handlers.extend(element.attribute("id"));
            }
            if element.is(MODEL, "association")
                && let (Some(source), Some(target)) =
                    (element.attribute("sourceRef"), element.attribute("targetRef"))
            {
                self.associations.push((source, target));
            }
            let holds_elements = matches!(
                &*element.name,
                "process" | "collaboration" | "subProcess" | "transaction" | "adHocSubProcess"
            );
            if holds_elements {
                self.collect(element);
            }
        }
    }
}
