//! From the compact form to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    CompactAdHoc, CompactAssignment, CompactElement, CompactEvent, CompactPolicy, CompactProcess,
    CompactRule,
};
use crate::feel::Program;
use crate::finding::Finding;
use crate::governance::{Policy, Rule};
use crate::model::{
    AdHoc, AdHocOutput, CallActivity, CompensationTrigger, Contract, Correlation, ElementId,
    ErrorTrigger, Gateway, JobSpec, Mapping, Message, Multiple, NodeDraft, NodeIx, NodeKind,
    Performer, Process, ProcessBuilder, Script, SubProcess, Task, Text, TimerKind, TimerTrigger,
    Trigger, UserTask,
};

/// The deepest nesting of sub-processes.
const MAX_DEPTH: usize = 20;

impl CompactProcess {
    /// The process this describes.
    ///
    /// # Errors
    /// Every mistake found, not only the first one.
    pub fn to_process(&self) -> Result<Arc<Process>, Vec<Finding>> {
        let mut reader = Reader {
            builder: ProcessBuilder::new(self.id.as_str()),
            findings: Vec::new(),
            handlers: handlers(&self.elements),
        };
        reader.builder.describe(self.name.clone(), self.documentation.clone(), true);
        reader.builder.contract(Contract {
            input: self.input.clone(),
            output: self.output.clone(),
            result: self.result.clone(),
            tool: self.tool.clone(),
            tool_description: self.when_to_use.clone(),
        });
        for policy in &self.policies {
            if let Some(policy) = reader.policy(&self.id, policy) {
                reader.builder.policy(policy);
            }
        }
        for name in self.result.iter().chain([&self.id]) {
            reader.name(&self.id, name);
        }
        reader.lanes(&self.lanes);
        reader.elements(&self.elements, None, 0);
        let Reader { builder, mut findings, .. } = reader;
        match builder.build() {
            Ok(process) if findings.is_empty() => Ok(process),
            Ok(_) => Err(findings),
            Err(error) => {
                findings.push(Finding::error(
                    "process_not_linked",
                    &self.id,
                    error.to_string(),
                    "give every element an id of its own and refer to elements that exist",
                ));
                Err(findings)
            }
        }
    }
}

pub(super) struct Reader {
    pub(super) builder: ProcessBuilder,
    pub(super) findings: Vec<Finding>,
    /// Ids of the activities that undo others.
    handlers: BTreeSet<String>,
}

impl Reader {
    fn elements(&mut self, elements: &[CompactElement], parent: Option<&ElementId>, depth: usize) {
        if depth > MAX_DEPTH {
            self.findings.push(Finding::error(
                "too_deep",
                parent.map_or("", |id| id),
                format!("sub-processes are nested more than {MAX_DEPTH} deep"),
                "move inner parts to processes of their own and call them",
            ));
            return;
        }
        for element in elements {
            self.name(&element.id, &element.id);
            let id: ElementId = element.id.as_str().into();
            let kind = self.kind(element);
            let mut draft = NodeDraft::new(Arc::clone(&id), kind);
            draft.parent = parent.cloned();
            draft.attached_to = element.attached_to.as_deref().map(Into::into);
            draft.node.instantiates = element.instantiate;
            draft.handler = self.handler(element);
            draft.node.for_compensation = self.handlers.contains(&element.id);
            draft.node.name.clone_from(&element.name);
            draft.node.documentation.clone_from(&element.documentation);
            draft.node.headers.clone_from(&element.headers);
            draft.node.lane = element.lane.as_deref().map(|lane| self.lane_name(&element.id, lane));
            draft.node.inputs = self.mappings(&element.id, &element.inputs);
            draft.node.outputs = self.mappings(&element.id, &element.outputs);
            draft.node.repeat = self.repetition(element);
            draft.node.start_quantity = element.start_quantity.unwrap_or(1);
            draft.node.completion_quantity = element.completion_quantity.unwrap_or(1);
            draft.node.critical_section.clone_from(&element.critical_section);
            let cancelled = element.cancellation_set.iter();
            draft.node.cancellation_set = cancelled.map(|id| id.as_str().into()).collect();
            draft.node.completes_activity = element.completes_activity;
            draft.node.policies = element
                .policies
                .iter()
                .filter_map(|policy| self.policy(&element.id, policy))
                .collect();
            self.flows(element, &mut draft);
            self.builder.node(draft);
            self.elements(&element.elements, Some(&id), depth + 1);
        }
    }

