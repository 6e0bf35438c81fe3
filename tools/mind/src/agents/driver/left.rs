//! Runs whose process died between handing the answer in and noting that it was taken. Handing it
//! in again under the same key tells what became of it, and changes nothing.

use flowmaster_kernel::{Error, Result};
use flowmaster_store::jobs;
use serde_json::Value;

use super::Driver;
use crate::agents::record::{self, Lease};
use crate::agents::rules;
use crate::agents::store::runs::{self, NewStep, RunRow};
use crate::agents::types::{RunState, StepKind};

/// How long handing in may take before somebody looks, in milliseconds.
const LOOK_AFTER: i64 = 300_000;

impl Driver {
    /// Brings runs that were left while their answer was handed in to their end.
    ///
    /// # Errors
    /// What the store reports while looking.
    pub async fn settle_left(&self) -> Result<()> {
        let before = self.clock.now().plus_millis(-LOOK_AFTER);
        let left = {
            let mut system = self.agents.db.read_system().await?;
            runs::left_submitting(&mut system, before).await?
        };
        for (tenant, id) in left {
            let ctx = self.ctx(&tenant);
            let (run, job) = {
                let mut session = self.agents.db.read(&ctx).await?;
                let Some(run) = runs::find(&mut session, id.as_str()).await? else { continue };
                let job = jobs::find(&mut session, &run.job).await?;
                (run, job)
            };
            // A job that is still there was not completed: whoever claims it next goes on.
            if job.is_none()
                && let Err(error) = self.settle(&ctx, run).await
            {
                tracing::warn!(%error, run = id.as_str(), "a run could not be settled");
            }
        }
        Ok(())
    }

    async fn settle(&self, ctx: &flowmaster_kernel::Ctx, mut run: RunRow) -> Result<()> {
        let Some(key) = run.detail.submission.clone() else {
            return Err(Error::internal("submission_missing", "a run submits nothing"));
        };
        let arguments = run.completion();
        let actor = rules::on_behalf(ctx, run.detail.principal.clone(), "execution:write");
        let actor = rules::keyed(&actor, "job_complete", key);
        let step = match self.agents.caller.call(&actor, "job_complete", arguments).await {
            Ok(_) => {
                run.state = RunState::Completed;
                NewStep::new(StepKind::Completed, 0, Value::Null)
            }
            Err(error) if error.body().retryable => return Err(error),
            Err(error) => {
                run.state = RunState::Failed;
                run.detail.error = Some(error.body().clone());
                record::failure(StepKind::Failed, &error)
            }
        };
        record::write(&self.agents.db, ctx, &mut run, step, Lease::Over).await
    }
}
