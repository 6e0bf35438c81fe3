//! Sequence flows: which ones are taken, and when waiting tokens join (BPMN 2.0.2 §13.3.3, §13.4).

pub(crate) mod activity_start;

use std::collections::BTreeSet;

use crate::element::{ad_hoc, complex_gateway};
use crate::event::Event;
use crate::feel::Variables;
use crate::incident::{Failure, IncidentKind};
use crate::instance::{Instance, Key};
use crate::model::{ElementId, FlowIx, Gateway, Node, NodeIx, NodeKind, Process};
use crate::transition::Transition;

/// The flows on which tokens leave the element instance `key` of `node`, which lies in `scope`.
pub(crate) fn choose(
    t: &Transition<'_>,
    key: Key,
    scope: Key,
    node: &Node,
) -> Result<Vec<FlowIx>, Failure> {
    match node.kind {
        NodeKind::ComplexGateway { .. } if complex_gateway::is_reset(t, key) => {
            late_ones(t, &t.view(key), node)
        }
        // The conditions of a gateway see its attributes, and what was given to it alone.
        NodeKind::Gateway(Gateway::Exclusive) => first_that_holds(t, key, node),
        NodeKind::Gateway(Gateway::Parallel) => Ok(node.outgoing.clone()),
        NodeKind::ComplexGateway { .. } | NodeKind::Gateway(_) => all_that_hold(t, key, node),
        _ => all_that_hold(t, scope, node),
    }
}

fn first_that_holds(t: &Transition<'_>, from: Key, node: &Node) -> Result<Vec<FlowIx>, Failure> {
    for &flow in &node.outgoing {
        if node.default_flow != Some(flow) && holds(t, &t.view(from), flow)? {
            return Ok(vec![flow]);
        }
    }
    fall_back(node)
}

/// Several outgoing flows without conditions are an implicit fork (BPMN 2.0.2 §13.3.1).
fn all_that_hold(t: &Transition<'_>, from: Key, node: &Node) -> Result<Vec<FlowIx>, Failure> {
    let mut taken = Vec::with_capacity(node.outgoing.len());
    let mut conditional = false;
    for &flow in &node.outgoing {
        if node.default_flow == Some(flow) {
            continue;
        }
        if holds(t, &t.view(from), flow)? {
            taken.push(flow);
            conditional |= t.process().flow(flow).condition.is_some();
        }
    }
    // The default flow stands in for the conditions: flows without one do not count.
    if let Some(default) = node.default_flow.filter(|_| !conditional) {
        taken.push(default);
    }
    if taken.is_empty() { fall_back(node) } else { Ok(taken) }
}

/// The flows on which tokens leave a complex gateway that is reset: those alone whose condition
/// holds, else the default flow. There may be none (BPMN 2.0.2 §13.4.5).
pub(crate) fn late_ones(
    t: &Transition<'_>,
    variables: &dyn Variables,
    node: &Node,
) -> Result<Vec<FlowIx>, Failure> {
    let mut taken = Vec::new();
    for &flow in &node.outgoing {
        let conditional = t.process().flow(flow).condition.is_some();
        if conditional && node.default_flow != Some(flow) && holds(t, variables, flow)? {
            taken.push(flow);
        }
    }
    if taken.is_empty() {
        taken.extend(node.default_flow);
    }
    Ok(taken)
}

fn holds(t: &Transition<'_>, variables: &dyn Variables, flow: FlowIx) -> Result<bool, Failure> {
    match &t.process().flow(flow).condition {
        Some(condition) => Ok(condition.test(variables, t.now())?),
        None => Ok(true),
    }
}

fn fall_back(node: &Node) -> Result<Vec<FlowIx>, Failure> {
    match node.default_flow {
        Some(default) => Ok(vec![default]),
        None if node.outgoing.is_empty() => Ok(Vec::new()),
        None => Err(Failure::new(
            IncidentKind::NoFlowTaken,
            format!("no condition after {:?} is true and there is no default flow", node.id),
        )),
    }
}

