//! Reads what a flow node is: one arm an element of BPMN.

use super::Reader;
use super::names::{FLOWMASTER, MODEL, ZEEBE};
use crate::finding::Finding;
use crate::model::{
    CallActivity, Gateway, JobSpec, Message, NodeIx, NodeKind, Performer, Script, SubProcess, Task,
    Text, UserTask,
};
use crate::xml::Element;

impl Reader<'_> {
    /// What `element` is; `None` when it is not a flow node (an artifact, data, a lane set).
    pub(super) fn node_kind(&mut self, element: &Element) -> Option<NodeKind> {
        let kind = match &*element.name {
            "startEvent" => NodeKind::StartEvent {
                trigger: self.trigger(element),
                interrupting: element.attribute("isInterrupting") != Some("false"),
            },
            "intermediateCatchEvent" => NodeKind::IntermediateCatchEvent(self.trigger(element)),
            "intermediateThrowEvent" => NodeKind::IntermediateThrowEvent(self.trigger(element)),
            "endEvent" => NodeKind::EndEvent(self.trigger(element)),
            "boundaryEvent" => NodeKind::BoundaryEvent {
                attached_to: NodeIx::UNLINKED,
                interrupting: element.attribute("cancelActivity") != Some("false"),
                trigger: self.trigger(element),
            },
            "task" | "manualTask" => NodeKind::Task(Task::Pass),
            "userTask" => NodeKind::Task(Task::User(self.user_task(element))),
            "serviceTask" => NodeKind::Task(self.service_task(element)),
            "sendTask" => NodeKind::Task(match self.message_to_send(element) {
                Some(message) => Task::Send(message),
                None => Task::Job(self.required_job(element)),
            }),
            "receiveTask" => NodeKind::Task(Task::Receive(self.message(element, element))),
            "scriptTask" => NodeKind::Task(self.script_task(element)),
            "businessRuleTask" => NodeKind::Task(self.business_rule_task(element)),
            "exclusiveGateway" => NodeKind::Gateway(Gateway::Exclusive),
            "parallelGateway" => NodeKind::Gateway(Gateway::Parallel),
            "inclusiveGateway" => NodeKind::Gateway(Gateway::Inclusive),
            "eventBasedGateway" if element.attribute("eventGatewayType") == Some("Parallel") => {
                NodeKind::Gateway(Gateway::ParallelEventBased)
            }
            "eventBasedGateway" => NodeKind::Gateway(Gateway::EventBased),
            "subProcess" if element.attribute("triggeredByEvent") == Some("true") => {
                NodeKind::SubProcess(SubProcess::Event)
            }
            "subProcess" => NodeKind::SubProcess(SubProcess::Embedded),
            "transaction" => NodeKind::SubProcess(SubProcess::Transaction),
            "callActivity" => NodeKind::CallActivity(self.call_activity(element)),
            "adHocSubProcess" => NodeKind::SubProcess(SubProcess::AdHoc(self.ad_hoc(element))),
            "complexGateway" => NodeKind::ComplexGateway {
                activation: self.expression(element, element, "activationCondition"),
            },
            _ => return None,
        };
        Some(kind)
    }

    fn user_task(&mut self, element: &Element) -> UserTask {
        let id = element.attribute("id").unwrap_or_default();
        let Some(extensions) = element.first(MODEL, "extensionElements") else {
            return UserTask::default();
        };
        let mut field = |name: &str, attribute: &str| -> Option<Text> {
            let text = extensions.first(ZEEBE, name)?.attribute(attribute)?;
            Some(self.text(id, text))
        };
        let mut task = UserTask {
            assignee: field("assignmentDefinition", "assignee"),
            candidate_groups: field("assignmentDefinition", "candidateGroups"),
            candidate_users: field("assignmentDefinition", "candidateUsers"),
            due_date: field("taskSchedule", "dueDate"),
            follow_up_date: field("taskSchedule", "followUpDate"),
            priority: field("priorityDefinition", "priority"),
            form: None,
            form_key: extensions.first(ZEEBE, "formDefinition").and_then(|form| {
                ["formId", "externalReference", "formKey"]
                    .into_iter()
                    .find_map(|name| form.attribute(name))
                    .map(str::to_owned)
            }),
        };
        task.form = extensions.first(FLOWMASTER, "form").and_then(|form| self.json(id, form));
        task
    }

    fn service_task(&mut self, element: &Element) -> Task {
        match self.agent(element) {
            Some((agent, job)) => Task::Agent { agent, job },
            None => Task::Job(self.required_job(element)),
        }
    }

    /// Who performs an ad-hoc sub-process.
    pub(super) fn performer(&mut self, element: &Element) -> Option<Performer> {
        match self.agent(element) {
            Some((agent, job)) => Some(Performer::Agent { agent, job }),
            None => self.job(element).map(Performer::Worker),
        }
    }

    /// The agent that `flowmaster:agent` names, and what its work is tracked by.
    fn agent(&mut self, element: &Element) -> Option<(Text, JobSpec)> {
        let id = element.attribute("id").unwrap_or_default();
        let extensions = element.first(MODEL, "extensionElements")?;
        let agent = extensions.first(FLOWMASTER, "agent")?.attribute("agent")?;
        let agent = self.text(id, agent);
        Some((agent, self.job(element).unwrap_or_else(|| job_of_type("agent"))))
    }

    /// The message of a send task that no worker does.
    fn message_to_send(&mut self, element: &Element) -> Option<Message> {
        let is_known =
            element.attribute("messageRef").is_some() || self.flows.message_at(element).is_some();
        let has_job = self.job(element).is_some();
        (is_known && !has_job).then(|| self.message(element, element))
    }

    fn script_task(&mut self, element: &Element) -> Task {
        let id = element.attribute("id").unwrap_or_default();
        let zeebe = element
            .first(MODEL, "extensionElements")
            .and_then(|extensions| extensions.first(ZEEBE, "script"));
        if let Some(script) = zeebe {
            let expression = script.attribute("expression").unwrap_or_default();
            return self.script(id, expression, script.attribute("resultVariable"));
        }
        if let Some(job) = self.job(element) {
            return Task::Job(job);
        }
        let text = element.first(MODEL, "script").map(Element::text).unwrap_or_default();
        let language = element.attribute("scriptFormat").unwrap_or("feel");
        if !language.to_ascii_lowercase().contains("feel") {
            self.foreign_expression(id, language);
            return Task::Pass;
        }
        self.script(id, &text, element.attribute_of(FLOWMASTER, "resultVariable"))
    }

    fn script(&mut self, id: &str, expression: &str, result_variable: Option<&str>) -> Task {
        let Some(expression) = self.program(id, expression) else { return Task::Pass };
        let result_variable = result_variable.unwrap_or_default().to_owned();
        if result_variable.is_empty() {
            self.findings.push(Finding::error(
                "no_result_variable",
                id,
                "the script does not say which variable gets its value",
                "set resultVariable of zeebe:script",
            ));
        }
        Task::Script(Script { expression, result_variable })
    }

    fn business_rule_task(&mut self, element: &Element) -> Task {
        let id = element.attribute("id").unwrap_or_default();
        let called = element
            .first(MODEL, "extensionElements")
            .and_then(|extensions| extensions.first(ZEEBE, "calledDecision"));
        let Some(called) = called else { return Task::Job(self.required_job(element)) };
        Task::BusinessRule {
            decision: self.text(id, called.attribute("decisionId").unwrap_or_default()),
            result_variable: called.attribute("resultVariable").unwrap_or_default().to_owned(),
        }
    }

    fn call_activity(&mut self, element: &Element) -> CallActivity {
        let id = element.attribute("id").unwrap_or_default();
        let zeebe = element
            .first(MODEL, "extensionElements")
            .and_then(|extensions| extensions.first(ZEEBE, "calledElement"));
        let called = zeebe
            .and_then(|called| called.attribute("processId"))
            .or_else(|| element.attribute("calledElement"))
            .unwrap_or_default();
        if called.is_empty() {
            self.findings.push(Finding::error(
                "called_process_missing",
                id,
                "the call activity does not say which process it calls",
                "set calledElement, or processId of zeebe:calledElement",
            ));
        }
        // `calledElement` is a qualified name in plain BPMN; the prefix names a file, not a process.
        let local = called.rsplit_once(':').map_or(called, |(_, local)| local);
        let flag = |name: &str| zeebe.and_then(|called| called.attribute(name)) != Some("false");
        CallActivity {
            process: self.text(id, if called.starts_with('=') { called } else { local }),
            propagate_parent_variables: flag("propagateAllParentVariables"),
            propagate_child_variables: flag("propagateAllChildVariables"),
        }
    }

    /// The job of an element that nobody else does.
    fn required_job(&mut self, element: &Element) -> JobSpec {
        if let Some(job) = self.job(element) {
            return job;
        }
        let id = element.attribute("id").unwrap_or_default();
        self.findings.push(Finding::warning(
            "no_job_type",
            id,
            format!(
                "the {} does not say which worker does it; its id is taken as the job type",
                element.name
            ),
            "set the type of zeebe:taskDefinition",
        ));
        job_of_type(id)
    }

    pub(super) fn job(&mut self, element: &Element) -> Option<JobSpec> {
        let id = element.attribute("id").unwrap_or_default();
        let extensions = element.first(MODEL, "extensionElements")?;
        let definition = extensions.first(ZEEBE, "taskDefinition")?;
        let priority = extensions.first(ZEEBE, "priorityDefinition");
        Some(JobSpec {
            job_type: self.text(id, definition.attribute("type").unwrap_or_default()),
            retries: definition.attribute("retries").map(|retries| self.text(id, retries)),
            priority: priority
                .and_then(|priority| priority.attribute("priority"))
                .map(|priority| self.text(id, priority)),
        })
    }
}

fn job_of_type(job_type: &str) -> JobSpec {
    JobSpec { job_type: Text::Literal(job_type.to_owned()), retries: None, priority: None }
}
