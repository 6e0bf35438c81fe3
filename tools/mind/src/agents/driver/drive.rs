//! One run, from where it stands to its end.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use flowmaster_agents::{
    Action, Failure, Input, Message, ModelError, Request, Task, ToolCall, ToolOutcome, Turn,
    step_key,
};
use flowmaster_kernel::{Ctx, Effect, Error, ErrorKind, Result};
use flowmaster_store::{STALE_LEASE, WriteSet, jobs};
use serde_json::{Map, Value, json};

use super::recorded::{KnownModel, KnownTool, Recorded};
use crate::agents::opening::Opened;
use crate::agents::record::{self, Lease, MAX_PAYLOAD};
use crate::agents::rules;
use crate::agents::service::Agents;
use crate::agents::store::runs::{GivingUp, NewStep, RunRow, StepRow};
use crate::agents::types::{Agent, RunState, StepKind};
use crate::agents::work::{Answer, REFUSED};

/// How long work rests after a model could not be asked, unless the endpoint says otherwise.
const REST_S: u64 = 30;

/// A run under way.
pub(super) struct Drive<'a> {
    agents: &'a Agents,
    /// In which the record is written.
    ctx: Ctx,
    /// In which the outcome is handed in.
    actor: Ctx,
    run: RunRow,
    agent: Agent,
    route: String,
    task: Task,
    earlier: Vec<StepRow>,
    recorded: Recorded,
    lease: Duration,
}

/// What a call led to.
enum Next {
    /// Something for the machine.
    Feed(Input),
    /// The end of this run, or of this attempt.
    Stop(Stop),
}

/// Why no more is done now.
enum Stop {
    /// The run cannot go on.
    GiveUp { state: RunState, error: Error },
    /// The run may go on later.
    Rest { error: Error, seconds: u64 },
}

impl<'a> Drive<'a> {
    pub(super) fn new(agents: &'a Agents, ctx: Ctx, opened: Opened, lease: Duration) -> Self {
        let Opened { run, agent, prompt, messages, tools, earlier, .. } = opened;
        let actor = rules::acting(&ctx, &agent.definition);
        let specs = tools.iter().filter_map(|name| Some(agents.tool(name)?.spec.clone()));
        let task = Task {
            messages: messages.into_iter().map(Message::from).collect(),
            tools: specs.collect(),
            output_schema: prompt.front.output.schema.clone(),
            budgets: agent.definition.budgets,
        };
        let route = rules::route(&agent.definition, &prompt.front).to_owned();
        let recorded = Recorded::default();
        Self { agents, ctx, actor, run, agent, route, task, earlier, recorded, lease }
    }

    /// Drives the run until it is over or has to rest.
    ///
    /// # Errors
    /// What interrupted it: the lease was lost, or the store failed.
    pub(super) async fn run_to_end(mut self) -> Result<()> {
        let Some(stop) = self.turns().await? else { return Ok(()) };
        match stop {
            Stop::GiveUp { state, error } => self.give_up(state, error).await,
            Stop::Rest { error, seconds } => self.rest(&error, seconds).await,
        }
    }

    async fn turns(&mut self) -> Result<Option<Stop>> {
        self.recorded = match Recorded::read(&self.earlier) {
            Ok(recorded) => recorded,
            Err(error) => return Ok(Some(give_up(error))),
        };
        let mut turn = match Turn::new(self.task.clone()) {
            Ok(turn) => turn,
            Err(error) => return Ok(Some(give_up(error))),
        };
        let mut input = Input::Begin;
        loop {
            let next = match turn.next(input, self.elapsed()) {
                Action::CallModel { ordinal, request, reserved } => {
                    self.model(ordinal, &request, reserved).await?
                }
                Action::CallTool { ordinal, call } => self.tool(ordinal, &call).await?,
                Action::Finish { ordinal, output } => return self.finish(ordinal, output).await,
                Action::Fail(failure) => return Ok(Some(give_up(failed(&failure)))),
            };
            match next {
                Next::Feed(fed) => input = fed,
                Next::Stop(stop) => return Ok(Some(stop)),
            }
        }
    }

    fn elapsed(&self) -> u64 {
        let millis = self.ctx.now().as_millis().saturating_sub(self.run.started_at.as_millis());
        u64::try_from(millis / 1_000).unwrap_or(0)
    }