    /// What undoes the activity that the element is attached to.
    fn handler(&mut self, element: &CompactElement) -> Option<ElementId> {
        let handler = element.handler.as_deref()?;
        if element.attached_to.is_none() {
            self.findings.push(Finding::error(
                "handler_without_event",
                &element.id,
                format!("{} names the handler {handler:?}, but is no boundary event", element.id),
                "attach a boundaryEvent with \"event\": { \"compensation\": {} } to the activity \
                 that is to be undone, and name the handler there",
            ));
        }
        Some(handler.into())
    }

    /// BPMN files separate names by white space.
    fn name(&mut self, element: &str, name: &str) {
        if name.is_empty() || name.contains(char::is_whitespace) {
            self.findings.push(Finding::error(
                "invalid_name",
                element,
                format!("{name:?} is not a name: it is empty or holds white space"),
                "use letters, digits, - and _",
            ));
        }
    }

    fn flows(&mut self, element: &CompactElement, draft: &mut NodeDraft) {
        let mut to_same_target: BTreeMap<String, usize> = BTreeMap::new();
        for target in element.next.targets() {
            let nth = to_same_target.entry(target.to.clone()).or_default();
            *nth += 1;
            let mut id = format!("{}--{}", element.id, target.to);
            if *nth > 1 {
                id = format!("{id}-{nth}");
            }
            let condition = target.when.as_ref().and_then(|text| self.program(&element.id, text));
            if target.default {
                draft.default_flow = Some(id.as_str().into());
            }
            self.builder.flow(id, target.name, element.id.as_str(), target.to, condition);
        }
    }

    fn kind(&mut self, element: &CompactElement) -> NodeKind {
        let interrupting = element.interrupting.unwrap_or(true);
        match element.kind.as_str() {
            "startEvent" => NodeKind::StartEvent { trigger: self.trigger(element), interrupting },
            "endEvent" => NodeKind::EndEvent(self.trigger(element)),
            "intermediateCatchEvent" => NodeKind::IntermediateCatchEvent(self.trigger(element)),
            "intermediateThrowEvent" => NodeKind::IntermediateThrowEvent(self.trigger(element)),
            "boundaryEvent" => NodeKind::BoundaryEvent {
                attached_to: NodeIx::UNLINKED,
                interrupting,
                trigger: self.trigger(element),
            },
            "task" => NodeKind::Task(Task::Pass),
            "userTask" => NodeKind::Task(Task::User(self.user_task(element))),
            "serviceTask" => NodeKind::Task(Task::Job(self.job(element))),
            "agentTask" => {
                let agent = self.required(element, "agent", element.agent.as_deref());
                NodeKind::Task(Task::Agent {
                    agent: self.text(&element.id, &agent),
                    job: self.agent_job(element),
                })
            }
            "receiveTask" | "sendTask" => match self.trigger(element) {
                _ if element.kind == "sendTask" && element.job.is_some() => {
                    NodeKind::Task(Task::Job(self.job(element)))
                }
                Trigger::Message(message) if element.kind == "sendTask" => {
                    NodeKind::Task(Task::Send(message))
                }
                Trigger::Message(message) => NodeKind::Task(Task::Receive(message)),
                _ => {
                    self.missing(element, "event.message");
                    NodeKind::Task(Task::Pass)
                }
            },
            "scriptTask" => {
                let script = self.required(element, "script", element.script.as_deref());
                let result_variable = self.required(element, "result", element.result.as_deref());
                match self.program(&element.id, &script) {
                    Some(expression) => {
                        NodeKind::Task(Task::Script(Script { expression, result_variable }))
                    }
                    None => NodeKind::Task(Task::Pass),
                }
            }
            "businessRuleTask" => {
                let decision = self.required(element, "decision", element.decision.as_deref());
                let result_variable = self.required(element, "result", element.result.as_deref());
                NodeKind::Task(Task::BusinessRule {
                    decision: self.text(&element.id, &decision),
                    result_variable,
                })
            }
            "exclusiveGateway" => NodeKind::Gateway(Gateway::Exclusive),
            "parallelGateway" => NodeKind::Gateway(Gateway::Parallel),
            "inclusiveGateway" => NodeKind::Gateway(Gateway::Inclusive),
            "eventBasedGateway" if element.parallel => {
                NodeKind::Gateway(Gateway::ParallelEventBased)
            }
            "eventBasedGateway" => NodeKind::Gateway(Gateway::EventBased),
            "complexGateway" => NodeKind::ComplexGateway {
                activation: self.optional_program(&element.id, element.activation.as_deref()),
            },
            "subProcess" => NodeKind::SubProcess(SubProcess::Embedded),
            "transaction" => NodeKind::SubProcess(SubProcess::Transaction),
            "eventSubProcess" => NodeKind::SubProcess(SubProcess::Event),
            "adHocSubProcess" => NodeKind::SubProcess(SubProcess::AdHoc(self.ad_hoc(element))),
            "callActivity" => {
                let process = self.required(element, "process", element.process.as_deref());
                NodeKind::CallActivity(CallActivity {
                    process: self.text(&element.id, &process),
                    propagate_parent_variables: element.passes_all_in(),
                    propagate_child_variables: element.passes_all_out(),
                })
            }
            other => {
                self.findings.push(Finding::error(
                    "unknown_type",
                    &element.id,
                    format!("{other:?} is no element type"),
                    "use one of the types that the schema of the compact form lists",
                ));
                NodeKind::Task(Task::Pass)
            }
        }
    }

