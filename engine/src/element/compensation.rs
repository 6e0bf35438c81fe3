//! Compensation (BPMN 2.0.2 §10.5.5, §13.5.5): what completed is undone, the latest first.
//!
//! An activity that completes is kept if something can undo it: the handler of its compensation
//! boundary event, its compensation event sub-process, or, without either, what completed inside
//! it. A throw event waits for the handlers, which run one after the other. A handler of a boundary
//! event runs beside its activity and sees the variables that the activity had of its own. A
//! sub-process without such a handler is undone in a scope in its likeness, with its variables as
//! they were.
//!
//! A multi-instance activity is undone for each of its completed instances, unless its handler is
//! multi-instance itself: that one undoes all of them. The activities of a called process are out
//! of reach; only the call as a whole can be undone, by a handler.

use std::collections::BTreeSet;

use super::transaction;
use crate::completed::CompletedActivity;
use crate::event::{
    CompensationEnabled, CompensationEnded, CompensationStarted, CompensationThrown, Event,
};
use crate::incident::{Failure, IncidentKind};
use crate::instance::{Instance, Key};
use crate::model::{
    CompensationTrigger, ElementId, Node, NodeIx, NodeKind, Process, SubProcess, Trigger,
};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::trigger::trigger;
use crate::wait::WaitKind;

/// The most completed activities that an instance keeps to undo them.
const MAX_COMPLETED: usize = 5_000;

/// Keeps what is needed to undo the activity `key`, which is about to complete.
pub(crate) fn keep(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    if !can_be_undone(t, key, node) {
        return Ok(());
    }
    if t.instance.completed().len() >= MAX_COMPLETED {
        let message = format!("more than {MAX_COMPLETED} completed activities are to be undone");
        return Err(Failure::new(IncidentKind::LimitExceeded, message));
    }
    keep_ended(t, key, &node.id, false);
    Ok(())
}

/// Keeps an activity that is ended on its way, if something completed inside it.
pub(crate) fn keep_part(t: &mut Transition<'_>, key: Key) {
    if t.instance.completed().inside(key).next().is_some()
        && let Some((_, node)) = t.place(key)
    {
        keep_ended(t, key, &node.id, true);
    }
}

fn keep_ended(t: &mut Transition<'_>, key: Key, element: &ElementId, partial: bool) {
    let element = ElementId::clone(element);
    t.emit(Event::CompensationEnabled(CompensationEnabled { key, element, partial }));
}

fn can_be_undone(t: &Transition<'_>, key: Key, node: &Node) -> bool {
    let (Some(element), Some((place, _))) = (t.element(key), t.place(key)) else { return false };
    if !node.is_activity() || node.for_compensation || element.compensates.is_some() {
        return false;
    }
    let process = t.process();
    if let Some(handler) = process.compensation_handler(node) {
        let undoes_all = process.node(handler).repeat.is_some() && node.repeat.is_some();
        return undoes_all == element.repetition.is_some();
    }
    match node.kind {
        NodeKind::SubProcess(_) if element.repetition.is_none() => {
            let is_handler = process
                .start_events(Some(place))
                .any(|(_, start)| matches!(start.trigger(), Some(Trigger::Compensation(_))));
            !is_handler
                && (process.compensation_start(place).is_some()
                    || t.instance.completed().inside(key).next().is_some())
        }
        _ => false,
    }
}

/// Whether `key` stands for an activity that completed before and is undone in its likeness: its
/// results, its flows, what guarded it and what could begin in it are used up.
pub(crate) fn is_undone(instance: &Instance, process: &Process, key: Key) -> bool {
    instance.element(key).is_some_and(|element| element.compensates.is_some())
        && instance.place(process, key).is_some_and(|(_, node)| !node.for_compensation)
}

/// Throws a compensation from the event `key`.
pub(crate) fn throw(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    compensation: &CompensationTrigger,
) {
    let scopes = reach(t, key);
    let wanted = |activity: &CompletedActivity| {
        compensation.activity.as_ref().is_none_or(|wanted| *wanted == activity.element)
    };
    if compensation.waits {
        let activities = activities(t, &scopes, wanted);
        undo(t, key, &node.id, activities);
        return;
    }
    for scope in scopes {
        let activities = activities(t, &[scope], wanted);
        if !activities.is_empty() {
            undo(t, scope, &node.id, activities);
        }
    }
    t.pass(key);
}

