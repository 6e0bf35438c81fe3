//! Writes flow nodes: the counterpart of `flow_node`, `event` and `extension`.

use std::collections::BTreeMap;

use super::{
    bpmn, flowmaster, formal, push_content, push_documentation, push_program, push_unless_empty,
    repetition, source, zeebe,
};
use crate::bpmn::policy;
use crate::model::{
    CompensationTrigger, Correlation, Gateway, JobSpec, Message, Node, NodeIx, NodeKind, Performer,
    Process, SubProcess, Task, Text, TimerKind, Trigger, UserTask,
};
use crate::xml::Element;

/// The root elements that nodes refer to, made as they are needed: equal ones are shared.
#[derive(Default)]
pub(super) struct Shared(BTreeMap<(&'static str, String), Element>);

impl Shared {
    pub(super) fn into_elements(self) -> impl Iterator<Item = Element> {
        self.0.into_values()
    }

    fn reference(
        &mut self,
        kind: &'static str,
        key: String,
        make: impl FnOnce(String) -> Element,
    ) -> String {
        let id = format!("{kind}-{}", self.0.len() + 1);
        let element = self.0.entry((kind, key)).or_insert_with(|| make(id));
        element.attribute("id").unwrap_or_default().to_owned()
    }

    /// The id of what defines `event`, for references to it.
    pub(super) fn event_definition(&mut self, event: &Trigger) -> Option<String> {
        let definition = definition(event, self)?;
        let key = format!("{definition:?}");
        Some(self.reference("eventDefinition", key, |id| definition.with("id", id)))
    }
}

/// Writes the node at `ix` with everything inside it.
pub(super) fn element(process: &Process, ix: NodeIx, shared: &mut Shared) -> Element {
    let node = process.node(ix);
    let mut element =
        bpmn(element_name(&node.kind)).with("id", &*node.id).with_some("name", node.name.clone());
    if let Some(flow) = node.default_flow {
        element = element.with("default", &*process.flow(flow).id);
    }
    if node.instantiates {
        element = element.with("instantiate", "true");
    }
    if matches!(node.kind, NodeKind::Gateway(Gateway::ParallelEventBased)) {
        element = element.with("eventGatewayType", "Parallel");
    }
    for (name, quantity) in
        [("startQuantity", node.start_quantity), ("completionQuantity", node.completion_quantity)]
    {
        element = element.with_some(name, (quantity != 1).then(|| quantity.to_string()));
    }
    if node.for_compensation {
        element = element.with("isForCompensation", "true");
    }
    push_documentation(&mut element, node.documentation.as_deref());
    push_unless_empty(&mut element, extensions(node));
    if let Some(repeat) = &node.repeat {
        element.push(repetition::marker(&node.id, repeat, shared));
    }
    match &node.kind {
        NodeKind::StartEvent { trigger, interrupting } => {
            if !interrupting {
                element = element.with("isInterrupting", "false");
            }
            push_trigger(&mut element, trigger, shared);
        }
        NodeKind::BoundaryEvent { attached_to, interrupting, trigger } => {
            element = element
                .with("attachedToRef", &*process.node(*attached_to).id)
                .with("cancelActivity", interrupting.to_string());
            push_trigger(&mut element, trigger, shared);
        }
        NodeKind::IntermediateCatchEvent(trigger)
        | NodeKind::IntermediateThrowEvent(trigger)
        | NodeKind::EndEvent(trigger) => push_trigger(&mut element, trigger, shared),
        NodeKind::Task(Task::Receive(message) | Task::Send(message)) => {
            element = element.with("messageRef", message_id(message, shared));
        }
        NodeKind::SubProcess(kind) => {
            if matches!(kind, SubProcess::Event) {
                element = element.with("triggeredByEvent", "true");
            }
            push_content(&mut element, process, Some(ix), shared);
            if let SubProcess::AdHoc(ad_hoc) = kind {
                element = repetition::ad_hoc(element, ad_hoc);
            }
        }
        NodeKind::ComplexGateway { activation } => {
            push_program(&mut element, "activationCondition", activation.as_ref());
        }
        NodeKind::Task(_) | NodeKind::Gateway(_) | NodeKind::CallActivity(_) => {}
    }
    element
}

fn element_name(kind: &NodeKind) -> &str {
    match kind {
        NodeKind::StartEvent { .. } => "startEvent",
        NodeKind::IntermediateCatchEvent(_) => "intermediateCatchEvent",
        NodeKind::IntermediateThrowEvent(_) => "intermediateThrowEvent",
        NodeKind::EndEvent(_) => "endEvent",
        NodeKind::BoundaryEvent { .. } => "boundaryEvent",
        NodeKind::Task(Task::Pass) => "task",
        NodeKind::Task(Task::User(_)) => "userTask",
        NodeKind::Task(Task::Job(_) | Task::Agent { .. }) => "serviceTask",
        NodeKind::Task(Task::Receive(_)) => "receiveTask",
        NodeKind::Task(Task::Send(_)) => "sendTask",
        NodeKind::Task(Task::Script(_)) => "scriptTask",
        NodeKind::Task(Task::BusinessRule { .. }) => "businessRuleTask",
        NodeKind::Gateway(Gateway::Exclusive) => "exclusiveGateway",
        NodeKind::Gateway(Gateway::Parallel) => "parallelGateway",
        NodeKind::Gateway(Gateway::Inclusive) => "inclusiveGateway",
        NodeKind::Gateway(Gateway::EventBased | Gateway::ParallelEventBased) => "eventBasedGateway",
        NodeKind::ComplexGateway { .. } => "complexGateway",
        NodeKind::SubProcess(SubProcess::Transaction) => "transaction",
        NodeKind::SubProcess(SubProcess::AdHoc(_)) => "adHocSubProcess",
        NodeKind::SubProcess(_) => "subProcess",
        NodeKind::CallActivity(_) => "callActivity",
    }
}

fn extensions(node: &Node) -> Element {
    let mut element = bpmn("extensionElements");
    match &node.kind {
        NodeKind::Task(Task::Job(job)) => push_job(&mut element, job),
        NodeKind::Task(Task::Agent { agent, job }) => push_agent(&mut element, agent, job),
        NodeKind::Task(Task::User(task)) => push_user_task(&mut element, task),
        NodeKind::Task(Task::Script(script)) => element.push(
            zeebe("script")
                .with("expression", format!("={}", script.expression.text()))
                .with("resultVariable", &script.result_variable),
        ),
        NodeKind::Task(Task::BusinessRule { decision, result_variable }) => element.push(
            zeebe("calledDecision")
                .with("decisionId", source(decision))
                .with("resultVariable", result_variable),
        ),
        NodeKind::CallActivity(call) => element.push(
            zeebe("calledElement")
                .with("processId", source(&call.process))
                .with("propagateAllParentVariables", call.propagate_parent_variables.to_string())
                .with("propagateAllChildVariables", call.propagate_child_variables.to_string()),
        ),
        NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc)) => {
            let extension = repetition::ad_hoc_extension(ad_hoc);
            if !extension.attributes.is_empty() {
                element.push(extension);
            }
            match &ad_hoc.performer {
                Some(Performer::Worker(job)) => push_job(&mut element, job),
                Some(Performer::Agent { agent, job }) => push_agent(&mut element, agent, job),
                None => {}
            }
        }
        NodeKind::IntermediateThrowEvent(trigger) | NodeKind::EndEvent(trigger) => {
            let job = trigger.parts().iter().find_map(|part| match part {
                Trigger::Message(message) => message.job.as_ref(),
                _ => None,
            });
            if let Some(job) = job {
                push_job(&mut element, job);
            }
        }
        NodeKind::BoundaryEvent { trigger, .. } | NodeKind::StartEvent { trigger, .. } => {
            let named = trigger.parts().iter().find_map(|part| match part {
                Trigger::Error(error)
                    if error.code_variable.is_some() || error.message_variable.is_some() =>
                {
                    Some(error)
                }
                _ => None,
            });
            if let Some(error) = named {
                element.push(
                    flowmaster("errorVariables")
                        .with_some("code", error.code_variable.clone())
                        .with_some("message", error.message_variable.clone()),
                );
            }
        }
        _ => {}
    }
    let mut mappings = zeebe("ioMapping");
    for (name, list) in [("input", &node.inputs), ("output", &node.outputs)] {
        for mapping in list {
            mappings.push(
                zeebe(name).with("source", source(&mapping.source)).with("target", &mapping.target),
            );
        }
    }
    push_unless_empty(&mut element, mappings);
    let mut headers = zeebe("taskHeaders");
    for (key, value) in &node.headers {
        headers.push(zeebe("header").with("key", key).with("value", value));
    }
    push_unless_empty(&mut element, headers);
    if let Some(name) = &node.critical_section {
        element.push(flowmaster("criticalSection").with("name", name));
    }
    if !node.cancellation_set.is_empty() {
        let refs: Vec<&str> = node.cancellation_set.iter().map(|id| &**id).collect();
        element.push(flowmaster("cancellationSet").with("refs", refs.join(" ")));
    }
    if node.completes_activity {
        element.push(flowmaster("completesActivity"));
    }
    for one in &node.policies {
        element.push(policy::element(one));
    }
    element
}

