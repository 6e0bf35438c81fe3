//! Runs a scenario: begins, takes the steps, compares.

use std::sync::Arc;

use super::Cast;
use super::expect::check;
use super::format::{
    ActivateStep, EvaluateStep, MessageStep, Node, RefuseStep, Scenario, SetStep, Start, StartWith,
    Step,
};
use super::host::{Answered, Mail, Running, World};
use super::models::Models;
use super::report::Difference;
use crate::command::{Command, StartedBy};
use crate::expression::correlation_text;
use crate::expression::timer::after;
use crate::instance::Key;
use crate::model::Process;
use crate::modification::Instruction;
use crate::wait::WaitKind;

/// How long a message is kept for somebody who begins to wait for it, in milliseconds.
pub(super) const DEFAULT_TTL: i64 = 3_600_000;

/// Runs `scenario`.
///
/// # Errors
/// The first thing that is not as it should be.
pub(super) fn run(scenario: &Scenario, models: &Models, cast: &Cast) -> Result<(), Difference> {
    let mut runner = Runner { world: World::new(scenario, models, cast), models };
    let wrong = |step, expected: &str, why: String| Difference::of_step(step, expected, &why);
    runner.begin(&scenario.start).map_err(|why| wrong(None, "the process starts", why))?;
    for (at, step) in (1..).zip(&scenario.steps) {
        if let Step::Expect(expect) = step {
            runner.expect(expect, Some(at))?;
        } else {
            runner.take(step).map_err(|why| wrong(Some(at), &described(step), why))?;
        }
    }
    runner.expect(&scenario.expect, None)
}

struct Runner<'a> {
    world: World<'a>,
    models: &'a Models,
}

