//! Looking at instances.

use flowmaster_kernel::{Ctx, Error, Page, PageRequest, ResponseFormat, Result};
use flowmaster_store::Param;

use super::error::ExecutionError;
use super::instance::{Stored, WorkRef};
use super::service::Execution;
use super::types::{
    GetInstance, IncidentView, Incidents, InstancePage, InstanceSummary, InstanceView,
    ListIncidents, SearchInstances, Variables,
};
use super::{store, waiting};
use crate::processes::Published;

impl Execution {
    pub(super) async fn search(&self, ctx: &Ctx, params: SearchInstances) -> Result<InstancePage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let mut conditions: Vec<(&'static str, Param)> = Vec::new();
        if let Some(state) = params.state {
            let known = ["active", "paused", "completed", "cancelled", "failed"];
            if !known.contains(&state.as_str()) {
                return Err(Error::invalid("invalid_state", format!("{state:?} is no state"))
                    .fix(format!("use one of {}", known.join(", "))));
            }
            conditions.push(("state =", state.into()));
        }
        if let Some(process) = params.process {
            conditions.push(("process =", process.into()));
        }
        if let Some(key) = params.business_key {
            conditions.push(("business_key =", key.into()));
        }
        if params.with_incidents {
            conditions.push(("incidents >", 0_i64.into()));
        }
        if let Some(cursor) = params.cursor {
            conditions.push(("id <", cursor.0.into()));
        }
        let rows = store::search(&mut *self.db().read(ctx).await?, &conditions, limit + 1).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let published = self.process_of(ctx, &row).await?;
            found.push(summary(&row, &published));
        }
        Ok(Page::from_overfetched(found, limit, |instance| instance.id.clone()))
    }

    /// Reads an instance by its id or business key.
    ///
    /// # Errors
    /// `instance_not_found`.
    pub async fn get(&self, ctx: &Ctx, params: GetInstance) -> Result<InstanceView> {
        let stored = match self.stored(ctx, &params.id).await {
            Ok(stored) => stored,
            Err(not_found) => {
                let by_key = [("business_key =", Param::from(params.id.as_str()))];
                let mut session = self.db().read(ctx).await?;
                let newest = store::search(&mut session, &by_key, 1).await?.into_iter().next();
                newest.map(std::sync::Arc::new).ok_or(not_found)?
            }
        };
        let published = self.process_of(ctx, &stored).await?;
        let process = published.definition.process();
        let detailed = params.response_format == ResponseFormat::Detailed;
        Ok(InstanceView {
            summary: summary(&stored, &published),
            started_by: stored.instance.starter.as_ref().map(|starter| starter.id.clone()),
            variables: detailed.then(|| variables(stored.instance.variables())),
            waits: detailed.then(|| waiting::waits(&stored, process)),
            open_incidents: incidents(&stored),
        })
    }

    pub(super) async fn incidents(&self, ctx: &Ctx, params: ListIncidents) -> Result<Incidents> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let mut conditions: Vec<(&'static str, Param)> = vec![("incidents >", 0_i64.into())];
        if let Some(process) = params.process {
            conditions.push(("process =", process.into()));
        }
        if let Some(cursor) = params.cursor {
            conditions.push(("id <", cursor.0.into()));
        }
        let rows = store::search(&mut *self.db().read(ctx).await?, &conditions, limit + 1).await?;
        let page = Page::from_overfetched(rows, limit, |row| row.instance.id.to_string());
        Ok(Incidents {
            items: page.items.iter().flat_map(incidents).collect(),
            next_cursor: page.next_cursor,
        })
    }

    async fn process_of(&self, ctx: &Ctx, stored: &Stored) -> Result<std::sync::Arc<Published>> {
        self.processes().published(ctx, &stored.process, Some(stored.process_version)).await
    }

    /// The id of the instance that `text` names, by id or business key.
    ///
    /// # Errors
    /// `instance_not_found`.
    pub async fn resolve(&self, ctx: &Ctx, text: &str) -> Result<String> {
        let params = GetInstance { id: text.to_owned(), response_format: ResponseFormat::Concise };
        match self.get(ctx, params).await {
            Ok(view) => Ok(view.summary.id),
            Err(_) => Err(ExecutionError::NotFound(text.to_owned()).into()),
        }
    }
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
        waiting_for: waiting::waits(stored, process).into_iter().map(|wait| wait.waiting_for).collect(),
        incidents: instance.incidents().count(),
        started_at: stored.started_at,
        ended_at: stored.ended_at,
        result: (instance.state == flowmaster_engine::InstanceState::Completed)
            .then(|| result(stored, published)),
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

fn incidents(stored: &Stored) -> Vec<IncidentView> {
    stored
        .instance
        .incidents()
        .map(|(key, incident)| IncidentView {
            id: WorkRef { instance: stored.instance.id.to_string(), key }.to_string(),
            instance: stored.instance.id.to_string(),
            element: incident.element.to_string(),
            kind: incident.kind.as_str().to_owned(),
            message: incident.message.clone(),
        })
        .collect()
}

fn variables(map: &flowmaster_engine::VariableMap) -> Variables {
    map.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}
