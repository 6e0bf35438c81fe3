//! Jobs for workers and agents: claim with a lease, complete or fail with its epoch.

use std::time::Duration;

use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Activation, Command, PERFORMED_CALL};
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::{WriteSet, jobs};
use serde_json::{Map, Value};

use super::error::ExecutionError;
use super::instance::{Stored, WorkRef};
use super::query::{answering, summary};
use super::service::{Execution, Then};
use super::transition::Settles;
use super::types::{
    Activate, AuthorizeTool, ClaimJobs, ClaimedJob, ClaimedJobs, CompleteJob, FailJob,
    InstanceSummary, ToolAllowed,
};

impl Execution {
    pub(super) async fn claim_jobs(&self, ctx: &Ctx, params: ClaimJobs) -> Result<ClaimedJobs> {
        let claim = jobs::Claim {
            kind: "service",
            owner: &ctx.principal.id,
            lease: Duration::from_secs(params.lease_s.unwrap_or(60).clamp(1, 3_600).into()),
            limit: params.limit.unwrap_or(1).clamp(1, 50) as usize,
        };
        let mut tx = self.db().begin_claim(ctx).await?;
        let claimed = jobs::claim_in(&mut tx, &params.job_type, &claim).await?;
        tx.commit(ClaimedJobs { jobs: claimed.into_iter().map(claimed_job).collect() }).await
    }

    /// Completes a job, or an agent's work, that the caller claimed.
    ///
    /// # Errors
    /// A job that is gone or claimed by somebody else since, or a policy that refuses.
    pub async fn complete_job(&self, ctx: &Ctx, params: CompleteJob) -> Result<InstanceSummary> {
        let work = work_ref(&params.id)?;
        let variables = params.variables.into();
        let command = match params.activate.is_empty() {
            true => Command::CompleteWork { key: work.key, variables },
            false => {
                let activate = params.activate.into_iter().map(activation).collect();
                Command::Perform { key: work.key, activate, variables }
            }
        };
        self.settle(ctx, &work, params.epoch, command).await
    }

    /// Reports that a job could not be done.
    ///
    /// # Errors
    /// A job that is gone or claimed by somebody else since.
    pub async fn fail_job(&self, ctx: &Ctx, params: FailJob) -> Result<InstanceSummary> {
        let work = work_ref(&params.id)?;
        let command = match params.error_code {
            Some(code) => Command::ThrowError {
                key: work.key,
                code,
                message: Some(params.message),
                variables: params.variables.into(),
            },
            None => {
                let stored = self.newest(ctx, &work.instance).await?;
                let left = match stored.instance.wait(work.key).map(|wait| &wait.kind) {
                    Some(WaitKind::Job { retries } | WaitKind::Agent { retries }) => *retries,
                    _ => return Err(ExecutionError::NoWork(params.id).into()),
                };
                Command::FailWork {
                    key: work.key,
                    message: params.message,
                    retries: params.retries.unwrap_or(left.saturating_sub(1)),
                    back_off: params.back_off_s.map(|seconds| i64::from(seconds) * 1_000),
                }
            }
        };
        self.settle(ctx, &work, params.epoch, command).await
    }

    /// Asks the policies whether an agent may call a tool. Allowed or refused, it is in the journal.
    ///
    /// # Errors
    /// `governance_refused`.
    pub async fn authorize_tool(&self, ctx: &Ctx, params: AuthorizeTool) -> Result<ToolAllowed> {
        let work = work_ref(&params.id)?;
        let command = Command::ToolCall {
            key: work.key,
            tool: params.tool,
            arguments: Value::Object(params.arguments),
        };
        let answer = ToolAllowed { allowed: true };
        let also = |_: &Stored| {
            let mut writes = WriteSet::new();
            writes.answer(ctx, &answer)?;
            Ok(writes)
        };
        self.execute(ctx, &work.instance, &command, Then::also(&also)).await?;
        Ok(answer)
    }

    async fn settle(
        &self,
        ctx: &Ctx,
        work: &WorkRef,
        epoch: i64,
        command: Command,
    ) -> Result<InstanceSummary> {
        if epoch < 1 {
            return Err(ExecutionError::NotClaimed.into());
        }
        let published = self.published_of(ctx, &*self.newest(ctx, &work.instance).await?).await?;
        let also = |after: &Stored| answering(ctx, after, &published);
        let then = Then::also(&also).settling(Settles::Job { key: work.key, epoch });
        let after = self.execute(ctx, &work.instance, &command, then).await?;
        Ok(summary(&after, &published))
    }
}

fn work_ref(id: &str) -> Result<WorkRef> {
    id.parse().map_err(|()| ExecutionError::NoWork(id.to_owned()).into())
}

fn activation(activate: Activate) -> Activation {
    let Activate { id, mut variables, call } = activate;
    variables.extend(call.map(|call| (PERFORMED_CALL.to_owned(), Value::from(call))));
    Activation { element: id.as_str().into(), variables: variables.into() }
}

fn claimed_job(job: jobs::Job) -> ClaimedJob {
    let mut payload = match job.payload {
        Value::Object(payload) => payload,
        _ => Map::new(),
    };
    let activities = payload.remove("activities").and_then(|it| serde_json::from_value(it).ok());
    let mut object = |name: &str| match payload.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    ClaimedJob {
        activities: activities.unwrap_or_default(),
        headers: object("headers"),
        variables: object("variables"),
        id: job.id,
        epoch: job.epoch,
        instance: job.instance,
        element: job.element,
        retries: job.retries,
        lease_until: job.lease_until,
    }
}
