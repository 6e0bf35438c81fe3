//! The world of a scenario: instances in memory, a virtual clock, jobs that answer by themselves,
//! messages, signals and calls. It does what the drivers of a server do, without waiting.

mod mail;
mod mock;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flowmaster_kernel::{Principal, PrincipalKind, Timestamp};

use super::expect::stands_at;
use super::format::Scenario;
use super::models::Models;
use super::{Cast, principal};
use crate::command::{ChildOutcome, Command, Rejected, StartedBy};
use crate::decide::{Definition, Env, StartTrigger, advance, start_triggers};
use crate::effect::{EffectKind, effect};
use crate::event::{Event, refusal};
use crate::expression::timer::Schedule;
use crate::governance::{Authority, Chart, Refusal};
use crate::instance::{Caller, Instance, InstanceState, Key};
use crate::model::{ElementId, Process};
use crate::scope::VariableMap;
use crate::wait::WaitKind;

pub(super) use mail::Mail;

/// The most commands of one scenario: a ring of processes that wake each other must end.
const MAX_COMMANDS: usize = 100_000;

/// An instance with its past.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) definition: Definition,
    pub(super) instance: Instance,
    pub(super) journal: Vec<Event>,
}

struct StartTimer {
    process: Arc<Process>,
    element: ElementId,
    schedule: Schedule,
}

enum Todo {
    Tell { instance: Arc<str>, command: Box<Command> },
    Call { process: String, instance: Arc<str>, caller: Caller, start: Box<Command> },
    Publish(Mail),
    Broadcast { name: String, variables: VariableMap },
    Answer { instance: Arc<str>, key: Key },
    LookIntoBuffer,
}

pub(super) struct World<'a> {
    scenario: &'a Scenario,
    models: &'a Models,
    cast: &'a Cast,
    authority: Arc<Authority>,
    pub(super) now: Timestamp,
    running: Vec<Running>,
    todo: VecDeque<Todo>,
    buffer: Vec<Mail>,
    answered: BTreeMap<String, usize>,
    start_timers: Vec<StartTimer>,
    commands: usize,
    /// Everything that the policies refused.
    pub(super) refused: Vec<Refused>,
}

/// What the policies refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// Whether what was filled in waits for another to confirm it.
    pub(super) is_kept: bool,
}

