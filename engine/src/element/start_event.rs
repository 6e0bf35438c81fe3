//! Start events (BPMN 2.0.2 §10.5.2). What started them is known before they begin, so they only
//! pass the token on; at process level they also open the process's event sub-processes.
//!
//! A parallel multiple one of a process begins the instance with the first of its definitions that
//! happens. It waits there for the others, which find the instance by their correlation keys.

use std::collections::BTreeSet;

use super::{catch_event, sub_process};
use crate::event::{Event, PartArrived};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, NodeIx, Trigger};
use crate::scope::VariableMap;
use crate::transition::Transition;
use crate::wait::WaitKind;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key) -> Result<(), Failure> {
    open_handlers(t, key)?;
    t.pass(key);
    Ok(())
}

/// Lets the start event `key` at `place`, of which the definition `happened` did, wait for the others.
pub(crate) fn await_others(t: &mut Transition<'_>, key: Key, place: NodeIx, happened: Option<u32>) {
    if happened.is_some() {
        let (wait, element) = (t.next_key(), ElementId::clone(&t.process().node(place).id));
        t.emit(Event::PartArrived(PartArrived {
            key: wait,
            owner: key,
            element,
            // What it brought are the variables of the instance already.
            variables: VariableMap::new(),
            part: happened,
        }));
    }
    await_rest(t, key, place);
}

/// Begins to wait for the definitions of the start event that did not happen. What fails is an
/// incident, and the same is tried again when it is resolved.
pub(crate) fn await_rest(t: &mut Transition<'_>, key: Key, place: NodeIx) {
    let event = t.process().node(place);
    let arrived: BTreeSet<u32> = t
        .instance
        .waits()
        .filter(|(_, wait)| wait.owner == key)
        .filter_map(|(_, wait)| match wait.kind {
            WaitKind::Arrived { part, .. } => part,
            _ => None,
        })
        .collect();
    let parts = event.trigger().map(Trigger::parts).unwrap_or_default();
    let missing = (0..).zip(parts).filter(|(place, _)| !arrived.contains(place));
    let openings: Result<Vec<_>, Failure> = open_handlers(t, key).and_then(|()| {
        missing.map(|(place, part)| catch_event::prepare_part(t, key, place, part)).collect()
    });
    match openings {
        Ok(openings) => {
            for opening in openings.into_iter().flatten() {
                catch_event::open(t, key, &event.id, opening);
            }
        }
        Err(failure) => t.raise_at(key, &event.id, &failure),
    }
}

/// Opens the event sub-processes of the process, when its first start event begins.
fn open_handlers(t: &mut Transition<'_>, key: Key) -> Result<(), Failure> {
    let at_process_level = t.element(key).is_some_and(|element| element.scope.is_process());
    let opened = t.instance.waits().any(|(_, wait)| wait.owner.is_process());
    if at_process_level && !opened {
        sub_process::open_process_events(t)?;
    }
    Ok(())
}
