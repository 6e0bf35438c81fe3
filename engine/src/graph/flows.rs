//! Mends which nodes there are and what leads where: dangling and repeated edges, order without
//! edges, start and end.

use std::collections::{BTreeMap, BTreeSet};

use super::Notes;
use super::json::{id, is_true, key, text};
use super::node_type::{NodeType, hinted};
use super::source::{Definition, Edge, Graph, Node};

/// What edges were of that is no line style.
const MEANINGS: [&str; 2] = ["sequence", "conditional"];

pub(super) fn mend(graph: &mut Graph<'_>, definition: &Definition<'_>, notes: &mut Notes) {
    unknown_types(graph, notes);
    dangling(graph, notes);
    line_styles(graph, notes);
    data_objects(graph, notes);
    start_and_end_types(graph, definition, notes);
    order(graph, notes);
    repeated(graph, notes);
    bypass(graph, notes);
    wrong_way(graph, notes);
    start(graph, notes);
}

fn is(node: &Node<'_>, node_type: NodeType) -> bool {
    node.node_type == Some(node_type)
}

fn unknown_types(graph: &Graph<'_>, notes: &mut Notes) {
    for node in graph.nodes.iter().filter(|node| node.node_type.is_none()) {
        let what = match text(node.stored, &["type", "node_type", "data.type"]) {
            Some(name) => format!("{name:?} is no type of node that is known"),
            None => "the node has no type".to_owned(),
        };
        notes.error(
            "unknown_node_type",
            &node.id,
            what,
            "give it one of the types in docs/import.md",
        );
    }
}

fn dangling(graph: &mut Graph<'_>, notes: &mut Notes) {
    let keys: BTreeSet<String> = graph.nodes.iter().map(|node| node.key.clone()).collect();
    graph.edges.retain(|edge| {
        let missing: Vec<&str> = [&edge.from, &edge.to]
            .into_iter()
            .filter(|end| !keys.contains(*end))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let (from, to) = (&edge.from, &edge.to);
            let what = format!("an edge from {from:?} to {to:?} has an end that does not exist");
            let known = [from, to].into_iter().find(|end| keys.contains(*end));
            let element = known.map(|key| id(key)).unwrap_or_default();
            notes.repaired("dangling_edge", &element, what, "it is left out");
        }
        missing.is_empty()
    });
}

fn line_styles(graph: &Graph<'_>, notes: &mut Notes) {
    let styles: Vec<&str> = graph
        .edges
        .iter()
        .filter_map(|edge| text(edge.stored, &["type"]))
        .filter(|style| !MEANINGS.contains(style))
        .collect();
    if !styles.is_empty() {
        let names: BTreeSet<&str> = styles.iter().copied().collect();
        let names: Vec<&str> = names.into_iter().take(10).collect();
        let what = format!(
            "the type of {} edges is how their line is drawn: {}",
            styles.len(),
            names.join(", ")
        );
        notes.repaired("line_style", "", what, "they are sequence flows");
    }
}

fn data_objects(graph: &mut Graph<'_>, notes: &mut Notes) {
    let linked: BTreeSet<String> =
        graph.edges.iter().flat_map(|edge| [edge.from.clone(), edge.to.clone()]).collect();
    graph.nodes.retain(|node| {
        if !is(node, NodeType::Data) {
            return true;
        }
        if linked.contains(&node.key) {
            notes.error(
                "data_in_flow",
                &node.id,
                "the flow leads through a data object, at which nothing is done",
                "lead the flow from what is before it to what is behind it",
            );
            return true;
        }
        notes.warning(
            "data_object",
            &node.id,
            format!(
                "the data object {:?} is not part of the flow and is left out",
                node.title.as_deref().unwrap_or("")
            ),
            "variables need no declaration; describe them in the input schema of the process",
        );
        false
    });
}

/// Start and end were sometimes stored as agents that have nothing to do.
fn start_and_end_types(graph: &mut Graph<'_>, definition: &Definition<'_>, notes: &mut Notes) {
    let led_to: BTreeSet<String> = graph.edges.iter().map(|edge| edge.to.clone()).collect();
    let led_from: BTreeSet<String> = graph.edges.iter().map(|edge| edge.from.clone()).collect();
    let entry = key(definition.process, &["entry_node_key"]);
    let exit = key(definition.process, &["exit_node_key"]);
    for node in &mut graph.nodes {
        if !is(node, NodeType::Agent) || super::element::agent(node.stored).is_some() {
            continue;
        }
        let names = [Some(node.key.as_str()), node.title.as_deref()];
        let hints =
            |node_type| names.into_iter().flatten().any(|name| hinted(name) == Some(node_type));
        let entry = is_true(node.stored, "isEntryNode") || entry.as_ref() == Some(&node.key);
        let exit = is_true(node.stored, "isExitNode") || exit.as_ref() == Some(&node.key);
        if !led_to.contains(&node.key) && (entry || hints(NodeType::Start)) {
            node.node_type = Some(NodeType::Start);
            notes.repaired(
                "start_type",
                &node.id,
                "the start had the type of an agent",
                "it is a start event",
            );
        } else if !led_from.contains(&node.key) && (exit || hints(NodeType::End)) {
            node.node_type = Some(NodeType::End);
            notes.repaired(
                "end_type",
                &node.id,
                "the end had the type of an agent",
                "it is an end event",
            );
        }
    }
}

