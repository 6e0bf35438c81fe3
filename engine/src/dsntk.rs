//! Calls into the `dsntk` crates, which read and evaluate FEEL and DMN.
//!
//! They recurse as deep as an expression is long, and panic on some models that are valid as XML: a
//! call runs on a stack that is deep enough, and a panic is an error of the call.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A defect in those crates that an input met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the evaluator failed: {0}")]
pub(crate) struct Defect(String);

/// Runs `work` where at least `stack` bytes of stack are left, on a new stack if need be.
pub(crate) fn call<T>(stack: usize, work: impl FnOnce() -> T) -> Result<T, Defect> {
    // What `work` borrows is read alone: evaluators keep no state between calls.
    let work = AssertUnwindSafe(work);
    stacker::maybe_grow(stack, stack, || catch_unwind(work)).map_err(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Defect(what.unwrap_or("for an unknown reason").to_owned())
    })
}
