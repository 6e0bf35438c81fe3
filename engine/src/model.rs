//! The canonical model of a process: BPMN 2.0 semantics as plain, ordered data.
//!
//! BPMN XML and the compact JSON form are both read into these types, and the state machine runs
//! on them. A process is flat: nodes refer to their enclosing sub-process, so that an instance can
//! name any element by its BPMN id alone.
//!
//! Invariants: ids are unique within a process; every [`NodeIx`] and [`FlowIx`] in a process points
//! into that process; expressions are compiled. They hold because [`ProcessBuilder`] is the only
//! way to make a [`Process`].

mod ad_hoc;
mod builder;
mod lane;
mod node;
mod repetition;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

pub use ad_hoc::{AdHoc, AdHocOutput, Performer};
pub use builder::{BuildError, NodeDraft, ProcessBuilder};
pub use lane::Lane;
pub use node::{
    CallActivity, CompensationTrigger, Correlation, ErrorTrigger, Gateway, JobSpec, Mapping,
    Message, Multiple, Node, NodeKind, Script, SubProcess, Task, Text, TimerKind, TimerTrigger,
    Trigger, UserTask,
};
pub use repetition::{Behavior, ComplexBehavior, Loop, MultiInstance, StandardLoop};

use crate::feel::Program;
use crate::governance::Policy;

/// The BPMN id of an element. Cheap to clone.
pub type ElementId = Arc<str>;

/// The place of a node in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub(crate) u32);

/// The place of a sequence flow in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIx(pub(crate) u32);

/// Everything of one BPMN file that matters for execution (BPMN 2.0.2 §8.1).
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// `id` of the `definitions` element.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its `targetNamespace`.
    pub target_namespace: String,
    /// The processes, in file order.
    pub processes: Vec<Arc<Process>>,
}

impl Definitions {
    /// The process with BPMN id `id`.
    #[must_use]
    pub fn process(&self, id: &str) -> Option<&Arc<Process>> {
        self.processes.iter().find(|process| &*process.id == id)
    }

    /// The first process marked executable, else the first one that has elements: a pool that is a
    /// black box may have a process without any.
    #[must_use]
    pub fn main_process(&self) -> Option<&Arc<Process>> {
        let mut processes = self.processes.iter();
        let executable = processes.clone().find(|process| process.executable);
        executable
            .or_else(|| processes.find(|process| !process.nodes.is_empty()))
            .or_else(|| self.processes.first())
    }
}

/// A process (BPMN 2.0.2 §10).
#[derive(Clone, Debug)]
pub struct Process {
    /// BPMN id.
    pub id: ElementId,
    /// Human name.
    pub name: Option<String>,
    /// `documentation`.
    pub documentation: Option<String>,
    /// `isExecutable`.
    pub executable: bool,
    /// `zeebe:versionTag`.
    pub version_tag: Option<String>,
    /// What goes in and comes out, and whether the process is offered as a tool.
    pub contract: Contract,
    /// Policies on the whole process.
    pub policies: Vec<Policy>,
    /// The lanes that its nodes lie in, outer ones first.
    pub lanes: Vec<Lane>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) index: BTreeMap<ElementId, NodeIx>,
}

/// The typed border of a process (`flowmaster:contract`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// JSON Schema of the start variables.
    pub input: Option<Value>,
    /// JSON Schema of the result.
    pub output: Option<Value>,
    /// The variables that are the result; all process variables when empty.
    pub result: Vec<String>,
    /// The name under which the published process is offered as a tool.
    pub tool: Option<String>,
    /// When to use the tool, for models.
    pub tool_description: Option<String>,
}

/// A sequence flow (BPMN 2.0.2 §8.4.13).
#[derive(Clone, Debug)]
pub struct Flow {
    /// BPMN id.
    pub id: ElementId,
    /// Human name.
    pub name: Option<String>,
    /// Where it starts.
    pub source: NodeIx,
    /// Where it ends.
    pub target: NodeIx,
    /// FEEL condition, if any.
    pub condition: Option<Program>,
}

impl Process {
    /// The node at `ix`. Total, because indexes come from this process only.
    #[must_use]
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    /// The flow at `ix`.
    #[must_use]
    pub fn flow(&self, ix: FlowIx) -> &Flow {
        &self.flows[ix.0 as usize]
    }

