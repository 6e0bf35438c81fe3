//! Agent work by the connected client: taking it, handing in the answer, giving it back.

use std::time::Duration;

use flowmaster_agents::{Contract, canonical, digest, step_key};
use flowmaster_kernel::{Ctx, Error, PrincipalKind, Result};
use flowmaster_store::{WriteSet, jobs};
use serde_json::{Map, Value, json};

use super::error::AgentsError;
use super::opening::{Claimant, KIND, Opened, Opening};
use super::record::{self, Lease};
use super::rules;
use super::service::Agents;
use super::store::runs::{NewStep, RunRow};
use super::store::{self, runs};
use super::types::{
    Activate, Agent, ClaimWork, ClaimedWork, FailWork, GivenBack, RunState, Runner, StepKind,
    SubmitWork, SubmittedWork, Work,
};

/// The code of a refusal by the policies.
pub(super) const REFUSED: &str = "governance_refused";
/// How many jobs that cannot be begun are put aside in one claim.
const MAX_IMPOSSIBLE: usize = 20;
/// How long work is held while it is made ready: what a node that dies meanwhile keeps from others.
const HANDING_OUT: Duration = Duration::from_secs(10);
/// How many agents a claim without a name looks at.
const MAX_AGENTS: usize = 500;

/// An answer that is handed in.
pub(super) struct Answer {
    pub(super) ordinal: u32,
    pub(super) output: Map<String, Value>,
    /// What begins in the process before there is an answer; nothing with one.
    pub(super) activate: Vec<Activate>,
    pub(super) confidence: Option<f64>,
    pub(super) reason: Option<String>,
}

impl Agents {
    /// Takes the next piece of work for the connected client.
    ///
    /// # Errors
    /// An agent that does not exist, or whose work the server does.
    pub async fn claim(&self, ctx: &Ctx, params: ClaimWork) -> Result<ClaimedWork> {
        let lease = Duration::from_secs(params.lease_s.unwrap_or(300).clamp(10, 3_600).into());
        let agents = self.claimable(ctx, params.agent).await?;
        for _ in 0..MAX_IMPOSSIBLE {
            let Some((agent, job)) = self.take(ctx, &agents).await? else { break };
            let is_agent = ctx.principal.kind == PrincipalKind::Agent;
            let claimant = Claimant {
                client: ctx.principal.id.clone(),
                principal: is_agent.then(|| (*ctx.principal).clone()),
            };
            match self.open(ctx, &job, claimant).await? {
                Opening::Ready(opened) => return self.hand_out(ctx, *opened, &job, lease).await,
                Opening::GivenUp => {}
                Opening::Impossible(error) => {
                    self.refuse(&rules::acting(ctx, &agent.definition), &job, &error).await?;
                }
            }
        }
        let nothing = ClaimedWork { work: Vec::new() };
        let mut writes = WriteSet::new();
        writes.answer(ctx, &nothing)?;
        if !writes.is_empty() {
            self.db.submit(ctx, writes).await?;
        }
        Ok(nothing)
    }

    async fn claimable(&self, ctx: &Ctx, wanted: Option<String>) -> Result<Vec<Agent>> {
        let Some(id) = wanted else {
            let mut session = self.db.read(ctx).await?;
            return store::list(&mut session, "", Some(Runner::Client), MAX_AGENTS).await;
        };
        let agent = self.agent(ctx, &id, None).await?;
        match agent.definition.runner {
            Runner::Client => Ok(vec![agent]),
            Runner::Server => Err(AgentsError::DoneByServer(id).into()),
        }
    }

