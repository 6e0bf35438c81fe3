//! Work for a worker: service and send tasks, and script, business-rule and message events that
//! name a job (BPMN 2.0.2 §10.3.3).

use crate::event::{Event, Work};
use crate::expression::{integer_of, string_of};
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{ElementId, JobSpec, Node, Text};
use crate::transition::Transition;

/// How often a job may be tried when the model does not say.
const RETRIES: u32 = 3;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    job: &JobSpec,
) -> Result<(), Failure> {
    let Resolved { job_type, retries, priority } = resolve(t, key, job)?;
    let (wait, element) = (t.next_key(), ElementId::clone(&node.id));
    let work = Work::Job { job_type, retries, priority };
    t.emit(Event::WorkRequested { key: wait, owner: key, element, work });
    Ok(())
}

/// A job with every expression resolved.
pub(crate) struct Resolved {
    pub(crate) job_type: String,
    pub(crate) retries: u32,
    pub(crate) priority: i64,
}

pub(crate) fn resolve(t: &Transition<'_>, key: Key, job: &JobSpec) -> Result<Resolved, Failure> {
    let view = t.view(key);
    let integer = |text: &Option<Text>| {
        integer_of(text.as_ref(), &view, t.now())
            .map_err(|message| Failure::new(IncidentKind::ExpressionFailed, message))
    };
    Ok(Resolved {
        job_type: string_of(&job.job_type, &view, t.now())?,
        retries: integer(&job.retries)?
            .map_or(RETRIES, |given| u32::try_from(given.max(1)).unwrap_or(u32::MAX)),
        priority: integer(&job.priority)?.unwrap_or_default(),
    })
}