/// Without any edge, nodes follow each other in their order.
fn order(graph: &mut Graph<'_>, notes: &mut Notes) {
    if !graph.edges.is_empty() || graph.nodes.len() < 2 {
        return;
    }
    let place = |node: &Node<'_>| match node.node_type {
        Some(NodeType::Start) => (0, 0),
        Some(NodeType::End) => (2, 0),
        _ => (1, node.order.unwrap_or_default()),
    };
    let mut line: Vec<&Node<'_>> = graph.nodes.iter().collect();
    line.sort_by_key(|node| place(node));
    let between = line.iter().filter(|node| place(node).0 == 1);
    let unknown = between.clone().count() > 1 && between.clone().any(|node| node.order.is_none());
    let is_clear = line.windows(2).all(|pair| match pair {
        [one, next] => place(one) != place(next),
        _ => true,
    });
    if unknown || !is_clear {
        notes.error(
            "order_unknown",
            "",
            "there are no edges, and the order of the nodes is not clear",
            "store edges, or a different order for each node",
        );
        return;
    }
    graph.edges = line
        .windows(2)
        .filter_map(|pair| match pair {
            [one, next] => Some(Edge::made(&one.key, &next.key)),
            _ => None,
        })
        .collect();
    notes.repaired(
        "no_edges",
        "",
        "no edges were stored",
        "the nodes follow each other in their stored order",
    );
}

fn repeated(graph: &mut Graph<'_>, notes: &mut Notes) {
    let mut known: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    graph.edges.retain(|edge| {
        let condition = edge.stored.get("condition").map(ToString::to_string).unwrap_or_default();
        let conditions = known.entry((edge.from.clone(), edge.to.clone())).or_default();
        let is_new = !conditions.contains(&condition);
        match is_new {
            true => conditions.push(condition),
            false => {
                let what = format!("the edge from {} to {} is there twice", edge.from, edge.to);
                notes.repaired("duplicate_edge", &id(&edge.from), what, "one of them is kept");
            }
        }
        is_new
    });
}

/// The edge of the template, straight from start to end, was left beside the real path.
fn bypass(graph: &mut Graph<'_>, notes: &mut Notes) {
    let of = |node_type| -> BTreeSet<String> {
        graph.nodes.iter().filter(|node| is(node, node_type)).map(|node| node.key.clone()).collect()
    };
    let (starts, ends) = (of(NodeType::Start), of(NodeType::End));
    let skips = |edge: &Edge<'_>| starts.contains(&edge.from) && ends.contains(&edge.to);
    let leading_on: BTreeSet<String> =
        graph.edges.iter().filter(|edge| !skips(edge)).map(|edge| edge.from.clone()).collect();
    graph.edges.retain(|edge| {
        let is_bypass = skips(edge) && leading_on.contains(&edge.from);
        if is_bypass {
            notes.repaired(
                "bypass",
                &id(&edge.from),
                "an edge led straight from the start to the end, beside the real path",
                "it is left out: an instance could have skipped all work",
            );
        }
        !is_bypass
    });
}

fn wrong_way(graph: &mut Graph<'_>, notes: &mut Notes) {
    let types: BTreeMap<String, Option<NodeType>> =
        graph.nodes.iter().map(|node| (node.key.clone(), node.node_type)).collect();
    let is = |key: &String, node_type| types.get(key) == Some(&Some(node_type));
    graph.edges.retain(|edge| {
        let (code, element, what) = if is(&edge.to, NodeType::Start) {
            ("edge_into_start", &edge.to, "an edge led into the start")
        } else if is(&edge.from, NodeType::End) {
            ("edge_out_of_end", &edge.from, "an edge led out of the end")
        } else {
            return true;
        };
        notes.repaired(code, &id(element), what, "it is left out");
        false
    });
}

/// Where nothing is a start, the one node that no edge leads to comes first.
fn start(graph: &mut Graph<'_>, notes: &mut Notes) {
    let led_to: BTreeSet<String> = graph.edges.iter().map(|edge| edge.to.clone()).collect();
    let led_from: BTreeSet<String> = graph.edges.iter().map(|edge| edge.from.clone()).collect();
    if graph.nodes.len() > 2 {
        let connected = graph
            .nodes
            .iter()
            .filter(|node| is(node, NodeType::Start) && led_from.contains(&node.key))
            .count();
        graph.nodes.retain(|node| {
            let unconnected = !led_to.contains(&node.key) && !led_from.contains(&node.key);
            let is_spare = unconnected
                && (is(node, NodeType::End) || (is(node, NodeType::Start) && connected > 0));
            if is_spare {
                notes.repaired(
                    "unconnected_event",
                    &node.id,
                    "nothing is connected to it",
                    "it is left out",
                );
            }
            !is_spare
        });
    }
    if graph.nodes.iter().any(|node| is(node, NodeType::Start)) {
        return;
    }
    let mut first: Vec<&Node<'_>> =
        graph.nodes.iter().filter(|node| !led_to.contains(&node.key)).collect();
    if first.len() > 1 {
        first.retain(|node| is_true(node.stored, "isEntryNode"));
    }
    let [first] = &first[..] else {
        notes.error(
            "start_unknown",
            "",
            "there is no start, and it is not clear where to begin",
            "add a start node with an edge to the first step",
        );
        return;
    };
    let edge = Edge::made("start", &first.key);
    notes.repaired("no_start", &first.id, "there was no start", "a start event leads to it");
    graph.nodes.insert(0, Node::made("start".to_owned(), NodeType::Start));
    graph.edges.insert(0, edge);
}
