//! Looking for instances. What an index can find is found by the database; what only the state of an
//! instance tells, its elements and variables, is compared here, for a bounded number of instances a
//! call: an answer that stopped there says so.

mod fits;

use flowmaster_engine::model::Process;
use flowmaster_kernel::{Ctx, Cursor, Error, PageRequest, Result, Timestamp};

use super::error::ExecutionError;
use super::instance::Stored;
use super::query::summary;
use super::service::Execution;
use super::store::{self, Filter};
use super::types::{InstancePage, SearchInstances};
pub(super) use fits::Fits;

/// What lists can be filtered by.
const STATES: [&str; 5] = ["active", "paused", "completed", "cancelled", "failed"];
/// How many instances one call compares.
const MAX_COMPARED: usize = 2_000;
/// How many instances are read at once to be compared.
const BATCH: usize = 50;

/// The place of an instance in lists: when it was started, and its id.
pub(super) type Place = (Timestamp, String);

/// What a look through instances found.
pub(super) struct Scanned {
    pub(super) found: Vec<Stored>,
    /// Where it stopped without having found enough, though there may be more.
    pub(super) stopped_at: Option<Place>,
    /// How many instances were compared.
    pub(super) compared: usize,
}

impl Execution {
    pub(super) async fn search(&self, ctx: &Ctx, params: SearchInstances) -> Result<InstancePage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        check(&params)?;
        let fits =
            Fits::new(params.element, params.variables, (params.ended_from, params.ended_before))?;
        let filter = Filter {
            process: params.process,
            process_version: params.process_version,
            state: params.state,
            business_key: params.business_key,
            business_key_prefix: params.business_key_prefix,
            with_incidents: params.with_incidents,
            started_from: params.started_from,
            started_before: params.started_before,
            after: params.cursor.map(place).transpose()?,
        };
        let scanned = if fits.is_all() {
            let found = store::search(&mut *self.db().read(ctx).await?, &filter, limit + 1).await?;
            Scanned { compared: found.len(), found, stopped_at: None }
        } else {
            self.scan(ctx, filter, limit + 1, |stored, process| fits.holds(stored, process)).await?
        };
        let Scanned { mut found, stopped_at, compared } = scanned;
        let is_full = found.len() > limit;
        found.truncate(limit);
        let next = match is_full {
            true => found.last().map(place_of),
            false => stopped_at.clone(),
        };
        let mut items = Vec::with_capacity(found.len());
        for stored in &found {
            items.push(summary(stored, &*self.published_of(ctx, stored).await?));
        }
        Ok(InstancePage {
            items,
            next_cursor: next.as_ref().map(cursor),
            stopped_after: stopped_at.filter(|_| !is_full).map(|_| compared),
        })
    }

    /// Looks through instances in the order of lists, until `wanted` of them fit. The model is at
    /// hand for those in which tokens wait at joins.
    pub(super) async fn scan(
        &self,
        ctx: &Ctx,
        mut filter: Filter,
        wanted: usize,
        fits: impl Fn(&Stored, Option<&Process>) -> bool + Send + Sync,
    ) -> Result<Scanned> {
        let mut scanned = Scanned { found: Vec::new(), stopped_at: None, compared: 0 };
        loop {
            let batch = store::search(&mut *self.db().read(ctx).await?, &filter, BATCH).await?;
            let is_last = batch.len() < BATCH;
            for stored in batch {
                scanned.compared += 1;
                filter.after = Some(place_of(&stored));
                let published = match stored.instance.tokens().next() {
                    Some(_) => Some(self.published_of(ctx, &stored).await?),
                    None => None,
                };
                let process = published.as_ref().map(|it| it.definition.process());
                if fits(&stored, process) {
                    scanned.found.push(stored);
                    if scanned.found.len() == wanted {
                        return Ok(scanned);
                    }
                }
            }
            if is_last {
                return Ok(scanned);
            }
            if scanned.compared >= MAX_COMPARED {
                scanned.stopped_at = filter.after;
                return Ok(scanned);
            }
            ctx.check_deadline()?;
        }
    }
}

fn check(params: &SearchInstances) -> Result<()> {
    if let Some(state) = &params.state
        && !STATES.contains(&state.as_str())
    {
        return Err(Error::invalid("invalid_state", format!("{state:?} is no state"))
            .fix(format!("use one of {}", STATES.join(", "))));
    }
    if params.process_version.is_some() && params.process.is_none() {
        return Err(ExecutionError::Choice("process_version needs a process").into());
    }
    if params.business_key.is_some() && params.business_key_prefix.is_some() {
        let what = "give a business_key or a business_key_prefix, not both";
        return Err(ExecutionError::Choice(what).into());
    }
    Ok(())
}

pub(super) fn place_of(stored: &Stored) -> Place {
    (stored.started_at, stored.instance.id.to_string())
}

pub(super) fn cursor((started_at, id): &Place) -> Cursor {
    Cursor(format!("{} {id}", started_at.as_millis()))
}

pub(super) fn place(Cursor(text): Cursor) -> Result<Place> {
    let parts = text.split_once(' ').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    let (millis, id) = parts.ok_or_else(not_of_this_list)?;
    Ok((Timestamp::from_millis(millis), id))
}

pub(super) fn not_of_this_list() -> Error {
    Error::invalid("invalid_cursor", "the cursor is not one of this list")
        .fix("start again without a cursor")
}