impl Runner<'_> {
    fn begin(&mut self, start: &Start) -> Result<(), String> {
        match start {
            Start::Nothing => self.world.arm_start_timers(),
            Start::With(with) => self.begin_with(with)?,
        }
        self.world.settle()
    }

    fn begin_with(&mut self, with: &StartWith) -> Result<(), String> {
        if let Some(message) = &with.message {
            let mail = self.mail(message)?;
            let started = self.world.deliver(&mail)?;
            let name = &message.name;
            return started.then_some(()).ok_or(format!("no process starts by message {name:?}"));
        }
        if let Some(signal) = &with.signal {
            let variables = signal.variables.clone().into();
            let started = self.world.broadcast(&signal.name, &variables)?;
            let name = &signal.name;
            return started.then_some(()).ok_or(format!("no process starts by signal {name:?}"));
        }
        if let Some(step) = &with.evaluate {
            let started = self.evaluate(step)?;
            return started.then_some(()).ok_or("no condition of a start event holds".to_owned());
        }
        let process = match &with.process {
            Some(id) => self.models.process(id).ok_or(format!("there is no process {id:?}"))?,
            None => {
                let mut all = self.models.processes();
                let first = all.next().ok_or("the models have no process")?;
                if first.executable {
                    first
                } else {
                    self.models.processes().find(|process| process.executable).unwrap_or(first)
                }
            }
        };
        let process: Arc<Process> = Arc::clone(process);
        let command = Command::Start {
            variables: with.variables.clone().into(),
            business_key: with.business_key.clone(),
            at: None,
            by: StartedBy::Command,
            caller: None,
        };
        followed(self.world.start(&process, None, command)?)
    }

    fn expect(
        &self,
        expect: &super::format::Expect,
        step: Option<usize>,
    ) -> Result<(), Difference> {
        match self.world.main() {
            Some(main) => check(&self.world, main, expect, step),
            None => Err(Difference::of_step(step, "an instance", "nothing was started")),
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Complete(node) => followed(self.complete(node, node.actor.as_deref())?)?,
            Step::Advance(duration) => {
                let end = after(self.world.now, duration)?;
                if end < self.world.now {
                    return Err(format!("{duration} would turn back the clock"));
                }
                self.world.fire_until(end)?;
            }
            Step::Message(message) => {
                let mail = self.mail(message)?;
                self.world.publish(mail)?;
            }
            Step::Signal(signal) => {
                let variables = signal.variables.clone().into();
                self.world.broadcast(&signal.name, &variables)?;
            }
            Step::Evaluate(step) => {
                self.evaluate(step)?;
            }
            Step::Throw(throw) => {
                self.tell_work(&throw.node, throw.instance, |key, _| Command::ThrowError {
                    key,
                    code: throw.error.clone(),
                    message: throw.message.clone(),
                    variables: throw.variables.clone().into(),
                })?;
            }
            Step::Escalate(step) => {
                self.tell_work(&step.node, step.instance, |key, _| Command::Escalate {
                    key,
                    code: step.code.clone(),
                    variables: step.variables.clone().into(),
                })?;
            }
            Step::Fail(fail) => {
                self.tell_work(&fail.node, fail.instance, |key, left| Command::FailWork {
                    key,
                    message: fail.message.clone().unwrap_or_else(|| "failed".to_owned()),
                    retries: fail.retries.unwrap_or_else(|| left.saturating_sub(1)),
                    back_off: None,
                })?;
            }
            Step::Resolve(resolve) => {
                let found = self.world.locate(&resolve.node, |running, element| {
                    let open = running.instance.incidents();
                    open.filter(|(_, incident)| &*incident.element == element)
                        .map(|(key, _)| key)
                        .collect()
                });
                let (id, key) = found
                    .into_iter()
                    .nth(resolve.instance)
                    .ok_or_else(|| format!("{:?} has no open incident", resolve.node))?;
                let variables = resolve.variables.clone().into();
                let actor = self.world.actor("scenario");
                let command = Command::ResolveIncident { key, variables };
                followed(self.world.tell(&id, command, &actor)?)?;
            }
            Step::Set(set) => followed(self.set(set, None)?)?,
            Step::Activate(activate) => followed(self.activate(activate)?)?,
            Step::Refuse(refuse) => self.refuse(refuse)?,
            Step::Cancel(true) => {
                followed(self.tell_main(Command::Cancel { reason: None }, None)?)?;
            }
            Step::Cancel(false) | Step::Expect(_) => {}
        }
        self.world.settle()
    }

    fn evaluate(&mut self, step: &EvaluateStep) -> Result<bool, String> {
        self.world.evaluate(&step.variables.clone().into(), step.business_key.as_ref())
    }

    fn refuse(&mut self, refuse: &RefuseStep) -> Result<(), String> {
        let actor = refuse.actor.as_deref();
        let answered = match (&refuse.complete, &refuse.set, refuse.cancel) {
            (Some(node), None, None) => self.complete(node, actor.or(node.actor.as_deref()))?,
            (None, Some(set), None) => self.set(set, actor)?,
            (None, None, Some(true)) => self.tell_main(Command::Cancel { reason: None }, actor)?,
            _ => return Err("refuse needs one of complete, set and cancel".to_owned()),
        };
        match answered {
            Answered::Refused(refusal) if refusal.code.as_str() == refuse.reason => {
                let is_told = refuse.approvers.as_ref().is_none_or(|it| *it == refusal.approvers);
                let told = refusal.approvers.join(", ");
                is_told.then_some(()).ok_or_else(|| format!("those who may are told: [{told}]"))
            }
            Answered::Refused(refusal) => {
                Err(format!("refused as {}: {}", refusal.code.as_str(), refusal.reason))
            }
            Answered::Followed => Err("it was allowed".to_owned()),
            Answered::Rejected(rejected) => Err(format!("rejected before that: {rejected}")),
        }
    }

    fn complete(&mut self, node: &Node, actor: Option<&str>) -> Result<Answered, String> {
        let (id, key, _) = self.work(&node.node, node.instance)?;
        let actor = match actor {
            Some(actor) => self.world.actor(actor),
            None => self.world.worker(&id, key),
        };
        let variables = node.variables.clone().into();
        self.world.tell(&id, Command::CompleteWork { key, variables }, &actor)
    }

    /// Lets an element of a waiting ad-hoc sub-process begin; any other is a modification.
    fn activate(&mut self, activate: &ActivateStep) -> Result<Answered, String> {
        let variables = activate.variables.clone().into();
        let around = self.world.locate(&activate.node, |running, element| {
            let around = running.definition.process().around(element);
            let ad_hoc = around.filter(|around| around.ad_hoc().is_some());
            ad_hoc.map(|around| (around.id.clone(), element.into())).into_iter().collect()
        });
        let Some((id, (around, element))) = around.into_iter().next() else {
            let instructions = vec![Instruction::activate(&activate.node, variables)];
            return self.tell_main(Command::Modify { instructions, reason: None }, None);
        };
        let open = self.world.locate(&around, |running, around| {
            let waits = running.instance.waits().filter(|(_, wait)| {
                *wait.element == *around && matches!(wait.kind, WaitKind::Activation { .. })
            });
            let of_this = (running.instance.id == id).then_some(waits);
            of_this.into_iter().flatten().map(|(key, _)| key).collect()
        });
        let (_, key) = open
            .into_iter()
            .next()
            .ok_or_else(|| format!("nothing can be activated in {around:?} now"))?;
        let actor = self.world.actor("scenario");
        let command = Command::SelectActivities { key, elements: vec![element], variables };
        self.world.tell(&id, command, &actor)
    }

    fn set(&mut self, set: &SetStep, actor: Option<&str>) -> Result<Answered, String> {
        let variables = set.variables.clone().into();
        let Some(scope) = &set.scope else {
            return self.tell_main(Command::SetVariables { scope: Key::PROCESS, variables }, actor);
        };
        let found = self.world.locate(scope, |running, element| {
            let elements = running.instance.elements();
            elements.filter(|(_, one)| &*one.element == element).map(|(key, _)| key).collect()
        });
        let (id, scope) =
            found.into_iter().next().ok_or_else(|| format!("{scope:?} is not active"))?;
        let actor = self.world.actor(actor.unwrap_or("scenario"));
        self.world.tell(&id, Command::SetVariables { scope, variables }, &actor)
    }

    fn tell_main(&mut self, command: Command, actor: Option<&str>) -> Result<Answered, String> {
        let main = self.world.main().ok_or("nothing was started")?;
        let id = Arc::clone(&main.instance.id);
        let actor = self.world.actor(actor.unwrap_or("scenario"));
        self.world.tell(&id, command, &actor)
    }

    fn tell_work(
        &mut self,
        node: &str,
        instance: usize,
        command: impl FnOnce(Key, u32) -> Command,
    ) -> Result<(), String> {
        let (id, key, left) = self.work(node, instance)?;
        let worker = self.world.worker(&id, key);
        followed(self.world.tell(&id, command(key, left), &worker)?)
    }

    /// The open work at `node`, with the number of tries it has left.
    fn work(&self, node: &str, instance: usize) -> Result<(Arc<str>, Key, u32), String> {
        let open = |running: &Running, element: &str| {
            let waits = running.instance.waits().filter(|(_, wait)| &*wait.element == element);
            waits
                .filter(|(_, wait)| running.instance.blocks(wait).is_none())
                .filter_map(|(key, wait)| match wait.kind {
                    WaitKind::Human { .. } => Some((key, 1)),
                    WaitKind::Job { retries } | WaitKind::Agent { retries } => Some((key, retries)),
                    _ => None,
                })
                .collect()
        };
        let found = self.world.locate(node, open).into_iter().nth(instance);
        found.map(|(id, (key, left))| (id, key, left)).ok_or_else(|| {
            let mut waiting =
                self.world.main().map(|main| self.world.waiting(main)).unwrap_or_default();
            waiting.sort_unstable();
            format!("it is not open; waiting are [{}]", waiting.join(", "))
        })
    }

    fn mail(&self, message: &MessageStep) -> Result<Mail, String> {
        let expires = match &message.ttl {
            Some(ttl) => after(self.world.now, ttl)?,
            None => self.world.now.plus_millis(DEFAULT_TTL),
        };
        Ok(Mail {
            name: message.name.clone(),
            correlation: message.correlation.as_ref().and_then(correlation_text),
            variables: message.variables.clone().into(),
            expires,
        })
    }
}

