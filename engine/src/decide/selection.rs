//! Selecting what begins in an ad-hoc sub-process (BPMN 2.0.2 §13.3.5).

use crate::command::Rejected;
use crate::element::ad_hoc::{enabled, running};
use crate::instance::Instance;
use crate::model::{ElementId, NodeIx, Process};
use crate::wait::Wait;

/// The most elements that one command activates.
const MAX_SELECTED: usize = 100;

/// Finds the `elements` to activate in the sub-process that has `wait`.
pub(super) fn find(
    process: &Process,
    instance: &Instance,
    wait: &Wait,
    elements: &[ElementId],
) -> Result<Vec<NodeIx>, Rejected> {
    if elements.is_empty() {
        return Err(Rejected::NotSelectable("nothing is named that is to begin".to_owned()));
    }
    if elements.len() > MAX_SELECTED {
        return Err(Rejected::TooLarge { what: "the list of elements", limit: MAX_SELECTED });
    }
    let around = instance.place(process, wait.owner).and_then(|(_, node)| node.ad_hoc());
    if around.is_some_and(|ad_hoc| ad_hoc.sequential) {
        let other = running(instance, process, wait.owner).or_else(|| elements.get(1).cloned());
        if let Some(other) = other {
            return Err(Rejected::NotSelectable(format!(
                "{:?} does one activity at a time, and {other:?} has to be over first",
                wait.element
            )));
        }
    }
    let enabled = enabled(instance, process, wait.owner);
    let place = |id: &ElementId| {
        let found = enabled.iter().find(|ix| process.node(**ix).id == *id);
        found.copied().ok_or_else(|| {
            let ids: Vec<&str> = enabled.iter().map(|ix| &*process.node(*ix).id).collect();
            Rejected::NotSelectable(format!(
                "{id:?} cannot begin in {:?} now; what can: {}",
                wait.element,
                ids.join(", ")
            ))
        })
    };
    elements.iter().map(place).collect()
}
