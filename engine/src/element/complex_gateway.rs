//! Complex gateways (BPMN 2.0.2 §10.6.5, §13.4.5): a condition says which tokens are enough.
//!
//! A gateway that waits for its start looks at its activation condition whenever a token arrives, and
//! again when nothing else can happen, because data may have changed. Once it holds, one token is
//! taken from each flow that has one. If other flows had none, the gateway waits to be reset: until
//! each of them brought a token or none can come any more, by the rule of the inclusive gateway. The
//! reset takes those tokens. Tokens on the other flows wait for the next turn.
//!
//! The conditions see variables of the gateway: `activationCount`, the tokens on its incoming flows;
//! `activatedFlows`, how many of these flows have one, which is ours; and `waitingForStart`, false at a
//! reset. A reset sends tokens only along flows whose condition holds, else along the default flow; a
//! flow without a condition is for the start alone. A reset that no token came for sends none.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::event::{Event, GatewayTokens};
use crate::flow;
use crate::incident::Failure;
use crate::instance::{AwaitedReset, Key};
use crate::model::{ElementId, FlowIx, Node, NodeIx, NodeKind, Process};
use crate::scope::{Overlay, VariableMap};
use crate::transition::Transition;

const ACTIVATION_COUNT: &str = "activationCount";
const ACTIVATED_FLOWS: &str = "activatedFlows";
const WAITING_FOR_START: &str = "waitingForStart";

/// Passes the gateway `key`; one that a modification activates has not been given its variables.
pub(crate) fn enter(t: &mut Transition<'_>, key: Key) {
    if t.element(key).is_some_and(|element| !element.variables.contains(WAITING_FOR_START)) {
        t.set_variables(key, &attributes([0, 0], true));
    }
    t.pass(key);
}

/// Whether the gateway `key` is on its way because of a reset.
pub(crate) fn is_reset(t: &Transition<'_>, key: Key) -> bool {
    let own = t.element(key).and_then(|element| element.variables.get(WAITING_FOR_START));
    own == Some(&Value::Bool(false))
}

/// Lets one gateway go on, if there is one that can without another token. Whether there was.
pub(crate) fn settle(t: &mut Transition<'_>) -> bool {
    let process = t.process();
    let tokens = t.instance.tokens();
    let waiting: BTreeSet<(Key, NodeIx)> = tokens
        .filter_map(|token| Some((token.scope, flow::target_of(process, &token.flow)?)))
        .filter(|(_, place)| is_complex(process.node(*place)))
        .collect();
    if waiting.into_iter().any(|(scope, place)| activate(t, scope, place)) {
        return true;
    }
    let ready = t.instance.resets().find_map(|reset| Some((reset.scope, is_due(t, reset)?)));
    let Some((scope, (place, late))) = ready else { return false };
    reset(t, scope, place, &late);
    true
}

fn is_complex(node: &Node) -> bool {
    matches!(node.kind, NodeKind::ComplexGateway { .. })
}

/// Activates the gateway if it waits for its start and has enough tokens. Whether it did.
pub(crate) fn activate(t: &mut Transition<'_>, scope: Key, place: NodeIx) -> bool {
    let process = t.process();
    let node = process.node(place);
    let NodeKind::ComplexGateway { activation } = &node.kind else { return false };
    if is_held(t, scope, node) {
        return false;
    }
    let (filled, empty) = arrivals(t, scope, node);
    if filled.is_empty() {
        return false;
    }
    let attributes = attributes([count(t, scope, node), filled.len()], true);
    if let Some(condition) = activation {
        let seen = Overlay { top: &attributes, below: &t.view(scope) };
        match condition.holds(&seen, t.now()) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                t.raise_at(scope, &node.id, &Failure::from(error));
                return false;
            }
        }
    }
    let joined = ids(process, &filled);
    let key = t.activate(scope, place, None, joined.clone());
    t.set_variables(key, &attributes);
    if !empty.is_empty() {
        let element = ElementId::clone(&node.id);
        t.emit(Event::ResetAwaited(GatewayTokens { scope, element, flows: joined }));
    }
    t.enter(key);
    true
}

