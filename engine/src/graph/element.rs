//! From mended nodes and edges to the compact form.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Notes;
use super::condition::{self, Condition};
use super::data;
use super::json::{at, id, key, list, process_id, text};
use super::node_type::NodeType;
use super::source::{Definition, Edge, Graph, Node};
use crate::compact::{
    CompactAssignment, CompactElement, CompactEvent, CompactProcess, ConditionalTarget, Next,
    Target,
};

/// What agents were configured with that belongs to the agent and not to the process.
const AGENT_SETTINGS: [&str; 5] =
    ["system_prompt", "llm_config", "tools", "max_iterations", "prompt_key"];

/// The id of the agent that a node names.
pub(super) fn agent(node: &Value) -> Option<&str> {
    text(node, &["agentRef", "config.agent_id", "agent_id"])
}

pub(super) fn process(
    definition: &Definition<'_>,
    graph: &Graph<'_>,
    notes: &mut Notes,
) -> CompactProcess {
    let start = graph.nodes.iter().find(|node| node.node_type == Some(NodeType::Start));
    let asked = start.and_then(|start| schema(list(start.stored, &["data_requirements"])?));
    CompactProcess {
        id: definition.id.clone(),
        name: text(definition.process, &["name", "title"]).map(str::to_owned),
        documentation: text(definition.process, &["description"]).map(str::to_owned),
        input: data::input(definition, asked, notes),
        elements: graph.nodes.iter().map(|node| element(node, graph, notes)).collect(),
        ..CompactProcess::default()
    }
}

fn element(node: &Node<'_>, graph: &Graph<'_>, notes: &mut Notes) -> CompactElement {
    let mut element = CompactElement {
        id: node.id.clone(),
        name: node.title.clone(),
        documentation: documentation(node.stored),
        next: next(node, graph),
        inputs: mappings(node, &["config.context_mapping", "config.input_mapping"], notes),
        outputs: mappings(node, &["config.output_mapping"], notes),
        ..CompactElement::default()
    };
    let kind = match node.node_type {
        Some(NodeType::Start) => "startEvent",
        Some(NodeType::End) => "endEvent",
        Some(NodeType::Decision) => "exclusiveGateway",
        Some(NodeType::Parallel) => "parallelGateway",
        Some(NodeType::Inclusive) => "inclusiveGateway",
        Some(NodeType::Human) => {
            human(&mut element, node.stored);
            "userTask"
        }
        Some(NodeType::Work) => {
            human(&mut element, node.stored);
            let what = "nothing says who does it";
            notes.repaired(
                "no_performer",
                &node.id,
                what,
                "it is the task of a person, for everyone to claim",
            );
            "userTask"
        }
        Some(NodeType::Agent) => {
            agent_task(&mut element, node, notes);
            "agentTask"
        }
        Some(NodeType::Service) => {
            service(&mut element, node, notes);
            "serviceTask"
        }
        Some(NodeType::Script) => {
            script(&mut element, node, notes);
            "scriptTask"
        }
        Some(NodeType::Call) => {
            call(&mut element, node, notes);
            "callActivity"
        }
        Some(NodeType::Event) => {
            event(&mut element, node, notes);
            "intermediateCatchEvent"
        }
        // There is an error among the findings.
        Some(NodeType::Data) | None => "task",
    };
    kind.clone_into(&mut element.kind);
    element
}

fn next(node: &Node<'_>, graph: &Graph<'_>) -> Next {
    let leaving: Vec<&Edge<'_>> = graph.edges.iter().filter(|edge| edge.from == node.key).collect();
    let is_gateway = matches!(node.node_type, Some(NodeType::Decision | NodeType::Inclusive));
    let target = |edge: &&Edge<'_>| {
        let to = graph.node(&edge.to).map_or_else(|| id(&edge.to), |node| node.id.clone());
        let (when, default) = match &edge.condition {
            Condition::When(feel) => (Some(feel.clone()), false),
            // The only way out needs no condition, and cannot be the other one.
            Condition::Otherwise => (None, is_gateway && leaving.len() > 1),
            Condition::None => (None, false),
        };
        match (&when, default, &edge.label) {
            (None, false, None) => Target::Plain(to),
            _ => Target::Conditional(ConditionalTarget {
                to,
                when,
                default,
                name: edge.label.clone(),
            }),
        }
    };
    Next::Many(leaving.iter().map(target).collect())
}

