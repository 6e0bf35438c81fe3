//! Where a definition is stored, and which of the places that disagree is taken.
//!
//! The flow of one process was kept in up to three places: rows of the graph collections, lists
//! embedded in the process document, snapshots of its versions. The first that has a flow between
//! nodes that exist is taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Notes;
use super::condition::Condition;
use super::json::{at, id, is_true, key, list, number, process_id, text};
use super::node_type::{self, NodeType};

/// The most processes of one file.
const MAX_PROCESSES: usize = 1_000;

/// The most data definitions of a process.
const MAX_DATA: usize = 200;

/// What stands for the document of a node that a repair made.
const MADE: &Value = &Value::Null;

/// A stored process.
pub(super) struct Definition<'a> {
    /// BPMN id.
    pub(super) id: String,
    /// Its document.
    pub(super) process: &'a Value,
    key: Option<String>,
    stored: &'a Value,
}

/// What was stored of it, in one of the places.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) edges: Vec<Edge<'a>>,
}

pub(super) struct Node<'a> {
    pub(super) key: String,
    /// BPMN id, unique in the process.
    pub(super) id: String,
    pub(super) title: Option<String>,
    /// `None` where its type is in no table.
    pub(super) node_type: Option<NodeType>,
    pub(super) order: Option<i64>,
    pub(super) stored: &'a Value,
}

/// An edge between nodes, which are named by key.
pub(super) struct Edge<'a> {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) condition: Condition,
    pub(super) label: Option<String>,
    pub(super) stored: &'a Value,
}

impl<'a> Node<'a> {
    fn new(stored: &'a Value, key: String, order: Option<i64>) -> Self {
        Self {
            id: id(&key),
            key,
            title: text(stored, &["title", "name", "label", "data.label"]).map(str::to_owned),
            node_type: node_type::of(stored),
            order: order.or_else(|| number(stored, &["order", "sequence"])),
            stored,
        }
    }

    /// A node that was not stored.
    pub(super) fn made(key: String, node_type: NodeType) -> Self {
        let id = id(&key);
        Self { id, key, title: None, node_type: Some(node_type), order: None, stored: MADE }
    }
}

impl Edge<'_> {
    /// An edge that was not stored.
    pub(super) fn made(from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self { from, to, condition: Condition::None, label: None, stored: MADE }
    }

    fn ends(&self) -> (&str, &str) {
        (&self.from, &self.to)
    }
}

impl<'a> Graph<'a> {
    pub(super) fn node(&self, key: &str) -> Option<&Node<'a>> {
        self.nodes.iter().find(|node| node.key == key)
    }

    fn flow(&self) -> BTreeSet<(&str, &str)> {
        let keys: BTreeSet<&str> = self.nodes.iter().map(|node| node.key.as_str()).collect();
        let exists = |(from, to): &(&str, &str)| keys.contains(from) && keys.contains(to);
        self.edges.iter().map(Edge::ends).filter(exists).collect()
    }

    fn read(nodes: impl Iterator<Item = Node<'a>>, edges: &'a [Value]) -> Self {
        let edges = edges.iter().map(|stored| Edge {
            from: key(stored, &["_from", "source", "from"]).unwrap_or_default(),
            to: key(stored, &["_to", "target", "to"]).unwrap_or_default(),
            condition: Condition::None,
            label: text(stored, &["label", "data.label", "name"]).map(str::to_owned),
            stored,
        });
        Self { nodes: nodes.collect(), edges: edges.collect() }
    }
}

fn node_key(node: &Value) -> Option<String> {
    key(node, &["_key", "id", "key", "node_id", "_id"])
}

/// The processes that `stored` defines.
pub(super) fn definitions(stored: &Value) -> Vec<Definition<'_>> {
    if let Value::Array(several) = stored {
        return several.iter().take(MAX_PROCESSES).filter_map(one).collect();
    }
    if let Some(several) = at(stored, "process_def").and_then(Value::as_array) {
        let of = |process| Definition::of(process, stored);
        return several.iter().take(MAX_PROCESSES).map(of).collect();
    }
    one(stored).into_iter().collect()
}

fn one(stored: &Value) -> Option<Definition<'_>> {
    let inner = ["process_def", "process", "snapshot.process"]
        .into_iter()
        .find_map(|name| at(stored, name).filter(|process| process.is_object()));
    let is_process =
        ["nodes", "edges", "_key", "snapshot"].iter().any(|name| at(stored, name).is_some());
    let process = inner.or_else(|| (stored.is_object() && is_process).then_some(stored))?;
    Some(Definition::of(process, stored))
}