    async fn model(&mut self, ordinal: u32, request: &Request, reserved: u64) -> Result<Next> {
        let hash = request.hash();
        match self.recorded.take_model(ordinal, &hash) {
            KnownModel::Lost => return Ok(Next::Feed(Input::ReplyLost)),
            KnownModel::Reply(reply) => return Ok(Next::Feed(Input::Reply(reply))),
            KnownModel::Diverged => return Ok(Next::Stop(give_up(diverged()))),
            KnownModel::Nothing => {}
        }
        let key = step_key(self.run.id.as_str(), ordinal, "model", &Value::from(hash.as_str()));
        let step = |kind, payload| NewStep {
            key: Some(key.clone()),
            request_hash: Some(hash.clone()),
            ..NewStep::new(kind, ordinal, payload)
        };
        let intent = json!({ "route": self.route, "reserved_tokens": reserved });
        self.record(step(StepKind::ModelIntent, intent)).await?;
        let routes = std::sync::Arc::clone(&self.agents.routes);
        let route = self.route.clone();
        let called = self.while_held(async move { routes.call(&route, request).await }).await?;
        let problem = match called {
            Ok(reply) => {
                let payload = serde_json::to_value(&reply).unwrap_or_default();
                if payload.to_string().len() <= MAX_PAYLOAD {
                    let mut step = step(StepKind::ModelReply, payload);
                    step.tokens = reply.usage.map_or((0, 0), |usage| {
                        let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
                        (count(usage.input), count(usage.output))
                    });
                    self.record(step).await?;
                    return Ok(Next::Feed(Input::Reply(reply)));
                }
                ModelError::Malformed("the reply is too large to be recorded".to_owned())
            }
            Err(problem) => problem,
        };
        let payload = json!({ "error": problem.to_string() });
        self.record(step(StepKind::ModelFailed, payload)).await?;
        let seconds = match &problem {
            ModelError::Busy { retry_after_s: Some(seconds), .. } => (*seconds).min(3_600),
            _ => REST_S,
        };
        let is_transient = problem.is_transient();
        let error = Error::new(ErrorKind::Unavailable, "model_unavailable", problem.to_string());
        Ok(Next::Stop(match is_transient {
            true => Stop::Rest { error, seconds },
            false => give_up(error),
        }))
    }

    async fn tool(&mut self, ordinal: u32, call: &ToolCall) -> Result<Next> {
        let agents = self.agents;
        let Some(tool) = agents.tool(&call.name) else {
            let error = Error::not_found("operation", &call.name);
            return Ok(Next::Feed(Input::Tool(ToolOutcome::Error(error.body().clone()))));
        };
        match self.recorded.take_tool(ordinal) {
            KnownTool::Result(outcome) => return Ok(Next::Feed(Input::Tool(outcome))),
            KnownTool::Begun if tool.effect != Effect::Read => {
                return Ok(Next::Stop(unknown_outcome(&call.name)));
            }
            KnownTool::Begun | KnownTool::Nothing => {}
        }
        let key = step_key(self.run.id.as_str(), ordinal, &call.name, &call.arguments);
        let step = |kind, payload| NewStep {
            tool: Some(call.name.clone()),
            key: Some(key.clone()),
            ..NewStep::new(kind, ordinal, payload)
        };
        if let Err(refusal) = self.authorise(call, &key).await {
            if refusal.code() != REFUSED {
                return Ok(Next::Stop(interrupted(refusal)));
            }
            let outcome = ToolOutcome::Error(refusal.body().clone());
            self.record(step(StepKind::ToolResult, stored(&outcome))).await?;
            return Ok(Next::Feed(Input::Tool(outcome)));
        }
        self.record(step(StepKind::ToolIntent, json!({ "arguments": call.arguments }))).await?;
        let principal = self.run.detail.principal.clone();
        let caller = rules::on_behalf(&self.ctx, principal, &tool.scope);
        let caller = rules::keyed(&caller, &call.name, key.clone());
        let called = agents.caller.call(&caller, &call.name, call.arguments.clone());
        let outcome = match self.while_held(called).await? {
            Ok(answer) => ToolOutcome::Answer(answer),
            // The write may have happened: neither the model nor a repetition may guess.
            Err(error)
                if tool.effect != Effect::Read && error.kind() == ErrorKind::OutcomeUnknown =>
            {
                return Ok(Next::Stop(unknown_outcome(&call.name)));
            }
            Err(error) => ToolOutcome::Error(error.body().clone()),
        };
        let outcome = outcome.capped();
        self.record(step(StepKind::ToolResult, stored(&outcome))).await?;
        Ok(Next::Feed(Input::Tool(outcome)))
    }

    /// Asks the policies of the process; allowed or refused, it is in the journal of the instance.
    async fn authorise(&self, call: &ToolCall, key: &str) -> Result<()> {
        let arguments =
            json!({ "id": self.run.job, "tool": call.name, "arguments": call.arguments });
        let key = flowmaster_agents::digest(&[key, "authorize"]);
        let actor = rules::keyed(&self.actor, "job_authorize", key);
        self.agents.caller.call(&actor, "job_authorize", arguments).await.map(drop)
    }

