//! Process instances as what a call has begun: whoever started one follows it by a handle.
//!
//! Everything is read and done through dispatch, as the caller; so a handle never shows or does more than
//! its owner may at that moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::{
    Answer, Answers, BoxFuture, Ctx, Error, ErrorKind, Question, Result, ToolCaller as _,
};
use flowmaster_reach::handles::{Handle, HandleState, Handles};
use flowmaster_run::execution::types::InstanceSummary;
use serde_json::{Map, Value, json};

use super::process_tools;
use crate::dispatch::LateCaller;
use crate::ports::{Continuations, Ongoing, OngoingState, ProcessTools};

const START: &str = "process_start";
/// How many tasks of the caller are asked at once.
const MAX_TASKS: usize = 8;
/// What a field of a form may say to a client (MCP 2026-07-28, Elicitation, "Requested Schema").
const KEYWORDS: [&str; 12] = [
    "type",
    "title",
    "description",
    "enum",
    "enumNames",
    "oneOf",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "format",
];
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// The instances that were started.
pub(super) struct StartedProcesses {
    pub(super) handles: Arc<Handles>,
    pub(super) processes: Arc<dyn ProcessTools>,
    pub(super) caller: Arc<LateCaller>,
}

impl Continuations for StartedProcesses {
    fn begun<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        answer: &'a Value,
    ) -> BoxFuture<'a, Result<Option<Ongoing>>> {
        Box::pin(async move {
            let text = |name: &str| answer.get(name).and_then(Value::as_str);
            let (Some(id), Some("active" | "paused")) = (text("id"), text("state")) else {
                return Ok(None);
            };
            if operation != START && self.processes.tool(ctx, operation).await?.is_none() {
                return Ok(None);
            }
            let handle = self.handles.open(ctx, operation, id, HandleState::open()).await?;
            Ok(Some(ongoing(handle, OngoingState::Working { message: None })))
        })
    }

    fn get<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<Ongoing>> {
        Box::pin(async move {
            let handle = self.handles.get(ctx, id).await?;
            let instance = self.instance(ctx, &handle).await?;
            let state = match instance.state.as_str() {
                "completed" => OngoingState::Done(result(&handle.operation, instance)),
                "cancelled" => OngoingState::Cancelled,
                "failed" => OngoingState::Done(Err(failed(&instance))),
                _ => {
                    let questions = self.questions(ctx, &instance.id).await?;
                    if questions.is_empty() {
                        let message = instance.waiting_for.join("; ");
                        let message = Some(message).filter(|message| !message.is_empty());
                        OngoingState::Working { message }
                    } else {
                        OngoingState::Asking(questions)
                    }
                }
            };
            Ok(ongoing(handle, state))
        })
    }

    fn answer<'a>(
        &'a self,
        ctx: &'a Ctx,
        id: &'a str,
        answers: Answers,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let handle = self.handles.get(ctx, id).await?;
            let asked = self.questions(ctx, &handle.subject).await?;
            for (task, answer) in answers {
                // A person who declines leaves the task as it is.
                if let (true, Answer::Form(fields)) = (asked.contains_key(&task), answer) {
                    let done = json!({ "id": task, "variables": fields });
                    self.caller.call(ctx, "task_complete", done).await?;
                }
            }
            Ok(())
        })
    }

    fn cancel<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let handle = self.handles.get(ctx, id).await?;
            let instance = self.instance(ctx, &handle).await?;
            if instance.ended_at.is_none() {
                let reason = "whoever started it no longer wants it";
                let cancel = json!({ "id": instance.id, "action": "cancel", "reason": reason });
                self.caller.call(ctx, "instance_control", cancel).await?;
            }
            Ok(())
        })
    }
}

impl StartedProcesses {
    async fn instance(&self, ctx: &Ctx, handle: &Handle) -> Result<InstanceSummary> {
        let view = self.caller.call(ctx, "instance_get", json!({ "id": handle.subject })).await?;
        serde_json::from_value(view).map_err(|error| Error::internal("answer_decoding", error))
    }

