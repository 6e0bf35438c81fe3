//! The tasks of an instance that is archived go with it: what was asked, who did it, what was said.

use std::collections::HashMap;

use flowmaster_kernel::{BoxFuture, Error, Result};
use flowmaster_store::archive::{Belongings, Keeper};
use flowmaster_store::{Session, WriteSet};
use serde::Serialize;
use serde_json::Value;

use super::error::TaskError;
use super::store::{self, TaskRow};
use super::types::Comment;

/// The most tasks of one instance that are archived.
const MAX_TASKS: usize = 10_000;

/// Gives the archive the tasks of an instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskKeeper;

/// A task in the record of its instance.
#[derive(Serialize)]
struct Kept {
    #[serde(flatten)]
    task: TaskRow,
    comments: Vec<Comment>,
}

impl Keeper for TaskKeeper {
    fn room(&self) -> &'static str {
        "tasks"
    }

    fn belongings<'a>(
        &'a self,
        session: &'a mut Session,
        instance: &'a str,
    ) -> BoxFuture<'a, Result<Belongings>> {
        Box::pin(gather(session, instance))
    }
}

async fn gather(session: &mut Session, instance: &str) -> Result<Belongings> {
    let tasks = store::of_instance(session, instance, MAX_TASKS + 1).await?;
    if tasks.is_empty() {
        return Ok(Belongings::default());
    }
    if tasks.len() > MAX_TASKS {
        return Err(TaskError::TooMany.into());
    }
    // The process has to take it back first.
    if let Some(open) = tasks.iter().find(|task| task.state.is_open()) {
        return Err(TaskError::WrongState(open.state).into());
    }
    let comments = store::comments_of_instance(session, instance).await?;
    let mut removal = WriteSet::new();
    store::remove_of_instance(&mut removal, instance, tasks.len(), comments.len());
    let mut by_task: HashMap<String, Vec<Comment>> = HashMap::new();
    for (task, comment) in comments {
        by_task.entry(task).or_default().push(comment);
    }
    let kept = tasks.into_iter().map(|task| {
        let comments = by_task.remove(&task.id).unwrap_or_default();
        serde_json::to_value(Kept { task, comments })
    });
    let record: Vec<Value> = kept
        .collect::<Result<_, _>>()
        .map_err(|source| Error::internal("task_encoding", source))?;
    Ok(Belongings { record: Value::Array(record), removal })
}
