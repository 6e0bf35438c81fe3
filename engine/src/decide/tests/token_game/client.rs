//! Who tells both what happens next, and writes it down as a scenario.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use super::game::{Game, Told, Values};
use super::model::Model;
use super::picture::{VARIABLES, chain};
use crate::command::ChildOutcome;
use crate::element::ad_hoc::selectable;
use crate::element::call_activity::handed_over;
use crate::model::{ElementId, NodeKind, Process};
use crate::scope::VariableMap;
use crate::wait::{Wait, WaitKind};

/// What is chosen for one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pick: usize,
    action: u8,
    values: u16,
}

impl Move {
    /// Goes on with the wait at this place, and sets the variables that `values` names.
    pub(super) const fn complete(pick: usize, values: u16) -> Self {
        Self { pick, action: u8::MAX, values }
    }
}

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let step = (0_usize..24, 0_u8..64, any::<u16>());
    let step = step.prop_map(|(pick, action, values)| Move { pick, action, values });
    prop::collection::vec(step, 0..20)
}

#[derive(Clone)]
pub(super) struct Client {
    pub(super) instance: Instance,
    pub(super) journal: Vec<Event>,
    now: Timestamp,
    started_with: Values,
    steps: Vec<Value>,
}

/// One of the things that can be done now.
enum Choice {
    Wait(Key),
    Incident(Key),
}

impl Client {
    pub(super) fn start(model: &Model, definition: &Definition, first: Option<&Move>) -> Self {
        assert!(!model.nodes.is_empty());
        let chosen = first.map_or(0, |step| step.values);
        let started_with: Values =
            (0..VARIABLES).map(|id| (id, i64::from(chosen >> (2 * id) & 3))).collect();
        let mut client = Self {
            instance: Instance::new("i"),
            journal: Vec::new(),
            now: Timestamp::from_millis(0),
            started_with,
            steps: Vec::new(),
        };
        let variables = variables(&client.started_with);
        let command = Command::Start {
            variables,
            business_key: None,
            at: None,
            by: StartedBy::Command,
            caller: None,
        };
        client.tell(definition, &command);
        client
    }

    pub(super) fn started_with(&self) -> Values {
        self.started_with.clone()
    }

    fn tell(&mut self, definition: &Definition, command: &Command) {
        let (actor, authority) = (person("anna"), Authority::default());
        let env = Env { now: self.now, actor: &actor, authority: &authority };
        let decided = advance(definition, &self.instance, command.clone(), &env);
        let decided = decided.unwrap_or_else(|why| panic!("{command:?}: {why}"));
        self.journal.extend(decided.events);
        self.instance = decided.instance;
    }

    /// Tells the engine what `step` says, and gives the same for `game`; nothing if there is nothing
    /// to do.
    pub(super) fn step(
        &mut self,
        definition: &Definition,
        model: &Model,
        game: &Game,
        step: Move,
    ) -> Option<Told> {
        let values = some_values(step.values);
        let (command, told, written) = match step.action {
            0 => (
                Command::SetVariables { scope: Key::PROCESS, variables: variables(&values) },
                Told::Set(values.clone()),
                json!({ "set": { "variables": to_json(&values) } }),
            ),
            1 if step.pick < 3 => {
                (Command::Cancel { reason: None }, Told::Cancel, json!({ "cancel": true }))
            }
            _ => self.chosen(definition.process(), model, game, step, &values)?,
        };
        self.steps.push(written);
        self.tell(definition, &command);
        Some(told)
    }

    /// In how many ways it can go on.
    pub(super) fn choices(&self, process: &Process) -> usize {
        self.open(process).len()
    }

    fn open(&self, process: &Process) -> Vec<Choice> {
        let waits = self.instance.waits();
        let waits = waits.filter(|(_, wait)| is_open(process, &self.instance, wait));
        let incidents = self.instance.incidents().map(|(key, _)| Choice::Incident(key));
        waits.map(|(key, _)| Choice::Wait(key)).chain(incidents).collect()
    }

