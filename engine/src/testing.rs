//! Models for tests in a line-by-line notation, so that a test shows its process at a glance:
//!
//! ```text
//! start s
//! user approve
//! in sub script calc total = a + b
//! send ask request key id
//! on approve late timer PT1H          (~late does not interrupt)
//! undo charge job refund              (a compensation boundary event and its handler)
//! s -> approve -> e
//! x -> approve if amount > 10
//! x -> e default
//! complex join activationCount >= 2
//! loop approve while loopCounter < 3 max 5   (before: tested first)
//! adhoc checks begin ["a"] until done sequential   (keeping: what runs comes to its end)
//! adhoc checks by worker
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dmn::Decisions;
use crate::feel::Program;
use crate::governance::{Action, Otherwise, Policy, Rule, Target};
use crate::model::{
    AdHoc, AdHocOutput, Behavior, CallActivity, CompensationTrigger, ComplexBehavior, Correlation,
    ErrorTrigger, Gateway, JobSpec, Loop, Mapping, Message, MultiInstance, Multiple, NodeDraft,
    NodeIx, NodeKind, Performer, Process, ProcessBuilder, Script, StandardLoop, SubProcess, Task,
    Text, TimerKind, TimerTrigger, Trigger, UserTask,
};
use crate::scenario::Models;

/// The processes of `text`; a line `process ID` begins a further one. The first is `main`.
pub(crate) fn models(text: &str) -> Models {
    let mut blocks: Vec<(String, Vec<&str>)> = vec![("main".to_owned(), Vec::new())];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("process ") {
            Some(id) => blocks.push((id.to_owned(), Vec::new())),
            None => blocks.last_mut().unwrap().1.push(line),
        }
    }
    let processes = blocks.iter().map(|(id, lines)| process(id, lines)).collect();
    Models::new(processes, Arc::new(Decisions::default()))
}

/// A single process.
pub(crate) fn model(text: &str) -> Arc<Process> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    process("main", &lines)
}

#[derive(Default)]
struct Drafts {
    nodes: Vec<NodeDraft>,
    flows: Vec<(String, String, Option<Program>)>,
}

impl Drafts {
    fn node(&mut self, id: &str) -> &mut NodeDraft {
        self.nodes.iter_mut().find(|draft| &*draft.node.id == id).unwrap()
    }
}

fn process(id: &str, lines: &[&str]) -> Arc<Process> {
    let mut builder = ProcessBuilder::new(id);
    let mut drafts = Drafts::default();
    for line in lines {
        if let Some(policy) = line.strip_prefix("policy process ") {
            builder.policy(self::policy(policy));
        } else {
            read(&mut drafts, line);
        }
    }
    for draft in drafts.nodes {
        builder.node(draft);
    }
    for (source, target, condition) in drafts.flows {
        builder.flow(format!("{source}->{target}"), None, source, target, condition);
    }
    builder.build().unwrap()
}

fn read(drafts: &mut Drafts, line: &str) {
    if line.contains("->") && !line.starts_with("input ") && !line.starts_with("output ") {
        return flows(drafts, line);
    }
    let (word, rest) = line.split_once(' ').unwrap();
    let (id, more) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "in" => {
            let known = drafts.nodes.len();
            read(drafts, more);
            drafts.nodes[known].parent = Some(id.into());
        }
        "on" => boundary(drafts, id, more),
        // `instantiate receive r order`: its message starts the process.
        "instantiate" => {
            let known = drafts.nodes.len();
            read(drafts, rest);
            drafts.nodes[known].node.instantiates = true;
        }
        "undo" => {
            // `undo ACTIVITY job x`: the activity is undone by the handler x.
            let event = format!("{id}-undone");
            boundary(drafts, id, &format!("{event} undo"));
            let parent = drafts.node(id).parent.clone();
            let known = drafts.nodes.len();
            read(drafts, more);
            drafts.nodes[known].node.for_compensation = true;
            drafts.nodes[known].parent = parent;
            drafts.node(&event).handler = Some(drafts.nodes[known].node.id.clone());
        }
        "input" => {
            let mapping = mapping(more);
            drafts.node(id).node.inputs.push(mapping);
        }
        "output" => {
            let mapping = mapping(more);
            drafts.node(id).node.outputs.push(mapping);
        }
        "each" => drafts.node(id).node.repeat = Some(repeat(more)),
        "loop" => drafts.node(id).node.repeat = Some(standard_loop(more)),
        "quantity" => {
            let (start, completion) = more.split_once(' ').unwrap();
            drafts.node(id).node.start_quantity = start.parse().unwrap();
            drafts.node(id).node.completion_quantity = completion.parse().unwrap();
        }
        "section" => drafts.node(id).node.critical_section = Some(more.to_owned()),
        "cancels" => {
            drafts.node(id).node.cancellation_set = more.split(' ').map(Into::into).collect();
        }
        "completes" => drafts.node(id).node.completes_activity = true,
        "behavior" => {
            let Some(Loop::MultiInstance(repeat)) = &mut drafts.node(id).node.repeat else {
                panic!("{id} has no multi-instance marker")
            };
            repeat.behavior = behavior(more);
        }
        "policy" => drafts.node(id).node.policies.push(policy(more)),
        _ => drafts.nodes.push(NodeDraft::new(id, kind(word, more))),
    }
}

