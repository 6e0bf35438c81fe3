//! Writing down what a run does: the step, the run, and the lease of its job, in one commit.
//!
//! Invariant: a step under way is written only by whoever holds the job, because prolonging the
//! lease with an old epoch refuses the whole write.

use std::time::Duration;

use flowmaster_kernel::{Ctx, Error, Result};
use flowmaster_store::{Db, WriteSet, jobs};
use serde::Serialize;
use serde_json::{Value, json};

use super::store::runs::{self, NewStep, RunRow};
use super::types::{RunState, StepKind};

/// The largest payload of a step that has to be read again, in bytes.
pub(super) const MAX_PAYLOAD: usize = 256 * 1024;

/// Whether the job is still there to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// It is, and the step prolongs its lease.
    Held,
    /// It is done, failed, or given back.
    Over,
}

/// Writes `step` of `run`, which is as it shall be after the step but for its count of steps.
pub(super) async fn write(
    db: &Db,
    ctx: &Ctx,
    run: &mut RunRow,
    step: NewStep,
    lease: Lease,
) -> Result<()> {
    let writes = writes(ctx, run, step, lease)?;
    db.submit(ctx, writes).await
}

/// As [`write`], with the answer of the call.
pub(super) async fn answer<T: Serialize>(
    db: &Db,
    ctx: &Ctx,
    run: &mut RunRow,
    step: NewStep,
    lease: Lease,
    answer: T,
) -> Result<T> {
    let mut writes = writes(ctx, run, step, lease)?;
    writes.answer(ctx, &answer)?;
    db.submit(ctx, writes).await?;
    Ok(answer)
}

fn writes(ctx: &Ctx, run: &mut RunRow, mut step: NewStep, lease: Lease) -> Result<WriteSet> {
    let now = ctx.now();
    run.steps += 1;
    run.updated_at = now;
    run.tokens_in = run.tokens_in.saturating_add(step.tokens.0);
    run.tokens_out = run.tokens_out.saturating_add(step.tokens.1);
    let is_done = run.state.is_over() || (run.state == RunState::Refused && lease == Lease::Over);
    run.ended_at = is_done.then_some(now);
    step.payload = capped(step.payload);
    let mut writes = WriteSet::new();
    if lease == Lease::Held {
        let length = Duration::from_millis(u64::try_from(run.lease_ms).unwrap_or(0));
        jobs::extend(&mut writes, &run.job, run.epoch, length, now);
    }
    runs::update(&mut writes, run)?;
    runs::add_step(&mut writes, run, &step, now);
    Ok(writes.finishing())
}

/// A step of a refused, failed or given-up run.
pub(super) fn failure(kind: StepKind, error: &Error) -> NewStep {
    NewStep::new(kind, 0, json!({ "error": error.body() }))
}

/// Holds a payload at its size, and says so. Whatever is fed to a run again is made to fit before.
fn capped(payload: Value) -> Value {
    let bytes = payload.to_string().len();
    if bytes <= MAX_PAYLOAD { payload } else { json!({ "too_large": true, "bytes": bytes }) }
}
