//! Mends how paths divide and meet: decisions without conditions, conditions without a decision,
//! parallel paths drawn without gateways.

use std::collections::{BTreeMap, BTreeSet};

use super::Notes;
use super::condition::{self, Condition};
use super::json::at;
use super::node_type::NodeType;
use super::source::{Edge, Graph, Node};

pub(super) fn mend(graph: &mut Graph<'_>, notes: &mut Notes) {
    conditions(graph, notes);
    let steps: Vec<(String, String, Option<NodeType>)> = graph
        .nodes
        .iter()
        .map(|node| (node.key.clone(), node.id.clone(), node.node_type))
        .collect();
    for (key, id, node_type) in &steps {
        match node_type {
            Some(NodeType::Decision | NodeType::Inclusive) => decision(graph, key, id, notes),
            Some(NodeType::Parallel) => {}
            _ => way_on(graph, key, id, notes),
        }
    }
    for (key, id, node_type) in &steps {
        if *node_type != Some(NodeType::End) {
            meeting(graph, key, id, notes);
        }
    }
}

fn conditions(graph: &mut Graph<'_>, notes: &mut Notes) {
    for edge in &mut graph.edges {
        let stored = ["condition", "conditions", "data.condition", "metadata.condition"]
            .into_iter()
            .find_map(|name| at(edge.stored, name).filter(|condition| !condition.is_null()));
        let element = super::json::id(&edge.from);
        match stored.map(condition::read) {
            None => {}
            Some(Ok(condition)) => edge.condition = condition,
            Some(Err(unclear)) => notes.error(
                "condition_unclear",
                &element,
                format!(
                    "the condition of the edge to {} is not understood: {}",
                    edge.to, unclear.what
                ),
                &unclear.fix,
            ),
        }
    }
}

fn leaving<'g, 'a>(
    graph: &'g mut Graph<'a>,
    key: &'g str,
) -> impl Iterator<Item = &'g mut Edge<'a>> {
    graph.edges.iter_mut().filter(move |edge| edge.from == key)
}

/// Sees to it that one way out of a decision is taken whatever the data.
fn decision(graph: &mut Graph<'_>, key: &str, id: &str, notes: &mut Notes) {
    let count = leaving(graph, key).count();
    if count == 1 {
        let incoming = graph.edges.iter().filter(|edge| edge.to == key).count();
        for edge in leaving(graph, key) {
            if edge.condition == Condition::None && incoming < 2 {
                notes.repaired(
                    "decision_of_one",
                    id,
                    "the decision has one way out and no condition",
                    "it is passed; nothing is decided",
                );
            }
        }
        return;
    }
    for edge in leaving(graph, key).filter(|edge| edge.condition == Condition::None) {
        let said = edge.label.as_deref().map_or(Condition::None, condition::of_label);
        if said != Condition::None {
            let label = edge.label.clone().unwrap_or_default();
            let what = format!("the condition of the edge to {} was its label {label:?}", edge.to);
            notes.repaired("condition_in_label", id, what, "it is its condition");
            edge.condition = said;
        }
    }
    let open: Vec<String> = leaving(graph, key)
        .filter(|edge| edge.condition == Condition::None)
        .map(|edge| edge.to.clone())
        .collect();
    let has_default = leaving(graph, key).any(|edge| edge.condition == Condition::Otherwise);
    match &open[..] {
        [] => {}
        [only] if count > 1 && !has_default => {
            for edge in leaving(graph, key).filter(|edge| edge.condition == Condition::None) {
                edge.condition = Condition::Otherwise;
            }
            let what = format!("the edge to {only} has no condition");
            notes.repaired("default_edge", id, what, "it is taken when no other is");
        }
        several => notes.error(
            "decision_unclear",
            id,
            format!("nothing says when the decision goes on to {}", several.join(", ")),
            "give all edges but one a condition, for example amount >= 1000",
        ),
    }
}

