//! The elements, one a file. A further element is one more file and one more line in `dispatch`.
//!
//! Every element goes the same way: `start` maps its inputs and lets it begin, it completes at
//! once or waits, and `finish` takes its results and sends tokens along its flows. What fails on
//! the way is an incident, and the same step is tried again when the incident is resolved.

pub(crate) mod ad_hoc;
pub(crate) mod agent_task;
pub(crate) mod behavior;
pub(crate) mod boundary_event;
pub(crate) mod business_rule_task;
pub(crate) mod call_activity;
pub(crate) mod cancellation;
pub(crate) mod catch_event;
pub(crate) mod compensation;
pub(crate) mod complex_gateway;
pub(crate) mod conditional_event;
pub(crate) mod end_event;
pub(crate) mod event_based_gateway;
pub(crate) mod job_task;
pub(crate) mod link_event;
pub(crate) mod multi_instance;
pub(crate) mod multiple_event;
pub(crate) mod performer;
pub(crate) mod receive_task;
pub(crate) mod script_task;
pub(crate) mod send_task;
pub(crate) mod standard_loop;
pub(crate) mod start_event;
pub(crate) mod sub_process;
pub(crate) mod throw_event;
pub(crate) mod transaction;
pub(crate) mod user_task;

use self::ad_hoc::Outcome;
use crate::event::Event;
use crate::flow::{self, activity_start::MAX_QUANTITY};
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::mapping;
use crate::model::{ElementId, Gateway, Loop, Node, NodeIx, NodeKind, Task};
use crate::scope::VariableMap;
use crate::transition::Transition;

/// Lets an activated element begin.
pub(crate) fn start(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    let inner = t.element(key).is_some_and(|element| element.index.is_some());
    if inner {
        mapping::inputs(t, key, node)?;
        return dispatch(t, key, node);
    }
    if node.repeat.is_none() {
        mapping::inputs(t, key, node)?;
    }
    let boundaries = boundary_event::prepare(t, key, node)?;
    match &node.repeat {
        Some(Loop::MultiInstance(repeat)) => multi_instance::enter(t, key, repeat)?,
        Some(Loop::Standard(repeat)) => standard_loop::enter(t, key, repeat)?,
        None => dispatch(t, key, node)?,
    }
    boundary_event::open(t, key, boundaries);
    Ok(())
}

/// Lets a sub-process begin around what a modification starts in it: as [`start`] does, without its
/// own start event.
pub(crate) fn surround(t: &mut Transition<'_>, key: Key, place: NodeIx) -> Result<(), Failure> {
    let node = t.process().node(place);
    mapping::inputs(t, key, node)?;
    let boundaries = boundary_event::prepare(t, key, node)?;
    sub_process::open_events(t, key, place)?;
    if node.ad_hoc().is_some() {
        ad_hoc::open(t, key, place, Vec::new());
    }
    boundary_event::open(t, key, boundaries);
    Ok(())
}

fn dispatch(t: &mut Transition<'_>, key: Key, node: &Node) -> Result<(), Failure> {
    match &node.kind {
        NodeKind::StartEvent { .. } => start_event::enter(t, key),
        NodeKind::IntermediateCatchEvent(trigger) => catch_event::enter(t, key, node, trigger),
        NodeKind::IntermediateThrowEvent(trigger) => throw_event::enter(t, key, node, trigger),
        NodeKind::EndEvent(trigger) => end_event::enter(t, key, node, trigger),
        NodeKind::Task(Task::Pass)
        | NodeKind::BoundaryEvent { .. }
        | NodeKind::Gateway(Gateway::Exclusive | Gateway::Parallel | Gateway::Inclusive) => {
            t.pass(key);
            Ok(())
        }
        NodeKind::ComplexGateway { .. } => {
            complex_gateway::enter(t, key);
            Ok(())
        }
        NodeKind::Task(Task::User(task)) => user_task::enter(t, key, node, task),
        NodeKind::Task(Task::Job(job)) => job_task::enter(t, key, node, job),
        NodeKind::Task(Task::Agent { agent, job }) => agent_task::enter(t, key, node, agent, job),
        NodeKind::Task(Task::Receive(message)) => receive_task::enter(t, key, node, message),
        NodeKind::Task(Task::Send(message)) => send_task::enter(t, key, node, message),
        NodeKind::Task(Task::Script(script)) => script_task::enter(t, key, script),
        NodeKind::Task(Task::BusinessRule { decision, result_variable }) => {
            business_rule_task::enter(t, key, node, decision, result_variable)
        }
        NodeKind::Gateway(Gateway::EventBased | Gateway::ParallelEventBased) => {
            event_based_gateway::enter(t, key, node)
        }
        NodeKind::SubProcess(_) => sub_process::enter(t, key),
        NodeKind::CallActivity(call) => call_activity::enter(t, key, node, call),
    }
}

pub(crate) fn not_executable(id: &str, what: &str) -> Failure {
    let message = format!("{id:?} is a {what}, which cannot be executed here");
    Failure::new(IncidentKind::NotExecutable, message)
}

/// Ends an element with its results, and sends tokens along the flows that it leaves on.
pub(crate) fn finish(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    results: &VariableMap,
) -> Result<(), Failure> {
    let Some(element) = t.element(key) else { return Ok(()) };
    let (scope, index, is_body) = (element.scope, element.index, element.repetition.is_some());
    let (is_undone, undoes) =
        (compensation::is_undone(&t.instance, t.process(), key), element.compensates.is_some());
    if is_body {
        multi_instance::publish(t, key, node);
    } else if !is_undone {
        mapping::outputs(t, key, node, results)?;
        ad_hoc::publish(t, key, node);
    }
    if let Some(index) = index {
        return match &node.repeat {
            Some(Loop::MultiInstance(repeat)) => {
                multi_instance::finish_inner(t, key, node, repeat, (scope, index))
            }
            Some(Loop::Standard(repeat)) => {
                standard_loop::finish_inner(t, key, node, repeat, (scope, index))
            }
            None => Ok(()),
        };
    }
    // What undoes an activity is itself none of those that are performed in the scope around it.
    let outcome = if undoes { Outcome::GoesOn } else { ad_hoc::outcome(t, scope, node)? };
    if node.completion_quantity > MAX_QUANTITY {
        let message = format!("more than {MAX_QUANTITY} tokens would leave on each flow");
        return Err(Failure::new(IncidentKind::LimitExceeded, message));
    }
    let flows = match outcome {
        Outcome::GoesOn if !is_undone => flow::choose(t, key, scope, node)?,
        _ => Vec::new(),
    };
    if flows.is_empty() && !undoes {
        ad_hoc::collect(t, key, scope, node, results)?;
    }
    compensation::keep(t, key, node)?;
    t.close_waits(key);
    t.emit(Event::ElementCompleted { key, element: ElementId::clone(&node.id) });
    cancellation::cancel(t, scope, node);
    for flow in flows {
        t.send_all(scope, flow, node.completion_quantity);
    }
    match outcome {
        Outcome::GoesOn => link_event::follow(t, scope, node),
        Outcome::Closed => {}
        Outcome::Fulfilled => ad_hoc::fulfil(t, scope),
    }
    Ok(())
}