    fn trigger(&mut self, element: &CompactElement) -> Trigger {
        let events = element.event.iter().chain(&element.events);
        let mut triggers: Vec<Trigger> =
            events.map(|event| self.definition(element, event)).collect();
        if triggers.len() > 1 {
            return Trigger::Multiple(Multiple { parallel: element.parallel, triggers });
        }
        triggers.pop().unwrap_or(Trigger::None)
    }

    pub(super) fn definition(&mut self, element: &CompactElement, event: &CompactEvent) -> Trigger {
        let id = &element.id;
        let timer = |kind, value| Trigger::Timer(TimerTrigger { kind, value });
        match event {
            CompactEvent::Message { name, correlation, business_key } => {
                Trigger::Message(Message {
                    name: self.text(id, name),
                    correlation: match correlation.as_ref().map(|text| self.program(id, text)) {
                        Some(key) => key.map_or(Correlation::None, Correlation::Key),
                        None if *business_key => Correlation::BusinessKey,
                        None => Correlation::None,
                    },
                    job: element.job.is_some().then(|| self.job(element)),
                })
            }
            CompactEvent::Duration(text) => timer(TimerKind::Duration, self.text(id, text)),
            CompactEvent::Date(text) => timer(TimerKind::Date, self.text(id, text)),
            CompactEvent::Cycle(text) => timer(TimerKind::Cycle, self.text(id, text)),
            CompactEvent::Error(code) => {
                Trigger::Error(ErrorTrigger { code: non_empty(code), ..ErrorTrigger::default() })
            }
            CompactEvent::Signal(name) => Trigger::Signal { name: self.text(id, name) },
            CompactEvent::Escalation(code) => Trigger::Escalation { code: non_empty(code) },
            CompactEvent::Terminate(_) => Trigger::Terminate,
            CompactEvent::Condition(text) => {
                let condition = self.program(id, text);
                condition.map_or(Trigger::None, |condition| Trigger::Conditional { condition })
            }
            CompactEvent::Link(name) => Trigger::Link { name: name.clone() },
            CompactEvent::Compensation { activity, wait } => {
                Trigger::Compensation(CompensationTrigger {
                    activity: activity.as_deref().map(Into::into),
                    waits: wait.unwrap_or(true),
                })
            }
            CompactEvent::Cancel(_) => Trigger::Cancel,
        }
    }

    fn user_task(&mut self, element: &CompactElement) -> UserTask {
        let Some(assignment) = &element.assignment else { return UserTask::default() };
        let CompactAssignment { assignee, groups, users, due, priority, form } = assignment;
        let mut text = |text: &Option<String>| self.optional_text(&element.id, text.as_deref());
        UserTask {
            assignee: text(assignee),
            candidate_groups: text(groups),
            candidate_users: text(users),
            due_date: text(due),
            follow_up_date: None,
            priority: text(priority),
            form: form.clone(),
            form_key: None,
        }
    }

    fn job(&mut self, element: &CompactElement) -> JobSpec {
        let job_type = element.job.as_deref().unwrap_or(&element.id);
        JobSpec {
            job_type: self.text(&element.id, job_type),
            retries: self.optional_text(&element.id, element.retries.as_deref()),
            priority: self.optional_text(&element.id, element.priority.as_deref()),
        }
    }

