//! Boundary events (BPMN 2.0.2 §10.5.4): what an activity waits for besides its work. They are
//! resolved before the activity begins and opened once it waits.

use super::catch_event::{self, Opening};
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, Node};
use crate::transition::Transition;

/// What the boundary events of an activity will wait for.
pub(crate) type Prepared = Vec<(ElementId, Opening)>;

pub(crate) fn prepare(t: &Transition<'_>, key: Key, activity: &Node) -> Result<Prepared, Failure> {
    let mut prepared = Vec::new();
    for &ix in &activity.boundary {
        let event = t.process().node(ix);
        let Some(trigger) = event.trigger() else { continue };
        for opening in catch_event::prepare(t, key, trigger)? {
            prepared.push((ElementId::clone(&event.id), opening));
        }
    }
    Ok(prepared)
}

/// Opens what was prepared, if the activity is still there.
pub(crate) fn open(t: &mut Transition<'_>, key: Key, prepared: Prepared) {
    for (element, opening) in prepared {
        if t.element(key).is_some() {
            catch_event::open(t, key, &element, opening);
        }
    }
}
