//! The only way to make a [`Process`]: drafts that name each other by id, checked and linked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Contract, ElementId, Flow, FlowIx, Lane, Node, NodeIx, NodeKind, Process};
use crate::feel::Program;
use crate::governance::Policy;

/// Collects the elements of a process and links them.
#[derive(Debug)]
pub struct ProcessBuilder {
    process: Process,
    drafts: Vec<NodeDraft>,
    flows: Vec<FlowDraft>,
}

/// A node that names its neighbours by id.
#[derive(Clone, Debug)]
pub struct NodeDraft {
    /// The node; its links (`parent`, `incoming`, `outgoing`, `default_flow`, `boundary`,
    /// `handler` and the `attached_to` of a boundary event) are filled in by the builder.
    pub node: Node,
    /// Id of the enclosing sub-process.
    pub parent: Option<ElementId>,
    /// Id of the default flow.
    pub default_flow: Option<ElementId>,
    /// Id of the activity a boundary event is attached to.
    pub attached_to: Option<ElementId>,
    /// Id of the activity that a compensation boundary event is associated with.
    pub handler: Option<ElementId>,
}

#[derive(Debug)]
struct FlowDraft {
    id: ElementId,
    name: Option<String>,
    source: ElementId,
    target: ElementId,
    condition: Option<Program>,
}

/// Why the elements do not make a process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two elements have the same id.
    #[error("the id {0:?} is used twice")]
    DuplicateId(ElementId),
    /// An element refers to something that is not there.
    #[error("{element:?} refers to {target:?}, which does not exist in the process")]
    DanglingReference {
        /// The element that refers.
        element: ElementId,
        /// What it refers to.
        target: ElementId,
    },
    /// A boundary event without an activity.
    #[error("the boundary event {0:?} is not attached to an activity")]
    DetachedBoundary(ElementId),
    /// More elements than an engine should hold.
    #[error("the process has more than {0} elements")]
    TooLarge(usize),
}

/// The largest process, in nodes plus flows.
const MAX_ELEMENTS: usize = 20_000;

