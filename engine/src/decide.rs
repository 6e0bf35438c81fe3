//! A command onto the state: what happens, as events.
//!
//! `decide` is a pure function. It either rejects the command, and then nothing happened; or the
//! policies refuse it, and then the refusal is what happened, with the proposal that is kept where it
//! was a person's work that another may confirm; or it returns everything that happens until the
//! instance waits again.

mod admit;
mod arrival;
mod attempts;
mod control;
mod modify;
mod selection;
mod start;
mod work;

use std::sync::Arc;

use flowmaster_kernel::{Principal, Timestamp};

use crate::command::{Command, Rejected};
use crate::dmn::Decisions;
use crate::evaluation::Evaluation;
use crate::event::Event;
use crate::governance::{Action, Authority, Hearing, Refusal, govern};
use crate::instance::Instance;
use crate::model::{ElementId, Process};
use crate::transition::{Finished, Transition};

pub use start::{StartTrigger, start_condition_holds, start_triggers};

/// What an instance runs on: one version of a process and of the decisions that it asks.
#[derive(Clone, Debug)]
pub struct Definition {
    process: Arc<Process>,
    decisions: Arc<Decisions>,
}

impl Definition {
    /// A process with the decisions that it may ask.
    #[must_use]
    pub fn new(process: Arc<Process>, decisions: Arc<Decisions>) -> Self {
        Self { process, decisions }
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The decisions.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }
}

/// Everything from outside that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The moment.
    pub now: Timestamp,
    /// Who gives the command.
    pub actor: &'a Principal,
    /// The mandates in force on the organisation as it is.
    pub authority: &'a Authority,
}

/// What a command leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What happens, in order.
    pub events: Vec<Event>,
    /// The state after it: what applying the events gives.
    pub instance: Instance,
    /// What the policies that were asked said, for the runtime record; the last one refuses, if any.
    pub hearings: Vec<Hearing>,
    /// What decisions were asked by business rule tasks, and answered.
    pub evaluations: Vec<Evaluation>,
}

/// What happens when `instance` gets `command`.
///
/// # Errors
/// A command that the instance cannot follow in its state.
pub fn decide(
    definition: &Definition,
    instance: &Instance,
    command: Command,
    env: &Env<'_>,
) -> Result<Vec<Event>, Rejected> {
    advance(definition, instance, command, env).map(|decided| decided.events)
}

/// The same as [`decide`], with the state that the events lead to.
///
/// # Errors
/// A command that the instance cannot follow in its state.
pub fn advance(
    definition: &Definition,
    instance: &Instance,
    command: Command,
    env: &Env<'_>,
) -> Result<Decided, Rejected> {
    admit::check_state(instance, &command)?;
    admit::check_size(&command)?;
    let task = admit::admit(definition, instance, command, env)?;
    let mut t = Transition::new(definition, instance, env);
    let mut hearings = Vec::new();
    for attempt in task.attempts(definition, instance) {
        let attempt = attempt.borrow();
        let hearing = govern(definition, instance, &attempt, env);
        if let Some(refusal) = hearing.as_ref().and_then(Hearing::refusal).cloned() {
            hearings.extend(hearing);
            return Ok(refused(&task, instance, refusal, env, hearings));
        }
        // A tool call leaves a record in any case: there is no other event of it.
        if hearing.is_some() || attempt.action == Action::ToolCall {
            let opinions = hearing.iter().flat_map(|hearing| &hearing.opinions);
            t.emit(Event::ActionAllowed {
                action: attempt.action,
                element: attempt.node.map(|node| ElementId::clone(&node.id)),
                actor: env.actor.into(),
                tool: attempt.tool.map(str::to_owned),
                policies: opinions.map(|opinion| opinion.consulted.clone()).collect(),
            });
        }
        hearings.extend(hearing);
    }
    task.perform(&mut t);
    t.run();
    let Finished { events, instance, evaluations } = t.finish();
    Ok(Decided { events, instance, hearings, evaluations })
}

/// What is left of a command that the policies refuse: that they did, and the work that went into it.
fn refused(
    task: &admit::Task,
    instance: &Instance,
    refusal: Refusal,
    env: &Env<'_>,
    hearings: Vec<Hearing>,
) -> Decided {
    let proposed = task.proposed(&refusal, env).map(Event::WorkProposed);
    let events: Vec<Event> = [Event::ActionRefused(refusal)].into_iter().chain(proposed).collect();
    let mut instance = instance.clone();
    for event in &events {
        crate::apply::apply(&mut instance, event);
    }
    Decided { events, instance, hearings, evaluations: Vec::new() }
}

/// Applies the events of a journal, from the first one on.
pub fn replay<'a>(id: &str, journal: impl IntoIterator<Item = &'a Event>) -> Instance {
    let mut instance = Instance::new(id);
    for event in journal {
        crate::apply::apply(&mut instance, event);
    }
    instance
}

#[cfg(test)]
mod tests;