impl<'a> Definition<'a> {
    fn of(process: &'a Value, stored: &'a Value) -> Self {
        let key = key(process, &["_key", "id", "process_id", "_id"])
            .or_else(|| key(stored, &["process_id"]));
        let name = key.as_deref().or_else(|| text(process, &["name"])).unwrap_or("process");
        Self { id: process_id(name), process, key, stored }
    }

    /// The documents of data definitions that the process uses.
    pub(super) fn data_definitions(&self, notes: &mut Notes) -> Vec<&'a Value> {
        let own = list(self.process, &["data_definitions", "data_definition"]).unwrap_or_default();
        let documents =
            list(self.stored, &["data_definition", "data_definitions"]).unwrap_or_default();
        let Some(rows) = list(self.stored, &["proc_def_uses_data_def"]) else {
            // Without rows that say which, only what stands beside the one process is its own.
            let is_one = !at(self.stored, "process_def").is_some_and(Value::is_array);
            let beside = documents.iter().filter(|_| is_one && !self.is_stored_alone());
            return own.iter().chain(beside).take(MAX_DATA).collect();
        };
        let mine = rows
            .iter()
            .filter(|row| self.key.is_some() && key(row, &["_from"]) == self.key)
            .filter_map(|row| key(row, &["_to"]));
        let mut used: Vec<&Value> = own.iter().collect();
        for wanted in mine.collect::<BTreeSet<_>>() {
            match documents.iter().find(|document| node_key(document).as_ref() == Some(&wanted)) {
                Some(document) => used.push(document),
                None => notes.repaired(
                    "dangling_definition",
                    "",
                    format!("the process uses the data definition {wanted}, which does not exist"),
                    "it is left out",
                ),
            }
        }
        used.truncate(MAX_DATA);
        used
    }

    /// The graph to take.
    pub(super) fn graph(&self, notes: &mut Notes) -> Option<Graph<'a>> {
        let mut places = self.places(notes);
        places.retain(|(_, graph)| !graph.nodes.is_empty());
        let taken = places.iter().position(|(_, graph)| !graph.flow().is_empty()).unwrap_or(0);
        let Some((place, graph)) = places.get(taken) else {
            notes.error(
                "no_nodes",
                "",
                "the definition has no nodes",
                "import one that has, or remove it: there is nothing to execute",
            );
            return None;
        };
        let differs = |other: &Graph<'_>| {
            let flow = other.flow();
            flow != graph.flow()
                && (!flow.is_empty() || !other.edges.is_empty() || other.nodes.len() > 1)
        };
        for (other, differing) in &places {
            if other != place && differs(differing) {
                let what = format!("{place} and {other} say different things about the flow");
                let how = format!("the flow of {place} is taken");
                notes.repaired("sources_disagree", "", what, &how);
            }
        }
        let (_, mut graph) = places.remove(taken);
        self.own_titles(&mut graph, &places, notes);
        unique(&mut graph, notes);
        titled(&mut graph, notes);
        Some(graph)
    }

    /// Everything that was stored, by place, the most trusted one first.
    fn places(&self, notes: &mut Notes) -> Vec<(&'static str, Graph<'a>)> {
        let embedded = |document: &'a Value| {
            let nodes = list(document, &["nodes"]).unwrap_or_default();
            let edges = list(document, &["edges"]).unwrap_or_default();
            let nodes =
                nodes.iter().filter_map(|node| Some(Node::new(node, node_key(node)?, None)));
            Graph::read(nodes, edges)
        };
        let mut places = vec![
            ("the graph collections", self.collections(notes)),
            ("the process document", embedded(self.process)),
        ];
        if !self.is_stored_alone() {
            places.push(("the definition", embedded(self.stored)));
        }
        let versions = list(self.stored, &["process_versions", "versions"]).unwrap_or_default();
        let mine = |version: &&Value| {
            let process = key(version, &["process_id", "snapshot.process._key"]);
            process.is_none() || self.key.is_none() || process == self.key
        };
        let newest =
            versions.iter().filter(mine).max_by_key(|version| is_true(version, "is_latest"));
        for version in newest.into_iter().chain([self.stored]) {
            if let Some(snapshot) = at(version, "snapshot") {
                places.push(("the snapshot of its version", embedded(snapshot)));
            }
        }
        places
    }

    fn collections(&self, notes: &mut Notes) -> Graph<'a> {
        let Some(documents) = list(self.stored, &["node_def", "node_defs"]) else {
            return Graph::default();
        };
        let known: BTreeMap<String, &Value> =
            documents.iter().filter_map(|node| Some((node_key(node)?, node))).collect();
        let mut nodes = Vec::new();
        match self.defines() {
            None => {
                let all = documents.iter();
                nodes.extend(all.filter_map(|node| Some(Node::new(node, node_key(node)?, None))));
            }
            Some(rows) => {
                for row in
                    rows.iter().filter(|row| self.key.is_some() && key(row, &["_from"]) == self.key)
                {
                    let Some(key) = key(row, &["_to"]) else { continue };
                    let order = number(row, &["order", "sequence"]);
                    match known.get(&key) {
                        Some(node) => nodes.push(Node::new(node, key, order)),
                        None => notes.repaired(
                            "dangling_definition",
                            &id(&key),
                            format!("the process defines the node {key}, which does not exist"),
                            "it is left out",
                        ),
                    }
                }
            }
        }
        let keys: BTreeSet<&str> = nodes.iter().map(|node| node.key.as_str()).collect();
        let rows = list(self.stored, &["proc_def_node_flow"]).unwrap_or_default();
        let mut graph = Graph::read(std::iter::empty(), rows);
        graph.edges.retain(|edge| match key(edge.stored, &["process_id"]) {
            Some(process) => self.key.as_ref() == Some(&process),
            None => keys.contains(&*edge.from) || keys.contains(&*edge.to),
        });
        graph.nodes = nodes;
        graph
    }

    /// Whether the document of the process is all that there is.
    fn is_stored_alone(&self) -> bool {
        std::ptr::eq(self.process, self.stored)
    }

    fn defines(&self) -> Option<&'a [Value]> {
        list(self.stored, &["proc_def_defines_node"])
    }

    /// Keys of nodes were global: a node that several processes define may show the title that
    /// another of them gave it. The title that this process kept for itself is the right one.
    fn own_titles(&self, graph: &mut Graph<'_>, others: &[(&str, Graph<'_>)], notes: &mut Notes) {
        let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in self.defines().unwrap_or_default() {
            if let (Some(process), Some(node)) = (key(row, &["_from"]), key(row, &["_to"])) {
                users.entry(node).or_default().insert(process);
            }
        }
        for node in &mut graph.nodes {
            if users.get(&node.key).is_none_or(|users| users.len() < 2) {
                continue;
            }
            let own = others.iter().find_map(|(_, other)| other.node(&node.key)?.title.clone());
            match own {
                Some(own) if node.title.as_ref() != Some(&own) => {
                    let shown = node.title.take().unwrap_or_default();
                    let what = format!("several processes share the node; it showed {shown:?}");
                    notes.repaired("shared_node", &node.id, what, "it has the title that this process kept");
                    node.title = Some(own);
                }
                Some(_) => {}
                None => notes.warning(
                    "shared_node",
                    &node.id,
                    "several processes share the node; its title and settings may be those of another",
                    "compare it with what this process does there",
                ),
            }
        }
    }
}

