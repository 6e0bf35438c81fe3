//! Reads collaborations (BPMN 2.0.2 §9): the message flows between the processes of one file.
//!
//! A message flow from an element that throws to one that catches says which message they are
//! about, where they do not say it themselves: both have the name of its message, else that of the
//! flow. Without a correlation key such a message is recognised by the business key.

use std::collections::BTreeMap;

use super::local_name;
use super::names::MODEL;
use crate::finding::Finding;
use crate::xml::Element;

/// What a message flow says about the elements at its ends.
#[derive(Clone, Copy)]
pub(super) struct FlowMessage<'a> {
    /// The message that it, or the element at its other end, refers to.
    pub(super) reference: Option<&'a str>,
    /// Its name, else its id.
    pub(super) name: &'a str,
    /// Whether an element throws and an element of another process catches.
    pub(super) is_between_elements: bool,
}

/// The message flows of a file, by the id of the elements at their ends.
pub(super) struct MessageFlows<'a>(BTreeMap<&'a str, FlowMessage<'a>>);

/// Where an end of a message flow is.
#[derive(Clone, Copy)]
struct End<'a> {
    /// Id of the process; `None` for a participant without one.
    process: Option<&'a str>,
    element: &'a Element,
}

impl<'a> MessageFlows<'a> {
    /// Those of `root`; what is wrong with them is added to `findings`.
    pub(super) fn of(root: &'a Element, findings: &mut Vec<Finding>) -> Self {
        let mut flows = Self(BTreeMap::new());
        let drawn: Vec<&Element> = root
            .named(MODEL, "collaboration")
            .flat_map(|collaboration| collaboration.named(MODEL, "messageFlow"))
            .collect();
        if drawn.is_empty() {
            return flows;
        }
        let ends = ends(root);
        for flow in drawn {
            flows.add(flow, &ends, findings);
        }
        flows
    }

    /// What a message flow says about `element`.
    pub(super) fn message_at(&self, element: &Element) -> Option<FlowMessage<'a>> {
        self.0.get(element.attribute("id")?).copied()
    }

    fn add(
        &mut self,
        flow: &'a Element,
        ends: &BTreeMap<&'a str, End<'a>>,
        findings: &mut Vec<Finding>,
    ) {
        let id = flow.attribute("id").unwrap_or_default();
        let mut end = |name: &str| {
            let reference = flow.attribute(name).unwrap_or_default();
            let found = ends.get(local_name(reference)).copied();
            if found.is_none() {
                findings.push(Finding::error(
                    "dangling_reference",
                    id,
                    format!("its {name} is {reference:?}, which the file does not have"),
                    "connect it to participants or elements of the collaboration",
                ));
            }
            found
        };
        let (Some(source), Some(target)) = (end("sourceRef"), end("targetRef")) else { return };
        if source.process.is_some() && source.process == target.process {
            findings.push(Finding::error(
                "message_flow_inside",
                id,
                "a message flow connects two elements of one process",
                "use a sequence flow; a message flow connects different pools (BPMN 2.0.2 §9.4)",
            ));
            return;
        }
        let mut wrong = |code: &str, end: End<'_>, what: &str| {
            findings.push(Finding::error(
                code,
                id,
                format!("{} cannot {what} a message", end.element.name),
                "connect it to an activity, an event or the pool itself",
            ));
        };
        let sends = can(source.element, &["intermediateThrowEvent", "endEvent"]);
        let receives =
            can(target.element, &["startEvent", "intermediateCatchEvent", "boundaryEvent"]);
        if !sends {
            wrong("message_flow_source", source, "send");
        }
        if !receives {
            wrong("message_flow_target", target, "receive");
        }
        if !sends || !receives {
            return;
        }
        let throws = is_about_messages(source.element, "sendTask");
        let catches = is_about_messages(target.element, "receiveTask");
        let reference = flow
            .attribute("messageRef")
            .or_else(|| message_of(source.element))
            .or_else(|| message_of(target.element));
        let name = flow.attribute("name").filter(|name| !name.trim().is_empty()).unwrap_or(id);
        let message = FlowMessage { reference, name, is_between_elements: throws && catches };
        for (end, is_about_messages) in [(source, throws), (target, catches)] {
            if is_about_messages {
                self.0.extend(end.element.attribute("id").map(|id| (id, message)));
            }
        }
        let is_pool = |end: End<'_>| &*end.element.name == "participant";
        if !is_pool(source) && !is_pool(target) && !message.is_between_elements {
            let (which, does) = match throws {
                true => (target, "wait for"),
                false => (source, "send"),
            };
            findings.push(Finding::info(
                "message_flow_shown",
                id,
                format!("{} does not {does} the message by itself", which.element.name),
                "use a message event, a send or a receive task there, or let a worker publish it",
            ));
        }
    }
}

/// Whether `element` can be the end of a message flow: a participant, an activity, one of `events`.
fn can(element: &Element, events: &[&str]) -> bool {
    let name = &*element.name;
    name == "participant"
        || name.ends_with("Task")
        || name.ends_with("ubProcess")
        || matches!(name, "task" | "transaction" | "callActivity")
        || events.contains(&name)
}

/// Whether `element` is the task `task`, or an event with a message.
fn is_about_messages(element: &Element, task: &str) -> bool {
    element.is(MODEL, task) || element.first(MODEL, "messageEventDefinition").is_some()
}

/// The message that `element` itself refers to.
fn message_of(element: &Element) -> Option<&str> {
    let definition = element.first(MODEL, "messageEventDefinition").unwrap_or(element);
    definition.attribute("messageRef")
}

/// Everything that a message flow may connect, by id.
fn ends(root: &Element) -> BTreeMap<&str, End<'_>> {
    let mut ends = BTreeMap::new();
    let participants = root
        .named(MODEL, "collaboration")
        .flat_map(|collaboration| collaboration.named(MODEL, "participant"));
    for element in participants {
        let process = element.attribute("processRef").map(local_name);
        ends.extend(element.attribute("id").map(|id| (id, End { process, element })));
    }
    for process in root.named(MODEL, "process") {
        collect(process, process.attribute("id"), &mut ends);
    }
    ends
}

fn collect<'a>(
    scope: &'a Element,
    process: Option<&'a str>,
    ends: &mut BTreeMap<&'a str, End<'a>>,
) {
    for element in scope.elements().filter(|element| &*element.namespace == MODEL) {
        ends.extend(element.attribute("id").map(|id| (id, End { process, element })));
        if matches!(&*element.name, "subProcess" | "transaction" | "adHocSubProcess") {
            collect(element, process, ends);
        }
    }
}