fn push_agent(element: &mut Element, agent: &Text, job: &JobSpec) {
    push_job(element, job);
    element.push(flowmaster("agent").with("agent", source(agent)));
}

fn push_job(element: &mut Element, job: &JobSpec) {
    element.push(
        zeebe("taskDefinition")
            .with("type", source(&job.job_type))
            .with_some("retries", job.retries.as_ref().map(source)),
    );
    if let Some(priority) = &job.priority {
        element.push(zeebe("priorityDefinition").with("priority", source(priority)));
    }
}

fn push_user_task(element: &mut Element, task: &UserTask) {
    element.push(zeebe("userTask"));
    let assignment = zeebe("assignmentDefinition")
        .with_some("assignee", task.assignee.as_ref().map(source))
        .with_some("candidateGroups", task.candidate_groups.as_ref().map(source))
        .with_some("candidateUsers", task.candidate_users.as_ref().map(source));
    let schedule = zeebe("taskSchedule")
        .with_some("dueDate", task.due_date.as_ref().map(source))
        .with_some("followUpDate", task.follow_up_date.as_ref().map(source));
    let priority =
        zeebe("priorityDefinition").with_some("priority", task.priority.as_ref().map(source));
    let form = zeebe("formDefinition").with_some("formId", task.form_key.clone());
    for part in [assignment, schedule, priority, form] {
        if !part.attributes.is_empty() {
            element.push(part);
        }
    }
    if let Some(schema) = &task.form {
        element.push(flowmaster("form").with_text(schema.to_string()));
    }
}

