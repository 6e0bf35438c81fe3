//! The evaluations of an instance that is archived go with it.

use flowmaster_kernel::{BoxFuture, Error, Result};
use flowmaster_store::archive::{Belongings, Keeper};
use flowmaster_store::{Session, WriteSet};

use super::error::EvaluationError;
use super::store;

/// The most evaluations of one instance that are archived.
const MAX_EVALUATIONS: usize = 10_000;

/// Gives the archive what an instance asked of decisions.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvaluationKeeper;

impl Keeper for EvaluationKeeper {
    fn room(&self) -> &'static str {
        "evaluations"
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
    let found = store::of_instance(session, instance, MAX_EVALUATIONS + 1).await?;
    if found.is_empty() {
        return Ok(Belongings::default());
    }
    if found.len() > MAX_EVALUATIONS {
        return Err(EvaluationError::TooMany.into());
    }
    let mut removal = WriteSet::new();
    let changed = EvaluationError::Changed.into();
    store::remove_of_instance(&mut removal, instance, found.len(), changed);
    let record = serde_json::to_value(&found)
        .map_err(|source| Error::internal("evaluation_encoding", source))?;
    Ok(Belongings { record, removal })
}