fn flows(drafts: &mut Drafts, line: &str) {
    let (path, condition) = match line.split_once(" if ") {
        Some((path, condition)) => (path, Some(program(condition))),
        None => (line, None),
    };
    let (path, default) = match path.strip_suffix(" default") {
        Some(path) => (path, true),
        None => (path, false),
    };
    let ids: Vec<&str> = path.split("->").map(str::trim).collect();
    for pair in ids.windows(2) {
        if default {
            drafts.node(pair[0]).default_flow = Some(format!("{}->{}", pair[0], pair[1]).into());
        }
        drafts.flows.push((pair[0].to_owned(), pair[1].to_owned(), condition.clone()));
    }
}

fn boundary(drafts: &mut Drafts, activity: &str, rest: &str) {
    let (id, rest) = rest.split_once(' ').unwrap();
    let interrupting = !id.starts_with('~');
    let id = id.trim_start_matches('~');
    let trigger = trigger(rest);
    let attached_to = NodeIx::UNLINKED;
    let kind = NodeKind::BoundaryEvent { attached_to, interrupting, trigger };
    let mut draft = NodeDraft::new(id, kind);
    draft.attached_to = Some(activity.into());
    draft.parent = drafts.node(activity).parent.clone();
    drafts.nodes.push(draft);
}

fn kind(word: &str, rest: &str) -> NodeKind {
    match word {
        "start" => NodeKind::StartEvent { trigger: trigger(rest), interrupting: true },
        "~start" => NodeKind::StartEvent { trigger: trigger(rest), interrupting: false },
        "end" => NodeKind::EndEvent(trigger(rest)),
        "catch" => NodeKind::IntermediateCatchEvent(trigger(rest)),
        "throw" => NodeKind::IntermediateThrowEvent(trigger(rest)),
        "pass" => NodeKind::Task(Task::Pass),
        "user" => NodeKind::Task(Task::User(UserTask::default())),
        "job" => NodeKind::Task(Task::Job(job())),
        "agent" => NodeKind::Task(Task::Agent { agent: text("helper"), job: job() }),
        "receive" | "send" => match trigger(&format!("message {rest}")) {
            Trigger::Message(message) if word == "send" => NodeKind::Task(Task::Send(message)),
            Trigger::Message(message) => NodeKind::Task(Task::Receive(message)),
            _ => unreachable!(),
        },
        "script" => {
            let (variable, expression) = rest.split_once(" = ").unwrap();
            NodeKind::Task(Task::Script(Script {
                expression: program(expression),
                result_variable: variable.to_owned(),
            }))
        }
        "rule" => NodeKind::Task(Task::BusinessRule {
            decision: text(rest),
            result_variable: "result".to_owned(),
        }),
        "exclusive" => NodeKind::Gateway(Gateway::Exclusive),
        "parallel" => NodeKind::Gateway(Gateway::Parallel),
        "inclusive" => NodeKind::Gateway(Gateway::Inclusive),
        "events" if rest == "all" => NodeKind::Gateway(Gateway::ParallelEventBased),
        "events" => NodeKind::Gateway(Gateway::EventBased),
        "transaction" => NodeKind::SubProcess(SubProcess::Transaction),
        "complex" => {
            NodeKind::ComplexGateway { activation: (!rest.is_empty()).then(|| program(rest)) }
        }
        "adhoc" => NodeKind::SubProcess(SubProcess::AdHoc(ad_hoc(rest))),
        "sub" => NodeKind::SubProcess(SubProcess::Embedded),
        "handler" => NodeKind::SubProcess(SubProcess::Event),
        "call" => NodeKind::CallActivity(CallActivity {
            process: text(rest),
            propagate_parent_variables: true,
            propagate_child_variables: true,
        }),
        other => panic!("no element {other:?}"),
    }
}

