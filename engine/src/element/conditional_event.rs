//! Conditional events (BPMN 2.0.2 §10.5.5): a condition that becomes true triggers its event.
//!
//! Conditions are looked at when the wait for them begins and after each step that changed a
//! variable. A condition that uses a variable that is not there yet does not hold. An event that does
//! not interrupt is triggered again only after its condition was false in between.
//!
//! A condition also sees `activeElements`, which is ours: the ids of the elements that run in the
//! instance. One that uses it is looked at when nothing moves any more, so that it does not see elements
//! between which a token is on its way.

use std::collections::BTreeSet;

use super::multiple_event;
use crate::event::Event;
use crate::feel::{FeelError, Program};
use crate::incident::Failure;
use crate::instance::{InstanceState, Key};
use crate::model::{ElementId, Node, Trigger};
use crate::scope::{Overlay, VariableMap};
use crate::transition::Transition;
use crate::wait::WaitKind;

const ACTIVE_ELEMENTS: &str = "activeElements";

/// Looks at every condition that is waited for, as long as that changes variables.
pub(crate) fn look(t: &mut Transition<'_>) {
    while t.instance.state == InstanceState::Active && !t.instance.paused && t.take_changed() {
        look_at_all(t, |condition| !sees_elements(condition));
        // What was triggered takes a step before the next look, or tokens would pile up.
        if t.is_under_way() {
            return;
        }
    }
}

/// Looks at the conditions that see which elements are active. Whether one of them changed.
pub(crate) fn look_at_elements(t: &mut Transition<'_>) -> bool {
    t.instance.state == InstanceState::Active
        && !t.instance.paused
        && t.take_moved()
        && look_at_all(t, sees_elements)
}

fn sees_elements(condition: &Program) -> bool {
    condition.names().any(|name| name == ACTIVE_ELEMENTS)
}

fn look_at_all(t: &mut Transition<'_>, which: fn(&Program) -> bool) -> bool {
    let waits = t.instance.waits();
    let conditions = waits.filter(|(_, wait)| matches!(wait.kind, WaitKind::Condition { .. }));
    let keys: Vec<Key> = conditions.map(|(key, _)| key).collect();
    let mut changed = false;
    for key in keys {
        changed |= look_at(t, key, which);
    }
    changed
}

/// Whether the condition of the wait `key`, if it is one of those, is another than before.
fn look_at(t: &mut Transition<'_>, key: Key, which: fn(&Program) -> bool) -> bool {
    // One that was looked at before may have ended this one's wait.
    let Some(wait) = t.instance.wait(key).cloned() else { return false };
    let WaitKind::Condition { holds: held, part } = wait.kind else { return false };
    let process = t.process();
    let Some(target) = process.find(&wait.element) else { return false };
    let condition = condition_of(process.node(target), part);
    let Some(condition) = condition.filter(|condition| which(condition)) else { return false };
    if t.instance.blocks(&wait).is_some() {
        return false;
    }
    match holds(t, wait.owner, condition) {
        Err(error) => {
            t.raise_at(wait.owner, &wait.element, &Failure::from(error));
            false
        }
        Ok(holds) if holds != held => {
            let element = ElementId::clone(&wait.element);
            t.emit(Event::ConditionChanged { key, element, holds });
            if holds {
                t.spend_step();
                multiple_event::arrive(t, key, &wait, target, &VariableMap::new());
            }
            true
        }
        Ok(_) => false,
    }
}

/// Conditions of `event` that hold already have to become false before they count again.
pub(crate) fn pass_over(t: &mut Transition<'_>, owner: Key, event: &ElementId) {
    let process = t.process();
    let Some(place) = process.find(event) else { return };
    let holding: Vec<Key> = t
        .instance
        .waits()
        .filter(|(_, wait)| wait.owner == owner && wait.element == *event)
        .filter(|(_, wait)| match wait.kind {
            WaitKind::Condition { part, .. } => condition_of(process.node(place), part)
                .is_some_and(|condition| holds(t, owner, condition) == Ok(true)),
            _ => false,
        })
        .map(|(key, _)| key)
        .collect();
    for key in holding {
        t.emit(Event::ConditionChanged { key, element: ElementId::clone(event), holds: true });
    }
}

fn holds(t: &Transition<'_>, owner: Key, condition: &Program) -> Result<bool, FeelError> {
    let view = t.view(owner);
    if !sees_elements(condition) {
        return condition.holds(&view, t.now());
    }
    let active: BTreeSet<&str> = t.instance.elements().map(|(_, it)| &*it.element).collect();
    let active = VariableMap::one(ACTIVE_ELEMENTS, active.into_iter().collect());
    condition.holds(&Overlay { top: &active, below: &view }, t.now())
}

/// The condition that is the definition `part` of the event `node`.
fn condition_of(node: &Node, part: u32) -> Option<&Program> {
    match node.trigger()?.parts().get(part as usize)? {
        Trigger::Conditional { condition } => Some(condition),
        _ => None,
    }
}
