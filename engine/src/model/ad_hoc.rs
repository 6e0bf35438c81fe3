//! Ad-hoc sub-processes (BPMN 2.0.2 §10.3.5): activities without a fixed order.

use super::{JobSpec, Node, NodeIx, NodeKind, Process, SubProcess, Text, Trigger};
use crate::feel::Program;

/// What is particular to an ad-hoc sub-process.
#[derive(Clone, Debug)]
pub struct AdHoc {
    /// `ordering`: one activity at a time instead of any number.
    pub sequential: bool,
    /// `completionCondition`, looked at whenever an activity inside completes.
    pub completion_condition: Option<Program>,
    /// `cancelRemainingInstances`: whether what still runs is ended when the condition holds.
    pub cancel_remaining: bool,
    /// `zeebe:adHoc activeElementsCollection`: the ids of what begins by itself.
    pub active_elements: Option<Program>,
    /// Who is asked what begins next. Without one somebody says so from outside.
    pub performer: Option<Performer>,
    /// What is kept of what was done.
    pub output: Option<AdHocOutput>,
}

/// Who performs an ad-hoc sub-process: asked when it begins, and again whenever all that was
/// activated is over, until the answer is that nothing more is to be done.
#[derive(Clone, Debug)]
pub enum Performer {
    /// A worker (`zeebe:taskDefinition`).
    Worker(JobSpec),
    /// An AI agent (`flowmaster:agent`), whose tools the elements are.
    Agent {
        /// The agent's id in the registry.
        agent: Text,
        /// The job the agent's work is tracked by.
        job: JobSpec,
    },
}

/// Results of an ad-hoc sub-process, one whenever something that was activated, with all that flows
/// from it lead to, is over.
#[derive(Clone, Debug)]
pub struct AdHocOutput {
    /// `zeebe:adHoc outputCollection`: the variable that collects them, in order of completion.
    pub collection: String,
    /// `outputElement`: the result.
    pub element: Program,
}

impl Node {
    /// What is particular to it, if it is an ad-hoc sub-process.
    #[must_use]
    pub fn ad_hoc(&self) -> Option<&AdHoc> {
        match &self.kind {
            NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc)) => Some(ad_hoc),
            _ => None,
        }
    }
}

impl Process {
    /// The sub-process directly around the element `id`.
    #[must_use]
    pub fn around(&self, id: &str) -> Option<&Node> {
        Some(self.node(self.node(self.find(id)?).parent?))
    }

    /// The nodes directly inside `scope` that nothing leads to and no event starts. They begin in a
    /// sub-process without a start event, and are enabled from the beginning in an ad-hoc one.
    pub fn unled(&self, scope: NodeIx) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.children(Some(scope)).filter(|(_, node)| {
            node.incoming.is_empty()
                && !node.for_compensation
                && !matches!(
                    node.kind,
                    NodeKind::BoundaryEvent { .. }
                        | NodeKind::IntermediateCatchEvent(Trigger::Link { .. })
                        | NodeKind::StartEvent { .. }
                        | NodeKind::SubProcess(SubProcess::Event)
                )
        })
    }
}
