//! What a transition means for whoever listens outside.
//!
//! Invariant: what is announced as begun (a task, an incident) is announced as gone exactly once, in
//! whatever way it goes; the end of an instance comes after everything in it.

use std::collections::BTreeMap;

use flowmaster_engine::event::{Event, Work};
use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Instance, Key};

use super::instance::{Stored, WorkRef};
use super::store::state_name;
use super::transition::Settles;
use crate::announced::{Announced, OfIncident, OfInstance, OfTask};

/// What to announce of the transition from `before` to `after` by `events`.
pub(super) fn of(
    before: &Stored,
    after: &Instance,
    events: &[Event],
    settles: Settles,
) -> Vec<Announced> {
    let mut telling = Telling {
        of: OfInstance {
            instance: after.id.to_string(),
            process: before.process.to_string(),
            process_version: before.process_version,
            business_key: after.business_key.clone(),
            state: state_name(after).to_owned(),
        },
        tasks: before.instance.waits().filter_map(human).collect(),
        incidents: BTreeMap::new(),
        announced: Vec::new(),
    };
    for (key, incident) in before.instance.incidents() {
        telling.incidents.insert(key, (incident.element.to_string(), incident.kind.as_str()));
    }
    let mut end = None;
    for event in events {
        end = end.or_else(|| telling.hear(event));
    }
    telling.settle(after, settles);
    telling.announced.extend(end);
    telling.announced
}

fn human((key, wait): (Key, &flowmaster_engine::wait::Wait)) -> Option<(Key, String)> {
    matches!(wait.kind, WaitKind::Human { .. }).then(|| (key, wait.element.to_string()))
}

struct Telling {
    of: OfInstance,
    /// The human tasks that are open, with their elements.
    tasks: BTreeMap<Key, String>,
    /// The incidents that are open, with their elements and kinds.
    incidents: BTreeMap<Key, (String, &'static str)>,
    announced: Vec<Announced>,
}

impl Telling {
    /// Notes what an event means; gives the end of the instance, which is told last.
    fn hear(&mut self, event: &Event) -> Option<Announced> {
        let of = || self.of.clone();
        let told = match event {
            Event::InstanceStarted { .. } => Announced::InstanceStarted(of()),
            Event::InstancePaused { .. } => Announced::InstancePaused(of()),
            Event::InstanceResumed { .. } => Announced::InstanceResumed(of()),
            Event::InstanceCompleted => return Some(Announced::InstanceCompleted(of())),
            Event::InstanceCancelled { .. } => return Some(Announced::InstanceCancelled(of())),
            Event::InstanceFailed { .. } => return Some(Announced::InstanceFailed(of())),
            Event::WorkRequested { key, element, work: Work::Human(_), .. } => {
                self.tasks.insert(*key, element.to_string());
                Announced::TaskCreated(self.task(*key, element))
            }
            Event::WorkCompleted { key, element, .. } if self.tasks.remove(key).is_some() => {
                Announced::TaskCompleted(self.task(*key, element))
            }
            Event::IncidentRaised { key, incident, .. } => {
                let (element, kind) = (incident.element.to_string(), incident.kind.as_str());
                self.incidents.insert(*key, (element.clone(), kind));
                Announced::IncidentRaised(self.incident(*key, element, kind))
            }
            Event::IncidentResolved { key, .. } => {
                let (element, kind) = self.incidents.remove(key)?;
                Announced::IncidentResolved(self.incident(*key, element, kind))
            }
            _ => return None,
        };
        self.announced.push(told);
        None
    }

    /// Tells of what is gone without an event of its own: it ended with what was around it.
    fn settle(&mut self, after: &Instance, settles: Settles) {
        let ended = after.state.is_ended();
        for (key, element) in std::mem::take(&mut self.tasks) {
            if !ended && after.wait(key).is_some() {
                continue;
            }
            let task = self.task(key, &element);
            self.announced.push(match settles {
                Settles::HumanTask(settled) if settled == key => Announced::TaskRejected(task),
                _ => Announced::TaskCancelled(task),
            });
        }
        for (key, (element, kind)) in std::mem::take(&mut self.incidents) {
            if ended || after.incidents().all(|(open, _)| open != key) {
                let incident = self.incident(key, element, kind);
                self.announced.push(Announced::IncidentResolved(incident));
            }
        }
    }

    fn task(&self, key: Key, element: &str) -> OfTask {
        OfTask { of: self.of.clone(), task: self.id(key), element: element.to_owned() }
    }

    fn incident(&self, key: Key, element: String, kind: &str) -> OfIncident {
        OfIncident { of: self.of.clone(), incident: self.id(key), element, kind: kind.to_owned() }
    }

    fn id(&self, key: Key) -> String {
        WorkRef { instance: self.of.instance.clone(), key }.to_string()
    }
}
