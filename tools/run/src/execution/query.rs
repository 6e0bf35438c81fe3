//! Reading an instance.

use std::sync::Arc;

use flowmaster_engine::instance::ElementInstance;
use flowmaster_engine::{InstanceState, Key, VariableMap};
use flowmaster_kernel::{Ctx, ErrorKind, ResponseFormat, Result};
use flowmaster_store::WriteSet;

use super::archive::Record;
use super::instance::Stored;
use super::service::Execution;
use super::store::{self, Filter};
use super::types::{ElementView, GetInstance, InstanceSummary, InstanceView, Variables};
use super::waiting;
use crate::processes::Published;

impl Execution {
    /// Reads an instance by its id or business key.
    ///
    /// # Errors
    /// `instance_not_found`.
    pub async fn get(&self, ctx: &Ctx, params: GetInstance) -> Result<InstanceView> {
        let (stored, record) = match self.stored_or_archived(ctx, &params.id).await {
            Err(not_found) if not_found.kind() == ErrorKind::NotFound => {
                self.of_key(ctx, params.id).await?.ok_or(not_found)?
            }
            found => found?,
        };
        let published = self.published_of(ctx, &stored).await?;
        let detailed = params.response_format == ResponseFormat::Detailed;
        let mut relatives = self.relatives(ctx);
        let mut open_incidents = relatives.all_incidents(&stored).await?;
        let waits = match detailed {
            true => Some(self.waits(ctx, &stored, &published, &mut relatives).await?),
            false => None,
        };
        let called = waits.iter().flatten().filter_map(|wait| wait.called.as_ref());
        open_incidents.extend(called.flat_map(|called| called.incidents.clone()));
        Ok(InstanceView {
            summary: summary(&stored, &published),
            archived_at: record.map(|record| record.archived_at),
            started_by: stored.instance.starter.as_ref().map(|starter| starter.id.clone()),
            variables: detailed.then(|| variables(stored.instance.variables())),
            called_by: relatives.called_by(&stored).await?,
            elements: detailed.then(|| elements(&stored)),
            waits,
            open_incidents,
        })
    }
}

impl Execution {
    /// The newest instance with the business key, or the archived one that ended last.
    async fn of_key(
        &self,
        ctx: &Ctx,
        key: String,
    ) -> Result<Option<(Arc<Stored>, Option<Record>)>> {
        let by_key = Filter { business_key: Some(key.clone()), ..Filter::default() };
        let newest = store::search(&mut *self.db().read(ctx).await?, &by_key, 1).await?;
        if let Some(newest) = newest.into_iter().next() {
            return Ok(Some((Arc::new(newest), None)));
        }
        let record = self.archived_by_key(ctx, &key).await?;
        Ok(record.map(|record| (Arc::new(record.stored()), Some(record))))
    }
}

/// Records the answer of a command under the key of the call, if there is one.
pub(super) fn answering(ctx: &Ctx, after: &Stored, published: &Published) -> Result<WriteSet> {
    let mut writes = WriteSet::new();
    if ctx.idempotency.is_some() {
        writes.answer(ctx, &summary(after, published))?;
    }
    Ok(writes)
}

/// The summary of an instance.
pub(super) fn summary(stored: &Stored, published: &Published) -> InstanceSummary {
    let process = published.definition.process();
    let instance = &stored.instance;
    InstanceSummary {
        id: instance.id.to_string(),
        process: stored.process.to_string(),
        process_version: stored.process_version,
        state: store::state_name(instance).to_owned(),
        business_key: instance.business_key.clone(),
        waiting_for: waiting::sentences(stored, process),
        incidents: instance.incidents().count(),
        started_at: stored.started_at,
        ended_at: stored.ended_at,
        result: (instance.state == InstanceState::Completed).then(|| result(stored, published)),
    }
}

/// The result of a completed instance, as its contract says.
fn result(stored: &Stored, published: &Published) -> Variables {
    let all = variables(stored.instance.variables());
    let wanted = &published.definition.process().contract.result;
    if wanted.is_empty() {
        return all;
    }
    all.into_iter().filter(|(name, _)| wanted.contains(name)).collect()
}

/// The elements that run, the oldest first.
fn elements(stored: &Stored) -> Vec<ElementView> {
    let running = stored.instance.elements();
    let view = |(key, it): (Key, &ElementInstance)| ElementView {
        key: key.0,
        element: it.element.to_string(),
        within: (it.scope != Key::PROCESS).then_some(it.scope.0),
        repetition: it.index.map(|index| index + 1),
        variables: variables(&it.variables),
    };
    running.map(view).collect()
}

fn variables(map: &VariableMap) -> Variables {
    map.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}
