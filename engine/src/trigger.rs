//! What happens when something that was waited for arrives, and who catches errors and escalations
//! (BPMN 2.0.2 §10.5.6, §13.5).

use crate::element::{compensation, multi_instance};
use crate::event::Event;
use crate::incident::{Failure, IncidentKind};
use crate::instance::{InstanceState, Key, Stage};
use crate::model::{ElementId, ErrorTrigger, Node, NodeIx, NodeKind, SubProcess, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;

/// Lets the event `target` happen, for which the element instance `owner` waited.
pub(crate) fn trigger(t: &mut Transition<'_>, owner: Key, target: NodeIx, variables: &VariableMap) {
    let process = t.process();
    let node = process.node(target);
    match &node.kind {
        NodeKind::BoundaryEvent { interrupting, trigger, .. } => {
            let scope = t.element(owner).map_or(Key::PROCESS, |element| element.scope);
            if node.completes_activity {
                multi_instance::complete(t, owner);
            } else if *interrupting || trigger.always_interrupts() {
                t.terminate(owner);
            }
            let key = t.activate(scope, target, None, Vec::new());
            t.arrive(key, variables);
        }
        NodeKind::StartEvent { interrupting, trigger } => {
            // That of a process was waiting for more than what began it.
            let Some(sub_process) = node.parent else { return t.complete(owner, variables) };
            if *interrupting || trigger.always_interrupts() {
                t.terminate_inside(owner);
                t.close_waits_where(owner, |element| starts_event_sub_process(process, element));
                crate::element::ad_hoc::close(t, owner);
            }
            let inside = t.activate(owner, sub_process, None, Vec::new());
            if let Err(failure) = crate::element::sub_process::open_events(t, inside, sub_process) {
                t.raise(inside, Stage::Activating, &failure);
                return;
            }
            let key = t.activate(inside, target, None, Vec::new());
            t.arrive(key, variables);
        }
        _ => match t.place(owner) {
            Some((place, _)) if place == target => t.complete(owner, variables),
            Some((place, _)) => {
                crate::element::event_based_gateway::leave(t, owner, place, target, variables);
            }
            None => {}
        },
    }
}

pub(crate) fn starts_event_sub_process(process: &crate::model::Process, element: &str) -> bool {
    let node = process.find(element).map(|ix| process.node(ix));
    node.is_some_and(|node| matches!(node.kind, NodeKind::StartEvent { .. }))
}

/// What is thrown and looks for somebody to catch it.
#[derive(Clone, Copy, Debug)]
enum Thrown<'a> {
    /// With its code.
    Error(&'a str),
    /// With its code.
    Escalation(&'a str),
}

impl Thrown<'_> {
    /// How well `trigger` catches it: by code is better than in general.
    fn fits(self, trigger: &Trigger) -> Option<bool> {
        let (wanted, code) = match (self, trigger) {
            (Self::Error(code), Trigger::Error(error)) => (error.code.as_ref(), code),
            (Self::Escalation(code), Trigger::Escalation { code: wanted }) => {
                (wanted.as_ref(), code)
            }
            _ => return None,
        };
        match wanted {
            Some(wanted) if wanted == code => Some(true),
            Some(_) => None,
            None => Some(false),
        }
    }
}

/// Throws a BPMN error from `key`.
pub(crate) fn throw_error(
    t: &mut Transition<'_>,
    key: Key,
    code: &str,
    message: Option<&str>,
    mut variables: VariableMap,
) {
    let Some(element) = t.element(key) else { return };
    let element = ElementId::clone(&element.element);
    let catcher = find_catcher(t, key, Thrown::Error(code));
    let process = t.process();
    t.emit(Event::ErrorThrown {
        key,
        element,
        code: code.to_owned(),
        message: message.map(str::to_owned),
        caught_by: catcher.map(|(_, target)| ElementId::clone(&process.node(target).id)),
    });
    match catcher {
        Some((owner, target)) => {
            if let Some(error) = caught_error(process.node(target), code) {
                if let Some(name) = &error.code_variable {
                    variables.set(name, code.into());
                }
                if let Some(name) = &error.message_variable {
                    variables.set(name, message.into());
                }
            }
            if t.place(key).is_some_and(|(_, node)| matches!(node.kind, NodeKind::EndEvent(_))) {
                t.pass(key);
            }
            trigger(t, owner, target, &variables);
        }
        None if t.instance.caller.is_some() => {
            t.terminate_inside(Key::PROCESS);
            t.close_waits(Key::PROCESS);
            let (code, message) = (code.to_owned(), message.map(str::to_owned));
            t.emit(Event::InstanceFailed { code, message, variables });
        }
        None => {
            let detail = message.map(|message| format!(": {message}")).unwrap_or_default();
            let message = format!("nothing catches the error {code:?}{detail}");
            let works = t.instance.waits().any(|(_, w)| w.owner == key && w.kind.is_work());
            let stage = if works { Stage::Active } else { Stage::Activating };
            t.raise(key, stage, &Failure::new(IncidentKind::UnhandledError, message));
        }
    }
}

/// Throws an escalation from `key`, which goes on as `after` says unless it is interrupted.
pub(crate) fn throw_escalation(
    t: &mut Transition<'_>,
    key: Key,
    code: &str,
    variables: &VariableMap,
    after: AfterThrow,
) {
    let Some(element) = t.element(key) else { return };
    let element = ElementId::clone(&element.element);
    let catcher = find_catcher(t, key, Thrown::Escalation(code));
    let process = t.process();
    let unheard = catcher.is_none() && t.instance.caller.is_some();
    t.emit(Event::EscalationThrown {
        key,
        element,
        code: code.to_owned(),
        caught_by: catcher.map(|(_, target)| ElementId::clone(&process.node(target).id)),
        variables: if unheard { variables.clone() } else { VariableMap::new() },
    });
    if after == AfterThrow::Complete {
        t.pass(key);
    }
    if let Some((owner, target)) = catcher
        && t.instance.has_scope(owner)
    {
        trigger(t, owner, target, variables);
    }
}

/// What the thrower of an escalation does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterThrow {
    /// It goes on as before: work that reported it, a called instance.
    Stay,
    /// It is an event, and it is over.
    Complete,
}