/// What follows a step that is no gateway: a decision where edges have conditions, else all at once.
fn way_on(graph: &mut Graph<'_>, key: &str, id: &str, notes: &mut Notes) {
    if leaving(graph, key).count() < 2 {
        return;
    }
    let is_decided = leaving(graph, key).any(|edge| edge.condition != Condition::None);
    let (node_type, suffix) = match is_decided {
        true => (NodeType::Decision, "decision"),
        false => (NodeType::Parallel, "split"),
    };
    let gateway = insert(graph, node_type, key, suffix);
    for edge in leaving(graph, key) {
        edge.from.clone_from(&gateway);
    }
    graph.edges.push(Edge::made(key, &gateway));
    if is_decided {
        let what = "edges with conditions leave a step that is no decision";
        notes.repaired("decision_missing", id, what, "an exclusive gateway behind it decides");
        let id = graph.node(&gateway).map(|node| node.id.clone()).unwrap_or_default();
        decision(graph, &gateway, &id, notes);
    } else {
        let what = "several edges leave it without conditions: the paths are parallel";
        notes.repaired(
            "parallel_edges",
            id,
            what,
            "a parallel gateway behind it divides the paths",
        );
    }
}

/// Adds a gateway beside the node `key`; gives its key.
fn insert(graph: &mut Graph<'_>, node_type: NodeType, key: &str, suffix: &str) -> String {
    let mut made = format!("{key}_{suffix}");
    while graph.nodes.iter().any(|node| node.key == made || node.id == super::json::id(&made)) {
        made.push('_');
    }
    let at = graph.nodes.iter().position(|node| node.key == key).unwrap_or_default();
    graph.nodes.insert(at + 1, Node::made(made.clone(), node_type));
    made
}

/// Where all paths of one parallel gateway meet at a step, the step begins once.
fn meeting(graph: &mut Graph<'_>, key: &str, id: &str, notes: &mut Notes) {
    let is_join = |node_type| matches!(node_type, Some(NodeType::Parallel | NodeType::Inclusive));
    if graph.node(key).is_none_or(|node| is_join(node.node_type)) {
        return;
    }
    let incoming: Vec<String> =
        graph.edges.iter().filter(|edge| edge.to == key).map(|edge| edge.from.clone()).collect();
    if incoming.len() < 2 {
        return;
    }
    let lines = Lines::of(graph);
    let origins: Vec<Option<&str>> = incoming.iter().map(|from| lines.origin(from)).collect();
    let splits: BTreeSet<&str> = origins.iter().copied().flatten().collect();
    let is_whole = origins.iter().all(Option::is_some) && splits.len() == 1;
    if is_whole {
        let join = insert(graph, NodeType::Parallel, key, "join");
        for edge in graph.edges.iter_mut().filter(|edge| edge.to == key) {
            edge.to.clone_from(&join);
        }
        graph.edges.push(Edge::made(&join, key));
        let what = "parallel paths meet there, and it would have begun once for each";
        notes.repaired(
            "parallel_meeting",
            id,
            what,
            "a parallel gateway before it waits for all of them",
        );
    } else if !splits.is_empty() {
        notes.warning(
            "parallel_meeting",
            id,
            "paths that may be parallel meet there; it begins once for each that arrives",
            "put the gateway that joins them before it",
        );
    }
}

/// The steps with one way in and one way out, and the parallel gateways.
struct Lines<'g> {
    before: BTreeMap<&'g str, Option<&'g str>>,
    single: BTreeSet<&'g str>,
    parallel: BTreeSet<&'g str>,
}

impl<'g> Lines<'g> {
    fn of(graph: &'g Graph<'_>) -> Self {
        let mut before: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        let mut ways_out: BTreeMap<&str, usize> = BTreeMap::new();
        for edge in &graph.edges {
            before.entry(&edge.to).and_modify(|one| *one = None).or_insert(Some(&edge.from));
            *ways_out.entry(&edge.from).or_default() += 1;
        }
        let single =
            ways_out.into_iter().filter(|(_, count)| *count == 1).map(|(key, _)| key).collect();
        let parallel = graph
            .nodes
            .iter()
            .filter(|node| node.node_type == Some(NodeType::Parallel))
            .map(|node| node.key.as_str())
            .collect();
        Self { before, single, parallel }
    }

    /// The parallel gateway that a straight line leads from to `key`.
    fn origin(&self, key: &'g str) -> Option<&'g str> {
        let mut at = key;
        let mut passed = BTreeSet::new();
        while passed.insert(at) {
            if self.parallel.contains(at) && !self.single.contains(at) {
                return Some(at);
            }
            if !self.single.contains(at) {
                return None;
            }
            at = (*self.before.get(at)?)?;
        }
        None
    }
}
