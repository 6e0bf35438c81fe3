//! The work of an AI agent. To the engine it is a job that also names the agent; the agent's tool
//! calls come back as commands, so that the policies are asked.

use super::job_task::{self, Resolved};
use crate::event::{Event, Work};
use crate::expression::string_of;
use crate::incident::Failure;
use crate::instance::Key;
use crate::model::{ElementId, JobSpec, Node, Text};
use crate::transition::Transition;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    agent: &Text,
    job: &JobSpec,
) -> Result<(), Failure> {
    let agent = string_of(agent, &t.view(key), t.now())?;
    let Resolved { job_type, retries, priority } = job_task::resolve(t, key, job)?;
    let (wait, element) = (t.next_key(), ElementId::clone(&node.id));
    let work = Work::Agent { agent, job_type, retries, priority };
    t.emit(Event::WorkRequested { key: wait, owner: key, element, work });
    Ok(())
}