/// A token goes along `flow` and arrives.
pub(crate) fn take(t: &mut Transition<'_>, scope: Key, flow: FlowIx) {
    if !t.instance.has_scope(scope) {
        return;
    }
    let process = t.process();
    let flow = process.flow(flow);
    let target = process.node(flow.target);
    let join = match join_of(target) {
        None if ad_hoc::is_selected(t, scope, target) => Some(Join::Selection),
        join => join,
    };
    let id = ElementId::clone(&flow.id);
    t.emit(Event::FlowTaken { scope, flow: id, waits: join.is_some() });
    let joined = match join {
        None => Vec::new(),
        Some(Join::All) if all_arrived(&t.instance, process, scope, target) => {
            target.incoming.iter().map(|flow| ElementId::clone(&process.flow(*flow).id)).collect()
        }
        Some(Join::Condition) => {
            complex_gateway::activate(t, scope, flow.target);
            return;
        }
        Some(Join::Start) => {
            activity_start::begin(t, scope, flow.target);
            return;
        }
        Some(_) => return,
    };
    let key = t.activate(scope, flow.target, None, joined);
    t.enter(key);
}

/// Whether `node` is a gateway where tokens that arrive wait for others.
pub(crate) fn is_join(node: &Node) -> bool {
    !node.is_activity() && join_of(node).is_some() && !node.incoming.is_empty()
}

/// What a token waits for at the end of its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    /// A token on every flow.
    All,
    /// Those that can still arrive.
    Reachable,
    /// That the gateway's condition holds.
    Condition,
    /// That the activity is selected.
    Selection,
    /// That the activity can begin.
    Start,
}

fn join_of(node: &Node) -> Option<Join> {
    match node.kind {
        NodeKind::Gateway(Gateway::Parallel) if node.incoming.len() > 1 => Some(Join::All),
        NodeKind::Gateway(Gateway::Inclusive) if node.incoming.len() > 1 => Some(Join::Reachable),
        NodeKind::ComplexGateway { .. } => Some(Join::Condition),
        _ if activity_start::waits(node) => Some(Join::Start),
        _ => None,
    }
}

pub(crate) fn has_token(instance: &Instance, process: &Process, scope: Key, flow: FlowIx) -> bool {
    let id = &process.flow(flow).id;
    instance.tokens().any(|token| token.scope == scope && token.flow == *id)
}

fn all_arrived(instance: &Instance, process: &Process, scope: Key, gateway: &Node) -> bool {
    gateway.incoming.iter().all(|flow| has_token(instance, process, scope, *flow))
}

/// An inclusive gateway whose waiting tokens can join, with the flows they wait on.
pub(crate) fn inclusive_join(
    instance: &Instance,
    process: &Process,
) -> Option<(Key, NodeIx, Vec<ElementId>)> {
    let mut seen = BTreeSet::new();
    for token in instance.tokens() {
        let Some(gateway) = target_of(process, &token.flow) else { continue };
        let node = process.node(gateway);
        if join_of(node) != Some(Join::Reachable) || !seen.insert((token.scope, gateway)) {
            continue;
        }
        let (filled, empty): (Vec<FlowIx>, Vec<FlowIx>) = node
            .incoming
            .iter()
            .partition(|flow| has_token(instance, process, token.scope, **flow));
        if empty.is_empty()
            || !others_may_come(instance, process, token.scope, gateway, &filled, &empty)
        {
            let flows = filled.iter().map(|flow| ElementId::clone(&process.flow(*flow).id));
            return Some((token.scope, gateway, flows.collect()));
        }
    }
    None
}

