//! What the room hears from the outbox: a person is needed, or no longer.

use flowmaster_kernel::{Ctx, Error, Result, Timestamp};
use flowmaster_store::outbox::Message;
use flowmaster_store::{Db, WriteSet};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::rules;
use super::store::{self, TaskRow};

/// The payload of `human_task.requested`.
#[derive(Deserialize)]
struct Requested {
    id: String,
    instance: String,
    element: String,
    name: Option<String>,
    documentation: Option<String>,
    variables: Map<String, Value>,
    form: Option<Value>,
    human: Human,
}

#[derive(Deserialize)]
struct Human {
    #[serde(default)]
    assignee: Option<String>,
    #[serde(default)]
    candidate_groups: Value,
    #[serde(default)]
    candidate_users: Value,
    #[serde(default)]
    excluded: Value,
    #[serde(default)]
    due_at: Option<Timestamp>,
    priority: u8,
}

/// Opens the task that a process asks for; once, however often it is told.
///
/// # Errors
/// A payload that is not one, or what the store reports.
pub async fn open(db: &Db, ctx: &Ctx, message: &Message, mark: WriteSet) -> Result<()> {
    let asked: Requested = serde_json::from_value(message.payload.clone())
        .map_err(|error| Error::internal("human_task_payload", error))?;
    let human = asked.human;
    let groups = rules::names(&human.candidate_groups);
    let mut users = rules::names(&human.candidate_users);
    if groups.is_empty() && users.is_empty() {
        // A task for one person stays that person's: releasing it does not offer it to everybody.
        users.extend(human.assignee.clone());
    }
    let excluded = rules::names(&human.excluded);
    // Who is excluded is not given the task, whatever the model says.
    let assignee = human.assignee.filter(|assignee| !excluded.contains(assignee));
    let (due, created) = (human.due_at.map(Timestamp::as_millis), message.at.as_millis());
    let task = TaskRow {
        rank: rules::rank(human.priority, due, created),
        id: asked.id,
        instance: asked.instance,
        name: asked.name.unwrap_or_else(|| asked.element.clone()),
        element: asked.element,
        documentation: asked.documentation,
        state: rules::open_state(assignee.as_deref()),
        assignee,
        groups,
        users,
        excluded,
        priority: human.priority,
        due_at: human.due_at,
        form: asked.form,
        variables: asked.variables,
        draft: None,
        proposal: None,
        corrections: Vec::new(),
        created_at: message.at,
        closed_at: None,
        closed_by: None,
        version: 1,
    };
    let mut writes = mark;
    store::insert(&mut writes, &task)?;
    db.submit(ctx, writes).await
}

/// Takes back a task that the process no longer needs.
///
/// # Errors
/// What the store reports.
pub async fn close(db: &Db, ctx: &Ctx, message: &Message, mark: WriteSet) -> Result<()> {
    let id = message.payload.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut writes = mark;
    store::obsolete(&mut writes, id, message.at);
    db.submit(ctx, writes).await
}
