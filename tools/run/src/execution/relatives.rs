//! The instances around one: those that it called, and those whose call activities wait for it. What
//! stops a called instance stops its callers too, so each incident names them.

use std::collections::HashMap;
use std::sync::Arc;

use flowmaster_engine::Key;
use flowmaster_engine::incident::Incident;
use flowmaster_engine::wait::WaitKind;
use flowmaster_kernel::{Ctx, Result};

use super::instance::{Stored, WorkRef};
use super::service::Execution;
use super::store;
use super::types::{CalledBy, IncidentView};

/// How many calls are followed upwards.
const MAX_CALLERS: usize = 20;
/// How many called instances are read for one answer.
const MAX_CALLED: usize = 200;

/// Reads the instances around others, each once.
pub(super) struct Relatives<'a> {
    execution: &'a Execution,
    ctx: &'a Ctx,
    known: HashMap<Arc<str>, Option<Arc<Stored>>>,
    called_left: usize,
}

impl Execution {
    pub(super) fn relatives<'a>(&'a self, ctx: &'a Ctx) -> Relatives<'a> {
        Relatives { execution: self, ctx, known: HashMap::new(), called_left: MAX_CALLED }
    }
}

impl Relatives<'_> {
    pub(super) async fn find(&mut self, id: &str) -> Result<Option<Arc<Stored>>> {
        if let Some(known) = self.known.get(id) {
            return Ok(known.clone());
        }
        let mut session = self.execution.db().read(self.ctx).await?;
        let found = store::find(&mut session, id).await?.map(Arc::new);
        drop(session);
        self.known.insert(Arc::from(id), found.clone());
        Ok(found)
    }

    /// The call activities that wait for `stored`, the nearest first.
    pub(super) async fn called_by(&mut self, stored: &Stored) -> Result<Vec<CalledBy>> {
        let mut callers = Vec::new();
        let mut caller = stored.instance.caller.clone();
        while let Some(call) = caller.take()
            && callers.len() < MAX_CALLERS
            && let Some(calling) = self.find(&call.instance).await?
            && let Some(wait) = calling.instance.wait(call.key)
        {
            callers.push(CalledBy {
                instance: call.instance.to_string(),
                process: calling.process.to_string(),
                element: wait.element.to_string(),
            });
            caller = calling.instance.caller.clone();
        }
        Ok(callers)
    }

    /// `root` and what it called, at any depth, as far as it is there and is not too much.
    pub(super) async fn with_called(&mut self, root: Arc<Stored>) -> Result<Vec<Arc<Stored>>> {
        let mut all = vec![root];
        let mut next = 0;
        while let Some(stored) = all.get(next).map(Arc::clone) {
            next += 1;
            for (_, wait) in stored.instance.waits() {
                let WaitKind::Child { instance, .. } = &wait.kind else { continue };
                if self.called_left == 0 {
                    return Ok(all);
                }
                self.called_left -= 1;
                all.extend(self.find(instance).await?);
            }
        }
        Ok(all)
    }

    /// Open incidents of an instance.
    pub(super) async fn incidents(
        &mut self,
        stored: &Stored,
        keys: &[Key],
    ) -> Result<Vec<IncidentView>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let called_by = self.called_by(stored).await?;
        let open = stored.instance.incidents().filter(|(key, _)| keys.contains(key));
        let view = |(key, incident): (Key, &Incident)| IncidentView {
            id: WorkRef { instance: stored.instance.id.to_string(), key }.to_string(),
            instance: stored.instance.id.to_string(),
            process: stored.process.to_string(),
            element: incident.element.to_string(),
            kind: incident.kind.as_str().to_owned(),
            message: incident.message.clone(),
            called_by: called_by.clone(),
        };
        Ok(open.map(view).collect())
    }

    /// All open incidents of an instance.
    pub(super) async fn all_incidents(&mut self, stored: &Stored) -> Result<Vec<IncidentView>> {
        let keys: Vec<Key> = stored.instance.incidents().map(|(key, _)| key).collect();
        self.incidents(stored, &keys).await
    }
}
