//! Multi-instance activities (BPMN 2.0.2 §10.3.8, §13.3.7): an activity once for each item.
//!
//! The activity's own element instance is the body; each repetition is an inner instance of the
//! same element inside it. Boundary events belong to the body, mappings to the inner instances.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{behavior, compensation};
use crate::event::Event;
use crate::feel::Program;
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{ElementId, Loop, MultiInstance, Node};
use crate::scope::{Overlay, Shared, VariableMap};
use crate::transition::Transition;

/// The most inner instances of one activity.
pub(crate) const MAX_ITEMS: usize = 5_000;

/// How many inner instances completed.
pub(super) const COMPLETED: &str = "numberOfCompletedInstances";

/// How a repetition goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// How many inner instances there will be; the most there may be for a loop, 0 without a limit.
    pub total: u32,
    /// How many began.
    pub started: u32,
    /// How many completed.
    #[serde(default)]
    pub completed: u32,
    /// How many were ended by something else.
    #[serde(default)]
    pub terminated: u32,
    /// The items still to go through one after the other.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) items: VecDeque<Shared>,
    /// The results so far, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) results: BTreeMap<u32, Shared>,
}

impl Repetition {
    pub(crate) fn new(total: u32, items: Vec<Shared>) -> Self {
        Self { total, items: items.into(), ..Self::default() }
    }

    pub(crate) fn begin(&mut self) {
        self.started += 1;
        self.items.pop_front();
    }

    fn is_over(&self) -> bool {
        self.completed.saturating_add(self.terminated) >= self.total
    }
}

/// Begins the repetition of the body `key`.
pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    repeat: &MultiInstance,
) -> Result<(), Failure> {
    let items = items(t, key, repeat)?;
    let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let kept = if repeat.sequential { items.clone() } else { Vec::new() };
    t.emit(Event::RepetitionStarted { key, total, items: kept });
    if total == 0 {
        t.pass(key);
        return Ok(());
    }
    let at_once = if repeat.sequential { 1 } else { items.len() };
    for (index, item) in (0..).zip(items.iter().take(at_once)) {
        spawn(t, key, repeat, index, item);
    }
    Ok(())
}

fn items(t: &Transition<'_>, key: Key, repeat: &MultiInstance) -> Result<Vec<Shared>, Failure> {
    let too_many = |count: usize| {
        let message = format!("{count} items are more than {MAX_ITEMS}");
        Failure::new(IncidentKind::LimitExceeded, message)
    };
    if let Some(collection) = &repeat.collection {
        return match collection.evaluate(&t.view(key), t.now())? {
            Value::Array(items) if items.len() > MAX_ITEMS => Err(too_many(items.len())),
            Value::Array(items) => Ok(items.into_iter().map(Shared::from).collect()),
            other => Err(collection.wrong_type("a list", &other).into()),
        };
    }
    let Some(cardinality) = &repeat.cardinality else { return Ok(Vec::new()) };
    let value = cardinality.evaluate(&t.view(key), t.now())?;
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
    match count {
        Some(count) if count > MAX_ITEMS => Err(too_many(count)),
        Some(count) => Ok((1..=count).map(|item| Shared::from(Value::from(item))).collect()),
        None => Err(cardinality.wrong_type("a whole number of times", &value).into()),
    }
}

fn spawn(t: &mut Transition<'_>, body: Key, repeat: &MultiInstance, index: u32, item: &Shared) {
    let Some((place, _)) = t.place(body) else { return };
    let key = t.activate(body, place, Some(index), Vec::new());
    let mut own = VariableMap::one("loopCounter", Value::from(index + 1));
    if let Some(name) = &repeat.input_element {
        own.insert(name.as_str().into(), item.0.clone());
    }
    // A result that is a variable stays with its inner instance: the others must not overwrite it.
    if let Some(name) = repeat.output_element.as_ref().and_then(plain_name)
        && !own.contains(name)
    {
        own.set(name, Value::Null);
    }
    t.set_variables(key, &own);
    t.begin(key);
}