/// Whether a token elsewhere in `scope` can still reach an empty incoming flow, and could not as
/// well reach a filled one (BPMN 2.0.2 §13.4.3).
pub(crate) fn others_may_come(
    instance: &Instance,
    process: &Process,
    scope: Key,
    gateway: NodeIx,
    filled: &[FlowIx],
    empty: &[FlowIx],
) -> bool {
    let to_empty = upstream(process, empty, gateway);
    let to_filled = upstream(process, filled, gateway);
    let blocks = |starts: &[FlowIx]| {
        starts.iter().any(|flow| to_empty.contains(flow))
            && !starts.iter().any(|flow| to_filled.contains(flow))
    };
    let tokens = instance.tokens().filter(|token| token.scope == scope);
    let flows = tokens.filter_map(|token| find_flow(process, &token.flow));
    let mut elsewhere = flows.filter(|flow| process.flow(*flow).target != gateway);
    if elsewhere.any(|flow| blocks(&[flow])) {
        return true;
    }
    let elements = instance
        .elements()
        .filter(|(_, element)| element.scope == scope && element.compensates.is_none());
    let mut places = elements.filter_map(|(_, element)| process.find(&element.element));
    places.any(|place| place != gateway && blocks(&exits(process, place)))
}

/// Every flow on which a token at `place` may leave, boundary events included.
fn exits(process: &Process, place: NodeIx) -> Vec<FlowIx> {
    let node = process.node(place);
    let boundary = node.boundary.iter().flat_map(|event| &process.node(*event).outgoing);
    let linked = process.link_target(node).map(|target| &process.node(target).outgoing);
    node.outgoing.iter().chain(boundary).chain(linked.into_iter().flatten()).copied().collect()
}

/// The flows from which one of `ends` can be reached without passing `avoid`.
fn upstream(process: &Process, ends: &[FlowIx], avoid: NodeIx) -> BTreeSet<FlowIx> {
    let mut found: BTreeSet<FlowIx> = ends.iter().copied().collect();
    let mut open: Vec<FlowIx> = ends.to_vec();
    while let Some(flow) = open.pop() {
        let source = process.flow(flow).source;
        if source == avoid {
            continue;
        }
        let node = process.node(source);
        let before = match node.kind {
            NodeKind::BoundaryEvent { attached_to, .. } if attached_to != avoid => {
                &process.node(attached_to).incoming
            }
            _ => &node.incoming,
        };
        let linked = process.link_sources(source).flat_map(|(_, node)| &node.incoming);
        open.extend(before.iter().chain(linked).filter(|flow| found.insert(**flow)));
    }
    found
}

fn find_flow(process: &Process, id: &str) -> Option<FlowIx> {
    process.flows().find(|(_, flow)| &*flow.id == id).map(|(ix, _)| ix)
}

/// Where the flow with the id `flow` leads to.
pub(crate) fn target_of(process: &Process, flow: &str) -> Option<NodeIx> {
    find_flow(process, flow).map(|ix| process.flow(ix).target)
}

/// Tokens that wait at a joining gateway, or for an activity that cannot begin yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingJoin {
    /// The scope that the gateway lies in.
    pub scope: Key,
    /// BPMN id of the gateway or activity.
    pub gateway: ElementId,
    /// The incoming flows on which tokens wait.
    pub arrived: Vec<ElementId>,
    /// Those on which none waits yet. An inclusive gateway waits for those alone that can still bring
    /// one.
    pub missing: Vec<ElementId>,
}

/// Where tokens wait for others, the oldest first.
#[must_use]
pub fn waiting_joins(process: &Process, instance: &Instance) -> Vec<WaitingJoin> {
    let mut seen = BTreeSet::new();
    let mut joins = Vec::new();
    for token in instance.tokens() {
        let Some(gateway) = target_of(process, &token.flow) else { continue };
        if !seen.insert((token.scope, gateway)) {
            continue;
        }
        let node = process.node(gateway);
        // A token may also wait for its activity to be selected.
        if join_of(node).is_none() {
            continue;
        }
        let (arrived, missing): (Vec<FlowIx>, Vec<FlowIx>) = node
            .incoming
            .iter()
            .partition(|flow| has_token(instance, process, token.scope, **flow));
        let ids = |flows: Vec<FlowIx>| {
            flows.into_iter().map(|flow| ElementId::clone(&process.flow(flow).id)).collect()
        };
        joins.push(WaitingJoin {
            scope: token.scope,
            gateway: ElementId::clone(&node.id),
            arrived: ids(arrived),
            missing: ids(missing),
        });
    }
    joins
}