/// What is said about a node: read by people and agents.
fn documentation(node: &Value) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for field in [
        "description",
        "data.description",
        "config.task_description",
        "instructions",
        "config.instructions",
    ] {
        if let Some(said) = text(node, &[field])
            && !parts.iter().any(|part| part == said)
        {
            parts.push(said.to_owned());
        }
    }
    let fields = list(node, &["data_requirements"]).unwrap_or_default();
    let needed: Vec<String> = fields
        .iter()
        .filter_map(|field| {
            let name = text(field, &["field", "name"])?;
            let kind = text(field, &["type"]).unwrap_or("any");
            let need = if super::json::is_true(field, "required") { ", required" } else { "" };
            Some(format!("{name} ({kind}{need})"))
        })
        .collect();
    if !needed.is_empty() {
        parts.push(format!("Data: {}", needed.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// JSON Schema of `fields`, each `{field or name, type, required, description, enum}`.
pub(super) fn schema(fields: &[Value]) -> Option<Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let Some(name) = text(field, &["field", "name"]) else { continue };
        let mut property = Map::new();
        let kind = text(field, &["type"]).unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            "string" | "number" | "integer" | "boolean" | "array" | "object" => {
                property.insert("type".to_owned(), json!(kind));
            }
            "date" | "datetime" => {
                property.insert("type".to_owned(), json!("string"));
                let format = if kind == "date" { "date" } else { "date-time" };
                property.insert("format".to_owned(), json!(format));
            }
            _ => {}
        }
        if let Some(said) = text(field, &["description"]) {
            property.insert("description".to_owned(), json!(said));
        }
        if let Some(values) = list(field, &["enum"]).filter(|values| !values.is_empty()) {
            property.insert("enum".to_owned(), json!(values));
        }
        if super::json::is_true(field, "required") && !required.contains(&name) {
            required.push(name);
        }
        properties.insert(name.to_owned(), Value::Object(property));
    }
    if properties.is_empty() {
        return None;
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty()
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("required".to_owned(), json!(required));
    }
    Some(schema)
}

fn human(element: &mut CompactElement, node: &Value) {
    let actors = list(node, &["config.actors", "actors"]).unwrap_or_default();
    let actors: Vec<&str> = actors.iter().filter_map(Value::as_str).map(str::trim).collect();
    let forms =
        ["data_requirements", "config.dxg_ui.definition.definition.outputDataStructure.fields"];
    let assignment = CompactAssignment {
        assignee: text(node, &["config.assignee"]).map(str::to_owned),
        groups: (!actors.is_empty()).then(|| actors.join(",")),
        form: forms.into_iter().find_map(|field| schema(list(node, &[field])?)),
        ..CompactAssignment::default()
    };
    element.assignment = (assignment != CompactAssignment::default()).then_some(assignment);
}

fn agent_task(element: &mut CompactElement, node: &Node<'_>, notes: &mut Notes) {
    element.agent = agent(node.stored).map(str::to_owned);
    if element.agent.is_none() {
        notes.error(
            "agent_unknown",
            &node.id,
            "nothing says which agent does it",
            "name the agent in agentRef or config.agent_id",
        );
    }
    let config = at(node.stored, "config").and_then(Value::as_object);
    let set: Vec<&str> = AGENT_SETTINGS
        .into_iter()
        .filter(|name| config.is_some_and(|config| config.contains_key(*name)))
        .collect();
    if !set.is_empty() {
        notes.warning(
            "agent_settings",
            &node.id,
            format!("settings of the agent are not part of a process: {}", set.join(", ")),
            "set them at the agent",
        );
    }
}

fn service(element: &mut CompactElement, node: &Node<'_>, notes: &mut Notes) {
    let named = [
        "toolRef",
        "config.toolRef",
        "config.tool",
        "config.operation",
        "action_type",
        "config.action_type",
    ];
    let job = text(node.stored, &named).map(str::to_owned).unwrap_or_else(|| {
        let what = "nothing says which worker does it";
        notes.repaired(
            "no_worker",
            &node.id,
            what,
            "its id is the job type that a worker asks for",
        );
        node.id.clone()
    });
    element.job = Some(job);
    let config = at(node.stored, "config").and_then(Value::as_object);
    for (name, value) in config.into_iter().flatten() {
        let fixed = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => continue,
        };
        element.headers.insert(name.clone(), fixed);
    }
}

