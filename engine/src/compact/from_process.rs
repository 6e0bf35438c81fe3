//! From the model to the compact form.

use std::collections::BTreeMap;

use super::repetition::{for_each, standard_loop};
use super::{
    CompactAdHoc, CompactAssignment, CompactElement, CompactEvent, CompactPolicy, CompactProcess,
    ConditionalTarget, Next, Target,
};
use crate::model::{
    CompensationTrigger, Correlation, Gateway, JobSpec, Mapping, Message, Node, NodeIx, NodeKind,
    Performer, Process, SubProcess, Task, Text, TimerKind, Trigger, UserTask,
};

impl From<&Process> for CompactProcess {
    fn from(process: &Process) -> Self {
        Self {
            id: process.id.to_string(),
            name: process.name.clone(),
            documentation: process.documentation.clone(),
            input: process.contract.input.clone(),
            output: process.contract.output.clone(),
            result: process.contract.result.clone(),
            tool: process.contract.tool.clone(),
            when_to_use: process.contract.tool_description.clone(),
            policies: process.policies.iter().map(CompactPolicy::from).collect(),
            lanes: super::lane::lanes(process),
            elements: elements(process, None),
        }
    }
}

fn elements(process: &Process, scope: Option<NodeIx>) -> Vec<CompactElement> {
    process.children(scope).map(|(ix, node)| element(process, ix, node)).collect()
}

fn element(process: &Process, ix: NodeIx, node: &Node) -> CompactElement {
    let mut compact = CompactElement {
        id: node.id.to_string(),
        name: node.name.clone(),
        documentation: node.documentation.clone(),
        next: next(process, node),
        inputs: mappings(&node.inputs),
        outputs: mappings(&node.outputs),
        instantiate: node.instantiates,
        handler: node.handler.map(|ix| process.node(ix).id.to_string()),
        for_each: node.repeat.as_ref().and_then(for_each),
        standard_loop: node.repeat.as_ref().and_then(standard_loop),
        start_quantity: (node.start_quantity != 1).then_some(node.start_quantity),
        completion_quantity: (node.completion_quantity != 1).then_some(node.completion_quantity),
        critical_section: node.critical_section.clone(),
        cancellation_set: node.cancellation_set.iter().map(ToString::to_string).collect(),
        completes_activity: node.completes_activity,
        policies: node.policies.iter().map(CompactPolicy::from).collect(),
        lane: node.lane.clone(),
        headers: node.headers.clone(),
        ..CompactElement::default()
    };
    let kind = match &node.kind {
        NodeKind::StartEvent { trigger, interrupting } => {
            put_events(&mut compact, trigger);
            compact.interrupting = (!interrupting).then_some(false);
            "startEvent"
        }
        NodeKind::EndEvent(trigger) => {
            put_thrown(&mut compact, trigger);
            "endEvent"
        }
        NodeKind::IntermediateCatchEvent(trigger) => {
            put_events(&mut compact, trigger);
            "intermediateCatchEvent"
        }
        NodeKind::IntermediateThrowEvent(trigger) => {
            put_thrown(&mut compact, trigger);
            "intermediateThrowEvent"
        }
        NodeKind::BoundaryEvent { attached_to, interrupting, trigger } => {
            put_events(&mut compact, trigger);
            compact.interrupting = (!interrupting).then_some(false);
            compact.attached_to = Some(process.node(*attached_to).id.to_string());
            "boundaryEvent"
        }
        NodeKind::Task(task) => task_fields(&mut compact, task),
        NodeKind::Gateway(Gateway::Exclusive) => "exclusiveGateway",
        NodeKind::Gateway(Gateway::Parallel) => "parallelGateway",
        NodeKind::Gateway(Gateway::Inclusive) => "inclusiveGateway",
        NodeKind::Gateway(Gateway::EventBased) => "eventBasedGateway",
        NodeKind::Gateway(Gateway::ParallelEventBased) => {
            compact.parallel = true;
            "eventBasedGateway"
        }
        NodeKind::ComplexGateway { activation } => {
            compact.activation = activation.as_ref().map(|it| it.text().to_owned());
            "complexGateway"
        }
        NodeKind::SubProcess(kind) => {
            compact.elements = elements(process, Some(ix));
            match kind {
                SubProcess::Embedded => "subProcess",
                SubProcess::Event => "eventSubProcess",
                SubProcess::Transaction => "transaction",
                SubProcess::AdHoc(ad_hoc) => {
                    let plain = CompactAdHoc::default();
                    compact.ad_hoc = Some(ad_hoc.into()).filter(|compact| *compact != plain);
                    match &ad_hoc.performer {
                        Some(Performer::Worker(job)) => put_job(&mut compact, job),
                        Some(Performer::Agent { agent, job }) => {
                            compact.agent = Some(text(agent));
                            attempts(&mut compact, job);
                        }
                        None => {}
                    }
                    "adHocSubProcess"
                }
            }
        }
        NodeKind::CallActivity(call) => {
            compact.process = Some(text(&call.process));
            let (all_in, all_out) =
                (call.propagate_parent_variables, call.propagate_child_variables);
            compact.propagate_in = (all_in != compact.passes_all_in()).then_some(all_in);
            compact.propagate_out = (all_out != compact.passes_all_out()).then_some(all_out);
            "callActivity"
        }
    };
    kind.clone_into(&mut compact.kind);
    compact
}