    /// The node with BPMN id `id`.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<NodeIx> {
        self.index.get(id).copied()
    }

    /// All nodes with their places, in file order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIx, &Node)> {
        (0..).map(NodeIx).zip(&self.nodes)
    }

    /// All flows with their places, in file order.
    pub fn flows(&self) -> impl Iterator<Item = (FlowIx, &Flow)> {
        (0..).map(FlowIx).zip(&self.flows)
    }

    /// The nodes directly inside `scope`: a sub-process, or the process itself for `None`.
    pub fn children(&self, scope: Option<NodeIx>) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.nodes().filter(move |(_, node)| node.parent == scope)
    }

    /// The start events directly inside `scope`.
    pub fn start_events(&self, scope: Option<NodeIx>) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.children(scope).filter(|(_, node)| matches!(node.kind, NodeKind::StartEvent { .. }))
    }

    /// The gateway that starts the process by the event at `event`, with the flow between them.
    #[must_use]
    pub fn instantiating_gateway(&self, event: NodeIx) -> Option<(NodeIx, FlowIx)> {
        let incoming = self.node(event).incoming.iter();
        incoming
            .map(|flow| (self.flow(*flow).source, *flow))
            .find(|(source, _)| self.node(*source).instantiates)
    }

    /// Whether what the event at `ix` waits for starts the process without a start event: the
    /// message of an instantiating receive task, an event of an instantiating gateway.
    #[must_use]
    pub fn instantiates(&self, ix: NodeIx) -> bool {
        let node = self.node(ix);
        (node.instantiates && !matches!(node.kind, NodeKind::Gateway(_)))
            || self.instantiating_gateway(ix).is_some()
    }

    /// The events that start the process, in file order.
    pub fn starts(&self) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.children(None).filter(|(ix, node)| {
            matches!(node.kind, NodeKind::StartEvent { .. }) || self.instantiates(*ix)
        })
    }

    /// The catch event that the link of the throw event `node` leads to: the one of the same name
    /// in the same scope.
    #[must_use]
    pub fn link_target(&self, node: &Node) -> Option<NodeIx> {
        let NodeKind::IntermediateThrowEvent(Trigger::Link { name }) = &node.kind else {
            return None;
        };
        let mut targets = self.link_targets(node.parent, name);
        targets.next().map(|(ix, _)| ix)
    }

    /// The catch events of the links called `name` directly inside `scope`.
    pub fn link_targets(
        &self,
        scope: Option<NodeIx>,
        name: &str,
    ) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.children(scope).filter(move |(_, node)| {
            matches!(&node.kind,
                NodeKind::IntermediateCatchEvent(Trigger::Link { name: known }) if known == name)
        })
    }

    /// The throw events whose links lead to the catch event `target`.
    pub fn link_sources(&self, target: NodeIx) -> impl Iterator<Item = (NodeIx, &Node)> {
        let is_target = matches!(
            self.node(target).kind,
            NodeKind::IntermediateCatchEvent(Trigger::Link { .. })
        );
        let all = is_target.then(|| self.nodes()).into_iter().flatten();
        all.filter(move |(_, node)| self.link_target(node) == Some(target))
    }

    /// The compensation boundary event of `activity`, if it has a handler.
    #[must_use]
    pub fn compensation_handler(&self, activity: &Node) -> Option<NodeIx> {
        let mut events = activity.boundary.iter().map(|event| self.node(*event));
        events.find_map(|event| {
            event.handler.filter(|_| matches!(event.trigger(), Some(Trigger::Compensation(_))))
        })
    }

    /// The start event of the compensation event sub-process directly inside `sub_process`.
    #[must_use]
    pub fn compensation_start(&self, sub_process: NodeIx) -> Option<NodeIx> {
        let inside = self.children(Some(sub_process));
        let handlers =
            inside.filter(|(_, node)| matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)));
        let mut starts = handlers.flat_map(|(ix, _)| self.start_events(Some(ix)));
        let found =
            starts.find(|(_, start)| matches!(start.trigger(), Some(Trigger::Compensation(_))));
        found.map(|(ix, _)| ix)
    }

    /// Whether `inner` lies inside `outer` at any depth.
    #[must_use]
    pub fn is_inside(&self, inner: NodeIx, outer: NodeIx) -> bool {
        let mut scope = self.node(inner).parent;
        while let Some(ix) = scope {
            if ix == outer {
                return true;
            }
            scope = self.node(ix).parent;
        }
        false
    }
}
