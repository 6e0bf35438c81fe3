//! Activities with a loop marker (BPMN 2.0.2 §10.3.8, §13.3.6): again as long as a condition holds.
//!
//! As for multi-instance, the activity's own element instance is the body and each time is an inner
//! instance. `loopCounter` is the number of the time, from 1; in the condition it is how many times
//! there were, so that the same condition means the same whether it is tested before or after. It sees
//! what the time that just ended saw. An inner instance that is ended from outside ends the loop.

use serde_json::Value;

use crate::event::Event;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Node, StandardLoop};
use crate::scope::{Overlay, VariableMap};
use crate::transition::Transition;

const LOOP_COUNTER: &str = "loopCounter";

/// Begins the loop of the body `key`.
pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    repeat: &StandardLoop,
) -> Result<(), Failure> {
    let begins = match repeat.test_before {
        true => goes_on(t, key, repeat, 0)?,
        false => may_go_on(repeat, 0),
    };
    let total = repeat.maximum.unwrap_or_default();
    t.emit(Event::RepetitionStarted { key, total, items: Vec::new() });
    next_or_end(t, key, begins.then_some(0));
    Ok(())
}

/// Ends the inner instance `key`, whose results are in the variables already.
pub(crate) fn finish_inner(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    repeat: &StandardLoop,
    (body, index): (Key, u32),
) -> Result<(), Failure> {
    let times = index.saturating_add(1);
    let again = goes_on(t, key, repeat, times)?;
    t.close_waits(key);
    t.emit(Event::ElementCompleted { key, element: ElementId::clone(&node.id) });
    next_or_end(t, body, again.then_some(times));
    Ok(())
}

fn next_or_end(t: &mut Transition<'_>, body: Key, next: Option<u32>) {
    let Some((place, _)) = t.place(body) else { return };
    let Some(index) = next else { return t.pass(body) };
    let key = t.activate(body, place, Some(index), Vec::new());
    t.set_variables(key, &VariableMap::one(LOOP_COUNTER, Value::from(index.saturating_add(1))));
    t.begin(key);
}

/// Whether there is another time after `times` of them, as seen from `from`.
fn goes_on(
    t: &Transition<'_>,
    from: Key,
    repeat: &StandardLoop,
    times: u32,
) -> Result<bool, Failure> {
    let Some(condition) = &repeat.condition else { return Ok(may_go_on(repeat, times)) };
    if !may_go_on(repeat, times) {
        return Ok(false);
    }
    let counter = VariableMap::one(LOOP_COUNTER, Value::from(times));
    let view = t.view(from);
    Ok(condition.test(&Overlay { top: &counter, below: &view }, t.now())?)
}

fn may_go_on(repeat: &StandardLoop, times: u32) -> bool {
    repeat.maximum.is_none_or(|maximum| times < maximum)
}
