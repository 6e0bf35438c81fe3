//! Who may do what with a task: pure functions.

use std::collections::BTreeSet;

use flowmaster_kernel::{Principal, Role};
use serde_json::{Map, Value};

use super::error::TaskError;
use super::store::TaskRow;
use super::types::{Correction, ProposedAnswer, TaskState};

/// Whether the principal may look at every task.
pub(super) fn sees_all(principal: &Principal) -> bool {
    principal.has_any(&[Role::Admin, Role::Manager, Role::Auditor])
}

/// Whether the principal may look at this task.
pub(super) fn may_see(task: &TaskRow, principal: &Principal) -> bool {
    sees_all(principal)
        || task.assignee.as_deref() == Some(&principal.id)
        || is_candidate(task, principal)
        || task.closed_by.as_deref() == Some(&principal.id)
        || task.proposal.as_ref().is_some_and(|proposal| proposal.by == principal.id)
}

/// Whether the task was offered to the principal.
pub(super) fn is_candidate(task: &TaskRow, principal: &Principal) -> bool {
    let is_open_to_all = task.users.is_empty() && task.groups.is_empty();
    is_open_to_all
        || task.users.contains(&principal.id)
        || !task.groups.is_disjoint(&principal.groups)
}

/// Whether the principal may claim the task now.
pub(super) fn check_claim(task: &TaskRow, principal: &Principal) -> Result<(), TaskError> {
    if !task.state.is_open() {
        return Err(TaskError::WrongState(task.state));
    }
    check_not_excluded(task, &principal.id)?;
    check_in_charge(task, principal)
}

/// Whether the principal may complete the task now, as far as this room says: whether another pair
/// of eyes is needed is for the policies of the process to say, which keep a record of it.
pub(super) fn check_complete(task: &TaskRow, principal: &Principal) -> Result<(), TaskError> {
    if !task.state.is_open() {
        return Err(TaskError::WrongState(task.state));
    }
    check_in_charge(task, principal)
}

fn check_not_excluded(task: &TaskRow, id: &str) -> Result<(), TaskError> {
    if task.excluded.contains(id) { Err(TaskError::Excluded(id.to_owned())) } else { Ok(()) }
}

fn check_in_charge(task: &TaskRow, principal: &Principal) -> Result<(), TaskError> {
    match &task.assignee {
        Some(assignee) if *assignee == principal.id => Ok(()),
        Some(assignee) => Err(TaskError::ReservedByOther(assignee.clone())),
        None if is_candidate(task, principal) || principal.has_any(&[Role::Admin]) => Ok(()),
        None => Err(TaskError::NotYours),
    }
}

/// Whether the principal may give the task back or to `to`.
pub(super) fn check_hand_over(
    task: &TaskRow,
    principal: &Principal,
    to: Option<&str>,
) -> Result<(), TaskError> {
    if !task.state.is_open() {
        return Err(TaskError::WrongState(task.state));
    }
    let is_in_charge = principal.has_any(&[Role::Admin, Role::Manager]);
    if task.assignee.as_deref() != Some(&principal.id) && !is_in_charge {
        return Err(TaskError::NotYours);
    }
    to.map_or(Ok(()), |to| check_not_excluded(task, to))
}

/// The state of a task that `assignee` has or nobody.
pub(super) const fn open_state(assignee: Option<&str>) -> TaskState {
    match assignee {
        Some(_) => TaskState::Reserved,
        None => TaskState::Ready,
    }
}

/// The values that the form asks for and that are known already: as proposed, or as the process has
/// them.
pub(super) fn prefill(task: &TaskRow) -> Map<String, Value> {
    let fields = task.form.as_ref().and_then(|form| form.get("properties")?.as_object());
    let proposed = task.proposal.as_ref().map(|proposal| &proposal.variables);
    let value = |field: &String| {
        let proposed = proposed.and_then(|variables| variables.get(field));
        proposed.or_else(|| task.variables.get(field)).cloned()
    };
    let fields = fields.into_iter().flat_map(Map::keys);
    fields.filter_map(|field| Some((field.clone(), value(field)?))).collect()
}

/// The whole answer of a person who fills in `given`: over what another proposed, if somebody did.
pub(super) fn answer(
    task: &TaskRow,
    principal: &Principal,
    given: &Map<String, Value>,
) -> Map<String, Value> {
    let proposed = task.proposal.as_ref().filter(|proposal| proposal.by != principal.id);
    let mut answer = proposed.map(|proposal| proposal.variables.clone()).unwrap_or_default();
    answer.extend(given.iter().map(|(field, value)| (field.clone(), value.clone())));
    answer
}

/// The task as it is offered to whoever may confirm `proposal`.
pub(super) fn offered(task: &TaskRow, proposal: ProposedAnswer) -> TaskRow {
    let mut offered = task.clone();
    if !proposal.approvers.is_empty() {
        // An approver is a group or a person; nothing says which.
        offered.groups = proposal.approvers.iter().cloned().collect();
        offered.users.clone_from(&offered.groups);
    }
    offered.excluded.insert(proposal.by.clone());
    offered.users.remove(&proposal.by);
    TaskRow {
        state: TaskState::Ready,
        assignee: None,
        draft: None,
        proposal: Some(proposal),
        version: task.version,
        ..offered
    }
}

/// What an answer changes against the values there were.
pub(super) fn corrections(
    before: &Map<String, Value>,
    answer: &Map<String, Value>,
) -> Vec<Correction> {
    answer
        .iter()
        .filter_map(|(field, to)| {
            let from = before.get(field)?;
            (!same(from, to)).then(|| Correction {
                field: field.clone(),
                from: from.clone(),
                to: to.clone(),
            })
        })
        .collect()
}

/// Numbers are compared by value: 1200 and 1200.0 are no correction.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

/// Checks an answer against the form.
pub(super) fn check_answer(
    form: Option<&Value>,
    answer: &Map<String, Value>,
) -> Result<(), TaskError> {
    let Some(form) = form else { return Ok(()) };
    let validator = jsonschema::validator_for(form)
        .map_err(|error| TaskError::InvalidAnswer(vec![format!("the form itself: {error}")]))?;
    let answer = Value::Object(answer.clone());
    let problems: Vec<String> = validator
        .iter_errors(&answer)
        .take(20)
        .map(|error| match error.instance_path().as_str() {
            "" => error.to_string(),
            path => format!("{path}: {error}"),
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(TaskError::InvalidAnswer(problems)) }
}

/// What lists sort by: the higher priority first, then what is due earlier, then the older.
pub(super) fn rank(priority: u8, due_millis: Option<i64>, created_millis: i64) -> String {
    let due = due_millis.unwrap_or(9_999_999_999_999).clamp(0, 9_999_999_999_999);
    let created = created_millis.clamp(0, 9_999_999_999_999);
    format!("{:03}-{due:013}-{created:013}", 100_u8.saturating_sub(priority))
}

/// The places in a list of names.
pub(super) fn names(list: &Value) -> BTreeSet<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