/// What a command came to.
pub(super) enum Answered {
    Followed,
    Refused(Refused),
    Rejected(Rejected),
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, models: &'a Models, cast: &'a Cast) -> Self {
        Self {
            scenario,
            models,
            cast,
            authority: authority(scenario, cast),
            now: scenario.now,
            running: Vec::new(),
            todo: VecDeque::new(),
            buffer: Vec::new(),
            answered: BTreeMap::new(),
            start_timers: Vec::new(),
            commands: 0,
            refused: Vec::new(),
        }
    }

    /// The instance that expectations speak of: the first one.
    pub(super) fn main(&self) -> Option<&Running> {
        self.running.first()
    }

    /// `running` and everything it called, in the order of creation.
    pub(super) fn tree(&self, running: &Running) -> Vec<&Running> {
        let mut tree: Vec<&Running> = Vec::new();
        for candidate in &self.running {
            let called = candidate.instance.caller.as_ref().is_some_and(|caller| {
                tree.iter().any(|known| known.instance.id == caller.instance)
            });
            if called || candidate.instance.id == running.instance.id {
                tree.push(candidate);
            }
        }
        tree
    }

    pub(super) fn called_by<'s>(
        &'s self,
        running: &Running,
        process: &'s str,
    ) -> impl Iterator<Item = &'s Running> {
        let called = self.tree(running).into_iter().skip(1);
        called.filter(move |child| &*child.definition.process().id == process)
    }

    /// The elements at which tokens wait.
    pub(super) fn waiting(&self, running: &Running) -> Vec<String> {
        let mut waiting = Vec::new();
        for running in self.tree(running) {
            let mut owners: Vec<Key> = Vec::new();
            for (_, wait) in running.instance.waits() {
                if !owners.contains(&wait.owner)
                    && let Some(element) = stands_at(running, wait)
                {
                    owners.push(wait.owner);
                    waiting.push(element);
                }
            }
        }
        waiting
    }

    pub(super) fn open_incidents(&self, running: &Running) -> Vec<(String, &'static str)> {
        let tree = self.tree(running).into_iter();
        tree.flat_map(|running| running.instance.incidents())
            .map(|(_, incident)| (incident.element.to_string(), incident.kind.as_str()))
            .collect()
    }

    /// Everything that `find` gives for the main instance and what it called, else for the others.
    /// `node` is an element id, or `process/element`.
    pub(super) fn locate<T>(
        &self,
        node: &str,
        find: impl Fn(&Running, &str) -> Vec<T>,
    ) -> Vec<(Arc<str>, T)> {
        let (process, element) = match node.split_once('/') {
            Some((process, element)) => (Some(process), element),
            None => (None, node),
        };
        let tree = self.main().map(|main| self.tree(main)).unwrap_or_default();
        let mine = |other: &&Running| tree.iter().any(|own| own.instance.id == other.instance.id);
        let others: Vec<&Running> = self.running.iter().filter(|other| !mine(other)).collect();
        for group in [&tree, &others] {
            let found: Vec<_> = group
                .iter()
                .filter(|running| process.is_none_or(|id| &*running.definition.process().id == id))
                .flat_map(|running| {
                    let id = &running.instance.id;
                    find(running, element).into_iter().map(|found| (Arc::clone(id), found))
                })
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    pub(super) fn actor(&self, id: &str) -> Principal {
        self.cast.principal(id)
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.running.iter().position(|running| &*running.instance.id == id)
    }

    /// Starts an instance of `process`.
    pub(super) fn start(
        &mut self,
        process: &Arc<Process>,
        id: Option<Arc<str>>,
        command: Command,
    ) -> Result<Answered, String> {
        let id = id.unwrap_or_else(|| Arc::from(format!("i{}", self.running.len() + 1)));
        self.running.push(Running {
            definition: self.models.definition(process),
            instance: Instance::new(Arc::clone(&id)),
            journal: Vec::new(),
        });
        let actor = principal("scenario", PrincipalKind::Person);
        self.tell(&id, command, &actor)
    }

    /// Gives a command to an instance, and carries out its effects.
    pub(super) fn tell(
        &mut self,
        id: &str,
        command: Command,
        actor: &Principal,
    ) -> Result<Answered, String> {
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            return Err(format!(
                "more than {MAX_COMMANDS} commands: do processes wake each other?"
            ));
        }
        let Some(running) = self.find(id).and_then(|at| self.running.get_mut(at)) else {
            return Err(format!("there is no instance {id:?}"));
        };
        let env = Env { now: self.now, actor, authority: &self.authority };
        let decided = match advance(&running.definition, &running.instance, command, &env) {
            Ok(decided) => decided,
            Err(rejected) => return Ok(Answered::Rejected(rejected)),
        };
        running.instance = decided.instance;
        let refused = refusal(&decided.events).cloned().map(|refusal| Refused {
            refusal,
            is_kept: matches!(decided.events.last(), Some(Event::WorkProposed(_))),
        });
        let mut effects = Vec::new();
        for event in decided.events {
            let position = running.journal.len() as u64;
            effects.extend(effect(&running.definition, &running.instance, &event, position));
            running.journal.push(event);
        }
        let id = Arc::clone(&running.instance.id);
        for effect in effects {
            self.carry_out(&id, effect.kind);
        }
        self.refused.extend(refused.clone());
        Ok(refused.map_or(Answered::Followed, Answered::Refused))
    }

    fn carry_out(&mut self, id: &Arc<str>, effect: EffectKind) {
        let tell = |caller: Caller, command| Todo::Tell {
            instance: caller.instance,
            command: Box::new(command),
        };
        let todo = match effect {
            EffectKind::CreateJob(job) => Todo::Answer { instance: id.clone(), key: job.item.key },
            EffectKind::AskAgent(work) => Todo::Answer { instance: id.clone(), key: work.item.key },
            EffectKind::RetryWork { key, retries, .. } if retries > 0 => {
                Todo::Answer { instance: id.clone(), key }
            }
            EffectKind::OpenSubscription { .. } => Todo::LookIntoBuffer,
            EffectKind::CallProcess { process, instance, caller, variables, business_key } => {
                let caller_of = Some(caller.clone());
                let start = Command::Start {
                    variables,
                    business_key,
                    at: None,
                    by: StartedBy::Command,
                    caller: caller_of,
                };
                Todo::Call { process, instance, caller, start: Box::new(start) }
            }
            EffectKind::CancelChild { instance } => {
                Todo::Tell { instance, command: Box::new(Command::Cancel { reason: None }) }
            }
            EffectKind::PublishMessage { name, correlation, variables } => {
                let expires = self.now.plus_millis(super::runner::DEFAULT_TTL);
                Todo::Publish(Mail { name, correlation, variables, expires })
            }
            EffectKind::BroadcastSignal { name, variables } => Todo::Broadcast { name, variables },
            EffectKind::EscalateCaller { caller, code, variables } => {
                let key = caller.key;
                tell(caller, Command::Escalate { key, code, variables })
            }
            EffectKind::InstanceEnded { state, caller: Some(caller), variables, error } => {
                let outcome = match (state, error) {
                    (InstanceState::Failed, Some((code, message))) => {
                        ChildOutcome::Failed { code, message, variables }
                    }
                    (InstanceState::Completed, _) => ChildOutcome::Completed { variables },
                    _ => ChildOutcome::Cancelled,
                };
                let key = caller.key;
                tell(caller, Command::ChildEnded { key, outcome })
            }
            // Waits are read from the state; nobody subscribes to topics here.
            EffectKind::OpenHumanTask(_)
            | EffectKind::RetryWork { .. }
            | EffectKind::CloseWork { .. }
            | EffectKind::CancelWork { .. }
            | EffectKind::StartTimer { .. }
            | EffectKind::CancelTimer { .. }
            | EffectKind::CloseSubscription { .. }
            | EffectKind::InstanceEnded { caller: None, .. }
            | EffectKind::Publish { .. } => return,
        };
        self.todo.push_back(todo);
    }

    /// Carries out everything that is due now.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.fire_until(self.now)
    }

    /// Moves the clock to `end`, firing timers in the order in which they are due.
    pub(super) fn fire_until(&mut self, end: Timestamp) -> Result<(), String> {
        loop {
            while let Some(todo) = self.todo.pop_front() {
                self.carry_on(todo)?;
            }
            let due = self.running.iter().flat_map(|running| {
                running.instance.waits().filter_map(|(key, wait)| match &wait.kind {
                    WaitKind::Timer { due_at, .. } if !running.instance.paused => {
                        Some((*due_at, Arc::clone(&running.instance.id), key))
                    }
                    _ => None,
                })
            });
            let timer = due.min_by_key(|(due_at, _, _)| *due_at).filter(|(due, _, _)| *due <= end);
            let starts = self.start_timers.iter().map(|timer| timer.schedule.due_at);
            let start =
                starts.enumerate().min_by_key(|(_, due)| *due).filter(|(_, due)| *due <= end);
            match (timer, start) {
                (Some((due_at, id, key)), start)
                    if start.is_none_or(|(_, start)| due_at <= start) =>
                {
                    self.now = self.now.max(due_at);
                    let system = principal("timers", PrincipalKind::System);
                    self.tell(&id, Command::FireTimer { key }, &system)?;
                }
                (_, Some((at, due_at))) => {
                    self.now = self.now.max(due_at);
                    self.start_by_timer(at)?;
                }
                (_, None) => break,
            }
        }
        self.now = self.now.max(end);
        Ok(())
    }

    /// Lets the timer start events of every process run from now on.
    pub(super) fn arm_start_timers(&mut self) {
        for process in self.models.processes() {
            for (element, trigger) in start_triggers(process, self.now) {
                if let StartTrigger::Timer(schedule) = trigger {
                    let process = Arc::clone(process);
                    self.start_timers.push(StartTimer { process, element, schedule });
                }
            }
        }
    }

    fn start_by_timer(&mut self, at: usize) -> Result<(), String> {
        let StartTimer { process, element, schedule } = self.start_timers.remove(at);
        let next =
            schedule.repeat.as_ref().map(|repeat| repeat.next(schedule.due_at)).transpose()?;
        let command = start_at(&element, StartedBy::Timer, VariableMap::new(), None);
        self.start(&process, None, command)?;
        if let Some(schedule) = next.flatten() {
            self.start_timers.push(StartTimer { process, element, schedule });
        }
        Ok(())
    }

    fn carry_on(&mut self, todo: Todo) -> Result<(), String> {
        let system = principal("system", PrincipalKind::System);
        match todo {
            Todo::Tell { instance, command } => {
                // What was asked for may be over by now, as it may for a real driver.
                self.tell(&instance, *command, &system).map(|_| ())
            }
            Todo::Call { process, instance, caller, start } => {
                match self.models.process(&process).map(Arc::clone) {
                    Some(process) => self.start(&process, Some(instance), *start).map(|_| ()),
                    None => {
                        let outcome = ChildOutcome::Missing;
                        let ended = Command::ChildEnded { key: caller.key, outcome };
                        self.tell(&caller.instance, ended, &system).map(|_| ())
                    }
                }
            }
            Todo::Publish(mail) => self.publish(mail),
            Todo::Broadcast { name, variables } => self.broadcast(&name, &variables).map(|_| ()),
            Todo::Answer { instance, key } => self.answer(&instance, key),
            Todo::LookIntoBuffer => self.look_into_buffer(),
        }
    }

    /// Who does the work `key` where the scenario does not say: the agent, a worker, a person.
    pub(super) fn worker(&self, id: &str, key: Key) -> Principal {
        let running = self.find(id).and_then(|at| self.running.get(at));
        let wait = running.and_then(|running| running.instance.wait(key));
        match wait.map(|wait| &wait.kind) {
            Some(WaitKind::Human { .. }) => principal("scenario", PrincipalKind::Person),
            Some(WaitKind::Agent { .. }) => principal("agent:scenario", PrincipalKind::Agent),
            _ => principal("worker", PrincipalKind::System),
        }
    }
}

/// The mandates on the organisation: those of the scenario, or where it has none those of the cast.
fn authority(scenario: &Scenario, cast: &Cast) -> Arc<Authority> {
    let known = &cast.authority;
    if scenario.mandates.is_none() && scenario.organisation.is_none() {
        return Arc::clone(known);
    }
    let set = scenario
        .mandates
        .as_ref()
        .map_or_else(|| Arc::clone(known.set()), |set| Arc::new(set.clone()));
    let chart = scenario.organisation.as_ref().map_or_else(
        || Arc::clone(known.chart()),
        |organisation| Arc::new(Chart::new(organisation.clone())),
    );
    Arc::new(Authority::new(set, chart))
}

fn start_at(
    element: &ElementId,
    by: StartedBy,
    variables: VariableMap,
    business_key: Option<String>,
) -> Command {
    let at = Some(ElementId::clone(element));
    Command::Start { variables, business_key, at, by, caller: None }
}
