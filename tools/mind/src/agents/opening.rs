//! From a claimed job to a run that somebody can work on: a new one, or the one that a former
//! claimant left.

use flowmaster_kernel::{Ctx, Error, ErrorKind, Principal, Result};
use flowmaster_prompts::{Message, PromptFile};
use flowmaster_store::WriteSet;
use flowmaster_store::jobs::Job;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::record::{self, Lease};
use super::rules;
use super::service::Agents;
use super::store::runs::{self, Detail, GivingUp, NewStep, RunRow, StepRow};
use super::types::{Activity, Agent, RunState, StepKind, WorkContext};

/// A run that is ready to be worked on.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) run: RunRow,
    pub(super) agent: Agent,
    pub(super) prompt: PromptFile,
    pub(super) messages: Vec<Message>,
    pub(super) tools: Vec<String>,
    pub(super) context: WorkContext,
    /// What is recorded already.
    pub(super) earlier: Vec<StepRow>,
    is_new: bool,
}

/// What becomes of a claimed job.
pub(super) enum Opening {
    /// It can be worked on.
    Ready(Box<Opened>),
    /// It cannot be done as things are; a person has to put something right.
    Impossible(Error),
    /// A run of it was being given up when its process died; now it is.
    GivenUp,
}

/// Who takes a job.
pub(super) struct Claimant {
    /// The client, or the server itself.
    pub(super) client: String,
    /// In whose name the answer will be handed in. Default: the agent's own.
    pub(super) principal: Option<Principal>,
}

/// A job of the kind that agents work on.
pub(super) const KIND: &str = "agent";

impl Agents {
    /// Opens a run of `job`, with the versions that an unfinished run of it began with.
    pub(super) async fn open(&self, ctx: &Ctx, job: &Job, claimant: Claimant) -> Result<Opening> {
        let (mut known, mut earlier) = self.left_open(ctx, job).await?;
        if let Some(run) = &mut known
            && let Some(giving_up) = run.detail.giving_up.take()
        {
            let state = giving_up.state;
            let was_failed = self.give_up_again(ctx, job, run, giving_up).await?;
            self.given_up(ctx, run, state).await?;
            if !was_failed {
                return Ok(Opening::GivenUp);
            }
            // A person has had the work tried again since.
            if state.is_over() {
                (known, earlier) = (None, Vec::new());
            }
        }
        let pinned = known.as_ref().map(|run| run.agent_version);
        let agent = match self.agent(ctx, &job.job_type, pinned).await {
            Ok(agent) => agent,
            Err(error) => return impossible(error),
        };
        let definition = &agent.definition;
        let version = known.as_ref().map(|run| run.prompt_version).or(definition.prompt_version);
        let prompt = known.as_ref().map_or(&definition.prompt, |run| &run.prompt);
        let prompt = match self.prompts.get(ctx, prompt, version).await {
            Ok(prompt) => prompt,
            Err(error) => return impossible(error),
        };
        let variables = job.payload.get("variables").and_then(Value::as_object);
        let variables = variables.cloned().unwrap_or_default();
        let messages = match rules::messages(definition, &prompt.file, &variables) {
            Ok(messages) => messages,
            Err(error) => return impossible(error.into()),
        };
        let now = ctx.now();
        let principal = claimant.principal.unwrap_or_else(|| rules::principal(definition));
        let lease_ms = job.lease_until.as_millis().saturating_sub(now.as_millis()).max(1_000);
        let is_new = known.is_none();
        let run = match known {
            Some(run) => RunRow {
                state: RunState::Open,
                client: claimant.client,
                epoch: job.epoch,
                lease_ms,
                ended_at: None,
                detail: Detail { principal, ..run.detail },
                ..run
            },
            None => RunRow {
                id: ctx.fresh_id(),
                agent: definition.id.clone(),
                agent_version: agent.version,
                prompt: prompt.info.id,
                prompt_version: prompt.info.version,
                job: job.id.clone(),
                instance: job.instance.clone(),
                element: job.element.clone(),
                state: RunState::Open,
                client: claimant.client,
                epoch: job.epoch,
                lease_ms,
                confidence: None,
                below_threshold: false,
                tokens_in: 0,
                tokens_out: 0,
                steps: 0,
                detail: Detail {
                    principal,
                    answers: 0,
                    submission: None,
                    output: None,
                    activate: Vec::new(),
                    reason: None,
                    error: None,
                    giving_up: None,
                },
                started_at: now,
                updated_at: now,
                ended_at: None,
            },
        };
        let tools = rules::tools(definition, &prompt.file.front);
        let context = context(job);
        let prompt = prompt.file;
        let opened = Opened { run, agent, prompt, messages, tools, context, earlier, is_new };
        Ok(Opening::Ready(Box::new(opened)))
    }