    /// The most urgent work of these agents, the oldest first, whichever of them it is for.
    async fn take<'a>(
        &self,
        ctx: &Ctx,
        agents: &'a [Agent],
    ) -> Result<Option<(&'a Agent, jobs::Job)>> {
        let queues: Vec<jobs::Queue<'_>> =
            agents.iter().map(|agent| (&ctx.tenant, agent.definition.id.as_str())).collect();
        let owner = &ctx.principal.id;
        let claim = jobs::Claim { kind: KIND, owner, lease: HANDING_OUT, limit: 1 };
        let claimed = jobs::claim(&self.db, &queues, &claim).await?.pop();
        let Some(job) = claimed else { return Ok(None) };
        let agent = agents.iter().find(|agent| agent.definition.id == job.job_type);
        Ok(agent.map(|agent| (agent, job)))
    }

    async fn hand_out(
        &self,
        ctx: &Ctx,
        mut opened: Opened,
        job: &jobs::Job,
        lease: Duration,
    ) -> Result<ClaimedWork> {
        let mut writes = opened.claimed(ctx)?;
        jobs::extend(&mut writes, &job.id, job.epoch, lease, ctx.now());
        let longer = lease.saturating_sub(HANDING_OUT).as_millis();
        let lease_until = job.lease_until.plus_millis(i64::try_from(longer).unwrap_or(i64::MAX));
        let Opened { run, agent, prompt, messages, tools, context, earlier, .. } = opened;
        let work = Work {
            id: run.job,
            epoch: run.epoch,
            run_id: run.id,
            lease_until,
            agent: run.agent,
            agent_version: agent.version,
            messages,
            output_schema: prompt.front.output.schema,
            tools,
            context,
            earlier_steps: earlier.into_iter().map(|row| row.step).collect(),
        };
        let claimed = ClaimedWork { work: vec![work] };
        writes.answer(ctx, &claimed)?;
        self.db.submit(ctx, writes).await?;
        Ok(claimed)
    }

    /// Hands in the answer of claimed work.
    ///
    /// # Errors
    /// `invalid_output` with what does not fit; the refusal of a policy, unchanged; work that is
    /// not, or no more, the caller's.
    pub async fn submit(&self, ctx: &Ctx, params: SubmitWork) -> Result<SubmittedWork> {
        let (mut run, is_held) = self.claimed_by(ctx, &params.id, params.epoch).await?;
        let agent = self.agent(ctx, &run.agent, Some(run.agent_version)).await?;
        if is_held && params.activate.is_empty() {
            self.check_answer(ctx, &mut run, &agent, &params.output).await?;
        }
        let answer = Answer {
            ordinal: 0,
            confidence: rules::confidence(params.confidence, &params.output),
            output: params.output,
            activate: params.activate,
            reason: params.reason,
        };
        let actor = rules::acting(ctx, &agent.definition);
        let instance = self.hand_in(ctx, &actor, &mut run, &agent, answer).await?;
        let submitted = SubmittedWork {
            run_id: run.id.clone(),
            state: RunState::Completed,
            confidence: run.confidence,
            below_threshold: run.below_threshold,
            instance,
        };
        run.state = RunState::Completed;
        let step = NewStep::new(StepKind::Completed, 0, Value::Null);
        record::answer(&self.db, ctx, &mut run, step, Lease::Over, submitted).await
    }

    /// Gives claimed work back undone.
    ///
    /// # Errors
    /// Work that is not, or no more, the caller's.
    pub async fn fail(&self, ctx: &Ctx, params: FailWork) -> Result<GivenBack> {
        let (mut run, _) = self.claimed_by(ctx, &params.id, params.epoch).await?;
        let agent = self.agent(ctx, &run.agent, Some(run.agent_version)).await?;
        let mut arguments = json!({
            "id": params.id,
            "epoch": params.epoch,
            "message": params.reason,
        });
        if let Some(fields) = arguments.as_object_mut() {
            fields.extend(params.error_code.map(|code| ("error_code".to_owned(), code.into())));
            fields.extend(params.retries.map(|left| ("retries".to_owned(), left.into())));
        }
        let key = step_key(run.id.as_str(), 0, "job_fail", &arguments);
        let actor = rules::keyed(&rules::acting(ctx, &agent.definition), "job_fail", key);
        let instance = self.caller.call(&actor, "job_fail", arguments.clone()).await?;
        run.state = RunState::Failed;
        run.detail.reason = Some(params.reason);
        let step = NewStep::new(StepKind::Failed, 0, arguments);
        let given_back = GivenBack { run_id: run.id.clone(), instance };
        record::answer(&self.db, ctx, &mut run, step, Lease::Over, given_back).await
    }

    /// The run of the work, if the caller holds it, and whether its job is still there. It is gone
    /// when the same answer was handed in before and only the record of it is missing.
    async fn claimed_by(&self, ctx: &Ctx, job: &str, epoch: i64) -> Result<(RunRow, bool)> {
        let (run, job_epoch) = {
            let mut session = self.db.read(ctx).await?;
            let run = runs::of_job(&mut session, job).await?;
            let held = jobs::find(&mut session, job).await?;
            (run, held.map(|held| held.epoch))
        };
        let run = run.ok_or_else(|| match job_epoch {
            Some(_) => AgentsError::NotClaimed(job.to_owned()),
            None => AgentsError::UnknownWork(job.to_owned()),
        })?;
        if run.client != ctx.principal.id {
            return Err(AgentsError::NotYours(job.to_owned()).into());
        }
        if run.state.is_over() {
            return Err(AgentsError::RunOver(run.state).into());
        }
        let is_held = job_epoch == Some(epoch);
        let was_handed_in = job_epoch.is_none() && run.state == RunState::Submitting;
        if run.epoch != epoch || !(is_held || was_handed_in) {
            self.note_taken_back(ctx, job).await?;
            return Err(stale());
        }
        Ok((run, is_held))
    }

    /// Ends the run of a job that is gone, because its element was left or its instance ended.
    pub(super) async fn note_taken_back(&self, ctx: &Ctx, job: &str) -> Result<()> {
        let (run, is_there) = {
            let mut session = self.db.read(ctx).await?;
            let run = runs::of_job(&mut session, job).await?;
            (run, jobs::find(&mut session, job).await?.is_some())
        };
        let left = |run: &RunRow| matches!(run.state, RunState::Open | RunState::Refused);
        let Some(mut run) = run.filter(left).filter(|_| !is_there) else { return Ok(()) };
        let error = Error::conflict("work_taken_back", "the process no longer wants this work")
            .why("its element was left, or the instance was cancelled")
            .next("instance_get");
        run.state = RunState::Failed;
        run.detail.error = Some(error.body().clone());
        let step = record::failure(StepKind::Failed, &error);
        record::write(&self.db, ctx, &mut run, step, Lease::Over).await
    }

    async fn check_answer(
        &self,
        ctx: &Ctx,
        run: &mut RunRow,
        agent: &Agent,
        output: &Map<String, Value>,
    ) -> Result<()> {
        let most = agent.definition.budgets.max_steps;
        if run.detail.answers >= most {
            return Err(AgentsError::TooManyAnswers(most).into());
        }
        run.detail.answers += 1;
        let prompt = self.prompts.get(ctx, &run.prompt, Some(run.prompt_version)).await?;
        let contract = Contract::compile(prompt.file.front.output.schema.as_ref())?;
        let output = Value::Object(output.clone());
        let findings = contract.check(&output);
        if findings.is_empty() {
            return Ok(());
        }
        let payload = json!({ "output": output, "findings": findings });
        let step = NewStep::new(StepKind::InvalidOutput, 0, payload);
        record::write(&self.db, ctx, run, step, Lease::Held).await?;
        Err(AgentsError::InvalidOutput(findings).into())
    }

    /// Completes the job with a checked answer, in the name of `actor`: intent first, and under a
    /// key, so that doing it again after a crash changes nothing.
    pub(super) async fn hand_in(
        &self,
        ctx: &Ctx,
        actor: &Ctx,
        run: &mut RunRow,
        agent: &Agent,
        answer: Answer,
    ) -> Result<Value> {
        let Answer { ordinal, output, activate, confidence, reason } = answer;
        let text = canonical(&json!([output, activate]));
        let key = digest(&[run.id.as_str(), "submit", &run.epoch.to_string(), &text]);
        let is_repeated =
            run.state == RunState::Submitting && run.detail.submission.as_ref() == Some(&key);
        if !is_repeated {
            run.state = RunState::Submitting;
            run.confidence = confidence;
            run.below_threshold =
                rules::is_below(agent.definition.confidence_threshold, confidence);
            run.detail.principal = (*actor.principal).clone();
            run.detail.submission = Some(key.clone());
            run.detail.output = Some(output);
            run.detail.activate = activate;
            run.detail.reason = reason;
            run.detail.error = None;
            let mut step = NewStep::new(
                StepKind::Submission,
                ordinal,
                json!({
                    "output": run.detail.output,
                    "activate": run.detail.activate,
                    "confidence": confidence,
                    "reason": run.detail.reason,
                }),
            );
            step.key = Some(key.clone());
            record::write(&self.db, ctx, run, step, Lease::Held).await?;
        }
        let actor = rules::keyed(actor, "job_complete", key);
        match self.caller.call(&actor, "job_complete", run.completion()).await {
            Ok(instance) => Ok(instance),
            Err(error) if error.code() == REFUSED => {
                run.state = RunState::Refused;
                run.detail.error = Some(error.body().clone());
                let step = record::failure(StepKind::Refused, &error);
                record::write(&self.db, ctx, run, step, Lease::Held).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn stale() -> Error {
    Error::conflict(flowmaster_store::STALE_LEASE, "the work is no longer yours")
        .why("the lease ran out and another client took it, or it is done or cancelled")
        .fix("drop it and claim anew")
        .next("work_claim")
}