/// The nearest event that catches `thrown`: a boundary event of the thrower or of a scope around
/// it, or an event sub-process of such a scope. At the same distance a matching code wins.
fn find_catcher(t: &Transition<'_>, thrower: Key, thrown: Thrown<'_>) -> Option<(Key, NodeIx)> {
    if t.instance.state != InstanceState::Active {
        return None;
    }
    let process = t.process();
    let mut key = thrower;
    while let Some(element) = t.element(key) {
        let (place, node) = t.place(key)?;
        // The boundary events of a multi-instance activity belong to its body.
        if element.index.is_none() && !compensation::is_undone(&t.instance, process, key) {
            let found = best(process, node.boundary.iter().copied(), thrown);
            if let Some(target) = found {
                return Some((key, target));
            }
        }
        let scope = element.scope;
        let is_body = t.element(scope).is_some_and(|scope| scope.repetition.is_some());
        if !is_body && !compensation::is_undone(&t.instance, process, scope) {
            let around = t.place(scope).map(|(ix, _)| ix);
            let starts = process
                .children(around)
                .filter(|(ix, child)| {
                    matches!(child.kind, NodeKind::SubProcess(SubProcess::Event)) && *ix != place
                })
                .flat_map(|(ix, _)| process.start_events(Some(ix)).map(|(ix, _)| ix));
            if let Some(target) = best(process, starts, thrown) {
                return Some((scope, target));
            }
        }
        key = scope;
    }
    None
}

/// The part of the event `node` that catches the error `code`.
fn caught_error<'p>(node: &'p Node, code: &str) -> Option<&'p ErrorTrigger> {
    let parts = node.trigger().map(Trigger::parts).unwrap_or_default();
    let errors = parts.iter().filter_map(|part| match part {
        Trigger::Error(error) => Some((Thrown::Error(code).fits(part)?, error)),
        _ => None,
    });
    errors.max_by_key(|(by_code, _)| *by_code).map(|(_, error)| error)
}

fn best(
    process: &crate::model::Process,
    events: impl Iterator<Item = NodeIx>,
    thrown: Thrown<'_>,
) -> Option<NodeIx> {
    let mut general = None;
    for ix in events {
        let parts = process.node(ix).trigger().map(Trigger::parts).unwrap_or_default();
        match parts.iter().filter_map(|part| thrown.fits(part)).max() {
            Some(true) => return Some(ix),
            Some(false) => general = general.or(Some(ix)),
            None => {}
        }
    }
    general
}
