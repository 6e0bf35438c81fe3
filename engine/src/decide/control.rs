//! Control from outside: pause, resume, cancel and incidents.

use crate::element::{catch_event, start_event};
use crate::event::Event;
use crate::incident::Incident;
use crate::instance::{Key, Stage};
use crate::model::{ElementId, NodeKind};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::Wait;

pub(super) fn pause(t: &mut Transition<'_>) {
    if !t.instance.paused {
        let actor = t.env.actor.into();
        t.emit(Event::InstancePaused { actor });
    }
}

pub(super) fn resume(t: &mut Transition<'_>) {
    let actor = t.env.actor.into();
    t.emit(Event::InstanceResumed { actor });
}

pub(super) fn cancel(t: &mut Transition<'_>, reason: Option<String>) {
    t.terminate_inside(Key::PROCESS);
    t.close_waits(Key::PROCESS);
    let actor = t.env.actor.into();
    t.emit(Event::InstanceCancelled { actor, reason });
}

pub(super) fn resolve(
    t: &mut Transition<'_>,
    incidents: &[(Key, Incident)],
    variables: &VariableMap,
) {
    for (key, incident) in incidents {
        // What was tried again before may have ended this one.
        if t.instance.incidents.contains_key(key) {
            resolve_one(t, *key, incident, variables);
        }
    }
}

fn resolve_one(t: &mut Transition<'_>, key: Key, incident: &Incident, variables: &VariableMap) {
    let owner = incident.owner;
    let stage = t.element(owner).map_or(Stage::Active, |element| element.stage);
    let (element, actor) = (ElementId::clone(&incident.element), t.env.actor.into());
    t.emit(Event::IncidentResolved { key, element, actor });
    t.propagate(owner, variables);
    match stage {
        Stage::Activating => {
            t.close_waits(owner);
            t.enter(owner);
        }
        Stage::Completing => t.pass(owner),
        Stage::Active => {
            // The incident of a boundary event leaves the work of its activity alone.
            let about = |w: &Wait| w.owner == owner && w.element == incident.element;
            let work = t.instance.waits().find(|(_, w)| about(w) && w.kind.is_work());
            if let Some((key, wait)) = work {
                let element = ElementId::clone(&wait.element);
                t.emit(Event::WorkRetried { key, element, retries: 1 });
            } else {
                begin_to_wait(t, owner, &incident.element);
            }
        }
    }
}

/// Begins to wait for `event`, another element than `owner` or its start event, if that failed before.
fn begin_to_wait(t: &mut Transition<'_>, owner: Key, event: &ElementId) {
    if let Some((place, node)) = t.place(owner)
        && matches!(node.kind, NodeKind::StartEvent { .. })
    {
        return start_event::await_rest(t, owner, place);
    }
    let is_own = t.place(owner).is_some_and(|(_, node)| node.id == *event);
    let is_open = t.instance.waits().any(|(_, w)| w.owner == owner && w.element == *event);
    if !is_own
        && !is_open
        && let Some(place) = t.process().find(event)
    {
        catch_event::wait_for(t, owner, place);
    }
}