fn task_fields(compact: &mut CompactElement, task: &Task) -> &'static str {
    match task {
        Task::Pass => "task",
        Task::User(user) => {
            compact.assignment = assignment(user);
            "userTask"
        }
        Task::Job(job) => {
            put_job(compact, job);
            "serviceTask"
        }
        Task::Agent { agent, job } => {
            compact.agent = Some(text(agent));
            attempts(compact, job);
            "agentTask"
        }
        Task::Receive(received) => {
            compact.event = Some(message(received));
            "receiveTask"
        }
        Task::Send(sent) => {
            compact.event = Some(message(sent));
            "sendTask"
        }
        Task::Script(script) => {
            compact.script = Some(script.expression.text().to_owned());
            compact.result = Some(script.result_variable.clone());
            "scriptTask"
        }
        Task::BusinessRule { decision, result_variable } => {
            compact.decision = Some(text(decision));
            compact.result = Some(result_variable.clone());
            "businessRuleTask"
        }
    }
}

fn put_job(compact: &mut CompactElement, job: &JobSpec) {
    compact.job = Some(text(&job.job_type));
    attempts(compact, job);
}

fn attempts(compact: &mut CompactElement, job: &JobSpec) {
    compact.retries = job.retries.as_ref().map(text);
    compact.priority = job.priority.as_ref().map(text);
}

fn next(process: &Process, node: &Node) -> Next {
    let mut targets: Vec<ConditionalTarget> = node
        .outgoing
        .iter()
        .map(|&ix| {
            let flow = process.flow(ix);
            ConditionalTarget {
                to: process.node(flow.target).id.to_string(),
                when: flow.condition.as_ref().map(|condition| condition.text().to_owned()),
                default: node.default_flow == Some(ix),
                name: flow.name.clone(),
            }
        })
        .collect();
    let is_plain = |target: &ConditionalTarget| {
        target.when.is_none() && !target.default && target.name.is_none()
    };
    if let [only] = &mut targets[..]
        && is_plain(only)
    {
        return Next::One(std::mem::take(&mut only.to));
    }
    let target = |target: ConditionalTarget| match is_plain(&target) {
        true => Target::Plain(target.to),
        false => Target::Conditional(target),
    };
    Next::Many(targets.into_iter().map(target).collect())
}

fn put_events(compact: &mut CompactElement, trigger: &Trigger) {
    match trigger {
        Trigger::Multiple(several) => {
            compact.parallel = several.parallel;
            compact.events = several.triggers.iter().filter_map(event).collect();
        }
        one => compact.event = event(one),
    }
}

/// What an event throws, and the job by which a worker sends it.
fn put_thrown(compact: &mut CompactElement, trigger: &Trigger) {
    put_events(compact, trigger);
    let job = trigger.parts().iter().find_map(|part| match part {
        Trigger::Message(message) => message.job.as_ref(),
        _ => None,
    });
    if let Some(job) = job {
        put_job(compact, job);
    }
}

pub(super) fn event(trigger: &Trigger) -> Option<CompactEvent> {
    Some(match trigger {
        // The parts of several are never several themselves.
        Trigger::None | Trigger::Multiple(_) => return None,
        Trigger::Message(thrown) => message(thrown),
        Trigger::Timer(timer) => match timer.kind {
            TimerKind::Duration => CompactEvent::Duration(text(&timer.value)),
            TimerKind::Date => CompactEvent::Date(text(&timer.value)),
            TimerKind::Cycle => CompactEvent::Cycle(text(&timer.value)),
        },
        Trigger::Error(error) => CompactEvent::Error(error.code.clone().unwrap_or_default()),
        Trigger::Signal { name } => CompactEvent::Signal(text(name)),
        Trigger::Escalation { code } => CompactEvent::Escalation(code.clone().unwrap_or_default()),
        Trigger::Terminate => CompactEvent::Terminate(true),
        Trigger::Conditional { condition } => CompactEvent::Condition(condition.text().to_owned()),
        Trigger::Link { name } => CompactEvent::Link(name.clone()),
        Trigger::Compensation(CompensationTrigger { activity, waits }) => {
            CompactEvent::Compensation {
                activity: activity.as_deref().map(str::to_owned),
                wait: (!waits).then_some(false),
            }
        }
        Trigger::Cancel => CompactEvent::Cancel(true),
    })
}

fn message(message: &Message) -> CompactEvent {
    CompactEvent::Message {
        name: text(&message.name),
        correlation: message.correlation.key().map(|key| key.text().to_owned()),
        business_key: matches!(message.correlation, Correlation::BusinessKey),
    }
}

fn assignment(task: &UserTask) -> Option<CompactAssignment> {
    let compact = CompactAssignment {
        assignee: task.assignee.as_ref().map(text),
        groups: task.candidate_groups.as_ref().map(text),
        users: task.candidate_users.as_ref().map(text),
        due: task.due_date.as_ref().map(text),
        priority: task.priority.as_ref().map(text),
        form: task.form.clone(),
    };
    (compact != CompactAssignment::default()).then_some(compact)
}

fn mappings(mappings: &[Mapping]) -> BTreeMap<String, String> {
    mappings.iter().map(|mapping| (mapping.target.clone(), text(&mapping.source))).collect()
}

fn text(text: &Text) -> String {
    match text {
        Text::Literal(text) => text.clone(),
        Text::Feel(program) => format!("={}", program.text()),
    }
}
