//! Writes a process of the model as BPMN 2.0 XML with a diagram, for models that did not come from
//! a file. What was read from a file is kept and written by [`Document`](super::Document) instead.

mod lane;
mod node;
mod repetition;

use super::Document;
use super::layout::{self, Bounds, Layout};
use super::names::{BPMNDI, DC, DI, FLOWMASTER, MODEL, XSI, ZEEBE};
use crate::feel::Program;
use crate::governance::{Policy, Rule};
use crate::model::{Contract, Flow, Node, NodeIx, Process, Text};
use crate::xml::{Attribute, Element};

/// Writes `process` as a document of its own.
#[must_use]
pub fn write(process: &Process) -> Document {
    let mut root = bpmn("definitions")
        .with("id", format!("{}-definitions", process.id))
        .with("targetNamespace", "http://flowmaster.dev/process");
    for (prefix, uri) in [
        ("bpmn", MODEL),
        ("bpmndi", BPMNDI),
        ("dc", DC),
        ("di", DI),
        ("xsi", XSI),
        ("zeebe", ZEEBE),
        ("flowmaster", FLOWMASTER),
    ] {
        root.attributes.push(Attribute {
            prefix: Some("xmlns".into()),
            namespace: "".into(),
            name: prefix.into(),
            value: uri.to_owned(),
        });
    }
    let mut shared = node::Shared::default();
    let body = process_element(process, &mut shared);
    for element in shared.into_elements() {
        root.push(element);
    }
    root.push(body);
    root.push(diagram(process, &layout::layout(process)));
    Document(root)
}

fn process_element(process: &Process, shared: &mut node::Shared) -> Element {
    let mut element = bpmn("process")
        .with("id", &*process.id)
        .with_some("name", process.name.clone())
        .with("isExecutable", process.executable.to_string());
    push_documentation(&mut element, process.documentation.as_deref());
    let mut extensions = bpmn("extensionElements");
    if let Some(tag) = &process.version_tag {
        extensions.push(zeebe("versionTag").with("value", tag));
    }
    if process.contract != Contract::default() {
        extensions.push(contract(&process.contract));
    }
    for one in &process.policies {
        extensions.push(policy(one));
    }
    push_unless_empty(&mut element, extensions);
    push_unless_empty(&mut element, lane::set(process));
    push_content(&mut element, process, None, shared);
    element
}

/// Writes the nodes and flows directly inside `scope`.
fn push_content(
    element: &mut Element,
    process: &Process,
    scope: Option<NodeIx>,
    shared: &mut node::Shared,
) {
    for (ix, _) in process.children(scope) {
        element.push(node::element(process, ix, shared));
    }
    for (_, flow) in process.flows() {
        if process.node(flow.source).parent == scope {
            element.push(sequence_flow(process, flow));
        }
    }
    // Artifacts come after the flow elements (BPMN 2.0.2 §10.3.5, tProcess and tSubProcess).
    for (_, event) in process.children(scope) {
        if let Some(handler) = event.handler {
            element.push(association(event, process.node(handler)));
        }
    }
}

fn sequence_flow(process: &Process, flow: &Flow) -> Element {
    let mut element = bpmn("sequenceFlow")
        .with("id", &*flow.id)
        .with_some("name", flow.name.clone())
        .with("sourceRef", &*process.node(flow.source).id)
        .with("targetRef", &*process.node(flow.target).id);
    push_program(&mut element, "conditionExpression", flow.condition.as_ref());
    element
}

fn association(event: &Node, handler: &Node) -> Element {
    bpmn("association")
        .with("id", association_id(event))
        .with("sourceRef", &*event.id)
        .with("targetRef", &*handler.id)
        .with("associationDirection", "One")
}

fn association_id(event: &Node) -> String {
    format!("{}-handler", event.id)
}

fn contract(contract: &Contract) -> Element {
    let mut element = flowmaster("contract").with_some("tool", contract.tool.clone());
    if !contract.result.is_empty() {
        element = element.with("result", contract.result.join(" "));
    }
    if let Some(text) = &contract.tool_description {
        element.push(flowmaster("whenToUse").with_text(text));
    }
    for (name, schema) in [("input", &contract.input), ("output", &contract.output)] {
        if let Some(schema) = schema {
            element.push(flowmaster(name).with_text(schema.to_string()));
        }
    }
    element
}

