//! Tasks: what a call has begun, followed by polling (`io.modelcontextprotocol/tasks`, SEP-2663).
//!
//! Invariants: a task is only made for a request that declares the extension, and is durable before its
//! id is sent; each request about it is authorised anew; nobody is asked what their client does not
//! take. That a tool reports an error is a result like any other.

use flowmaster_kernel::{Answers, Ctx, Error, ErrorKind, Result, Timestamp};
use rmcp::model::{
    CallToolResult, ClientCapabilities, CreateTaskResult, DetailedTask, GetTaskResult,
    InputRequests, InputResponses, JsonObject, Task, TaskPayload, TaskStatus,
};
use serde_json::{Value, json};

use super::{Surface, Visitor, asking, tools};
use crate::ports::{Continuations, Ongoing, OngoingState};

/// How long a client should wait between two looks.
const POLL_MS: u64 = 1_000;
/// JSON-RPC 2.0 §5.1.
const INTERNAL_ERROR: i32 = -32_603;

/// The task that a call has begun, for a client that follows tasks.
pub(super) async fn begun(
    surface: &Surface,
    ctx: &Ctx,
    operation: &str,
    result: &CallToolResult,
) -> Option<CreateTaskResult> {
    let book = surface.continuations.as_deref().filter(|_| ctx.follows())?;
    let answer = result.structured_content.as_ref()?;
    match book.begun(ctx, operation, answer).await {
        Ok(Some(ongoing)) => Some(CreateTaskResult::new(task(&ongoing))),
        Ok(None) => None,
        Err(error) => {
            // The answer itself says how to go on, without a task.
            tracing::warn!(%error, operation, "a call has begun something that got no task");
            None
        }
    }
}

pub(super) async fn get(
    surface: &Surface,
    ctx: &Ctx,
    id: &str,
    takes: &ClientCapabilities,
) -> Result<GetTaskResult> {
    let ongoing = book(surface)?.get(ctx, id).await?;
    let task = task(&ongoing);
    let payload = match ongoing.state {
        OngoingState::Working { .. } => TaskPayload::Working,
        OngoingState::Cancelled => TaskPayload::Cancelled,
        OngoingState::Broken(message) => TaskPayload::Failed {
            error: object(json!({ "code": INTERNAL_ERROR, "message": message })),
        },
        OngoingState::Done(Ok(answer)) => {
            let text = answer.to_string();
            TaskPayload::Completed { result: object(json!(tools::success(answer, text))) }
        }
        OngoingState::Done(Err(error)) => {
            TaskPayload::Completed { result: object(json!(tools::failure(&error))) }
        }
        OngoingState::Asking(questions) => {
            let taken = questions.iter().filter(|(_, question)| asking::is_taken(question, takes));
            let requests: InputRequests = taken
                .filter_map(|(key, question)| Some((key.clone(), asking::request(question).ok()?)))
                .collect();
            if requests.is_empty() {
                TaskPayload::Working
            } else {
                TaskPayload::InputRequired { input_requests: requests }
            }
        }
    };
    Ok(GetTaskResult::new(DetailedTask::new(task, payload)))
}

pub(super) async fn update(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    id: &str,
    responses: &InputResponses,
) -> Result<()> {
    let book = book(surface)?;
    refuse_read_only(visitor, "tasks/update")?;
    let OngoingState::Asking(questions) = book.get(ctx, id).await?.state else { return Ok(()) };
    let answer = |(key, given): (&String, &Value)| {
        Some((key.clone(), asking::answer(questions.get(key)?, given)?))
    };
    let answers: Answers = responses.iter().filter_map(answer).collect();
    book.answer(ctx, id, answers).await
}

pub(super) async fn cancel(
    surface: &Surface,
    visitor: &Visitor,
    ctx: &Ctx,
    id: &str,
) -> Result<()> {
    let book = book(surface)?;
    refuse_read_only(visitor, "tasks/cancel")?;
    book.cancel(ctx, id).await
}

fn book(surface: &Surface) -> Result<&dyn Continuations> {
    surface.continuations.as_deref().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "tasks_not_offered", "this server has no tasks")
    })
}

fn refuse_read_only(visitor: &Visitor, method: &str) -> Result<()> {
    if visitor.selection.is_read_only() { Err(tools::read_only(method)) } else { Ok(()) }
}

fn task(ongoing: &Ongoing) -> Task {
    let (status, message) = match &ongoing.state {
        OngoingState::Working { message } => (TaskStatus::Working, message.clone()),
        OngoingState::Asking(_) => (TaskStatus::InputRequired, None),
        OngoingState::Done(_) => (TaskStatus::Completed, None),
        OngoingState::Broken(_) => (TaskStatus::Failed, None),
        OngoingState::Cancelled => (TaskStatus::Cancelled, None),
    };
    let (created, updated) = (ongoing.created_at.to_string(), ongoing.updated_at.to_string());
    let mut task = Task::new(&ongoing.id, status, created, updated)
        .with_ttl_ms(between(ongoing.created_at, ongoing.expires_at))
        .with_poll_interval_ms(POLL_MS);
    task.status_message = message;
    task
}

fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millis().saturating_sub(from.as_millis())).unwrap_or(0)
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(fields) => fields,
        _ => JsonObject::default(),
    }
}