/// Undoes everything that completed directly inside `scope`; the event `key` waits for it.
pub(crate) fn undo_all(t: &mut Transition<'_>, key: Key, node: &Node, scope: Key) {
    let activities = activities(t, &[scope], |_| true);
    undo(t, key, &node.id, activities);
}

/// The scopes whose activities a throw event reaches: its own, and from an event sub-process those
/// of the activity that it belongs to.
fn reach(t: &Transition<'_>, key: Key) -> Vec<Key> {
    let mut scopes = Vec::new();
    let mut inner = key;
    while let Some(element) = t.element(inner) {
        inner = element.scope;
        scopes.push(inner);
        let is_handler = t
            .place(inner)
            .is_some_and(|(_, node)| matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)));
        if !is_handler {
            break;
        }
    }
    scopes
}

/// The completed activities directly inside `scopes` that nothing undoes yet.
fn activities(
    t: &Transition<'_>,
    scopes: &[Key],
    wanted: impl Fn(&CompletedActivity) -> bool,
) -> Vec<Key> {
    let taken: BTreeSet<Key> = t
        .instance
        .waits()
        .filter_map(|(_, wait)| match &wait.kind {
            WaitKind::Compensation { left } => Some(left),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    let completed = t.instance.completed().iter();
    completed
        .filter(|one| scopes.contains(&one.scope) && wanted(one) && !taken.contains(&one.key))
        .map(|one| one.key)
        .collect()
}

fn undo(t: &mut Transition<'_>, owner: Key, element: &ElementId, activities: Vec<Key>) {
    let (key, element) = (t.next_key(), ElementId::clone(element));
    t.emit(Event::CompensationThrown(CompensationThrown { key, owner, element, activities }));
}

/// Goes on with a compensation whose last handler is over: the next one, or the end. Whether there
/// was one.
pub(crate) fn go_on(t: &mut Transition<'_>) -> bool {
    let idle = t.instance.waits().find_map(|(key, wait)| match &wait.kind {
        WaitKind::Compensation { left } => {
            let runs = t.instance.elements().any(|(_, one)| one.compensates == Some(key));
            (!runs).then(|| (key, wait.owner, ElementId::clone(&wait.element), left.clone()))
        }
        _ => None,
    });
    let Some((thrown, owner, element, left)) = idle else { return false };
    // What lay in a scope that is gone is gone too.
    let next = left.iter().rev().find_map(|key| {
        let activity = t.instance.completed().get(*key)?.clone();
        Some((t.process().find(&activity.element)?, activity))
    });
    match next {
        Some((place, activity)) => start(t, thrown, place, &activity),
        None => {
            t.emit(Event::CompensationEnded(CompensationEnded {
                key: thrown,
                element: ElementId::clone(&element),
            }));
            end(t, owner, &element);
        }
    }
    true
}

fn start(t: &mut Transition<'_>, thrown: Key, place: NodeIx, activity: &CompletedActivity) {
    let process = t.process();
    let handler = process.compensation_handler(process.node(place));
    let by_handler = handler.filter(|_| !activity.partial);
    let key = t.activate(activity.scope, by_handler.unwrap_or(place), None, Vec::new());
    t.emit(Event::CompensationStarted(CompensationStarted {
        key,
        element: ElementId::clone(&activity.element),
        activity: activity.key,
        thrown,
    }));
    if by_handler.is_some() {
        t.begin(key);
        return;
    }
    match process.compensation_start(place).filter(|_| !activity.partial) {
        Some(start) => trigger(t, key, start, &VariableMap::new()),
        None => undo_all(t, key, process.node(place), key),
    }
}

/// Goes on from whoever waited for a compensation, if anybody did.
fn end(t: &mut Transition<'_>, owner: Key, element: &ElementId) {
    let Some((_, node)) = t.place(owner) else { return };
    if node.id != *element {
        return;
    }
    let parts = node.trigger().map(Trigger::parts).unwrap_or_default();
    match parts.iter().any(|part| matches!(part, Trigger::Cancel)) {
        true => transaction::leave(t, owner),
        false => t.pass(owner),
    }
}
