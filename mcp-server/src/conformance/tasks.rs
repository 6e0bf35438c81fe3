//! The tools of the suite that begin something and answer before it is done. What they begin is kept
//! where the handles of process instances are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{
    Answer, Answers, BoxFuture, CANNOT_FOLLOW, Content, Ctx, Error, ErrorKind, Question, Result,
};
use flowmaster_reach::handles::{Handle, HandleState, Handles};
use serde_json::{Value, json};

use super::asking::{form, one};
use crate::ports::{Continuations, Ongoing, OngoingState};

/// The tools whose handles are ours.
const NAMES: [&str; 6] = [
    "slow_compute",
    "failing_job",
    "protocol_error_job",
    "confirm_delete",
    "multi_input",
    "test_tool_with_task",
];
/// How long a job takes that does not say.
const A_WHILE: Duration = Duration::from_millis(300);

/// What a tool called `name` does; `None` when it is not one of these.
pub(super) fn call(
    name: &'static str,
    ctx: Ctx,
    arguments: &Value,
    handles: &Arc<Handles>,
) -> Option<BoxFuture<'static, Result<Value>>> {
    let seconds = arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
    let pause = Duration::try_from_secs_f64(seconds).unwrap_or(A_WHILE);
    let handles = Arc::clone(handles);
    match name {
        "greet" => {
            let who = arguments.get("name").and_then(Value::as_str).unwrap_or_default();
            ctx.show(Content::Text(format!("Hello, {who}!")));
            Some(Box::pin(std::future::ready(Ok(Value::Null))))
        }
        "slow_compute" if !ctx.follows() => Some(Box::pin(async move {
            tokio::time::sleep(pause).await;
            ctx.show(Content::Text("computed".to_owned()));
            Ok(Value::Null)
        })),
        _ if NAMES.contains(&name) => Some(Box::pin(begin(name, ctx, pause, handles))),
        _ => None,
    }
}

async fn begin(
    name: &'static str,
    ctx: Ctx,
    pause: Duration,
    handles: Arc<Handles>,
) -> Result<Value> {
    if !ctx.follows() {
        return Err(Error::new(
            ErrorKind::Conflict,
            CANNOT_FOLLOW,
            "the tool only answers those who follow tasks",
        ));
    }
    let done = |text: String| HandleState::Done { outcome: Ok(json!({ "text": text })) };
    let (state, job) = match name {
        "slow_compute" => (HandleState::open(), Some((pause, done("computed".to_owned())))),
        "failing_job" => {
            let error = Error::invalid("intended", "this job always fails");
            let outcome = Err(json!(error.body()));
            (HandleState::open(), Some((A_WHILE, HandleState::Done { outcome })))
        }
        "protocol_error_job" => {
            let broken = HandleState::Broken { what: "the job broke".to_owned() };
            (HandleState::open(), Some((A_WHILE, broken)))
        }
        "test_tool_with_task" => {
            let question = form("What is your name?", json!({ "name": "string" }));
            let answer = one(&ctx, "user_name", question).await?;
            (HandleState::open(), Some((A_WHILE, done(format!("Heard: {answer:?}")))))
        }
        "confirm_delete" => (asking(&["confirm"]), None),
        _ => (asking(&["first", "second"]), None),
    };
    let handle = handles.open(&ctx, name, "", state).await?;
    if let Some((pause, end)) = job {
        let id = handle.id.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let Err(error) = handles.change(&ctx, &id, |_| end.clone()).await {
                tracing::warn!(%error, "a job of the conformance suite got no end");
            }
        });
    }
    Ok(json!({ "handle": handle.id }))
}

fn asking(keys: &[&str]) -> HandleState {
    let questions = keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    HandleState::Open { questions, answers: BTreeMap::new() }
}

/// The jobs of the suite, in front of what else has been begun.
pub(super) struct Begun {
    pub(super) handles: Arc<Handles>,
    pub(super) behind: Option<Arc<dyn Continuations>>,
}

impl Begun {
    /// The handle, if it is one of the suite.
    async fn own(&self, ctx: &Ctx, id: &str) -> Result<Option<Handle>> {
        let handle = self.handles.get(ctx, id).await?;
        Ok(NAMES.contains(&handle.operation.as_str()).then_some(handle))
    }

    fn behind(&self) -> Result<&dyn Continuations> {
        self.behind.as_deref().ok_or_else(|| Error::not_found("task", "this"))
    }
}

impl Continuations for Begun {
    fn begun<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        answer: &'a Value,
    ) -> BoxFuture<'a, Result<Option<Ongoing>>> {
        Box::pin(async move {
            if !NAMES.contains(&operation) {
                return self.behind()?.begun(ctx, operation, answer).await;
            }
            match answer.get("handle").and_then(Value::as_str) {
                Some(id) => self.get(ctx, id).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn get<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<Ongoing>> {
        Box::pin(async move {
            match self.own(ctx, id).await? {
                Some(handle) => Ok(ongoing(handle)),
                None => self.behind()?.get(ctx, id).await,
            }
        })
    }

    fn answer<'a>(
        &'a self,
        ctx: &'a Ctx,
        id: &'a str,
        answers: Answers,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.own(ctx, id).await?.is_none() {
                return self.behind()?.answer(ctx, id, answers).await;
            }
            let plain = |answer: &Answer| match answer {
                Answer::Form(fields) => json!(fields),
                other => json!(format!("{other:?}")),
            };
            let given = answers.iter().map(|(key, answer)| (key.clone(), plain(answer))).collect();
            let handle = self.handles.answer(ctx, id, &given).await?;
            if let HandleState::Open { questions, answers } = &handle.state
                && questions.is_empty()
            {
                let done = HandleState::Done { outcome: Ok(json!({ "heard": answers })) };
                self.handles.change(ctx, id, |_| done.clone()).await?;
            }
            Ok(())
        })
    }

    fn cancel<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.own(ctx, id).await?.is_none() {
                return self.behind()?.cancel(ctx, id).await;
            }
            self.handles.change(ctx, id, |_| HandleState::Cancelled).await.map(drop)
        })
    }
}

fn ongoing(handle: Handle) -> Ongoing {
    let question = |key: &String| -> (String, Question) {
        (key.clone(), form("Shall it go on?", json!({ "confirm": "boolean" })))
    };
    let state = match handle.state {
        HandleState::Open { questions, .. } if questions.is_empty() => {
            OngoingState::Working { message: None }
        }
        HandleState::Open { questions, .. } => {
            OngoingState::Asking(questions.keys().map(question).collect())
        }
        HandleState::Done { outcome: Ok(answer) } => OngoingState::Done(Ok(answer)),
        HandleState::Done { outcome: Err(body) } => {
            OngoingState::Done(Err(Error::invalid("intended", body.to_string())))
        }
        HandleState::Broken { what } => OngoingState::Broken(what),
        HandleState::Cancelled => OngoingState::Cancelled,
    };
    Ongoing {
        id: handle.id,
        created_at: handle.created_at,
        updated_at: handle.updated_at,
        expires_at: handle.expires_at,
        state,
    }
}
