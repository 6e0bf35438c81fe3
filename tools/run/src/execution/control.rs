//! Control of an instance as a whole: hold, resume, cancel, retry.

use flowmaster_engine::{Command, Key, VariableMap};
use flowmaster_kernel::{Ctx, Result};

use super::error::ExecutionError;
use super::instance::Stored;
use super::query::{answering, summary};
use super::service::{Execution, Then};
use super::types::{ControlAction, ControlInstance, InstanceSummary};

impl Execution {
    pub(super) async fn control(
        &self,
        ctx: &Ctx,
        params: ControlInstance,
    ) -> Result<InstanceSummary> {
        let command = match params.action {
            ControlAction::Pause => Command::Pause,
            ControlAction::Resume => Command::Resume,
            ControlAction::Cancel => Command::Cancel { reason: params.reason },
            ControlAction::Retry => return self.retry(ctx, &params.id).await,
        };
        self.command(ctx, &params.id, command).await
    }

    /// Resolves every open incident of an instance.
    async fn retry(&self, ctx: &Ctx, id: &str) -> Result<InstanceSummary> {
        let stored = self.stored(ctx, id).await?;
        let keys: Vec<Key> = stored.instance.incidents().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return Err(ExecutionError::Choice("the instance has no open incident to retry").into());
        }
        let variables = VariableMap::new();
        self.command(ctx, id, Command::ResolveIncidents { keys, variables }).await
    }

    /// Sends a command whose answer is the instance after it.
    pub(super) async fn command(
        &self,
        ctx: &Ctx,
        id: &str,
        command: Command,
    ) -> Result<InstanceSummary> {
        let published = self.published_of(ctx, &*self.newest(ctx, id).await?).await?;
        let also = |after: &Stored| answering(ctx, after, &published);
        let after = self.execute(ctx, id, &command, Then::also(&also)).await?;
        Ok(summary(&after, &published))
    }
}