    fn ad_hoc(&mut self, element: &CompactElement) -> AdHoc {
        let CompactAdHoc { activate, until, sequential, cancel_remaining, collect, collect_value } =
            element.ad_hoc.clone().unwrap_or_default();
        if collect.is_some() != collect_value.is_some() {
            self.missing(element, "adHoc.collect and adHoc.collectValue together");
        }
        let output = collect.zip(collect_value).and_then(|(collection, text)| {
            Some(AdHocOutput { collection, element: self.program(&element.id, &text)? })
        });
        AdHoc {
            sequential,
            completion_condition: self.optional_program(&element.id, until.as_deref()),
            cancel_remaining: cancel_remaining.unwrap_or(true),
            active_elements: self.optional_program(&element.id, activate.as_deref()),
            performer: self.performer(element),
            output,
        }
    }

    fn performer(&mut self, element: &CompactElement) -> Option<Performer> {
        match (&element.agent, &element.job) {
            (Some(agent), _) => {
                let agent = self.text(&element.id, agent);
                Some(Performer::Agent { agent, job: self.agent_job(element) })
            }
            (None, Some(_)) => Some(Performer::Worker(self.job(element))),
            (None, None) => None,
        }
    }

    fn agent_job(&mut self, element: &CompactElement) -> JobSpec {
        JobSpec {
            job_type: Text::Literal("agent".to_owned()),
            retries: self.optional_text(&element.id, element.retries.as_deref()),
            priority: self.optional_text(&element.id, element.priority.as_deref()),
        }
    }

    fn mappings(&mut self, id: &str, mappings: &BTreeMap<String, String>) -> Vec<Mapping> {
        mappings
            .iter()
            .map(|(target, source)| Mapping {
                source: self.text(id, source),
                target: target.clone(),
            })
            .collect()
    }

    fn policy(&mut self, id: &str, policy: &CompactPolicy) -> Option<Policy> {
        let rule = match &policy.rule {
            CompactRule::FourEyes { with, starter } => {
                for element in with {
                    self.name(id, element);
                }
                Rule::FourEyes {
                    elements: with.iter().map(|id| id.as_str().into()).collect(),
                    starter: *starter,
                }
            }
            CompactRule::Mandate { domain, action, amount, currency, unit } => Rule::Mandate {
                domain: domain.clone(),
                action: action.clone(),
                amount: amount.as_ref().and_then(|text| self.program(id, text)),
                currency: self.optional_text(id, currency.as_deref()),
                unit: self.optional_text(id, unit.as_deref()),
            },
            CompactRule::Condition { when, reason } => {
                Rule::Condition { expression: self.program(id, when)?, reason: reason.clone() }
            }
        };
        Some(Policy { id: policy.id.clone(), on: policy.on.iter().copied().collect(), rule })
    }

    fn required(&mut self, element: &CompactElement, field: &str, value: Option<&str>) -> String {
        if let Some(value) = value {
            return value.to_owned();
        }
        self.missing(element, field);
        String::new()
    }

    fn missing(&mut self, element: &CompactElement, field: &str) {
        self.findings.push(Finding::error(
            "field_missing",
            &element.id,
            format!("a {} needs {field}", element.kind),
            format!("add {field} to the element"),
        ));
    }

    pub(super) fn program(&mut self, id: &str, text: &str) -> Option<Program> {
        match Program::compile(text) {
            Ok(program) => Some(program),
            Err(error) => {
                self.findings.push(Finding::error(
                    "expression_invalid",
                    id,
                    error.to_string(),
                    "write FEEL (DMN 1.5 §10), for example amount > 1000",
                ));
                None
            }
        }
    }

    pub(super) fn optional_program(&mut self, id: &str, text: Option<&str>) -> Option<Program> {
        text.and_then(|text| self.program(id, text))
    }

    fn text(&mut self, id: &str, text: &str) -> Text {
        if text.trim_start().starts_with('=')
            && let Some(program) = self.program(id, text)
        {
            return Text::Feel(program);
        }
        Text::Literal(text.to_owned())
    }

    fn optional_text(&mut self, id: &str, text: Option<&str>) -> Option<Text> {
        text.map(|text| self.text(id, text))
    }
}

/// Everything that a compensation boundary event among `elements` names as its handler.
fn handlers(elements: &[CompactElement]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&CompactElement> = elements.iter().collect();
    while let Some(element) = open.pop() {
        found.extend(element.handler.clone());
        open.extend(&element.elements);
    }
    found
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
