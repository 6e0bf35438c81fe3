//! Looking at instances.

use std::sync::Arc;

use flowmaster_kernel::{
    Ctx, Cursor, Error, ErrorKind, Page, PageRequest, ResponseFormat, Result, Timestamp,
};
use flowmaster_store::WriteSet;

use super::instance::{Stored, WorkRef};
use super::service::Execution;
use super::store::{self, Filter};
use super::types::{
    GetInstance, IncidentView, Incidents, InstancePage, InstanceSummary, InstanceView,
    ListIncidents, SearchInstances, Variables,
};
use super::waiting;
use crate::processes::Published;

/// What lists can be filtered by.
const STATES: [&str; 5] = ["active", "paused", "completed", "cancelled", "failed"];

impl Execution {
    pub(super) async fn search(&self, ctx: &Ctx, params: SearchInstances) -> Result<InstancePage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        if let Some(state) = &params.state
            && !STATES.contains(&state.as_str())
        {
            return Err(Error::invalid("invalid_state", format!("{state:?} is no state"))
                .fix(format!("use one of {}", STATES.join(", "))));
        }
        let filter = Filter {
            process: params.process,
            state: params.state,
            business_key: params.business_key,
            with_incidents: params.with_incidents,
            started_from: params.started_from,
            started_before: params.started_before,
            after: place(params.cursor)?,
        };
        let rows = store::search(&mut *self.db().read(ctx).await?, &filter, limit + 1).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let published = self.published_of(ctx, &row).await?;
            found.push(summary(&row, &published));
        }
        Ok(Page::from_overfetched(found, limit, |found| cursor(found.started_at, &found.id)))
    }

    /// Reads an instance by its id or business key.
    ///
    /// # Errors
    /// `instance_not_found`.
    pub async fn get(&self, ctx: &Ctx, params: GetInstance) -> Result<InstanceView> {
        let stored = match self.stored(ctx, &params.id).await {
            Ok(stored) => stored,
            Err(not_found) if not_found.kind() == ErrorKind::NotFound => {
                let by_key = Filter { business_key: Some(params.id), ..Filter::default() };
                let mut session = self.db().read(ctx).await?;
                let newest = store::search(&mut session, &by_key, 1).await?.into_iter().next();
                newest.map(Arc::new).ok_or(not_found)?
            }
            Err(error) => return Err(error),
        };
        let published = self.published_of(ctx, &stored).await?;
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
        let filter = Filter {
            process: params.process,
            with_incidents: true,
            after: place(params.cursor)?,
            ..Filter::default()
        };
        let rows = store::search(&mut *self.db().read(ctx).await?, &filter, limit + 1).await?;
        let page =
            Page::from_overfetched(rows, limit, |row| cursor(row.started_at, &row.instance.id));
        Ok(Incidents {
            items: page.items.iter().flat_map(incidents).collect(),
            next_cursor: page.next_cursor,
        })
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

/// The place of an instance in lists.
fn cursor(started_at: Timestamp, id: &str) -> String {
    format!("{} {id}", started_at.as_millis())
}

fn place(cursor: Option<Cursor>) -> Result<Option<(Timestamp, String)>> {
    let Some(Cursor(text)) = cursor else { return Ok(None) };
    let parts = text.split_once(' ').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    let (millis, id) = parts.ok_or_else(|| {
        Error::invalid("invalid_cursor", "the cursor is not one of this list")
            .fix("start again without a cursor")
    })?;
    Ok(Some((Timestamp::from_millis(millis), id)))
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
        waiting_for: waiting::waits(stored, process)
            .into_iter()
            .map(|wait| wait.waiting_for)
            .collect(),
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
