//! The tables of the tasks room; [`lists`] finds many. Candidates are those of open tasks: who closes a
//! task withdraws its offers.

pub(super) mod lists;

use std::collections::BTreeSet;

use flowmaster_kernel::{Id, Kind, Result, Timestamp};
use flowmaster_store::{Migrations, Param, Row, Session, Tx, WriteSet, params};
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::TaskError;
use super::types::{Comment, Correction, ProposedAnswer, TaskState};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "tasks",
    steps: &[
        "
CREATE TABLE tasks_task (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    rank TEXT NOT NULL,
    instance TEXT NOT NULL,
    element TEXT NOT NULL,
    name TEXT NOT NULL,
    documentation TEXT,
    state TEXT NOT NULL,
    assignee TEXT,
    groups TEXT NOT NULL,
    users TEXT NOT NULL,
    excluded TEXT NOT NULL,
    priority BIGINT NOT NULL,
    due_at BIGINT,
    form TEXT,
    variables TEXT NOT NULL,
    draft TEXT,
    corrections TEXT,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX tasks_task_rank ON tasks_task (tenant_id, state, rank, id);
CREATE INDEX tasks_task_instance ON tasks_task (tenant_id, instance);
CREATE TABLE tasks_candidate (
    tenant_id TEXT NOT NULL,
    task TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task, kind, name)
);
CREATE TABLE tasks_comment (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    task TEXT NOT NULL,
    author TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant_id, task, id)
);
",
        "
ALTER TABLE tasks_candidate ADD COLUMN rank TEXT NOT NULL DEFAULT '';
DELETE FROM tasks_candidate WHERE NOT EXISTS (SELECT 1 FROM tasks_task t
    WHERE t.tenant_id = tasks_candidate.tenant_id AND t.id = tasks_candidate.task
    AND t.state IN ('ready', 'reserved'));
UPDATE tasks_candidate SET rank = (SELECT t.rank FROM tasks_task t
    WHERE t.tenant_id = tasks_candidate.tenant_id AND t.id = tasks_candidate.task);
CREATE INDEX tasks_candidate_offer ON tasks_candidate (tenant_id, kind, name, rank, task);
CREATE INDEX tasks_task_assignee ON tasks_task (tenant_id, assignee, rank, id)
    WHERE state = 'reserved';
",
        "
ALTER TABLE tasks_task ADD COLUMN proposal TEXT;
",
    ],
};

/// A task as it is stored.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TaskRow {
    pub(super) id: String,
    pub(super) rank: String,
    pub(super) instance: String,
    pub(super) element: String,
    pub(super) name: String,
    pub(super) documentation: Option<String>,
    pub(super) state: TaskState,
    pub(super) assignee: Option<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) users: BTreeSet<String>,
    pub(super) excluded: BTreeSet<String>,
    pub(super) priority: u8,
    pub(super) due_at: Option<Timestamp>,
    pub(super) form: Option<Value>,
    pub(super) variables: Map<String, Value>,
    pub(super) draft: Option<Value>,
    /// What somebody filled in, and another has to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proposal: Option<ProposedAnswer>,
    pub(super) corrections: Vec<Correction>,
    pub(super) created_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) closed_by: Option<String>,
    pub(super) version: i64,
}

/// Marks the id of a comment.
#[derive(Debug)]
pub(super) enum CommentKind {}

impl Kind for CommentKind {
    const PREFIX: &'static str = "com";
}

const COLUMNS: &str = "t.id, t.rank, t.instance, t.element, t.name, t.documentation, t.state,
    t.assignee, t.groups, t.users, t.excluded, t.priority, t.due_at, t.form, t.variables, t.draft,
    t.corrections, t.created_at, t.closed_at, t.closed_by, t.version, t.proposal";
const FIND: &str = "SELECT t.id, t.rank, t.instance, t.element, t.name, t.documentation, t.state,
    t.assignee, t.groups, t.users, t.excluded, t.priority, t.due_at, t.form, t.variables, t.draft,
    t.corrections, t.created_at, t.closed_at, t.closed_by, t.version, t.proposal
    FROM tasks_task t WHERE t.tenant_id = $1 AND t.id = $2";
const INSERT: &str = "INSERT INTO tasks_task (tenant_id, id, rank, instance, element, name,
    documentation, state, assignee, groups, users, excluded, priority, due_at, form, variables,
    created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    $16, $17, 1) ON CONFLICT DO NOTHING";
