//! Ad-hoc sub-processes (BPMN 2.0.2 §10.3.5, §13.3.5): whoever performs them selects what is executed.
//!
//! What nothing leads to is enabled; it may be activated again and again, in parallel or, where the
//! ordering is sequential, one activity at a time. `zeebe:adHoc activeElementsCollection` names what
//! begins by itself. Sequence flows lead on as everywhere, except that in a sequential one an activity
//! at the end of a flow is enabled by the token and begins when it is selected; where a collection was
//! given, nobody else selects, and it begins in its turn.
//!
//! The completion condition is looked at whenever an activity inside completes. Once it holds nothing
//! more begins: what runs is cancelled or, where `cancelRemainingInstances` is false, comes to its end.
//! Without a condition the sub-process completes when something was activated and all of it is over, as
//! in Camunda 8, unless it has a [`performer`](super::performer), who says so. The open wait for
//! activation is the sign that something can still begin.

use std::collections::BTreeSet;

use serde_json::Value;

use super::multi_instance::MAX_ITEMS;
use super::{performer, sub_process};
use crate::event::{ActivationWait, Activities, Event};
use crate::incident::{Failure, IncidentKind};
use crate::instance::{Instance, Key, Stage};
use crate::model::{AdHoc, AdHocOutput, ElementId, Node, NodeIx, NodeKind, Process, SubProcess};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::{Wait, WaitKind};

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    place: NodeIx,
    ad_hoc: &AdHoc,
) -> Result<(), Failure> {
    let mut chosen = collected(t, key, place, ad_hoc)?;
    sub_process::open_events(t, key, place)?;
    if let Some(output) = &ad_hoc.output {
        t.set_variables(key, &VariableMap::one(&output.collection, Value::Array(Vec::new())));
    }
    let mut later =
        if ad_hoc.sequential { chosen.split_off(chosen.len().min(1)) } else { Vec::new() };
    // What begins is taken from the head of the queue, where it may come a second time.
    if later.first() == chosen.first() {
        later.splice(0..0, chosen.first().copied());
    }
    let process = t.process();
    let queue = later.iter().map(|ix| ElementId::clone(&process.node(*ix).id)).collect();
    let wait = open(t, key, place, queue);
    begin(t, wait, key, &chosen, &VariableMap::new());
    Ok(())
}

/// What the collection of active elements names.
fn collected(
    t: &Transition<'_>,
    key: Key,
    place: NodeIx,
    ad_hoc: &AdHoc,
) -> Result<Vec<NodeIx>, Failure> {
    let Some(collection) = &ad_hoc.active_elements else { return Ok(Vec::new()) };
    let process = t.process();
    let enabled: BTreeSet<NodeIx> = process.unled(place).map(|(ix, _)| ix).collect();
    let found = |id: &Value| {
        let named = id.as_str().and_then(|id| process.find(id));
        named.filter(|named| enabled.contains(named)).ok_or_else(|| {
            let message = format!(
                "{id} cannot be activated: name elements directly in it that no flow leads to"
            );
            Failure::new(IncidentKind::ExpressionFailed, message)
        })
    };
    match collection.evaluate(&t.view(key), t.now())? {
        Value::Array(ids) if ids.len() > MAX_ITEMS => {
            let message = format!("{} elements are more than {MAX_ITEMS}", ids.len());
            Err(Failure::new(IncidentKind::LimitExceeded, message))
        }
        Value::Array(ids) => ids.iter().map(found).collect(),
        other => Err(collection.wrong_type("a list of element ids", &other).into()),
    }
}

/// Begins to wait for somebody to activate what is in the sub-process `owner` at `place`.
pub(crate) fn open(
    t: &mut Transition<'_>,
    owner: Key,
    place: NodeIx,
    queue: Vec<ElementId>,
) -> Key {
    let node = t.process().node(place);
    if node.ad_hoc().is_some_and(|ad_hoc| ad_hoc.performer.is_some()) {
        performer::tell(t, owner, place);
    }
    let (key, element) = (t.next_key(), ElementId::clone(&node.id));
    t.emit(Event::ActivationOpened(ActivationWait { key, owner, element, queue }));
    key
}

/// Activates the elements at `places` in the sub-process `owner`.
pub(crate) fn begin(
    t: &mut Transition<'_>,
    wait: Key,
    owner: Key,
    places: &[NodeIx],
    variables: &VariableMap,
) {
    note(t, wait, places);
    for place in places {
        let joined = token_at(&t.instance, t.process(), owner, *place).into_iter().collect();
        let key = t.activate(owner, *place, None, joined);
        t.set_variables(key, variables);
        t.begin(key);
    }
}