/// Keeps one node of each key, with an id of its own.
fn unique(graph: &mut Graph<'_>, notes: &mut Notes) {
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    graph.nodes.retain_mut(|node| {
        if !keys.insert(node.key.clone()) {
            let what = format!("the node {} is there twice", node.key);
            notes.repaired("duplicate_node", &node.id, what, "the first one is kept");
            return false;
        }
        let plain = node.id.clone();
        let mut nth = 1;
        while !ids.insert(node.id.clone()) {
            nth += 1;
            node.id = format!("{plain}_{nth}");
        }
        true
    });
}

/// Sees to it that nodes that somebody reads have a title, and one.
fn titled(graph: &mut Graph<'_>, notes: &mut Notes) {
    for node in &mut graph.nodes {
        let (title, name) = (text(node.stored, &["title"]), text(node.stored, &["name"]));
        if let (Some(title), Some(name)) = (title, name)
            && title != name
        {
            let what = format!("its title is {title:?} and its name {name:?}");
            notes.repaired("two_titles", &node.id, what, "it has the title");
        }
        let needs_one = !matches!(node.node_type, Some(NodeType::Start | NodeType::End));
        if node.title.is_none() && needs_one {
            notes.repaired(
                "no_title",
                &node.id,
                "it has neither title nor name",
                "it is called by its key",
            );
            node.title = Some(node.key.clone());
        }
    }
}