const OF_INSTANCE: &str =
    "SELECT t.id, t.rank, t.instance, t.element, t.name, t.documentation, t.state,
    t.assignee, t.groups, t.users, t.excluded, t.priority, t.due_at, t.form, t.variables, t.draft,
    t.corrections, t.created_at, t.closed_at, t.closed_by, t.version, t.proposal
    FROM tasks_task t WHERE t.tenant_id = $1 AND t.instance = $2 ORDER BY t.id LIMIT $3";
const ADD_CANDIDATE: &str = "INSERT INTO tasks_candidate (tenant_id, task, kind, name, rank)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const WITHDRAW: &str = "DELETE FROM tasks_candidate WHERE tenant_id = $1 AND task = $2";
const ASSIGN: &str = "UPDATE tasks_task SET state = $4, assignee = $5, version = version + 1
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const SAVE_DRAFT: &str = "UPDATE tasks_task SET draft = $4, state = 'reserved', assignee = $5,
    version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3";
const CLOSE: &str =
    "UPDATE tasks_task SET state = $4, assignee = $5, closed_by = $5, closed_at = $6,
    corrections = $7, draft = NULL, version = version + 1
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const PROPOSE: &str = "UPDATE tasks_task SET state = 'ready', assignee = NULL, groups = $4,
    users = $5, excluded = $6, draft = NULL, proposal = $7, version = version + 1
    WHERE tenant_id = $1 AND id = $2 AND version = $3";
const OBSOLETE: &str = "UPDATE tasks_task SET state = 'obsolete', closed_at = $3,
    version = version + 1 WHERE tenant_id = $1 AND id = $2 AND state IN ('ready', 'reserved')";
const COMMENT: &str = "INSERT INTO tasks_comment (tenant_id, id, task, author, at, text)
    VALUES ($1, $2, $3, $4, $5, $6)";
const COMMENTS: &str = "SELECT author, at, text FROM tasks_comment
    WHERE tenant_id = $1 AND task = $2 ORDER BY id DESC LIMIT 200";

const COMMENTS_OF_INSTANCE: &str = "SELECT author, at, text, task FROM tasks_comment
    WHERE tenant_id = $1
    AND task IN (SELECT id FROM tasks_task WHERE tenant_id = $1 AND instance = $2)
    ORDER BY task, id";
const REMOVE_COMMENTS: &str = "DELETE FROM tasks_comment WHERE tenant_id = $1
    AND task IN (SELECT id FROM tasks_task WHERE tenant_id = $1 AND instance = $2)";
const REMOVE: &str = "DELETE FROM tasks_task
    WHERE tenant_id = $1 AND instance = $2 AND state NOT IN ('ready', 'reserved')";

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<TaskRow>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| task(&row)).transpose()
}

/// Every task of an instance, in the order of their ids.
pub(super) async fn of_instance(
    session: &mut Session,
    instance: &str,
    limit: usize,
) -> Result<Vec<TaskRow>> {
    session.query(OF_INSTANCE, &params![instance, limit]).await?.iter().map(task).collect()
}

/// Adds a task unless it is there already.
pub(super) fn insert(writes: &mut WriteSet, task: &TaskRow) -> Result<()> {
    writes.push(
        INSERT,
        params![
            &task.id,
            &task.rank,
            &task.instance,
            &task.element,
            &task.name,
            task.documentation.as_deref(),
            task.state.as_str(),
            task.assignee.as_deref(),
            Param::json(&task.groups)?,
            Param::json(&task.users)?,
            Param::json(&task.excluded)?,
            i64::from(task.priority),
            task.due_at,
            task.form.as_ref(),
            Param::json(&task.variables)?,
            task.created_at,
        ],
    );
    offer(writes, task);
    Ok(())
}

/// Offers an open task to its candidates.
fn offer(writes: &mut WriteSet, task: &TaskRow) {
    let mut candidate = |kind: &str, name: &str| {
        writes.push(ADD_CANDIDATE, params![&task.id, kind, name, &task.rank]);
    };
    if task.groups.is_empty() && task.users.is_empty() {
        candidate("any", "");
    }
    task.groups.iter().for_each(|group| candidate("group", group));
    task.users.iter().for_each(|user| candidate("user", user));
    task.excluded.iter().for_each(|user| candidate("excluded", user));
}

