//! Starting instances, and waiting for their end.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_engine::{Command, StartedBy};
use flowmaster_kernel::{Ctx, Id, Result};
use tokio::sync::Notify;

use super::error::ExecutionError;
use super::instance::{InstanceKind, Stored};
use super::messages::check_length;
use super::query::{answering, summary};
use super::service::Execution;
use super::types::{InstanceSummary, StartProcess};
use crate::processes::Published;

/// How long a wait for the end goes without a look at the store: another node may have ended it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest wait for an end.
const MAX_WAIT_S: u8 = 25;

/// What is left of the caller's time to give the answer.
const ANSWER_MILLIS: i64 = 500;

impl Execution {
    /// Starts an instance, and waits for its end as long as the caller likes.
    ///
    /// # Errors
    /// An unknown process, variables that do not fit its contract, or a policy that refuses.
    pub async fn start(&self, ctx: &Ctx, params: StartProcess) -> Result<InstanceSummary> {
        let published = self.processes().published(ctx, &params.process, params.version).await?;
        self.start_published(ctx, &published, params).await
    }

    /// As [`Execution::start`], of a version at hand.
    ///
    /// # Errors
    /// As [`Execution::start`].
    pub async fn start_published(
        &self,
        ctx: &Ctx,
        published: &Arc<Published>,
        params: StartProcess,
    ) -> Result<InstanceSummary> {
        check_length("the business key", params.business_key.as_deref().unwrap_or_default())?;
        let variables =
            published.check_input(params.variables).map_err(ExecutionError::Variables)?;
        let id: Id<InstanceKind> = ctx.fresh_id();
        let command = Command::Start {
            variables: variables.into(),
            business_key: params.business_key,
            at: None,
            by: StartedBy::Command,
            caller: None,
        };
        let also = |after: &Stored| answering(ctx, after, published);
        let started = self.start_instance(ctx, published, id.to_string(), command, also).await?;
        match params.wait_s {
            None | Some(0) => Ok(summary(&started, published)),
            Some(seconds) => {
                let ended = self.wait_for_end(ctx, started, seconds).await?;
                Ok(summary(&ended, published))
            }
        }
    }

    /// The answer of a start that was done before: the instance when it ended, or as it is after
    /// the wait that the caller asks for. Without a wait it is what was answered then.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn started(
        &self,
        ctx: &Ctx,
        params: StartProcess,
        recorded: InstanceSummary,
    ) -> Result<InstanceSummary> {
        let Some(seconds @ 1..) = params.wait_s else { return Ok(recorded) };
        let (started, _) = self.stored_or_archived(ctx, &recorded.id).await?;
        let ended = self.wait_for_end(ctx, started, seconds).await?;
        Ok(summary(&ended, &*self.published_of(ctx, &ended).await?))
    }

    /// The instance when it ended, or as it is after so many seconds.
    async fn wait_for_end(
        &self,
        ctx: &Ctx,
        started: Arc<Stored>,
        seconds: u8,
    ) -> Result<Arc<Stored>> {
        let patience = Duration::from_secs(seconds.min(MAX_WAIT_S).into()).min(time_left(ctx));
        let give_up = tokio::time::Instant::now() + patience;
        let key = (ctx.tenant.clone(), Arc::clone(&started.instance.id));
        let mut current = started;
        // Whether it was started is known by now: a deadline must not turn that into an error.
        let patient = Ctx { deadline: None, ..ctx.clone() };
        while !current.instance.state.is_ended() {
            let end = Arc::clone(
                self.ends.lock().entry(key.clone()).or_insert_with(|| Arc::new(Notify::new())),
            );
            let told = end.notified();
            tokio::pin!(told);
            // Listening before looking: an end between the two is not missed.
            told.as_mut().enable();
            current = self.stored(&patient, &key.1).await?;
            let now = tokio::time::Instant::now();
            if current.instance.state.is_ended() || now >= give_up {
                break;
            }
            let _ = tokio::time::timeout_at(give_up.min(now + LOOK_EVERY), told).await;
        }
        let mut ends = self.ends.lock();
        if ends.get(&key).is_some_and(|end| Arc::strong_count(end) == 1) {
            ends.remove(&key);
        }
        Ok(current)
    }
}

/// How long the caller listens: the instance runs in any case, so the answer must not come too late.
fn time_left(ctx: &Ctx) -> Duration {
    let Some(deadline) = ctx.deadline else { return Duration::MAX };
    let left = deadline.as_millis().saturating_sub(ctx.now().as_millis()) - ANSWER_MILLIS;
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}