    fn chosen(
        &mut self,
        process: &Process,
        model: &Model,
        game: &Game,
        step: Move,
        values: &Values,
    ) -> Option<(Command, Told, Value)> {
        let instance = &self.instance;
        let choices = self.open(process);
        let who = |key: Key| game.find(model, &chain(instance, key));
        let node = |id: &str| model.nodes.iter().position(|node| node.id == id).unwrap();
        let variables = variables(values);
        let mut key = match choices.get(step.pick % choices.len().max(1))? {
            Choice::Incident(key) => {
                let (_, incident) = instance.incidents().find(|(one, _)| one == key)?;
                let same = instance.incidents().filter(|(_, it)| it.element == incident.element);
                let nth = same.take_while(|(one, _)| one != key).count();
                let written = json!({ "resolve": { "node": &*incident.element, "instance": nth,
                    "variables": to_json(values) } });
                let told = Told::Resolve(who(incident.owner), values.clone());
                return Some((Command::ResolveIncident { key: *key, variables }, told, written));
            }
            Choice::Wait(key) => *key,
        };
        if matches!(instance.wait(key)?.kind, WaitKind::Timer { .. }) {
            key = first_timer(instance)?;
        }
        let wait = instance.wait(key)?;
        let element = &*wait.element;
        let same = instance
            .waits()
            .filter(|(_, it)| is_open(process, instance, it) && *it.element == *element);
        let nth = same.take_while(|(one, _)| *one != key).count();
        Some(match &wait.kind {
            WaitKind::Timer { due_at, .. } => {
                let after = due_at.as_millis() - self.now.as_millis();
                let told = Told::Fire(who(wait.owner), node(element));
                let written = json!({ "advance": format!("PT{}S", after / 1_000) });
                self.now = *due_at;
                (Command::FireTimer { key }, told, written)
            }
            WaitKind::Message { name, .. } => (
                Command::CorrelateMessage { key, variables, message_id: None },
                Told::Message(who(wait.owner), node(element), values.clone()),
                json!({ "message": { "name": name, "correlation": "k", "variables": to_json(values) } }),
            ),
            WaitKind::Activation { .. } => {
                let owner = who(wait.owner);
                let found = game.selectable(model, owner);
                let offered = selectable(instance, process, wait);
                let ids: Vec<&str> = found.iter().map(|ix| model.nodes[*ix].id.as_str()).collect();
                assert!(offered.iter().map(|id| &**id).eq(ids), "{offered:?}: {}", self.scenario());
                let nth = usize::from(step.action) % found.len();
                let elements = vec![ElementId::clone(&offered[nth])];
                let written = json!({ "activate": { "node": element, "elements": &*offered[nth],
                    "variables": to_json(values) } });
                let told = Told::Activate(owner, found[nth], values.clone());
                (Command::SelectActivities { key, elements, variables }, told, written)
            }
            WaitKind::Child { .. } => {
                let owner = who(wait.owner);
                let (place, called) = instance.place(process, wait.owner)?;
                let NodeKind::CallActivity(call) = &called.kind else { panic!("{place:?}") };
                let given = super::picture::values(&handed_over(instance, wait.owner, call));
                assert_eq!(given, game.handed_over(model, owner), "{}", self.scenario());
                let number = step.action % 2;
                let (outcome, told) = match step.action {
                    // What a call is given anew depends on what it was given before.
                    2..12 if model.nodes[node(element)].own.is_none() => {
                        let (code, variables) = (format!("E{number}"), VariableMap::new());
                        let failed = ChildOutcome::Failed { code, message: None, variables };
                        (failed, Told::Throw(owner, number))
                    }
                    _ => (
                        ChildOutcome::Completed { variables },
                        Told::Complete(owner, values.clone()),
                    ),
                };
                let written = json!({ "ended": { "node": element, "instance": nth,
                    "outcome": format!("{outcome:?}") } });
                (Command::ChildEnded { key, outcome }, told, written)
            }
            WaitKind::Signal { name } => {
                let number = name.trim_start_matches('s').parse().unwrap();
                let written = json!({ "signal": { "name": name, "variables": to_json(values) } });
                let command = Command::BroadcastSignal { name: name.clone(), variables };
                (command, Told::Signal(number, values.clone()), written)
            }
            _ => {
                let owner = who(wait.owner);
                let number = step.action % 2;
                match step.action {
                    2..7 => {
                        let code = format!("E{number}");
                        let written =
                            json!({ "throw": { "node": element, "instance": nth, "error": code } });
                        let variables = VariableMap::new();
                        let command = Command::ThrowError { key, code, message: None, variables };
                        (command, Told::Throw(owner, number), written)
                    }
                    7..11 => {
                        let code = format!("L{number}");
                        let written = json!({ "escalate": { "node": element, "instance": nth, "code": code } });
                        let command =
                            Command::Escalate { key, code, variables: VariableMap::new() };
                        (command, Told::Escalate(owner, number), written)
                    }
                    11..14 => {
                        let written =
                            json!({ "fail": { "node": element, "instance": nth, "retries": 0 } });
                        let message = "no".to_owned();
                        let command =
                            Command::FailWork { key, message, retries: 0, back_off: None };
                        (command, Told::Fail(owner), written)
                    }
                    _ => {
                        let written = json!({ "complete": { "node": element, "instance": nth,
                            "variables": to_json(values) } });
                        (
                            Command::CompleteWork { key, variables },
                            Told::Complete(owner, values.clone()),
                            written,
                        )
                    }
                }
            }
        })
    }

    /// What was told so far, as a scenario; YAML is written as JSON.
    pub(super) fn scenario(&self) -> String {
        let start = json!({ "variables": to_json(&self.started_with) });
        let steps: Vec<String> = self.steps.iter().map(|step| format!("  - {step}")).collect();
        format!("name: differs\nmodels: [model.json]\nstart: {start}\nsteps:\n{}", steps.join("\n"))
    }
}

/// Whether somebody can end the wait now, or activate something.
fn is_open(process: &Process, instance: &Instance, wait: &Wait) -> bool {
    let can_go_on = match wait.kind {
        WaitKind::Compensation { .. } => false,
        WaitKind::Activation { .. } => !selectable(instance, process, wait).is_empty(),
        _ => true,
    };
    can_go_on && instance.blocks(wait).is_none()
}

/// The timer that is due first.
fn first_timer(instance: &Instance) -> Option<Key> {
    let timers = instance.waits().filter_map(|(key, wait)| match wait.kind {
        WaitKind::Timer { due_at, .. } => Some((due_at, key)),
        _ => None,
    });
    timers.min().map(|(_, key)| key)
}

fn some_values(chosen: u16) -> Values {
    let is_set = |id: &u8| chosen >> (8 + id) & 1 == 1;
    (0..VARIABLES).filter(is_set).map(|id| (id, i64::from(chosen >> (2 * id) & 3))).collect()
}

fn to_json(values: &Values) -> Value {
    let entries: Map<String, Value> =
        values.iter().map(|(id, value)| (format!("v{id}"), json!(value))).collect();
    Value::Object(entries)
}

fn variables(values: &Values) -> VariableMap {
    values.iter().map(|(id, value)| (format!("v{id}"), json!(value))).collect()
}
