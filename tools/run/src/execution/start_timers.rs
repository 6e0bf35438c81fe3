//! Processes that begin by a timer (BPMN 2.0.2 §10.5.2).

use flowmaster_engine::{StartedBy, VariableMap};
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::WriteSet;
use flowmaster_store::timers::{self, Timer};

use super::calls::{Mark, is_final};
use super::messages::{Began, Beginning};
use super::service::Execution;
use crate::processes::StartTimer;

impl Execution {
    /// Starts the process that `timer` begins, once for the moment it was due at, and sets the next
    /// timer of a cycle in the same commit.
    pub(super) async fn start_by_timer(
        &self,
        ctx: &Ctx,
        timer: &Timer,
        start: &StartTimer,
    ) -> Result<()> {
        let now = ctx.now();
        let next = |writes: &mut WriteSet| {
            timers::fired(writes, &timer.id, timer.epoch);
            start.set_next(writes, timer, now);
        };
        let mark = Mark(&next);
        let cause = format!("{}@{}", timer.id, timer.due_at.as_millis());
        let beginning = Beginning {
            process: &start.process,
            element: start.element.clone(),
            by: StartedBy::Timer,
            variables: &VariableMap::new(),
            business_key: None,
        };
        match self.begin(ctx, beginning, &cause, &mark).await {
            Ok(Began::Now(_)) => Ok(()),
            Ok(Began::Before(_)) => mark.alone(self, ctx).await,
            Err(error) if is_final(&error) => {
                // The next of a cycle may begin: a policy can change.
                tracing::warn!(%error, timer = timer.id, "a process did not begin by its timer");
                mark.alone(self, ctx).await
            }
            Err(error) => Err(error),
        }
    }
}