impl ProcessBuilder {
    /// Starts a process with BPMN id `id`.
    pub fn new(id: impl Into<ElementId>) -> Self {
        Self {
            process: Process {
                id: id.into(),
                name: None,
                documentation: None,
                executable: true,
                version_tag: None,
                contract: Contract::default(),
                policies: Vec::new(),
                lanes: Vec::new(),
                nodes: Vec::new(),
                flows: Vec::new(),
                index: BTreeMap::new(),
            },
            drafts: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// Sets what is known of the process as a whole.
    pub fn describe(
        &mut self,
        name: Option<String>,
        documentation: Option<String>,
        executable: bool,
    ) {
        self.process.name = name;
        self.process.documentation = documentation;
        self.process.executable = executable;
    }

    /// Sets the version tag.
    pub fn version_tag(&mut self, tag: Option<String>) {
        self.process.version_tag = tag;
    }

    /// Sets the contract.
    pub fn contract(&mut self, contract: Contract) {
        self.process.contract = contract;
    }

    /// Attaches a policy to the whole process.
    pub fn policy(&mut self, policy: Policy) {
        self.process.policies.push(policy);
    }

    /// Adds a lane; one of a name that is there already is the same lane.
    pub fn lane(&mut self, lane: Lane) {
        if self.process.lanes.iter().all(|known| known.name != lane.name) {
            self.process.lanes.push(lane);
        }
    }

    /// Adds a node.
    pub fn node(&mut self, draft: NodeDraft) {
        self.drafts.push(draft);
    }

    /// Adds a sequence flow.
    pub fn flow(
        &mut self,
        id: impl Into<ElementId>,
        name: Option<String>,
        source: impl Into<ElementId>,
        target: impl Into<ElementId>,
        condition: Option<Program>,
    ) {
        let (id, source, target) = (id.into(), source.into(), target.into());
        self.flows.push(FlowDraft { id, name, source, target, condition });
    }

    /// Links everything.
    ///
    /// # Errors
    /// A duplicate id, a dangling reference, or too many elements.
    pub fn build(mut self) -> Result<Arc<Process>, BuildError> {
        if self.drafts.len() + self.flows.len() > MAX_ELEMENTS {
            return Err(BuildError::TooLarge(MAX_ELEMENTS));
        }
        let drafts = std::mem::take(&mut self.drafts);
        for (ix, draft) in (0..).map(NodeIx).zip(&drafts) {
            let id = &draft.node.id;
            if self.process.index.insert(Arc::clone(id), ix).is_some() {
                return Err(BuildError::DuplicateId(Arc::clone(id)));
            }
        }
        for draft in &drafts {
            let node = self.linked(draft)?;
            self.process.nodes.push(node);
        }
        self.link_flows(&drafts)?;
        self.link_boundaries()?;
        Ok(Arc::new(self.process))
    }

    fn place(&self, element: &ElementId, target: &ElementId) -> Result<NodeIx, BuildError> {
        self.process.index.get(target).copied().ok_or_else(|| BuildError::DanglingReference {
            element: Arc::clone(element),
            target: Arc::clone(target),
        })
    }

    fn linked(&self, draft: &NodeDraft) -> Result<Node, BuildError> {
        let mut node = draft.node.clone();
        if let Some(parent) = &draft.parent {
            node.parent = Some(self.place(&node.id, parent)?);
        }
        if let NodeKind::BoundaryEvent { attached_to, .. } = &mut node.kind {
            let activity = draft
                .attached_to
                .as_ref()
                .ok_or_else(|| BuildError::DetachedBoundary(Arc::clone(&node.id)))?;
            *attached_to = self.place(&node.id, activity)?;
        }
        if let Some(handler) = &draft.handler {
            node.handler = Some(self.place(&node.id, handler)?);
        }
        Ok(node)
    }

    fn link_flows(&mut self, drafts: &[NodeDraft]) -> Result<(), BuildError> {
        let mut flow_index = BTreeMap::new();
        for (ix, draft) in (0..).map(FlowIx).zip(std::mem::take(&mut self.flows)) {
            let source = self.place(&draft.id, &draft.source)?;
            let target = self.place(&draft.id, &draft.target)?;
            if self.process.index.contains_key(&draft.id)
                || flow_index.insert(Arc::clone(&draft.id), ix).is_some()
            {
                return Err(BuildError::DuplicateId(draft.id));
            }
            self.process.nodes[source.0 as usize].outgoing.push(ix);
            self.process.nodes[target.0 as usize].incoming.push(ix);
            let FlowDraft { id, name, condition, .. } = draft;
            self.process.flows.push(Flow { id, name, source, target, condition });
        }
        for (node, draft) in self.process.nodes.iter_mut().zip(drafts) {
            if let Some(default) = &draft.default_flow {
                let flow = flow_index.get(default).copied();
                node.default_flow = Some(flow.ok_or_else(|| BuildError::DanglingReference {
                    element: Arc::clone(&node.id),
                    target: Arc::clone(default),
                })?);
            }
        }
        Ok(())
    }

    fn link_boundaries(&mut self) -> Result<(), BuildError> {
        for place in 0..self.process.nodes.len() {
            let node = &self.process.nodes[place];
            let NodeKind::BoundaryEvent { attached_to, .. } = node.kind else { continue };
            if !self.process.node(attached_to).is_activity() {
                return Err(BuildError::DetachedBoundary(Arc::clone(&node.id)));
            }
            let event = u32::try_from(place).map_err(|_| BuildError::TooLarge(MAX_ELEMENTS))?;
            self.process.nodes[attached_to.0 as usize].boundary.push(NodeIx(event));
        }
        Ok(())
    }
}

impl NodeDraft {
    /// A node of `kind` with nothing attached.
    pub fn new(id: impl Into<ElementId>, kind: NodeKind) -> Self {
        Self {
            node: Node {
                id: id.into(),
                name: None,
                documentation: None,
                kind,
                parent: None,
                incoming: Vec::new(),
                outgoing: Vec::new(),
                default_flow: None,
                boundary: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                repeat: None,
                start_quantity: 1,
                completion_quantity: 1,
                critical_section: None,
                cancellation_set: Vec::new(),
                completes_activity: false,
                for_compensation: false,
                instantiates: false,
                handler: None,
                policies: Vec::new(),
                lane: None,
                headers: BTreeMap::new(),
            },
            parent: None,
            default_flow: None,
            attached_to: None,
            handler: None,
        }
    }
}

impl NodeIx {
    /// Stands for a link that the builder fills in.
    pub const UNLINKED: Self = Self(u32::MAX);
}