/// Several, thrown or waited for, are joined by `|`; those that are all waited for by `&`.
fn trigger(rest: &str) -> Trigger {
    for (separator, parallel) in [(" | ", false), (" & ", true)] {
        if rest.contains(separator) {
            let triggers = rest.split(separator).map(trigger).collect();
            return Trigger::Multiple(Multiple { parallel, triggers });
        }
    }
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "" => Trigger::None,
        "timer" => {
            let kind = match rest.as_bytes()[0] {
                b'P' => TimerKind::Duration,
                b'R' => TimerKind::Cycle,
                b'=' => TimerKind::Duration,
                _ => TimerKind::Date,
            };
            Trigger::Timer(TimerTrigger { kind, value: text(rest) })
        }
        "message" => {
            let (name, key) = rest.split_once(" key ").unwrap_or((rest, ""));
            let correlation = match key {
                "" => Correlation::None,
                key => Correlation::Key(program(key)),
            };
            Trigger::Message(Message { name: text(name), correlation, job: None })
        }
        "signal" => Trigger::Signal { name: text(rest) },
        "error" => {
            let code = (rest != "*").then(|| rest.to_owned());
            let code_variable = Some("errorCode".to_owned());
            let message_variable = Some("errorMessage".to_owned());
            Trigger::Error(ErrorTrigger { code, code_variable, message_variable })
        }
        "escalation" => Trigger::Escalation { code: (rest != "*").then(|| rest.to_owned()) },
        "terminate" => Trigger::Terminate,
        "when" => Trigger::Conditional { condition: program(rest) },
        "link" => Trigger::Link { name: rest.to_owned() },
        "cancel" => Trigger::Cancel,
        "undo" => {
            let (rest, waits) = match rest.strip_suffix("&") {
                Some(rest) => (rest.trim_end(), false),
                None => (rest, true),
            };
            let activity = (!rest.is_empty()).then(|| rest.into());
            Trigger::Compensation(CompensationTrigger { activity, waits })
        }
        other => panic!("no trigger {other:?}"),
    }
}

/// `items as item into results from expression until condition sequential`, or `3 times …`.
fn repeat(rest: &str) -> Loop {
    let (rest, sequential) = match rest.strip_suffix(" sequential") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (rest, until) = match rest.split_once(" until ") {
        Some((rest, condition)) => (rest, Some(program(condition))),
        None => (rest, None),
    };
    let (rest, output) = match rest.split_once(" into ") {
        Some((rest, output)) => (rest, output.split_once(" from ")),
        None => (rest, None),
    };
    let (items, item) = match rest.split_once(" as ") {
        Some((items, item)) => (items, Some(item.to_owned())),
        None => (rest, None),
    };
    let times = items.strip_suffix(" times");
    Loop::MultiInstance(MultiInstance {
        sequential,
        collection: times.is_none().then(|| program(items)),
        cardinality: times.map(program),
        input_element: item,
        output_collection: output.map(|(list, _)| list.to_owned()),
        output_element: output.map(|(_, element)| program(element)),
        completion_condition: until,
        behavior: Behavior::All,
    })
}

/// `none escalation E`, `one signal S`, `complex condition => escalation E; condition => …`.
fn behavior(rest: &str) -> Behavior {
    let (word, rest) = rest.split_once(' ').unwrap();
    match word {
        "none" => Behavior::None(trigger(rest)),
        "one" => Behavior::One(trigger(rest)),
        _ => Behavior::Complex(
            rest.split("; ")
                .map(|definition| {
                    let (condition, event) = definition.split_once(" => ").unwrap();
                    ComplexBehavior { condition: program(condition), event: trigger(event) }
                })
                .collect(),
        ),
    }
}

/// `before while condition max 3`, each part optional.
fn standard_loop(rest: &str) -> Loop {
    let (rest, maximum) = match rest.split_once("max ") {
        Some((rest, maximum)) => (rest.trim(), Some(maximum.parse().unwrap())),
        None => (rest, None),
    };
    let (test_before, condition) = match rest.strip_prefix("before") {
        Some(rest) => (true, rest.trim()),
        None => (false, rest),
    };
    let condition = condition.strip_prefix("while ").map(program);
    Loop::Standard(StandardLoop { test_before, maximum, condition })
}

