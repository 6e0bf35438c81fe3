//! The runs of agents in an instance that is archived go with it: every step that they made.

use std::collections::HashMap;

use flowmaster_kernel::{BoxFuture, Error, Result};
use flowmaster_store::archive::{Belongings, Keeper};
use flowmaster_store::{Session, WriteSet};
use serde_json::Value;

use super::error::AgentsError;
use super::store::runs;
use super::types::{Run, RunState, Step};

/// The most runs of one instance that are archived.
const MAX_RUNS: usize = 10_000;

/// Gives the archive the runs of agents in an instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunKeeper;

impl Keeper for RunKeeper {
    fn room(&self) -> &'static str {
        "agents"
    }

    fn belongings<'a>(
        &'a self,
        session: &'a mut Session,
        instance: &'a str,
    ) -> BoxFuture<'a, Result<Belongings>> {
        Box::pin(gather(session, instance))
    }
}

async fn gather(session: &mut Session, instance: &str) -> Result<Belongings> {
    let found = runs::of_instance(session, instance, MAX_RUNS + 1).await?;
    if found.is_empty() {
        return Ok(Belongings::default());
    }
    if found.len() > MAX_RUNS {
        return Err(AgentsError::TooManyRuns.into());
    }
    // What became of its answer is still to be found out.
    if let Some(run) = found.iter().find(|run| run.state == RunState::Submitting) {
        return Err(AgentsError::Submitting(run.id.to_string()).into());
    }
    let steps = runs::steps_of_instance(session, instance).await?;
    let mut removal = WriteSet::new();
    runs::remove_of_instance(&mut removal, instance, found.len(), steps.len());
    let mut by_run: HashMap<String, Vec<Step>> = HashMap::new();
    for (run, row) in steps {
        by_run.entry(run).or_default().push(row.step);
    }
    let kept = found.into_iter().map(|row| {
        serde_json::to_value(Run {
            run: row.summary(),
            steps: by_run.remove(row.id.as_str()).unwrap_or_default(),
            output: row.detail.output,
            reason: row.detail.reason,
            error: row.detail.error,
        })
    });
    let record: Vec<Value> =
        kept.collect::<Result<_, _>>().map_err(|source| Error::internal("run_encoding", source))?;
    Ok(Belongings { record: Value::Array(record), removal })
}