fn followed(answered: Answered) -> Result<(), String> {
    match answered {
        Answered::Followed => Ok(()),
        Answered::Refused(refusal) => {
            Err(format!("refused as {}: {}", refusal.code.as_str(), refusal.reason))
        }
        Answered::Rejected(rejected) => Err(rejected.to_string()),
    }
}

fn described(step: &Step) -> String {
    match step {
        Step::Complete(node) => format!("{:?} can be completed", node.node),
        Step::Advance(duration) => format!("the clock moves by {duration}"),
        Step::Message(message) => format!("message {:?} is published", message.name),
        Step::Signal(signal) => format!("signal {:?} is broadcast", signal.name),
        Step::Evaluate(_) => "the conditions can be evaluated".to_owned(),
        Step::Throw(throw) => format!("{:?} can throw {:?}", throw.node, throw.error),
        Step::Escalate(step) => format!("{:?} can escalate {:?}", step.node, step.code),
        Step::Fail(fail) => format!("{:?} can fail", fail.node),
        Step::Resolve(resolve) => format!("the incident of {:?} can be resolved", resolve.node),
        Step::Set(_) => "the variables can be set".to_owned(),
        Step::Activate(activate) => format!("{:?} can be activated", activate.node),
        Step::Refuse(refuse) => format!("refused as {}", refuse.reason),
        Step::Cancel(_) => "the instance can be cancelled".to_owned(),
        Step::Expect(_) => "the expectations hold".to_owned(),
    }
}
