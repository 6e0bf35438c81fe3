//! Modification: elements are activated, terminated and moved in one step.
//!
//! What is started is there before anything ends, so that a scope that loses one token and gets
//! another stays; it begins after everything ended. A scope that is left without any token ends with
//! what was in it and nothing goes on from it, outwards as far as that holds; an instance that is left
//! without any is cancelled. The body of an activity that repeats and an ad-hoc sub-process go on by
//! their own rules: an inner instance that was terminated counts as ended.

mod plan;

use std::collections::{BTreeMap, BTreeSet};

use crate::element::{self, ad_hoc, multi_instance};
use crate::event::{Event, Modified};
use crate::flow;
use crate::instance::{Key, Stage};
use crate::model::{ElementId, FlowIx, NodeIx};
use crate::transition::Transition;

use plan::{Activation, Source, Target};
pub(super) use plan::{Plan, plan};

/// Told as the reason of a cancellation.
const NOTHING_LEFT: &str = "the modification left nothing to go on with";

/// A token that is to arrive at a joining gateway.
struct Arrival {
    scope: Key,
    gateway: NodeIx,
    /// The element that the token is moved from.
    from: Option<NodeIx>,
}

/// Carries out what was planned.
pub(super) fn modify(t: &mut Transition<'_>, plan: Plan) {
    let actor = t.env.actor.into();
    t.emit(Event::InstanceModified(Modified { actor, reason: plan.reason, changes: plan.changes }));
    for (scope, variables) in &plan.variables {
        t.set_variables(*scope, variables);
    }
    let mut made = BTreeMap::new();
    let (mut begun, mut arrivals) = (Vec::new(), Vec::new());
    for Activation { place, target, variables, from } in plan.activations {
        let Some(scope) = scope_of(t, &target, &mut made) else { continue };
        if flow::is_join(t.process().node(place)) {
            arrivals.push(Arrival { scope, gateway: place, from });
        } else {
            let key = activate(t, scope, place);
            t.set_variables(key, &variables);
            begun.push(key);
        }
    }
    let bodies = end(t, plan.ended, &arrivals);
    if t.instance.elements().next().is_none()
        && t.instance.tokens().next().is_none()
        && arrivals.is_empty()
    {
        super::control::cancel(t, Some(NOTHING_LEFT.to_owned()));
        return;
    }
    for arrival in arrivals {
        arrive(t, &arrival);
    }
    for key in begun {
        t.begin(key);
    }
    for body in bodies {
        multi_instance::go_on(t, body);
    }
}

/// The scope at `target`, with the sub-processes that do not run yet; several elements that are
/// started in the same one share it. `None` where one of them cannot begin: its incident stands for
/// what was to be started in it.
fn scope_of(
    t: &mut Transition<'_>,
    target: &Target,
    made: &mut BTreeMap<(Key, NodeIx), Option<Key>>,
) -> Option<Key> {
    let mut scope = target.within;
    for &place in &target.missing {
        let at = (scope, place);
        let known = match made.get(&at) {
            Some(known) => *known,
            None => {
                let key = activate(t, scope, place);
                let begun = element::surround(t, key, place);
                if let Err(failure) = &begun {
                    t.raise(key, Stage::Activating, failure);
                }
                let known = begun.is_ok().then_some(key);
                made.insert(at, known);
                known
            }
        };
        scope = known?;
    }
    Some(scope)
}

/// Makes an instance of an element, which counts as selected in an ad-hoc sub-process.
fn activate(t: &mut Transition<'_>, scope: Key, place: NodeIx) -> Key {
    if let Some((wait, _)) = ad_hoc::wait_of(&t.instance, scope) {
        ad_hoc::note(t, wait, &[place]);
    }
    t.activate(scope, place, None, Vec::new())
}

/// Ends the sources, and the scopes that they leave empty. Gives the bodies of the multi-instance
/// activities that lost an inner instance.
fn end(t: &mut Transition<'_>, sources: Vec<Source>, arrivals: &[Arrival]) -> BTreeSet<Key> {
    let (mut bodies, mut left) = (BTreeSet::new(), Vec::new());
    for source in sources {
        match source {
            Source::Element(key) => {
                // One that was in another that ended is gone already.
                let Some(element) = t.element(key) else { continue };
                let (scope, is_inner) = (element.scope, element.index.is_some());
                t.terminate(key);
                if is_inner {
                    bodies.insert(scope);
                } else {
                    left.push(scope);
                }
            }
            Source::Token { scope, flow } => {
                if t.instance.tokens().any(|token| token.scope == scope && token.flow == flow) {
                    t.emit(Event::TokenDropped { scope, flow });
                    left.push(scope);
                }
            }
        }
    }
    while let Some(scope) = left.pop() {
        let Some(element) = t.element(scope) else { continue };
        let holds = t.instance.elements().any(|(_, inner)| inner.scope == scope)
            || t.instance.tokens().any(|token| token.scope == scope)
            || arrivals.iter().any(|arrival| arrival.scope == scope)
            || ad_hoc::wait_of(&t.instance, scope).is_some();
        if holds {
            continue;
        }
        let (around, is_inner) = (element.scope, element.index.is_some());
        t.terminate(scope);
        if is_inner {
            bodies.insert(around);
        } else {
            left.push(around);
        }
    }
    bodies
}

/// A token arrives at a joining gateway: on the flow from the element that it is moved from, else on
/// the first one on which none waits.
fn arrive(t: &mut Transition<'_>, arrival: &Arrival) {
    let process = t.process();
    let incoming = &process.node(arrival.gateway).incoming;
    let is_empty = |flow: &&FlowIx| {
        let id: &ElementId = &process.flow(**flow).id;
        let mut tokens = t.instance.tokens();
        !tokens.any(|token| token.scope == arrival.scope && token.flow == *id)
    };
    let from_source = |flow: &&FlowIx| Some(process.flow(**flow).source) == arrival.from;
    let chosen = incoming
        .iter()
        .filter(is_empty)
        .find(from_source)
        .or_else(|| incoming.iter().find(is_empty))
        .or_else(|| incoming.first());
    if let Some(&flow) = chosen {
        flow::take(t, arrival.scope, flow);
    }
}
