//! Activating what is in an ad-hoc sub-process.

use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Command, Key};
use flowmaster_kernel::{Ctx, Result};

use super::error::ExecutionError;
use super::instance::WorkRef;
use super::service::Execution;
use super::types::{ActivateElements, InstanceSummary};

impl Execution {
    pub(super) async fn activate(
        &self,
        ctx: &Ctx,
        params: ActivateElements,
    ) -> Result<InstanceSummary> {
        let key = match &params.wait {
            Some(wait) => named(&params.id, wait)?,
            None => self.activation_wait(ctx, &params).await?,
        };
        let elements = params.elements.iter().map(|id| id.as_str().into()).collect();
        let variables = params.variables.into();
        let command = Command::SelectActivities { key, elements, variables };
        self.command(ctx, &params.id, command).await
    }

    /// The one wait of the sub-process that the elements lie in.
    async fn activation_wait(&self, ctx: &Ctx, params: &ActivateElements) -> Result<Key> {
        let stored = self.stored(ctx, &params.id).await?;
        let published = self.published_of(ctx, &stored).await?;
        let process = published.definition.process();
        let around = params.elements.first().and_then(|id| process.around(id));
        let mut waits = stored.instance.waits().filter(|(_, wait)| {
            matches!(wait.kind, WaitKind::Activation { .. })
                && around.is_some_and(|around| around.id == wait.element)
        });
        match (waits.next(), waits.next()) {
            (Some((key, _)), None) => Ok(key),
            (None, _) => Err(ExecutionError::NothingToActivate.into()),
            (Some(_), Some(_)) => {
                Err(ExecutionError::Choice("the sub-process waits more than once: name the wait")
                    .into())
            }
        }
    }
}

fn named(instance: &str, wait: &str) -> Result<Key> {
    let parsed: Option<WorkRef> = wait.parse().ok();
    let own = parsed.filter(|wait| wait.instance == instance);
    Ok(own.ok_or_else(|| ExecutionError::NoWork(wait.to_owned()))?.key)
}
