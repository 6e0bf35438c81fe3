//! What can go wrong with tasks.

use flowmaster_kernel::{Error, ErrorKind};

use super::types::TaskState;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum TaskError {
    #[error("no task {0:?}")]
    NotFound(String),
    #[error("the task is {}", .0.as_str())]
    WrongState(TaskState),
    #[error("the task is reserved by {0}")]
    ReservedByOther(String),
    #[error("the task is not yours")]
    NotYours,
    #[error("{0} may not do this task: another pair of eyes is needed")]
    Excluded(String),
    #[error("the answer does not fit the form")]
    InvalidAnswer(Vec<String>),
    #[error("the task changed meanwhile")]
    Changed,
    #[error("{0}")]
    Text(&'static str),
    #[error("an instance has too many tasks to be archived")]
    TooMany,
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        let what = error.to_string();
        match error {
            TaskError::NotFound(id) => Self::not_found("task", &id).next("task_list"),
            TaskError::WrongState(_) => {
                Self::conflict("task_state", what).fix("list the open tasks").next("task_list")
            }
            TaskError::ReservedByOther(_) => Self::conflict("task_reserved", what)
                .fix("ask them to release or delegate it, or take another task")
                .next("task_list"),
            TaskError::NotYours => Self::new(ErrorKind::Forbidden, "task_not_yours", what)
                .fix("claim it first")
                .next("task_claim"),
            TaskError::Excluded(_) => Self::new(ErrorKind::Forbidden, "four_eyes", what)
                .why("they took part in what the task is about")
                .fix("leave it to somebody else"),
            TaskError::InvalidAnswer(problems) => Self::invalid("invalid_answer", what)
                .why(problems.join("; "))
                .fix("correct the fields; task_get shows the form")
                .next("task_get")
                .details(serde_json::json!({ "problems": problems })),
            TaskError::Changed => Self::conflict("task_changed", what)
                .fix("read the task again")
                .next("task_get")
                .retryable(),
            TaskError::Text(_) => Self::invalid("invalid_text", what),
            TaskError::TooMany => Self::conflict("too_many_tasks", what),
        }
    }
}
