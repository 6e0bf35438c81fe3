//! From what a decision was asked and answered to a row.

use flowmaster_engine::evaluation::Evaluation;
use flowmaster_kernel::{Error, Result};
use flowmaster_store::WriteSet;
use serde::Serialize;

use super::store::{self, NewEvaluation};
use crate::record::Committed;

/// The largest inputs, and the largest value, that are kept: in bytes of JSON.
const MAX_BYTES: usize = 64 * 1024;
/// The longest error, in characters.
const MAX_ERROR: usize = 1_000;

/// Adds a row for each of `evaluations` to what is written with the step.
///
/// # Errors
/// Data that JSON cannot hold.
pub fn append(
    writes: &mut WriteSet,
    step: &Committed<'_>,
    evaluations: &[Evaluation],
) -> Result<()> {
    for evaluation in evaluations {
        // One that belongs to no file was refused before it was asked anything.
        let Some(pin) = step.published.rule_of(&evaluation.decision) else { continue };
        let (value, error) = match &evaluation.outcome {
            Ok(value) => (kept(value)?, None),
            Err(error) => (None, Some(error.to_string().chars().take(MAX_ERROR).collect())),
        };
        let new = NewEvaluation {
            id: step.ctx.fresh_id(),
            at: step.ctx.now(),
            decision: &evaluation.decision,
            pin,
            process: &step.published.id,
            process_version: step.published.version,
            instance: &step.before.id,
            element: &evaluation.element,
            inputs: kept(&evaluation.inputs)?,
            value,
            error,
        };
        store::add(writes, &new);
    }
    Ok(())
}

/// As JSON, unless it is too large to be kept.
fn kept(data: &impl Serialize) -> Result<Option<String>> {
    let text = serde_json::to_string(data)
        .map_err(|source| Error::internal("evaluation_encoding", source))?;
    Ok(Some(text).filter(|text| text.len() <= MAX_BYTES))
}
