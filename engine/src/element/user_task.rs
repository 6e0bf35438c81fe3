//! User tasks (BPMN 2.0.2 §10.3.4): the work of a person.

use flowmaster_kernel::Timestamp;

use crate::event::{Event, HumanWork, Work};
use crate::expression::timer::moment_or_after;
use crate::expression::{integer_of, names_of, optional_string_of};
use crate::governance::excluded_actors;
use crate::incident::{Failure, IncidentKind};
use crate::instance::Key;
use crate::model::{ElementId, Node, Text, UserTask};
use crate::transition::Transition;

/// The priority of a task that names none.
const PRIORITY: u8 = 50;

pub(crate) fn enter(
    t: &mut Transition<'_>,
    key: Key,
    node: &Node,
    task: &UserTask,
) -> Result<(), Failure> {
    let view = t.view(key);
    let text = |text: &Option<Text>| optional_string_of(text.as_ref(), &view, t.now());
    let names = |text: &Option<Text>| names_of(text.as_ref(), &view, t.now());
    let candidate_groups = match t.process().lane_group(node) {
        Some(group) if task.names_nobody() => vec![group.to_owned()],
        _ => names(&task.candidate_groups)?,
    };
    let work = HumanWork {
        assignee: text(&task.assignee)?,
        candidate_groups,
        candidate_users: names(&task.candidate_users)?,
        excluded: excluded_actors(t.definition, &t.instance, &node.id).into_iter().collect(),
        due_at: moment_of(text(&task.due_date)?, t.now())?,
        follow_up_at: moment_of(text(&task.follow_up_date)?, t.now())?,
        priority: integer_of(task.priority.as_ref(), &view, t.now())
            .map_err(|message| Failure::new(IncidentKind::ExpressionFailed, message))?
            .map_or(PRIORITY, |given| u8::try_from(given.clamp(0, 100)).unwrap_or(PRIORITY)),
    };
    let (wait, element) = (t.next_key(), ElementId::clone(&node.id));
    t.emit(Event::WorkRequested { key: wait, owner: key, element, work: Work::Human(work) });
    Ok(())
}

fn moment_of(text: Option<String>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| moment_or_after(now, &text))
        .transpose()
        .map_err(|message| Failure::new(IncidentKind::ExpressionFailed, message))
}