/// Records that the elements at `places` are activated.
pub(crate) fn note(t: &mut Transition<'_>, key: Key, places: &[NodeIx]) {
    let Some(wait) = t.instance.wait(key).filter(|_| !places.is_empty()) else { return };
    let element = ElementId::clone(&wait.element);
    let process = t.process();
    let selected = places.iter().map(|ix| ElementId::clone(&process.node(*ix).id)).collect();
    t.emit(Event::ActivitiesActivated(Activities { key, element, selected }));
}

/// The wait for activation of the sub-process `owner`; none once nothing more can begin in it.
pub(crate) fn wait_of(instance: &Instance, owner: Key) -> Option<(Key, &Wait)> {
    let is_its =
        |wait: &Wait| wait.owner == owner && matches!(wait.kind, WaitKind::Activation { .. });
    instance.waits().find(|(_, wait)| is_its(wait))
}

/// Lets nothing more begin in `owner`, if it is an ad-hoc sub-process.
pub(crate) fn close(t: &mut Transition<'_>, owner: Key) {
    if let Some((wait, _)) = wait_of(&t.instance, owner) {
        t.close(wait);
        performer::dismiss(t, owner);
    }
}

/// Whether a token that comes to `target` waits until it is selected.
pub(crate) fn is_selected(t: &Transition<'_>, scope: Key, target: &Node) -> bool {
    // The scope is looked up for activities alone: every token on its way comes by here.
    let around = || t.place(scope).and_then(|(_, node)| node.ad_hoc());
    target.is_activity() && around().is_some_and(|ad_hoc| ad_hoc.sequential)
}

/// The flow on whose end a token waits for the activity at `place` to be selected.
fn token_at(
    instance: &Instance,
    process: &Process,
    owner: Key,
    place: NodeIx,
) -> Option<ElementId> {
    let incoming = &process.node(place).incoming;
    let leads_there = |id: &ElementId| incoming.iter().any(|flow| process.flow(*flow).id == *id);
    let mut tokens = instance.tokens().filter(|token| token.scope == owner);
    tokens.find(|token| leads_there(&token.flow)).map(|token| ElementId::clone(&token.flow))
}

/// What can be activated in the sub-process `owner`, in file order.
pub(crate) fn enabled(instance: &Instance, process: &Process, owner: Key) -> Vec<NodeIx> {
    let Some((place, node)) = instance.place(process, owner) else { return Vec::new() };
    let mut found: Vec<NodeIx> = process.unled(place).map(|(ix, _)| ix).collect();
    if node.ad_hoc().is_some_and(|ad_hoc| ad_hoc.sequential) {
        let waiting = process.children(Some(place)).filter(|(ix, child)| {
            child.is_activity() && token_at(instance, process, owner, *ix).is_some()
        });
        found.extend(waiting.map(|(ix, _)| ix));
        found.sort_unstable();
    }
    found
}

/// What can be activated in the ad-hoc sub-process that has `wait`, in file order.
#[must_use]
pub fn selectable(instance: &Instance, process: &Process, wait: &Wait) -> Vec<ElementId> {
    let around = instance.place(process, wait.owner).and_then(|(_, node)| node.ad_hoc());
    let one_at_a_time = around.is_some_and(|ad_hoc| ad_hoc.sequential);
    if one_at_a_time && running(instance, process, wait.owner).is_some() {
        return Vec::new();
    }
    let ids = enabled(instance, process, wait.owner).into_iter();
    ids.map(|ix| ElementId::clone(&process.node(ix).id)).collect()
}

/// The activity that runs in the sub-process `owner`, the oldest of several. What undoes another is
/// none of those that are selected.
pub(crate) fn running(instance: &Instance, process: &Process, owner: Key) -> Option<ElementId> {
    let inside = instance
        .elements()
        .filter(|(_, element)| element.scope == owner && element.compensates.is_none());
    let mut ids = inside.map(|(_, element)| &element.element);
    let is_one = |id: &&ElementId| process.find(id).is_some_and(|ix| counts(process.node(ix)));
    ids.find(is_one).map(ElementId::clone)
}

/// Whether `node` is performed because it was selected: an activity that no event starts.
fn counts(node: &Node) -> bool {
    node.is_activity() && !matches!(node.kind, NodeKind::SubProcess(SubProcess::Event))
}

/// What the completion of an element means for the ad-hoc sub-process around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on, or there is none.
    GoesOn,
    /// Nothing more begins in it.
    Closed,
    /// Its completion condition holds now.
    Fulfilled,
}

