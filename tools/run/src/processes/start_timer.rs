//! Timers of processes that begin by one: set when a version is published, in the place of those
//! of the version before.

use flowmaster_engine::StartTrigger;
use flowmaster_engine::expression::timer::{Repeat, Schedule};
use flowmaster_engine::model::ElementId;
use flowmaster_kernel::Timestamp;
use flowmaster_store::WriteSet;
use flowmaster_store::timers::{self, NewTimer, Timer};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What the ids of these timers begin with.
const PREFIX: &str = "start/";
/// How many moments that passed unnoticed are stepped over one by one.
const MAX_STEPS: usize = 100_000;

/// What begins at a timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartTimer {
    /// BPMN id of the process.
    pub(crate) process: String,
    /// Its start event.
    pub(crate) element: String,
    /// What comes after this one.
    #[serde(default)]
    repeat: Option<Repeat>,
}

/// Sets the timers of a version that is published, and takes back those of the one before.
pub(super) fn replace(
    writes: &mut WriteSet,
    process: &str,
    triggers: &[(ElementId, StartTrigger)],
) {
    timers::cancel_instance(writes, &owner(process));
    for (element, trigger) in triggers {
        let StartTrigger::Timer(Schedule { due_at, repeat }) = trigger else { continue };
        let start = StartTimer {
            process: process.to_owned(),
            element: element.to_string(),
            repeat: repeat.clone(),
        };
        start.set(writes, *due_at);
    }
}

impl StartTimer {
    /// What `timer` begins; `None` for one that an instance waits for.
    pub(crate) fn of(timer: &Timer) -> Option<Self> {
        timer.id.starts_with(PREFIX).then(|| Self::deserialize(&timer.payload).ok()).flatten()
    }

    /// Sets the timer that comes after `timer`, which fired at `now`. Of the moments that passed
    /// while no server ran, only one is made up for.
    pub(crate) fn set_next(&self, writes: &mut WriteSet, timer: &Timer, now: Timestamp) {
        let mut next = Schedule { due_at: timer.due_at, repeat: self.repeat.clone() };
        for _ in 0..MAX_STEPS {
            // A moment outside the calendar ends a cycle, as the last repetition does.
            let following = next.repeat.as_ref().map(|repeat| repeat.next(next.due_at));
            let Some(Ok(Some(following))) = following else { return };
            next = following;
            if next.due_at > now {
                break;
            }
        }
        Self { repeat: next.repeat, ..self.clone() }.set(writes, next.due_at);
    }

    fn set(&self, writes: &mut WriteSet, due_at: Timestamp) {
        let Self { process, element, repeat } = self;
        let payload = json!({ "process": process, "element": element, "repeat": repeat });
        let owner = owner(&self.process);
        let timer = NewTimer {
            id: &format!("{owner}/{}", self.element),
            instance: &owner,
            element: &self.element,
            due_at,
            payload: &payload,
        };
        timers::insert(writes, &timer);
    }
}

fn owner(process: &str) -> String {
    format!("{PREFIX}{process}")
}
