//! What the types of nodes mean: one table of every name that was in use.

use serde_json::Value;

use super::json::{at, text};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeType {
    Start,
    End,
    Human,
    Agent,
    Service,
    Script,
    Decision,
    Parallel,
    Inclusive,
    Event,
    Call,
    Data,
    /// Work of somebody that its other fields name.
    Work,
}

/// The names, in lower case and without `_`, `-` and white space.
const NAMES: &[(&str, NodeType)] = &[
    ("start", NodeType::Start),
    ("startevent", NodeType::Start),
    ("startnode", NodeType::Start),
    ("begin", NodeType::Start),
    ("end", NodeType::End),
    ("endevent", NodeType::End),
    ("endnode", NodeType::End),
    ("finish", NodeType::End),
    ("human", NodeType::Human),
    ("humaninternal", NodeType::Human),
    ("humanexternal", NodeType::Human),
    ("humantask", NodeType::Human),
    ("usertask", NodeType::Human),
    ("employeetask", NodeType::Human),
    ("manualtask", NodeType::Human),
    ("approval", NodeType::Human),
    ("agent", NodeType::Agent),
    ("aiagent", NodeType::Agent),
    ("agenttask", NodeType::Agent),
    ("machine", NodeType::Service),
    ("externalaffiliated", NodeType::Service),
    ("externalthirdparty", NodeType::Service),
    ("servicetask", NodeType::Service),
    ("service", NodeType::Service),
    ("notification", NodeType::Service),
    ("webhook", NodeType::Service),
    ("script", NodeType::Script),
    ("scripttask", NodeType::Script),
    ("decision", NodeType::Decision),
    ("gateway", NodeType::Decision),
    ("exclusivegateway", NodeType::Decision),
    ("exclusive", NodeType::Decision),
    ("parallelgateway", NodeType::Parallel),
    ("parallel", NodeType::Parallel),
    ("inclusivegateway", NodeType::Inclusive),
    ("inclusive", NodeType::Inclusive),
    ("event", NodeType::Event),
    ("intermediateevent", NodeType::Event),
    ("subprocess", NodeType::Call),
    ("processlink", NodeType::Call),
    ("callactivity", NodeType::Call),
    ("dataobject", NodeType::Data),
    ("task", NodeType::Work),
    ("action", NodeType::Work),
    ("activity", NodeType::Work),
    ("step", NodeType::Work),
];

/// The type that `name` stands for.
pub(super) fn named(name: &str) -> Option<NodeType> {
    let plain: String = name
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, node_type)| *node_type)
}

/// The type that `name`, a key such as `start_1` or a title, hints at.
pub(super) fn hinted(name: &str) -> Option<NodeType> {
    named(name.trim_end_matches(|letter: char| letter.is_ascii_digit()))
}

/// The type of a node document; `None` where its name is in no table.
pub(super) fn of(node: &Value) -> Option<NodeType> {
    let node_type = named(text(node, &["type", "node_type", "data.type"])?)?;
    Some(match node_type {
        NodeType::Decision => text(node, &["config.gatewayType", "gatewayType"])
            .and_then(named)
            .unwrap_or(NodeType::Decision),
        NodeType::Work => performer(node),
        other => other,
    })
}

/// Who does the work of a node whose type does not say it.
fn performer(node: &Value) -> NodeType {
    let said = [
        "action_type",
        "config.action_type",
        "sub_type",
        "metadata.executionType",
        "metadata.original_parsed_subtype",
        "metadata.original_parsed_type",
    ];
    let named = said.iter().find_map(|field| match text(node, &[field]).and_then(named)? {
        NodeType::Work => None,
        other => Some(other),
    });
    if let Some(named) = named {
        return named;
    }
    if super::element::agent(node).is_some() {
        return NodeType::Agent;
    }
    if at(node, "config.actors").is_some() {
        return NodeType::Human;
    }
    match text(node, &["toolRef", "config.toolRef"]) {
        Some(_) => NodeType::Service,
        None => NodeType::Work,
    }
}