pub(super) fn push_trigger(element: &mut Element, trigger: &Trigger, shared: &mut Shared) {
    if trigger.is_parallel() {
        *element = std::mem::take(element).with("parallelMultiple", "true");
    }
    for part in trigger.parts() {
        if let Some(definition) = definition(part, shared) {
            element.push(definition);
        }
    }
}

fn definition(part: &Trigger, shared: &mut Shared) -> Option<Element> {
    Some(match part {
        // The parts of several are never several themselves.
        Trigger::None | Trigger::Multiple(_) => return None,
        Trigger::Message(message) => {
            bpmn("messageEventDefinition").with("messageRef", message_id(message, shared))
        }
        Trigger::Timer(timer) => {
            let name = match timer.kind {
                TimerKind::Date => "timeDate",
                TimerKind::Duration => "timeDuration",
                TimerKind::Cycle => "timeCycle",
            };
            let mut definition = bpmn("timerEventDefinition");
            definition.push(formal(name, &source(&timer.value)));
            definition
        }
        Trigger::Error(error) => {
            let reference = error.code.as_ref().map(|code| {
                shared.reference("error", code.clone(), |id| {
                    bpmn("error").with("id", id).with("name", code).with("errorCode", code)
                })
            });
            bpmn("errorEventDefinition").with_some("errorRef", reference)
        }
        Trigger::Signal { name } => {
            let name = source(name);
            let reference = shared.reference("signal", name.clone(), |id| {
                bpmn("signal").with("id", id).with("name", name)
            });
            bpmn("signalEventDefinition").with("signalRef", reference)
        }
        Trigger::Escalation { code } => {
            let reference = code.as_ref().map(|code| {
                shared.reference("escalation", code.clone(), |id| {
                    bpmn("escalation")
                        .with("id", id)
                        .with("name", code)
                        .with("escalationCode", code)
                })
            });
            bpmn("escalationEventDefinition").with_some("escalationRef", reference)
        }
        Trigger::Terminate => bpmn("terminateEventDefinition"),
        Trigger::Conditional { condition } => {
            let mut definition = bpmn("conditionalEventDefinition");
            definition.push(formal("condition", &format!("={}", condition.text())));
            definition
        }
        Trigger::Link { name } => bpmn("linkEventDefinition").with("name", name),
        Trigger::Compensation(CompensationTrigger { activity, waits }) => {
            bpmn("compensateEventDefinition")
                .with_some("activityRef", activity.as_deref())
                .with_some("waitForCompletion", (!waits).then_some("false"))
        }
        Trigger::Cancel => bpmn("cancelEventDefinition"),
    })
}

fn message_id(message: &Message, shared: &mut Shared) -> String {
    let name = source(&message.name);
    let correlation = match &message.correlation {
        Correlation::None => None,
        Correlation::Key(key) => {
            Some(zeebe("subscription").with("correlationKey", format!("={}", key.text())))
        }
        Correlation::BusinessKey => Some(flowmaster("businessKey")),
    };
    shared.reference("message", format!("{name}\n{correlation:?}"), |id| {
        let mut element = bpmn("message").with("id", id).with("name", name);
        if let Some(correlation) = correlation {
            let mut extensions = bpmn("extensionElements");
            extensions.push(correlation);
            element.push(extensions);
        }
        element
    })
}
