//! Checks a process before it is published: what would get stuck, be skipped or surprise.

mod compensation;
mod event;
mod gateway;
mod link;
mod policy;
mod repetition;
mod token;

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::model::{Flow, Node, NodeIx, NodeKind, Process, SubProcess, Task, Text, Trigger};

/// What the process may refer to outside itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Ids of the decisions that can be evaluated; `None` when not known.
    pub decisions: Option<BTreeSet<String>>,
    /// Ids of the processes that can be called; `None` when not known.
    pub processes: Option<BTreeSet<String>>,
    /// Ids of the agents; `None` when not known.
    pub agents: Option<BTreeSet<String>>,
}

/// All findings about `process`, errors first, in file order.
#[must_use]
pub fn validate(process: &Process, surroundings: &Surroundings) -> Vec<Finding> {
    let mut check = Check { process, surroundings, findings: Vec::new() };
    check.scope(None);
    for (ix, node) in process.nodes() {
        if matches!(node.kind, NodeKind::SubProcess(_)) {
            check.scope(Some(ix));
        }
        check.node(ix, node);
    }
    for (_, flow) in process.flows() {
        check.flow(flow);
    }
    check.policies();
    check.findings.sort_by_key(|finding| finding.severity);
    check.findings
}

struct Check<'a> {
    process: &'a Process,
    surroundings: &'a Surroundings,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn error(&mut self, code: &str, element: &str, what: impl Into<String>, fix: &str) {
        self.findings.push(Finding::error(code, element, what, fix));
    }

    fn warning(&mut self, code: &str, element: &str, what: impl Into<String>, fix: &str) {
        self.findings.push(Finding::warning(code, element, what, fix));
    }

    fn scope(&mut self, scope: Option<NodeIx>) {
        let process = self.process;
        let (id, is_event) = match scope.map(|ix| process.node(ix)) {
            None => (&*process.id, false),
            Some(node) => (&*node.id, matches!(node.kind, NodeKind::SubProcess(SubProcess::Event))),
        };
        let starts: Vec<&Node> = process.start_events(scope).map(|(_, node)| node).collect();
        let plain = starts.iter().filter(|node| is_none_start(node)).count();
        if is_event {
            if starts.len() != 1 || plain != 0 {
                self.error(
                    "event_sub_process_start",
                    id,
                    "an event sub-process has exactly one start event, and it waits for something",
                    "keep one start event and give it a message, timer, error, signal, escalation, condition or compensation",
                );
            }
        } else if scope.is_some_and(|ix| process.node(ix).ad_hoc().is_some()) {
            self.ad_hoc_content(id, &starts, scope);
        } else if (starts.is_empty() && process.starts().next().is_none())
            || (scope.is_some() && plain != 1)
        {
            self.error(
                "no_start_event",
                id,
                "there is no start event to begin at",
                "add one plain start event",
            );
        } else if plain > 1 {
            self.error(
                "several_start_events",
                id,
                "there are several plain start events, so it is not clear where to begin",
                "keep one, and use a gateway to branch",
            );
        }
        self.reachability(scope);
        self.bypass(scope, id);
    }

    /// Every node must be reachable from a start event of its scope (BPMN 2.0.2 §13.2).
    fn reachability(&mut self, scope: Option<NodeIx>) {
        let process = self.process;
        let mut reached: BTreeSet<NodeIx> = BTreeSet::new();
        let mut open: Vec<NodeIx> = process.start_events(scope).map(|(ix, _)| ix).collect();
        let instantiating = process.children(scope).filter(|(_, node)| node.instantiates);
        open.extend(instantiating.map(|(ix, _)| ix));
        open.extend(process.children(scope).filter_map(|(ix, node)| {
            matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)).then_some(ix)
        }));
        if let Some(ix) = scope.filter(|ix| process.node(*ix).ad_hoc().is_some()) {
            open.extend(process.unled(ix).map(|(ix, _)| ix));
        }
        while let Some(ix) = open.pop() {
            if reached.insert(ix) {
                let node = process.node(ix);
                open.extend(node.outgoing.iter().map(|&flow| process.flow(flow).target));
                open.extend(&node.boundary);
                open.extend(process.link_target(node));
                open.extend(node.handler);
            }
        }
        for (ix, node) in process.children(scope) {
            let is_known = reached.contains(&ix) || node.for_compensation;
            if !is_known && !self.link_without_source(ix, node) {
                self.error(
                    "unreachable",
                    &node.id,
                    "no path leads here from a start event",
                    "connect it, or remove it",
                );
            }
        }
    }

    /// A flow straight from start to end beside a real path lets an instance skip all work.
    fn bypass(&mut self, scope: Option<NodeIx>, id: &str) {
        let process = self.process;
        let skipping = process.start_events(scope).any(|(_, start)| {
            start.outgoing.len() > 1
                && start.outgoing.iter().any(|&flow| {
                    matches!(process.node(process.flow(flow).target).kind, NodeKind::EndEvent(_))
                })
        });
        if skipping {
            self.error(
                "start_to_end_bypass",
                id,
                "a flow leads straight from the start to an end beside the real path",
                "remove that flow",
            );
        }
    }

    fn node(&mut self, ix: NodeIx, node: &Node) {
        let id = &*node.id;
        self.link(node);
        self.compensation(ix, node);
        self.instantiates(node);
        match &node.kind {
            NodeKind::StartEvent { trigger, .. } => {
                if !node.incoming.is_empty() {
                    self.error(
                        "flow_into_start",
                        id,
                        "a flow leads into a start event",
                        "remove it",
                    );
                }
                self.start_trigger(node, trigger);
            }
            NodeKind::EndEvent(trigger) => {
                if !node.outgoing.is_empty() {
                    self.error("flow_out_of_end", id, "a flow leaves an end event", "remove it");
                }
                self.throws(node, trigger);
            }
            NodeKind::IntermediateThrowEvent(trigger) => self.throws(node, trigger),
            NodeKind::IntermediateCatchEvent(trigger) => self.catch(ix, node, trigger),
            NodeKind::BoundaryEvent { trigger, attached_to, .. } => {
                self.boundary(node, *attached_to, trigger);
            }
            NodeKind::Gateway(gateway) => self.gateway(node, *gateway),
            NodeKind::ComplexGateway { activation } => {
                self.complex_gateway(node, activation.is_some());
            }
            NodeKind::Task(task) => self.task(ix, id, task),
            NodeKind::CallActivity(call) => {
                let known = self.surroundings.processes.as_ref();
                self.reference("called_process_missing", id, "process", &call.process, known);
            }
            NodeKind::SubProcess(SubProcess::Event)
                if !node.incoming.is_empty() || !node.outgoing.is_empty() =>
            {
                self.error(
                    "event_sub_process_flow",
                    id,
                    "an event sub-process has no incoming or outgoing flows",
                    "remove the flows; its start event starts it",
                );
            }
            NodeKind::SubProcess(_) => {}
        }
        self.repetition(node);
        self.tokens(ix, node);
        if node.default_flow.is_some_and(|flow| self.process.flow(flow).source != ix) {
            self.error(
                "foreign_default_flow",
                id,
                "its default flow starts somewhere else",
                "name one of its own flows as the default",
            );
        }
    }

    fn task(&mut self, ix: NodeIx, id: &str, task: &Task) {
        match task {
            // What starts the process finds no instance, unless others of its kind did before.
            Task::Receive(_) if self.starts_alone(ix) => {}
            Task::Receive(message) => self.correlation(id, message.correlation.is_given()),
            Task::User(user) => {
                let node = self.process.node(ix);
                if let Some(group) = self.process.lane_group(node).filter(|_| user.names_nobody()) {
                    self.findings.push(Finding::info(
                        "lane_group",
                        id,
                        format!("its lane says who does it: the group {group:?}"),
                        "name groups or persons at the task if it is somebody else",
                    ));
                } else if user.names_nobody() {
                    self.warning(
                        "nobody_assigned",
                        id,
                        "nobody is named who may do the task; everyone may claim it",
                        "name groups or persons",
                    );
                }
            }
            Task::BusinessRule { decision, .. } => {
                let known = self.surroundings.decisions.as_ref();
                self.reference("decision_missing", id, "decision", decision, known);
            }
            Task::Agent { agent, .. } => {
                let known = self.surroundings.agents.as_ref();
                self.reference("agent_missing", id, "agent", agent, known);
            }
            Task::Pass | Task::Job(_) | Task::Script(_) | Task::Send(_) => {}
        }
    }

    fn reference(
        &mut self,
        code: &str,
        id: &str,
        kind: &str,
        text: &Text,
        known: Option<&BTreeSet<String>>,
    ) {
        let (Text::Literal(name), Some(known)) = (text, known) else { return };
        if !known.contains(name) {
            self.error(
                code,
                id,
                format!("the {kind} {name:?} does not exist"),
                "save and publish it first, or correct the name",
            );
        }
    }

    fn flow(&mut self, flow: &Flow) {
        let (source, target) = (self.process.node(flow.source), self.process.node(flow.target));
        if source.parent != target.parent {
            self.error(
                "flow_across_scopes",
                &flow.id,
                format!(
                    "the flow leads from {} across the border of a sub-process to {}",
                    source.id, target.id
                ),
                "end at the border; the sub-process itself has the flow that goes on",
            );
        }
    }
}

fn is_none_start(node: &Node) -> bool {
    matches!(node.kind, NodeKind::StartEvent { trigger: Trigger::None, .. })
}

#[cfg(test)]
mod tests;