    /// The newest run of the job if it is not over, with its steps.
    async fn left_open(&self, ctx: &Ctx, job: &Job) -> Result<(Option<RunRow>, Vec<StepRow>)> {
        let mut session = self.db.read(ctx).await?;
        let known = runs::of_job(&mut session, &job.id).await?;
        match known.filter(|run| !run.state.is_over()) {
            Some(run) => {
                let steps = runs::steps(&mut session, run.id.as_str()).await?;
                Ok((Some(run), steps))
            }
            None => Ok((None, Vec::new())),
        }
    }

    /// Fails the job of a run that was being given up. Says whether that had happened before: then
    /// the key has a recorded answer, else the epoch of that time is refused.
    async fn give_up_again(
        &self,
        ctx: &Ctx,
        job: &Job,
        run: &RunRow,
        giving_up: GivingUp,
    ) -> Result<bool> {
        let GivingUp { mut arguments, key, .. } = giving_up;
        let actor = rules::on_behalf(ctx, run.detail.principal.clone(), "execution:write");
        let before = rules::keyed(&actor, "job_fail", key);
        match self.caller.call(&before, "job_fail", arguments.clone()).await {
            Ok(_) => return Ok(true),
            Err(error) if error.body().retryable => return Err(error),
            Err(_) => {}
        }
        if let Some(fields) = arguments.as_object_mut() {
            fields.insert("epoch".to_owned(), Value::from(job.epoch));
        }
        self.caller.call(&actor, "job_fail", arguments).await?;
        Ok(false)
    }

    /// Notes that the job of a run that cannot go on is failed.
    pub(super) async fn given_up(
        &self,
        ctx: &Ctx,
        run: &mut RunRow,
        state: RunState,
    ) -> Result<()> {
        run.state = state;
        run.detail.giving_up = None;
        let step = NewStep::new(StepKind::Failed, 0, json!({ "state": state }));
        record::write(&self.db, ctx, run, step, Lease::Over).await
    }

    /// Says that the job cannot be done: an incident for a person, in the name of `actor`.
    pub(super) async fn refuse(&self, actor: &Ctx, job: &Job, error: &Error) -> Result<()> {
        tracing::warn!(%error, agent = job.job_type, job = job.id, "agent work cannot be begun");
        let arguments = json!({
            "id": job.id,
            "epoch": job.epoch,
            "message": format!("the agent cannot begin: {error}"),
            "retries": 0
        });
        self.caller.call(actor, "job_fail", arguments).await.map(drop)
    }
}

impl Opened {
    /// What records that the work was taken.
    pub(super) fn claimed(&mut self, ctx: &Ctx) -> Result<WriteSet> {
        let run = &mut self.run;
        run.steps += 1;
        run.updated_at = ctx.now();
        let mut writes = WriteSet::new();
        match self.is_new {
            true => runs::insert(&mut writes, run)?,
            false => runs::update(&mut writes, run)?,
        }
        let payload = json!({
            "client": run.client,
            "caller": ctx.principal.id,
            "principal": run.detail.principal.id,
            "epoch": run.epoch
        });
        let step = NewStep::new(StepKind::Claimed, 0, payload);
        runs::add_step(&mut writes, run, &step, ctx.now());
        Ok(writes)
    }
}

/// What is wrong with a definition is for a person to put right; the store failing is not.
fn impossible(error: Error) -> Result<Opening> {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::NotFound => Ok(Opening::Impossible(error)),
        _ => Err(error),
    }
}

fn context(job: &Job) -> WorkContext {
    let text = |name: &str| job.payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let headers = job.payload.get("headers").and_then(Value::as_object);
    let results = job.payload.pointer("/variables/toolResults");
    let activities: Vec<Activity> = listed(job.payload.get("activities"));
    WorkContext {
        results: if activities.is_empty() { Vec::new() } else { listed(results) },
        activities,
        instance: job.instance.clone(),
        element: job.element.clone(),
        name: text("name"),
        documentation: text("documentation"),
        headers: headers.cloned().unwrap_or_else(Map::new),
    }
}

fn listed<T: DeserializeOwned>(list: Option<&Value>) -> Vec<T> {
    list.and_then(|list| Vec::deserialize(list).ok()).unwrap_or_default()
}
