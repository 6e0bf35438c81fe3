//! What the people wing needs: completing and rejecting human tasks, and who may not do them.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_engine::command::ChildOutcome;
use flowmaster_engine::governance::excluded_actors;
use flowmaster_engine::{Command, Event, VariableMap, refusal};
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::WriteSet;

use super::error::ExecutionError;
use super::instance::{Stored, WorkRef};
use super::service::{Execution, Then};
use super::transition::Settles;
use super::types::Variables;

/// How many calls a rejection goes up at most.
const MAX_CALLERS: usize = 100;

impl Execution {
    /// Completes the human task at `work`, with whatever the caller writes in the same commit. A
    /// completion that the policies send on is kept as a proposal: the task is open then in the state
    /// that the caller sees, and the refusal is still the answer.
    ///
    /// # Errors
    /// A task that is gone, or a policy that refuses.
    pub async fn complete_human_task(
        &self,
        ctx: &Ctx,
        work: &WorkRef,
        variables: Variables,
        also: &(dyn Fn(&Stored) -> Result<WriteSet> + Send + Sync),
    ) -> Result<Arc<Stored>> {
        let command = Command::CompleteWork { key: work.key, variables: variables.into() };
        let then = Then::also(also).settling(Settles::HumanTask(work.key));
        self.execute(ctx, &work.instance, &command, then).await
    }

    /// Ends the human task at `work` with a BPMN error, with whatever the caller writes in the same
    /// commit.
    ///
    /// # Errors
    /// `rejection_not_modelled` where neither the process nor one that called it catches the code;
    /// a task that is gone.
    pub async fn reject_human_task(
        &self,
        ctx: &Ctx,
        work: &WorkRef,
        code: &str,
        reason: &str,
        also: &(dyn Fn(&Stored) -> Result<WriteSet> + Send + Sync),
    ) -> Result<Arc<Stored>> {
        let command = Command::ThrowError {
            key: work.key,
            code: code.to_owned(),
            message: Some(reason.to_owned()),
            variables: VariableMap::new(),
        };
        // Who catches is a matter of the models and of where the task stands, which cannot change
        // while it is open.
        if !self.is_caught(ctx, &work.instance, &command, code).await? {
            return Err(ExecutionError::RejectionNotModelled(code.to_owned()).into());
        }
        let then = Then::also(also).settling(Settles::HumanTask(work.key));
        self.execute(ctx, &work.instance, &command, then).await
    }

    /// Whether the error that `command` throws in an instance is caught there or by a caller.
    async fn is_caught(
        &self,
        ctx: &Ctx,
        instance: &str,
        command: &Command,
        code: &str,
    ) -> Result<bool> {
        let (mut id, mut command) = (Arc::<str>::from(instance), command.clone());
        for _ in 0..MAX_CALLERS {
            let stored = self.stored(ctx, &id).await?;
            let decided = self.foresee(ctx, &stored, command).await?;
            if refusal(&decided.events).is_some() {
                // Who tries it is told so.
                return Ok(true);
            }
            let caught = decided.events.iter().find_map(|event| match event {
                Event::ErrorThrown { code: thrown, caught_by, .. } if thrown == code => {
                    Some(caught_by.is_some())
                }
                _ => None,
            });
            let Some(caller) = stored.instance.caller.clone() else {
                return Ok(caught == Some(true));
            };
            if caught == Some(true) {
                return Ok(true);
            }
            let outcome = ChildOutcome::Failed {
                code: code.to_owned(),
                message: None,
                variables: VariableMap::new(),
            };
            id = caller.instance;
            command = Command::ChildEnded { key: caller.key, outcome };
        }
        Ok(false)
    }

    /// The persons who may not complete the human task at `work` as things are now, because four
    /// eyes are needed and theirs were the first.
    ///
    /// # Errors
    /// What the store reports. A task that is gone excludes nobody.
    pub async fn excluded_from(&self, ctx: &Ctx, work: &WorkRef) -> Result<BTreeSet<String>> {
        let stored = self.stored(ctx, &work.instance).await?;
        let Some(wait) = stored.instance.wait(work.key) else { return Ok(BTreeSet::new()) };
        let published = self.published_of(ctx, &stored).await?;
        Ok(excluded_actors(&published.definition, &stored.instance, &wait.element))
    }
}
