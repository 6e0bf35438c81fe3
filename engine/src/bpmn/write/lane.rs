//! Writes the lanes of a process.

use super::{bpmn, flowmaster_attribute};
use crate::model::{Lane, Process};
use crate::xml::Element;

/// The lane set, with every lane that the process or one of its nodes names.
pub(super) fn set(process: &Process) -> Element {
    let mut lanes: Vec<Lane> = process.lanes.clone();
    for (_, node) in process.nodes() {
        let Some(name) = &node.lane else { continue };
        if lanes.iter().all(|lane| lane.name != *name) {
            lanes.push(Lane { name: name.clone(), group: None, inside: None });
        }
    }
    let mut set = bpmn("laneSet").with("id", format!("{}-lanes", process.id));
    let known = lanes.clone();
    let is_outer = |lane: &&Lane| {
        lane.inside.as_ref().is_none_or(|around| known.iter().all(|known| known.name != *around))
    };
    for lane in lanes.iter().filter(is_outer) {
        set.push(element(process, &lanes, lane, 0));
    }
    set
}

/// The deepest nesting of lanes; a lane inside itself ends there.
const MAX_DEPTH: usize = 20;

fn element(process: &Process, lanes: &[Lane], lane: &Lane, depth: usize) -> Element {
    let at = lanes.iter().position(|known| known.name == lane.name).unwrap_or_default();
    let id = format!("{}-lane-{}", process.id, at + 1);
    let mut element = bpmn("lane").with("id", &id).with("name", &lane.name);
    if let Some(group) = &lane.group {
        element.attributes.push(flowmaster_attribute("group", group));
    }
    for (_, node) in process.nodes().filter(|(_, node)| node.lane.as_ref() == Some(&lane.name)) {
        element.push(bpmn("flowNodeRef").with_text(&*node.id));
    }
    let mut inner = bpmn("childLaneSet").with("id", format!("{id}-lanes"));
    for lane in lanes.iter().filter(|inner| inner.inside.as_ref() == Some(&lane.name)) {
        if depth < MAX_DEPTH {
            inner.push(self::element(process, lanes, lane, depth + 1));
        }
    }
    super::push_unless_empty(&mut element, inner);
    element
}