fn script(element: &mut CompactElement, node: &Node<'_>, notes: &mut Notes) {
    let written =
        text(node.stored, &["config.script", "config.expression", "config.code", "script"]);
    let result = text(node.stored, &["config.result_variable", "config.output_variable"])
        .or_else(|| list(node.stored, &["outputs"])?.first()?.as_str());
    match (written.map(condition::expression), result) {
        (Some(Ok(feel)), Some(result)) => {
            element.script = Some(feel);
            element.result = Some(result.to_owned());
        }
        (Some(Err(unclear)), _) => notes.error(
            "script_unclear",
            &node.id,
            format!("the script is not translated: {}", unclear.what),
            "write one FEEL expression, or let a worker do it: type machine with toolRef",
        ),
        _ => notes.error(
            "script_unclear",
            &node.id,
            "the script has no text, or no variable for its result",
            "set config.expression and config.result_variable",
        ),
    }
}

fn call(element: &mut CompactElement, node: &Node<'_>, notes: &mut Notes) {
    let named = ["config.subprocess_id", "config.process_id", "linkedProcessId", "subprocess_id"];
    match key(node.stored, &named) {
        Some(called) => element.process = Some(process_id(&called)),
        None => notes.error(
            "called_process_unknown",
            &node.id,
            "nothing says which process it calls",
            "set config.subprocess_id",
        ),
    }
    let is_false = |name: &str| at(node.stored, name).and_then(Value::as_bool) == Some(false);
    if is_false("config.propagate_variables") {
        (element.propagate_in, element.propagate_out) = (Some(false), Some(false));
    } else if at(node.stored, "config.propagate_variables").is_some() {
        // Said explicitly, all variables go in whatever is mapped besides.
        element.propagate_in = (!element.inputs.is_empty()).then_some(true);
        element.propagate_out = (!element.outputs.is_empty()).then_some(true);
    }
    if is_false("config.wait_for_completion") {
        notes.warning(
            "call_waits",
            &node.id,
            "it did not wait for the called process, and does now",
            "start that process by a message event if this one shall not wait",
        );
    }
}

fn event(element: &mut CompactElement, node: &Node<'_>, notes: &mut Notes) {
    let field = |names: &[&str]| text(node.stored, names).map(str::to_owned);
    let kind = field(&["config.event_type", "config.eventType", "sub_type"]).unwrap_or_default();
    element.event = match kind.to_ascii_lowercase().as_str() {
        "timer" => field(&["config.duration"])
            .map(CompactEvent::Duration)
            .or_else(|| field(&["config.date"]).map(CompactEvent::Date)),
        "message" => field(&["config.message_name", "config.message"])
            .map(|name| CompactEvent::Message { name, correlation: None, business_key: false }),
        "signal" => field(&["config.signal_name", "config.signal"]).map(CompactEvent::Signal),
        _ => None,
    };
    if element.event.is_none() {
        notes.error(
            "event_unclear",
            &node.id,
            "it does not say what it waits for",
            "set config.event_type to timer, message or signal, with config.duration, config.message_name or config.signal_name",
        );
    }
}

/// Mappings from the name of a variable to the path of another, an expression or a value.
fn mappings(node: &Node<'_>, fields: &[&str], notes: &mut Notes) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    let stored = fields.iter().find_map(|field| at(node.stored, field)?.as_object());
    for (target, source) in stored.into_iter().flatten() {
        let feel = match source {
            Value::String(text) => condition::expression(text.trim_start_matches("$.")),
            value => condition::literal(value, 0),
        };
        match feel {
            Ok(feel) => drop(read.insert(target.clone(), format!("={feel}"))),
            Err(unclear) => notes.error(
                "mapping_unclear",
                &node.id,
                format!("the mapping to {target:?} is not understood: {}", unclear.what),
                "map to the path of a variable, for example order.total, or to FEEL that begins with =",
            ),
        }
    }
    read
}
