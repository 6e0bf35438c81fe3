//! Operating instances: hold, resume, cancel, retry, modify, resolve.

use flowmaster_engine::{Command, Key};
use flowmaster_kernel::{Ctx, Result};

use super::error::ExecutionError;
use super::instance::{Stored, WorkRef};
use super::messages::unkeyed;
use super::query::{answering, summary};
use super::service::{Execution, Then};
use super::types::{
    ControlAction, ControlInstance, InstanceSummary, ModifyInstance, ResolveIncident,
};

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

    pub(super) async fn modify(
        &self,
        ctx: &Ctx,
        params: ModifyInstance,
    ) -> Result<InstanceSummary> {
        let command = match (params.activate, params.terminate) {
            (None, None) if params.variables.is_empty() => {
                return Err(ExecutionError::Choice(
                    "say what to change: variables, activate or terminate",
                )
                .into());
            }
            (None, None) => {
                Command::SetVariables { scope: Key::PROCESS, variables: params.variables.into() }
            }
            (Some(element), None) => Command::ActivateElement {
                element: element.into(),
                scope: None,
                variables: params.variables.into(),
            },
            (None, Some(_)) if !params.variables.is_empty() => {
                return Err(ExecutionError::Choice("terminate and variables are two calls").into());
            }
            (None, Some(element)) => {
                let stored = self.stored(ctx, &params.id).await?;
                let running = stored.instance.elements().find(|(_, it)| *it.element == *element);
                let Some((key, _)) = running else {
                    return Err(
                        ExecutionError::Choice("the element to terminate is not running").into()
                    );
                };
                Command::TerminateElement { key }
            }
            (Some(_), Some(_)) => {
                return Err(ExecutionError::Choice("activate and terminate are two calls").into());
            }
        };
        self.command(ctx, &params.id, command).await
    }

    pub(super) async fn resolve_incident(
        &self,
        ctx: &Ctx,
        params: ResolveIncident,
    ) -> Result<InstanceSummary> {
        let unknown = || ExecutionError::NoIncident(params.id.clone());
        let incident: WorkRef = params.id.parse().map_err(|()| unknown())?;
        let command =
            Command::ResolveIncident { key: incident.key, variables: params.variables.into() };
        match self.command(ctx, &incident.instance, command).await {
            Err(error) if error.code() == "not_waiting" => Err(unknown().into()),
            other => other,
        }
    }

    /// Resolves every open incident of an instance, one transition each.
    async fn retry(&self, ctx: &Ctx, id: &str) -> Result<InstanceSummary> {
        let stored = self.stored(ctx, id).await?;
        let keys: Vec<Key> = stored.instance.incidents().map(|(key, _)| key).collect();
        let Some((last, others)) = keys.split_last() else {
            return Err(ExecutionError::Choice("the instance has no open incident to retry").into());
        };
        // The key of the call belongs to the last transition: until then it is not done.
        let step = unkeyed(ctx);
        for key in others {
            let command = Command::ResolveIncident { key: *key, variables: Default::default() };
            self.command(&step, id, command).await?;
        }
        let command = Command::ResolveIncident { key: *last, variables: Default::default() };
        self.command(ctx, id, command).await
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