    async fn finish(&mut self, ordinal: u32, output: Map<String, Value>) -> Result<Option<Stop>> {
        let confidence = rules::confidence(None, &output);
        let answer = Answer { ordinal, output, activate: Vec::new(), confidence, reason: None };
        let run = &mut self.run;
        match self.agents.hand_in(&self.ctx, &self.actor, run, &self.agent, answer).await {
            Ok(_instance) => {
                self.run.state = RunState::Completed;
                let step = NewStep::new(StepKind::Completed, ordinal, Value::Null);
                let (db, run) = (&self.agents.db, &mut self.run);
                record::write(db, &self.ctx, run, step, Lease::Over).await?;
                Ok(None)
            }
            Err(error) if error.code() == REFUSED => {
                Ok(Some(Stop::GiveUp { state: RunState::Refused, error }))
            }
            Err(error) if error.code() == STALE_LEASE => Err(error),
            Err(error) => Ok(Some(interrupted(error))),
        }
    }

    /// Ends the run: an incident for a person, or the BPMN error that the agent names for refusals.
    async fn give_up(mut self, state: RunState, error: Error) -> Result<()> {
        let mut arguments = json!({
            "id": self.run.job,
            "epoch": self.run.epoch,
            "message": error.to_string(),
            "retries": 0
        });
        let code = self.agent.definition.refusal_error_code.clone();
        if let (RunState::Refused, Some(code), Some(fields)) =
            (state, code, arguments.as_object_mut())
        {
            fields.insert("error_code".to_owned(), Value::from(code));
        }
        // The intent first: whoever comes after a crash must not begin anew what ended here.
        let key = step_key(self.run.id.as_str(), 0, "job_fail", &arguments);
        self.run.detail.error = Some(error.body().clone());
        self.run.detail.giving_up =
            Some(GivingUp { state, arguments: arguments.clone(), key: key.clone() });
        self.record(record::failure(StepKind::Failed, &error)).await?;
        let actor = rules::keyed(&self.actor, "job_fail", key);
        self.agents.caller.call(&actor, "job_fail", arguments).await?;
        self.agents.given_up(&self.ctx, &mut self.run, state).await
    }

    /// Gives the job back with one attempt less; the run stays open.
    async fn rest(mut self, error: &Error, seconds: u64) -> Result<()> {
        self.run.detail.error = Some(error.body().clone());
        let step = record::failure(StepKind::Failed, error);
        record::write(&self.agents.db, &self.ctx, &mut self.run, step, Lease::Held).await?;
        let arguments = json!({
            "id": self.run.job,
            "epoch": self.run.epoch,
            "message": error.to_string(),
            "back_off_s": seconds
        });
        self.agents.caller.call(&self.actor, "job_fail", arguments).await.map(drop)
    }

    async fn record(&mut self, step: NewStep) -> Result<()> {
        record::write(&self.agents.db, &self.ctx, &mut self.run, step, Lease::Held).await
    }

    /// Does `work` while prolonging the lease; stops it when the lease is lost.
    async fn while_held<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut work = pin!(work);
        let third = (self.lease / 3).max(Duration::from_millis(10));
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(third) => self.prolong().await?,
            }
        }
    }

    async fn prolong(&self) -> Result<()> {
        let mut writes = WriteSet::new();
        let (job, epoch) = (&self.run.job, self.run.epoch);
        jobs::extend(&mut writes, job, epoch, self.lease, self.ctx.now());
        self.agents.db.submit(&self.ctx, writes.finishing()).await
    }
}

fn stored(outcome: &ToolOutcome) -> Value {
    serde_json::to_value(outcome).unwrap_or_default()
}

const fn give_up(error: Error) -> Stop {
    Stop::GiveUp { state: RunState::Failed, error }
}

/// An error of the way to the process: what may pass is waited for.
fn interrupted(error: Error) -> Stop {
    match error.body().retryable {
        true => Stop::Rest { error, seconds: REST_S },
        false => give_up(error),
    }
}

fn failed(failure: &Failure) -> Error {
    let kind = match failure {
        Failure::Budget(_) => ErrorKind::Exhausted,
        _ => ErrorKind::Invalid,
    };
    Error::new(kind, failure.code(), failure.to_string())
        .fix("look at the run; then change the agent or its prompt, or do the work by hand")
        .next("run_get")
}

fn diverged() -> Error {
    Error::conflict("run_diverged", "what is recorded of the run does not fit what it does now")
        .why("the tools or schemas it began with have changed")
        .fix("resolve the incident: the work begins anew")
        .next("incident_resolve")
}

fn unknown_outcome(tool: &str) -> Stop {
    let what = format!("the agent began {tool}, and nobody knows whether it happened");
    let error = Error::new(ErrorKind::OutcomeUnknown, "outcome_unknown", what)
        .why("the server stopped between the call and its answer")
        .fix("find out whether it happened, put it right, then resolve the incident")
        .next("incident_resolve");
    Stop::GiveUp { state: RunState::OutcomeUnknown, error }
}