fn policy(policy: &Policy) -> Element {
    let on: Vec<String> = policy
        .on
        .iter()
        .filter_map(|action| serde_json::to_value(action).ok()?.as_str().map(str::to_owned))
        .collect();
    let element = flowmaster("policy")
        .with("id", &policy.id)
        .with_some("on", (!on.is_empty()).then(|| on.join(" ")));
    match &policy.rule {
        Rule::FourEyes { elements, starter } => {
            let with: Vec<&str> = elements.iter().map(|id| &**id).collect();
            element
                .with("type", "four_eyes")
                .with_some("with", (!with.is_empty()).then(|| with.join(" ")))
                .with_some("starter", starter.then_some("true"))
        }
        Rule::Mandate { domain, action, amount, currency, unit } => element
            .with("type", "mandate")
            .with("domain", domain)
            .with("action", action)
            .with_some("amount", amount.as_ref().map(|amount| format!("={}", amount.text())))
            .with_some("currency", currency.as_ref().map(source))
            .with_some("unit", unit.as_ref().map(source)),
        Rule::Condition { expression, reason } => element
            .with("type", "condition")
            .with("condition", format!("={}", expression.text()))
            .with("reason", reason),
    }
}

fn diagram(process: &Process, layout: &Layout) -> Element {
    let mut plane = named("bpmndi", BPMNDI, "BPMNPlane")
        .with("id", format!("{}-plane", process.id))
        .with("bpmnElement", &*process.id);
    for (ix, node) in process.nodes() {
        let mut shape = named("bpmndi", BPMNDI, "BPMNShape")
            .with("id", format!("{}-shape", node.id))
            .with("bpmnElement", &*node.id);
        if matches!(node.kind, crate::model::NodeKind::SubProcess(_)) {
            shape = shape.with("isExpanded", "true");
        }
        shape.push(bounds(layout.bounds(ix)));
        plane.push(shape);
    }
    for (_, flow) in process.flows() {
        plane.push(edge(&flow.id, layout.waypoints(flow)));
    }
    for (ix, event) in process.nodes() {
        if let Some(handler) = event.handler {
            plane.push(edge(&association_id(event), layout.association(ix, handler)));
        }
    }
    let mut diagram =
        named("bpmndi", BPMNDI, "BPMNDiagram").with("id", format!("{}-diagram", process.id));
    diagram.push(plane);
    diagram
}

fn edge(of: &str, waypoints: Vec<(i64, i64)>) -> Element {
    let mut edge = named("bpmndi", BPMNDI, "BPMNEdge")
        .with("id", format!("{of}-edge"))
        .with("bpmnElement", of);
    for (x, y) in waypoints {
        edge.push(named("di", DI, "waypoint").with("x", x.to_string()).with("y", y.to_string()));
    }
    edge
}

fn bounds(bounds: Bounds) -> Element {
    named("dc", DC, "Bounds")
        .with("x", bounds.x.to_string())
        .with("y", bounds.y.to_string())
        .with("width", bounds.width.to_string())
        .with("height", bounds.height.to_string())
}

fn push_documentation(element: &mut Element, text: Option<&str>) {
    if let Some(text) = text {
        element.push(bpmn("documentation").with_text(text));
    }
}

fn push_unless_empty(element: &mut Element, child: Element) {
    if !child.children.is_empty() {
        element.push(child);
    }
}

fn push_program(element: &mut Element, name: &str, program: Option<&Program>) {
    if let Some(program) = program {
        element.push(formal(name, &format!("={}", program.text())));
    }
}

fn formal(name: &str, text: &str) -> Element {
    let mut element = bpmn(name).with_text(text);
    element.attributes.push(Attribute {
        prefix: Some("xsi".into()),
        namespace: XSI.into(),
        name: "type".into(),
        value: "bpmn:tFormalExpression".to_owned(),
    });
    element
}

fn source(text: &Text) -> String {
    match text {
        Text::Literal(text) => text.clone(),
        Text::Feel(program) => format!("={}", program.text()),
    }
}

fn named(prefix: &str, namespace: &str, name: &str) -> Element {
    Element::new(Some(prefix), namespace, name)
}

pub(super) fn bpmn(name: &str) -> Element {
    named("bpmn", MODEL, name)
}

pub(super) fn zeebe(name: &str) -> Element {
    named("zeebe", ZEEBE, name)
}

fn flowmaster_attribute(name: &str, value: &str) -> Attribute {
    Attribute {
        prefix: Some("flowmaster".into()),
        namespace: FLOWMASTER.into(),
        name: name.into(),
        value: value.to_owned(),
    }
}

pub(super) fn flowmaster(name: &str) -> Element {
    named("flowmaster", FLOWMASTER, name)
}
