//! Selecting what begins in an ad-hoc sub-process (BPMN 2.0.2 §13.3.5).

use crate::command::{Activation, Rejected};
use crate::element::ad_hoc::{enabled, running, wait_of};
use crate::instance::Instance;
use crate::model::{ElementId, NodeIx, Process};
use crate::scope::VariableMap;
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

/// Finds what the performer of an ad-hoc sub-process, whose work is `work`, lets begin.
pub(super) fn chosen(
    process: &Process,
    instance: &Instance,
    work: &Wait,
    activate: Vec<Activation>,
) -> Result<Vec<(NodeIx, VariableMap)>, Rejected> {
    let Some((_, wait)) = wait_of(instance, work.owner) else {
        let element = &work.element;
        let what = format!("{element:?} is no ad-hoc sub-process: nothing can be activated in it");
        return Err(Rejected::NotSelectable(what));
    };
    let (elements, variables): (Vec<_>, Vec<_>) =
        activate.into_iter().map(|it| (it.element, it.variables)).unzip();
    Ok(find(process, instance, wait, &elements)?.into_iter().zip(variables).collect())
}