/// The variable that `program` reads, where it does nothing else.
fn plain_name(program: &Program) -> Option<&str> {
    let name = program.text();
    let mut letters = name.chars();
    let first = letters.next()?;
    let plain = (first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    (plain && !matches!(name, "true" | "false" | "null")).then_some(name)
}

/// Ends the inner instance `key`, whose results are in the variables already.
pub(crate) fn finish_inner(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    repeat: &MultiInstance,
    (body, index): (Key, u32),
) -> Result<(), Failure> {
    if repeat.output_collection.is_some()
        && let Some(output) = &repeat.output_element
    {
        let value = Shared::from(output.evaluate(&t.view(key), t.now())?);
        t.charge(&VariableMap::from_iter([("".into(), Arc::clone(&value.0))]))?;
        t.emit(Event::RepetitionResult { key: body, index, value });
    }
    let counters = counters(t, body);
    let enough = match &repeat.completion_condition {
        Some(condition) => {
            condition.test(&Overlay { top: &counters, below: &t.view(key) }, t.now())?
        }
        None => false,
    };
    let thrown = behavior::resolve(t, key, repeat, &counters)?;
    compensation::keep(t, key, node)?;
    t.close_waits(key);
    t.emit(Event::ElementCompleted { key, element: ElementId::clone(&node.id) });
    behavior::throw(t, body, node, thrown, &counters);
    if enough {
        complete(t, body);
    } else {
        go_on(t, body);
    }
    Ok(())
}

/// Completes the body with the results there are; what still runs in it is ended.
pub(crate) fn complete(t: &mut Transition<'_>, body: Key) {
    t.terminate_inside(body);
    t.pass(body);
}

/// The attributes of the activity (BPMN 2.0.2 §10.3.8) when one more of its instances completes.
fn counters(t: &Transition<'_>, body: Key) -> VariableMap {
    let repetition = t.element(body).and_then(|body| body.repetition.as_ref());
    let Some(repetition) = repetition else { return VariableMap::new() };
    let completed = repetition.completed + 1;
    let active = repetition.started.saturating_sub(completed + repetition.terminated);
    [
        ("numberOfInstances", repetition.total),
        ("numberOfActiveInstances", active),
        (COMPLETED, completed),
        ("numberOfTerminatedInstances", repetition.terminated),
    ]
    .into_iter()
    .map(|(name, count)| (name.to_owned(), Value::from(count)))
    .collect()
}

/// Goes on with the body after an inner instance ended: the next one, or the end. A loop ends with a
/// turn that was ended from outside.
pub(crate) fn go_on(t: &mut Transition<'_>, body: Key) {
    let Some(repetition) = t.element(body).and_then(|body| body.repetition.as_ref()) else {
        return;
    };
    let repeat = t.place(body).and_then(|(_, node)| node.repeat.as_ref());
    let Some(Loop::MultiInstance(repeat)) = repeat.filter(|_| !repetition.is_over()) else {
        t.pass(body);
        return;
    };
    let Some(item) = repetition.items.front().cloned() else { return };
    let index = repetition.started;
    spawn(t, body, repeat, index, &item);
}

/// Gives the collected results, in the order of the items, to the scope around the body.
pub(crate) fn publish(t: &mut Transition<'_>, body: Key, node: &Node) {
    let Some(Loop::MultiInstance(repeat)) = &node.repeat else { return };
    let Some(name) = &repeat.output_collection else { return };
    let Some(element) = t.element(body) else { return };
    let Some(repetition) = &element.repetition else { return };
    let result = |index| {
        let found = repetition.results.get(&index);
        found.map_or(Value::Null, |value| value.0.as_ref().clone())
    };
    let list = (0..repetition.total).map(result).collect();
    let scope = element.scope;
    t.propagate(scope, &VariableMap::one(name, Value::Array(list)));
}