/// Whether the gateway `node` does not look for its start: it waits for its reset, or an incident
/// stopped it.
fn is_held(t: &Transition<'_>, scope: Key, node: &Node) -> bool {
    let is_this = |owner: Key, element: &ElementId| owner == scope && *element == node.id;
    t.instance.resets().any(|reset| is_this(reset.scope, &reset.gateway))
        || t.instance.incidents().any(|(_, it)| is_this(it.owner, &it.element))
}

/// The gateway of `reset`, if nothing more can come for it, with the flows whose tokens it takes.
fn is_due(t: &Transition<'_>, reset: &AwaitedReset) -> Option<(NodeIx, Vec<FlowIx>)> {
    let process = t.process();
    let place = process.find(&reset.gateway)?;
    let node = process.node(place);
    let at_it = |scope: Key, element: &ElementId| scope == reset.scope && *element == node.id;
    // One that an incident stopped has not sent its first tokens yet.
    if t.instance.elements().any(|(_, element)| at_it(element.scope, &element.element)) {
        return None;
    }
    let taken = |flow: &FlowIx| reset.flows.contains(&process.flow(*flow).id);
    let (filled, empty) = arrivals(t, reset.scope, node);
    let (empty, missing): (Vec<FlowIx>, Vec<FlowIx>) = empty.into_iter().partition(|it| taken(it));
    let late: Vec<FlowIx> = filled.iter().filter(|flow| !taken(flow)).copied().collect();
    let served: Vec<FlowIx> = filled.into_iter().chain(empty).collect();
    let due = missing.is_empty()
        || !flow::others_may_come(&t.instance, process, reset.scope, place, &served, &missing);
    due.then_some((place, late))
}

fn reset(t: &mut Transition<'_>, scope: Key, place: NodeIx, late: &[FlowIx]) {
    let process = t.process();
    let node = process.node(place);
    let filled = arrivals(t, scope, node).0.len();
    let attributes = attributes([count(t, scope, node), filled], false);
    let (element, flows) = (ElementId::clone(&node.id), ids(process, late));
    t.emit(Event::GatewayReset(GatewayTokens { scope, element, flows }));
    if late.is_empty() {
        return;
    }
    let seen = Overlay { top: &attributes, below: &t.view(scope) };
    if flow::late_ones(t, &seen, node).is_ok_and(|flows| flows.is_empty()) {
        return;
    }
    let key = t.activate(scope, place, None, Vec::new());
    t.set_variables(key, &attributes);
    t.enter(key);
}

/// The incoming flows with a token, and those without.
fn arrivals(t: &Transition<'_>, scope: Key, node: &Node) -> (Vec<FlowIx>, Vec<FlowIx>) {
    let incoming = node.incoming.iter();
    incoming.partition(|flow| flow::has_token(&t.instance, t.process(), scope, **flow))
}

/// How many tokens wait at the gateway `node`.
fn count(t: &Transition<'_>, scope: Key, node: &Node) -> usize {
    let process = t.process();
    let flows: Vec<&ElementId> = node.incoming.iter().map(|flow| &process.flow(*flow).id).collect();
    let tokens = t.instance.tokens().filter(|token| token.scope == scope);
    tokens.filter(|token| flows.contains(&&token.flow)).count()
}

fn attributes([tokens, flows]: [usize; 2], waiting_for_start: bool) -> VariableMap {
    let mut attributes = VariableMap::one(ACTIVATION_COUNT, Value::from(tokens));
    attributes.set(ACTIVATED_FLOWS, Value::from(flows));
    attributes.set(WAITING_FOR_START, Value::Bool(waiting_for_start));
    attributes
}

fn ids(process: &Process, flows: &[FlowIx]) -> Vec<ElementId> {
    flows.iter().map(|flow| ElementId::clone(&process.flow(*flow).id)).collect()
}
