//! Running a verb until it is done or its time is over, and surviving its defects.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use flowmaster_kernel::{BoxFuture, Ctx, Error, ErrorKind, Result};
use futures::FutureExt as _;
use serde_json::Value;
use tracing::Instrument as _;

use super::Limits;

/// Runs a read. It ends with its caller and with its time: nobody misses what it did not answer.
pub(super) async fn read(
    limits: &Limits,
    mut ctx: Ctx,
    work: impl FnOnce(Ctx) -> BoxFuture<'static, Result<Value>>,
) -> Result<Value> {
    let left = set_deadline(limits, &mut ctx)?;
    let work = AssertUnwindSafe(work(ctx)).catch_unwind();
    match tokio::time::timeout(left, work).await {
        Ok(result) => result.unwrap_or_else(|panic| Err(broken(&*panic))),
        Err(_elapsed) => {
            Err(Error::new(ErrorKind::Timeout, "deadline_exceeded", "the call took too long")
                .why(format!("it was not done after {} ms", left.as_millis()))
                .fix("ask for less at once"))
        }
    }
}

/// Runs a write, on a task of its own: it goes on when its caller is gone or its time is over.
pub(super) async fn write(
    limits: &Limits,
    mut ctx: Ctx,
    work: impl FnOnce(Ctx) -> BoxFuture<'static, Result<Value>>,
) -> Result<Value> {
    let left = set_deadline(limits, &mut ctx)?;
    let work = AssertUnwindSafe(work(ctx)).catch_unwind();
    let mut task = tokio::spawn(work.instrument(tracing::Span::current()));
    match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(result)) => result.unwrap_or_else(|panic| Err(broken(&*panic))),
        Ok(Err(stopped)) => Err(Error::internal("verb_stopped", stopped)),
        Err(_elapsed) => Err(Error::new(
            ErrorKind::OutcomeUnknown,
            "outcome_unknown",
            "the write was not done in time and goes on",
        )
        .why(format!("it was not done after {} ms", left.as_millis()))
        .fix("call again with the same idempotency_key to learn the outcome")),
    }
}

/// Gives the call a deadline if its caller set none; says how much time is left.
fn set_deadline(limits: &Limits, ctx: &mut Ctx) -> Result<Duration> {
    let now = ctx.now();
    let longest = i64::try_from(limits.deadline.as_millis()).unwrap_or(i64::MAX);
    let deadline = ctx.deadline.unwrap_or_else(|| now.plus_millis(longest));
    ctx.deadline = Some(deadline);
    ctx.check_deadline()?;
    let left = deadline.as_millis().saturating_sub(now.as_millis());
    Ok(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// The error of a verb that panicked.
fn broken(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let what = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal("verb_panicked", what.unwrap_or("without a message"))
}