    /// The tasks of the instance that the caller has, as far as a client can show their forms.
    async fn questions(&self, ctx: &Ctx, instance: &str) -> Result<BTreeMap<String, Question>> {
        let mine = json!({ "filter": "mine", "instance": instance, "limit": MAX_TASKS });
        let mine = match self.caller.call(ctx, "task_list", mine).await {
            Ok(mine) => mine,
            // Who may not work on tasks has none.
            Err(error) if error.kind() == ErrorKind::Forbidden => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut questions = BTreeMap::new();
        for task in mine.get("items").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = task.get("id").and_then(Value::as_str) else { continue };
            let task = self.caller.call(ctx, "task_get", json!({ "id": id })).await?;
            questions.extend(question(&task).map(|question| (id.to_owned(), question)));
        }
        Ok(questions)
    }
}

fn ongoing(handle: Handle, state: OngoingState) -> Ongoing {
    Ongoing {
        id: handle.id,
        created_at: handle.created_at,
        updated_at: handle.updated_at,
        expires_at: handle.expires_at,
        state,
    }
}

/// The answer that the call would have given, had it waited.
fn result(operation: &str, instance: InstanceSummary) -> Result<Value> {
    if operation == START {
        return serde_json::to_value(instance)
            .map_err(|error| Error::internal("answer_encoding", error));
    }
    process_tools::answer(instance)
}

fn failed(instance: &InstanceSummary) -> Error {
    Error::conflict("instance_failed", format!("the instance {} has failed", instance.id))
        .fix("see what happened in it")
        .next("instance_timeline")
}

/// A task as a form that a client can show: flat, of plain fields. `None` when it is more than that.
fn question(task: &Value) -> Option<Question> {
    let form = task.get("form")?;
    let prefill = task.get("prefill");
    let mut properties = Map::new();
    for (name, field) in form.get("properties")?.as_object()? {
        let value = prefill.and_then(|prefill| prefill.get(name));
        properties.insert(name.clone(), plain_field(field, value)?);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if let Some(required) = form.get("required") {
        schema["required"] = required.clone();
    }
    let text = |name: &str| task.get(name).and_then(Value::as_str);
    let message = [text("name"), text("documentation")];
    let message = message.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    Some(Question::Form { message, schema })
}

fn plain_field(field: &Value, value: Option<&Value>) -> Option<Value> {
    let kind = field.get("type")?.as_str()?;
    if !matches!(kind, "string" | "number" | "integer" | "boolean") {
        return None;
    }
    let said = field.as_object()?.iter().filter(|(keyword, said)| {
        KEYWORDS.contains(&keyword.as_str())
            && (*keyword != "format" || said.as_str().is_some_and(|it| FORMATS.contains(&it)))
    });
    let mut plain: Map<_, _> =
        said.map(|(keyword, said)| (keyword.clone(), said.clone())).collect();
    plain.extend(value.filter(|it| !it.is_null()).map(|it| ("default".to_owned(), it.clone())));
    Some(Value::Object(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_plain_fields_is_a_question() {
        let task = json!({
            "name": "Check the invoice",
            "documentation": "Is the amount right?",
            "form": {
                "type": "object",
                "properties": {
                    "amount": { "type": "number", "minimum": 0, "x-hint": "net", "format": "money" },
                    "ok": { "type": "boolean" }
                },
                "required": ["ok"]
            },
            "prefill": { "amount": 12.5 }
        });
        let Some(Question::Form { message, schema }) = question(&task) else { panic!("no form") };
        assert_eq!(message, "Check the invoice\n\nIs the amount right?");
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "amount": { "type": "number", "minimum": 0, "default": 12.5 },
                    "ok": { "type": "boolean" }
                },
                "required": ["ok"]
            })
        );
        let nested = json!({ "form": { "properties": { "lines": { "type": "array" } } } });
        assert_eq!(question(&nested), None);
        assert_eq!(question(&json!({ "name": "No form" })), None);
    }
}
