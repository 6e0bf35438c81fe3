//! Control from outside: pause, resume, cancel, incidents and modification.

use crate::command::Rejected;
use crate::element::{ad_hoc, multi_instance, sub_process};
use crate::event::Event;
use crate::incident::Incident;
use crate::instance::{Instance, Key, Stage};
use crate::model::{ElementId, NodeIx, NodeKind, Process, SubProcess};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::Wait;

/// Where an element is to be activated.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// In a scope that runs.
    In(Key),
    /// In the innermost of these sub-processes, which do not run; the outermost comes first and is
    /// started in the scope.
    Inside(Key, Vec<NodeIx>),
}

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
    key: Key,
    incident: &Incident,
    variables: &VariableMap,
) {
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
            }
        }
    }
}

/// Finds the scope in which `element` is to be activated.
pub(super) fn locate(
    process: &Process,
    instance: &Instance,
    element: ElementId,
    scope: Option<Key>,
) -> Result<(NodeIx, Target), Rejected> {
    let Some(place) = process.find(&element) else { return Err(Rejected::UnknownElement(element)) };
    let node = process.node(place);
    let fixed = matches!(
        node.kind,
        NodeKind::StartEvent { .. }
            | NodeKind::BoundaryEvent { .. }
            | NodeKind::SubProcess(SubProcess::Event)
            | NodeKind::Unsupported { .. }
    );
    if fixed {
        return Err(Rejected::UnknownElement(element));
    }
    if let Some(key) = scope {
        let around = instance.place(process, key).map(|(ix, _)| ix);
        let is_body = instance.element(key).is_some_and(|element| element.repetition.is_some());
        let exists = key.is_process() || around.is_some();
        if !exists || around != node.parent || is_body {
            return Err(Rejected::NotWaiting { what: "scope for the element", key });
        }
        return Ok((place, Target::In(key)));
    }
    let mut missing = Vec::new();
    let mut parent = node.parent;
    while let Some(ix) = parent {
        let around = process.node(ix);
        let mut running = instance
            .elements()
            .filter(|(_, scope)| scope.element == around.id && scope.repetition.is_none());
        match (running.next(), running.next()) {
            (Some((key, _)), None) => {
                missing.reverse();
                return Ok((place, Target::Inside(key, missing)));
            }
            (Some(_), Some(_)) => return Err(Rejected::AmbiguousScope(element)),
            (None, _) if around.repeat.is_some() => {
                return Err(Rejected::UnknownElement(element));
            }
            (None, _) => missing.push(ix),
        }
        parent = around.parent;
    }
    missing.reverse();
    Ok((place, Target::Inside(Key::PROCESS, missing)))
}

pub(super) fn activate(
    t: &mut Transition<'_>,
    place: NodeIx,
    target: &Target,
    variables: &VariableMap,
) {
    let scope = match target {
        Target::In(scope) => *scope,
        Target::Inside(scope, missing) => {
            let mut scope = *scope;
            for ix in missing {
                scope = activate_in(t, scope, *ix);
                if let Err(failure) = sub_process::open_events(t, scope, *ix) {
                    t.raise(scope, Stage::Activating, &failure);
                    return;
                }
                if t.process().node(*ix).ad_hoc().is_some() {
                    ad_hoc::open(t, scope, *ix, Vec::new());
                }
            }
            scope
        }
    };
    let key = activate_in(t, scope, place);
    t.set_variables(key, variables);
    t.enter(key);
}

fn activate_in(t: &mut Transition<'_>, scope: Key, place: NodeIx) -> Key {
    if let Some((wait, _)) = ad_hoc::wait_of(&t.instance, scope) {
        ad_hoc::note(t, wait, &[place]);
    }
    t.activate(scope, place, None, Vec::new())
}

/// Ends an element without going on from it. What held nothing else completes.
pub(super) fn terminate(t: &mut Transition<'_>, key: Key) {
    let body = t.element(key).filter(|element| element.index.is_some()).map(|inner| inner.scope);
    t.terminate(key);
    if let Some(body) = body {
        multi_instance::go_on(t, body);
    }
}