/// Offers a task anew, with what was proposed; refused when it changed meanwhile.
pub(super) fn propose(writes: &mut WriteSet, task: &TaskRow) -> Result<()> {
    let values = params![
        &task.id,
        task.version,
        Param::json(&task.groups)?,
        Param::json(&task.users)?,
        Param::json(&task.excluded)?,
        Param::json(&task.proposal)?,
    ];
    writes.push_expecting(PROPOSE, values, 1, TaskError::Changed.into());
    writes.push(WITHDRAW, params![&task.id]);
    offer(writes, task);
    Ok(())
}

pub(super) async fn assign(
    tx: &mut Tx,
    task: &TaskRow,
    to: Option<&str>,
    state: TaskState,
) -> Result<()> {
    let changed = tx.execute(ASSIGN, &params![&task.id, task.version, state.as_str(), to]).await?;
    one(changed)
}

pub(super) async fn save_draft(tx: &mut Tx, task: &TaskRow, draft: &Value, by: &str) -> Result<()> {
    one(tx.execute(SAVE_DRAFT, &params![&task.id, task.version, draft, by]).await?)
}

/// Closes the task; refused when it changed meanwhile.
pub(super) fn close(
    writes: &mut WriteSet,
    task: &TaskRow,
    state: TaskState,
    by: &str,
    at: Timestamp,
    corrections: &[Correction],
) -> Result<()> {
    let values =
        params![&task.id, task.version, state.as_str(), by, at, Param::json(&corrections)?];
    writes.push_expecting(CLOSE, values, 1, TaskError::Changed.into());
    writes.push(WITHDRAW, params![&task.id]);
    Ok(())
}

pub(super) fn obsolete(writes: &mut WriteSet, id: &str, at: Timestamp) {
    writes.push(OBSOLETE, params![id, at]);
    writes.push(WITHDRAW, params![id]);
}

pub(super) async fn add_comment(
    tx: &mut Tx,
    id: &Id<CommentKind>,
    task: &str,
    comment: &Comment,
) -> Result<()> {
    let values = params![id, task, &comment.author, comment.at, &comment.text];
    tx.execute(COMMENT, &values).await.map(drop)
}

pub(super) async fn comments(session: &mut Session, task: &str) -> Result<Vec<Comment>> {
    let rows = session.query(COMMENTS, &params![task]).await?;
    // The newest 200, the oldest of them first.
    rows.iter().rev().map(comment).collect()
}

/// The comments on all tasks of an instance, each with its task.
pub(super) async fn comments_of_instance(
    session: &mut Session,
    instance: &str,
) -> Result<Vec<(String, Comment)>> {
    let rows = session.query(COMMENTS_OF_INSTANCE, &params![instance]).await?;
    rows.iter().map(|row| Ok((row.text(3)?, comment(row)?))).collect()
}

/// Removes the closed tasks of an instance with the comments on them; refused when there are others
/// than so many.
pub(super) fn remove_of_instance(
    writes: &mut WriteSet,
    instance: &str,
    count: usize,
    comment_count: usize,
) {
    let changed = || TaskError::Changed.into();
    writes.push_expecting(REMOVE_COMMENTS, params![instance], comment_count as u64, changed());
    writes.push_expecting(REMOVE, params![instance], count as u64, changed());
}

fn comment(row: &Row) -> Result<Comment> {
    Ok(Comment { author: row.text(0)?, at: row.timestamp(1)?, text: row.text(2)? })
}

fn one(changed: u64) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(TaskError::Changed.into()) }
}

fn task(row: &Row) -> Result<TaskRow> {
    Ok(TaskRow {
        id: row.text(0)?,
        rank: row.text(1)?,
        instance: row.text(2)?,
        element: row.text(3)?,
        name: row.text(4)?,
        documentation: row.opt_text(5)?,
        state: TaskState::parse(row.str(6)?),
        assignee: row.opt_text(7)?,
        groups: row.json(8)?,
        users: row.json(9)?,
        excluded: row.json(10)?,
        priority: u8::try_from(row.int(11)?).unwrap_or(50),
        due_at: row.opt_timestamp(12)?,
        form: row.opt_json(13)?,
        variables: row.json(14)?,
        draft: row.opt_json(15)?,
        corrections: row.opt_json(16)?.unwrap_or_default(),
        created_at: row.timestamp(17)?,
        closed_at: row.opt_timestamp(18)?,
        closed_by: row.opt_text(19)?,
        version: row.int(20)?,
        proposal: row.opt_json(21)?,
    })
}