/// `begin list until condition into results from expression keeping sequential`, each part optional.
fn ad_hoc(rest: &str) -> AdHoc {
    let (performer, rest) = match rest.strip_prefix("by ") {
        Some(rest) => rest.split_once(' ').map_or((Some(rest), ""), |(by, rest)| (Some(by), rest)),
        None => (None, rest),
    };
    let (rest, sequential) = match rest.strip_suffix("sequential") {
        Some(rest) => (rest.trim(), true),
        None => (rest, false),
    };
    let (rest, cancel_remaining) = match rest.strip_suffix("keeping") {
        Some(rest) => (rest.trim(), false),
        None => (rest, true),
    };
    let (rest, output) = match rest.split_once("into ") {
        Some((rest, output)) => (rest.trim(), output.split_once(" from ")),
        None => (rest, None),
    };
    let output = output.map(|(collection, element)| AdHocOutput {
        collection: collection.to_owned(),
        element: program(element),
    });
    let (rest, completion_condition) = match rest.split_once("until ") {
        Some((rest, condition)) => (rest.trim(), Some(program(condition))),
        None => (rest, None),
    };
    let active_elements = rest.strip_prefix("begin ").map(program);
    AdHoc {
        sequential,
        completion_condition,
        cancel_remaining,
        active_elements,
        performer: performer.map(|by| Performer::Worker(JobSpec { job_type: text(by), ..job() })),
        output,
    }
}

/// `four-eyes A B`, `four-eyes starter`, `mandate DOMAIN ACTION AMOUNT CURRENCY [UNIT]`, `decision ID`,
/// `condition FEEL` or `condition FEEL otherwise second-person` or `… otherwise APPROVER APPROVER`; after
/// `named ID`, `on complete` or another action, and `tool PATTERN` or `field PATH`.
fn policy(rest: &str) -> Policy {
    let mut on = BTreeSet::new();
    let mut rest = rest;
    let mut name = None;
    if let Some(named) = rest.strip_prefix("named ") {
        let (id, more) = named.split_once(' ').unwrap();
        name = Some(id.to_owned());
        rest = more;
    }
    if let Some(guarded) = rest.strip_prefix("on ") {
        let (action, more) = guarded.split_once(' ').unwrap();
        on.insert(match action {
            "complete" => Action::Complete,
            "tool_call" => Action::ToolCall,
            "set_variables" => Action::SetVariables,
            "start" => Action::Start,
            "activate" => Action::Activate,
            "deliver" => Action::Deliver,
            _ => Action::Control,
        });
        rest = more;
    }
    let mut target = None;
    if let Some(named) = rest.strip_prefix("tool ") {
        let (pattern, more) = named.split_once(' ').unwrap();
        target = Some(Target::Tool(pattern.parse().unwrap()));
        rest = more;
    } else if let Some(named) = rest.strip_prefix("field ") {
        let (path, more) = named.split_once(' ').unwrap();
        target = Some(Target::Field(path.parse().unwrap()));
        rest = more;
    }
    let (word, more) = rest.split_once(' ').unwrap();
    let rule = match word {
        "four-eyes" => Rule::FourEyes {
            elements: more.split(' ').filter(|id| *id != "starter").map(Into::into).collect(),
            starter: more.split(' ').any(|id| id == "starter"),
        },
        "mandate" => {
            let words: Vec<&str> = more.split(' ').collect();
            Rule::Mandate {
                domain: words[0].to_owned(),
                action: words[1].to_owned(),
                amount: Some(program(words[2])),
                currency: Some(text(words[3])),
                unit: words.get(4).map(|unit| Text::Feel(program(unit))),
            }
        }
        "decision" => Rule::Decision { decision: more.to_owned() },
        _ => {
            let (condition, otherwise) = match more.split_once(" otherwise ") {
                None => (more, Otherwise::Refuse),
                Some((condition, "second-person")) => (condition, Otherwise::SecondPerson),
                Some((condition, approvers)) => {
                    let approvers = approvers.split(' ').map(str::to_owned).collect();
                    (condition, Otherwise::Escalate { approvers })
                }
            };
            let reason = "not like this".to_owned();
            Rule::Condition { expression: program(condition), reason, otherwise }
        }
    };
    Policy { id: name.unwrap_or_else(|| word.to_owned()), on, target, rule }
}

fn mapping(rest: &str) -> Mapping {
    let (target, source) = rest.split_once(" = ").unwrap();
    Mapping { source: Text::Feel(program(source)), target: target.to_owned() }
}

fn job() -> JobSpec {
    JobSpec { job_type: text("work"), retries: None, priority: None }
}

fn text(text: &str) -> Text {
    match text.strip_prefix('=') {
        Some(expression) => Text::Feel(program(expression)),
        None => Text::Literal(text.to_owned()),
    }
}

fn program(text: &str) -> Program {
    Program::compile(text).unwrap()
}