/// What the completion of `node` means, if `scope` is an ad-hoc sub-process.
pub(crate) fn outcome(t: &Transition<'_>, scope: Key, node: &Node) -> Result<Outcome, Failure> {
    let Some(ad_hoc) = t.place(scope).and_then(|(_, around)| around.ad_hoc()) else {
        return Ok(Outcome::GoesOn);
    };
    if wait_of(&t.instance, scope).is_none() {
        return Ok(Outcome::Closed);
    }
    let fulfilled = match &ad_hoc.completion_condition {
        Some(condition) if counts(node) => condition.test(&t.view(scope), t.now())?,
        _ => false,
    };
    Ok(if fulfilled { Outcome::Fulfilled } else { Outcome::GoesOn })
}

/// Keeps the result of the path that ends with the element `key` and gave `given`, if `scope` is an
/// ad-hoc sub-process that collects results or has a performer.
pub(crate) fn collect(
    t: &mut Transition<'_>,
    key: Key,
    scope: Key,
    node: &Node,
    given: &VariableMap,
) -> Result<(), Failure> {
    let Some(ad_hoc) = t.place(scope).and_then(|(_, around)| around.ad_hoc()) else {
        return Ok(());
    };
    let is_handler = matches!(node.kind, NodeKind::SubProcess(SubProcess::Event));
    if is_handler || t.process().link_target(node).is_some() {
        return Ok(());
    }
    if ad_hoc.performer.is_some() {
        performer::keep(t, key, scope, node, given)?;
    }
    let Some(output) = &ad_hoc.output else { return Ok(()) };
    let result = output.element.evaluate(&t.view(key), t.now())?;
    let mut results = results(t, scope, output);
    results.push(result);
    let made = VariableMap::one(&output.collection, Value::Array(results));
    t.charge(&made)?;
    t.set_variables(scope, &made);
    Ok(())
}

/// Gives the results of the sub-process `key`, if it collected some, to the scope around it.
pub(crate) fn publish(t: &mut Transition<'_>, key: Key, node: &Node) {
    let Some(output) = node.ad_hoc().and_then(|ad_hoc| ad_hoc.output.as_ref()) else { return };
    let Some(scope) = t.element(key).map(|element| element.scope) else { return };
    let results = Value::Array(results(t, key, output));
    t.propagate(scope, &VariableMap::one(&output.collection, results));
}

fn results(t: &Transition<'_>, owner: Key, output: &AdHocOutput) -> Vec<Value> {
    let own = t.element(owner).and_then(|element| element.variables.get(&output.collection));
    own.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Ends the sub-process `owner`, whose completion condition holds, or lets it come to its end.
pub(crate) fn fulfil(t: &mut Transition<'_>, owner: Key) {
    let Some(ad_hoc) = t.place(owner).and_then(|(_, node)| node.ad_hoc()) else { return };
    if ad_hoc.sequential || ad_hoc.cancel_remaining {
        t.terminate_inside(owner);
        t.pass(owner);
        return;
    }
    close(t, owner);
    t.take_back_tokens(owner);
    let process = t.process();
    let inside = t.instance.elements().filter(|(_, element)| element.scope == owner);
    let over = inside.filter(|(_, element)| {
        process.find(&element.element).is_none_or(|ix| !process.node(ix).is_activity())
    });
    let over: Vec<Key> = over.map(|(key, _)| key).collect();
    for key in over {
        t.terminate(key);
    }
}

/// Lets the next activity of a sequential sub-process begin that nobody has to select. Whether there
/// was one.
pub(crate) fn settle(t: &mut Transition<'_>) -> bool {
    let next = t.instance.waits().find_map(|(key, wait)| Some((key, wait.owner, next(t, wait)?)));
    let Some((wait, owner, place)) = next else { return false };
    begin(t, wait, owner, &[place], &VariableMap::new());
    true
}

fn next(t: &Transition<'_>, wait: &Wait) -> Option<NodeIx> {
    let WaitKind::Activation { queue, .. } = &wait.kind else { return None };
    let process = t.process();
    let (place, node) = t.place(wait.owner)?;
    let is_given = node.ad_hoc()?.sequential && node.ad_hoc()?.active_elements.is_some();
    if !is_given
        || t.element(wait.owner)?.stage != Stage::Active
        || running(&t.instance, process, wait.owner).is_some()
    {
        return None;
    }
    let queued = queue.first().and_then(|id| process.find(id));
    queued.or_else(|| {
        let mut children = process.children(Some(place));
        children
            .find(|(ix, child)| {
                child.is_activity() && token_at(&t.instance, process, wait.owner, *ix).is_some()
            })
            .map(|(ix, _)| ix)
    })
}

/// Whether the sub-process `key`, which holds nothing, is over.
pub(crate) fn is_over(instance: &Instance, key: Key, ad_hoc: &AdHoc) -> bool {
    match wait_of(instance, key).map(|(_, wait)| &wait.kind) {
        Some(WaitKind::Activation { started, .. }) => {
            *started && ad_hoc.completion_condition.is_none() && ad_hoc.performer.is_none()
        }
        _ => true,
    }
}
