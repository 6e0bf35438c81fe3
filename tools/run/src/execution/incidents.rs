//! Incidents: finding them, and trying again what they stopped, one by one or many at once.

use std::cmp::Reverse;
use std::sync::Arc;

use flowmaster_engine::incident::Incident;
use flowmaster_engine::model::Process;
use flowmaster_engine::{Command, Key, VariableMap};
use flowmaster_kernel::{Ctx, Cursor, ErrorKind, PageRequest, Result, Timestamp};
use flowmaster_store::WriteSet;

use super::error::ExecutionError;
use super::instance::{Stored, WorkRef};
use super::messages::unkeyed;
use super::search::{Place, not_of_this_list, place_of};
use super::service::{Execution, Then};
use super::store::{Filter, state_name};
use super::types::{
    Incidents, InstanceSummary, ListIncidents, Problem, ResolveIncident, ResolveIncidents,
    ResolvedIncidents, ResolvedInstance,
};

/// The most incidents that are resolved by their ids at once.
const MAX_IDS: usize = 200;
/// The most instances whose incidents are resolved at once.
const MAX_INSTANCES: u32 = 200;
/// How many instances that are when the caller does not say.
const INSTANCES: u32 = 50;
/// The most incidents that are resolved at once: the answer names them all.
const MAX_INCIDENTS: usize = 1_000;

/// Which incidents are meant.
#[derive(Debug, Default)]
struct Meant {
    process: Option<String>,
    instance: Option<String>,
    element: Option<String>,
    kind: Option<String>,
    /// In small letters.
    message: Option<String>,
}

impl Meant {
    /// Whether every incident is.
    fn is_all(&self) -> bool {
        let Self { process, instance, element, kind, message } = self;
        [process, instance, element, kind, message].into_iter().all(Option::is_none)
    }

    fn is(&self, incident: &Incident) -> bool {
        self.element.as_ref().is_none_or(|element| *element == *incident.element)
            && self.kind.as_ref().is_none_or(|kind| kind == incident.kind.as_str())
            && self
                .message
                .as_ref()
                .is_none_or(|part| incident.message.to_lowercase().contains(part))
    }

    fn of(&self, stored: &Stored) -> Vec<Key> {
        let open = stored.instance.incidents();
        open.filter(|(_, incident)| self.is(incident)).map(|(key, _)| key).collect()
    }
}

/// A place in a list of incidents: the instance, and the last of its incidents that was seen.
struct After {
    place: Place,
    key: Key,
}

/// Instances with the incidents that are meant, in the order of lists.
struct Stopped {
    found: Vec<(Arc<Stored>, Vec<Key>)>,
    /// Where the search stopped without having found enough.
    stopped_at: Option<Place>,
}

impl Execution {
    pub(super) async fn incidents(&self, ctx: &Ctx, params: ListIncidents) -> Result<Incidents> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let after = params.cursor.map(after).transpose()?;
        let meant = Meant {
            process: params.process,
            instance: params.instance,
            element: params.element,
            kind: params.kind,
            message: params.message.map(|message| message.to_lowercase()),
        };
        let Stopped { found, stopped_at } = self.stopped(ctx, &meant, after, limit + 1).await?;
        let mut relatives = self.relatives(ctx);
        let (mut items, mut places) = (Vec::new(), Vec::new());
        for (stored, keys) in &found {
            items.extend(relatives.incidents(stored, keys).await?);
            places.extend(keys.iter().map(|&key| After { place: place_of(stored), key }));
            if items.len() > limit {
                break;
            }
        }
        let is_full = items.len() > limit;
        items.truncate(limit);
        places.truncate(limit);
        let next = match is_full {
            true => places.pop(),
            false => stopped_at.map(After::all_of),
        };
        Ok(Incidents { items, next_cursor: next.as_ref().map(cursor) })
    }

    pub(super) async fn resolve_incident(
        &self,
        ctx: &Ctx,
        params: ResolveIncident,
    ) -> Result<InstanceSummary> {
        let unknown = || ExecutionError::NoIncident(params.id.clone());
        let incident: WorkRef = params.id.parse().map_err(|()| unknown())?;
        let command =
            Command::ResolveIncident { key: incident.key, variables: params.variables.into() };
        match self.command(ctx, &incident.instance, command).await {
            Err(error) if error.code() == "not_waiting" => Err(unknown().into()),
            other => other,
        }
    }

    /// Resolves many incidents, those of each instance in a step of its own.
    pub(super) async fn resolve_incidents(
        &self,
        ctx: &Ctx,
        params: ResolveIncidents,
    ) -> Result<ResolvedIncidents> {
        let (variables, dry_run) = (params.variables.clone().into(), params.dry_run);
        let (todo, next) = self.to_resolve(ctx, params).await?;
        let total = todo.len();
        let mut items = Vec::with_capacity(total);
        for (instance, keys) in todo {
            let done = match dry_run {
                true => self.stored(ctx, &instance).await.map(|it| standing(&it)),
                false => self.resolve_in(ctx, &instance, &keys, &variables).await,
            };
            let (state, open_incidents, problem) = match done {
                Ok((state, open)) => (Some(state.to_owned()), open, None),
                // What is done already is in the journals.
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Err(error) => {
                    let (code, what) = (error.code().to_owned(), error.body().what.clone());
                    (None, 0, Some(Problem { code, what }))
                }
            };
            let id = |key| WorkRef { instance: instance.clone(), key }.to_string();
            let incidents = keys.into_iter().map(id).collect();
            items.push(ResolvedInstance { instance, incidents, state, open_incidents, problem });
            ctx.progress(items.len(), total);
        }
        let answer = ResolvedIncidents { dry_run, items, next_cursor: next.as_ref().map(cursor) };
        self.record(ctx, &answer).await?;
        Ok(answer)
    }

    /// The incidents to resolve, by instance, and from where to go on.
    async fn to_resolve(
        &self,
        ctx: &Ctx,
        params: ResolveIncidents,
    ) -> Result<(Vec<(String, Vec<Key>)>, Option<After>)> {
        let limit = params.limit.unwrap_or(INSTANCES);
        if limit == 0 || limit > MAX_INSTANCES || params.ids.len() > MAX_IDS {
            return Err(ExecutionError::Choice("at most 200 ids or instances at once").into());
        }
        let meant = Meant {
            process: params.process,
            instance: params.instance,
            element: params.element,
            kind: params.kind,
            message: params.message.map(|message| message.to_lowercase()),
        };
        if params.ids.is_empty() == meant.is_all() {
            let what = "say which incidents, either by their ids or by what they have in common";
            return Err(ExecutionError::Choice(what).into());
        }
        if meant.is_all() {
            return Ok((by_instance(&params.ids)?, None));
        }
        let after = params.cursor.map(after).transpose()?;
        let limit = limit as usize;
        let Stopped { found, stopped_at } = self.stopped(ctx, &meant, after, limit + 1).await?;
        let (mut todo, mut left, mut last) = (Vec::new(), MAX_INCIDENTS, None);
        let count = found.len();
        for (stored, mut keys) in found.into_iter().take(limit) {
            let is_cut = keys.len() > left;
            keys.truncate(left);
            left -= keys.len();
            if let Some(&key) = keys.last() {
                last = Some(After { place: place_of(&stored), key });
                todo.push((stored.instance.id.to_string(), keys));
            }
            if is_cut {
                return Ok((todo, last));
            }
        }
        let next = if count > limit { last } else { stopped_at.map(After::all_of) };
        Ok((todo, next))
    }

    async fn resolve_in(
        &self,
        ctx: &Ctx,
        instance: &str,
        keys: &[Key],
        variables: &VariableMap,
    ) -> Result<(&'static str, usize)> {
        let command =
            Command::ResolveIncidents { keys: keys.to_vec(), variables: variables.clone() };
        let nothing = |_: &_| Ok(WriteSet::new());
        // The key of the call belongs to its answer: until then it is not done.
        let after = self.execute(&unkeyed(ctx), instance, &command, Then::also(&nothing)).await?;
        Ok(standing(&after))
    }

    /// Up to `wanted` instances with incidents that are meant.
    async fn stopped(
        &self,
        ctx: &Ctx,
        meant: &Meant,
        after: Option<After>,
        wanted: usize,
    ) -> Result<Stopped> {
        if let Some(root) = &meant.instance {
            return self.stopped_around(ctx, root, meant, after).await;
        }
        let mut found = Vec::new();
        // What is left of the instance in which the page before ended.
        if let Some(After { place: (_, id), key }) = &after
            && let Some(stored) = self.relatives(ctx).find(id).await?
        {
            let keys = meant.of(&stored).into_iter().filter(|it| it > key).collect();
            found.push((stored, keys));
            found.retain(|(_, keys): &(_, Vec<Key>)| !keys.is_empty());
        }
        let filter = Filter {
            process: meant.process.clone(),
            with_incidents: true,
            after: after.map(|after| after.place),
            ..Filter::default()
        };
        let fits = |stored: &Stored, _: Option<&Process>| !meant.of(stored).is_empty();
        let scanned = self.scan(ctx, filter, wanted, fits).await?;
        found.extend(scanned.found.into_iter().map(|it| {
            let keys = meant.of(&it);
            (Arc::new(it), keys)
        }));
        Ok(Stopped { found, stopped_at: scanned.stopped_at })
    }

    /// The same of one instance and those that it called.
    async fn stopped_around(
        &self,
        ctx: &Ctx,
        root: &str,
        meant: &Meant,
        after: Option<After>,
    ) -> Result<Stopped> {
        let root = self.stored(ctx, root).await?;
        let mut all = self.relatives(ctx).with_called(root).await?;
        all.retain(|it| meant.process.as_ref().is_none_or(|process| *process == *it.process));
        all.sort_by_key(|it| Reverse(place_of(it)));
        let is_after = |stored: &Stored, key: Key| {
            after.as_ref().is_none_or(|after| {
                let place = place_of(stored);
                place < after.place || (place == after.place && key > after.key)
            })
        };
        let found = all.into_iter().filter_map(|stored| {
            let mut keys = meant.of(&stored);
            keys.retain(|key| is_after(&stored, *key));
            (!keys.is_empty()).then_some((stored, keys))
        });
        Ok(Stopped { found: found.collect(), stopped_at: None })
    }
}

/// The state of an instance, and how many incidents it has.
fn standing(stored: &Stored) -> (&'static str, usize) {
    (state_name(&stored.instance), stored.instance.incidents().count())
}

/// Incidents named by their ids, by instance in the order in which they are first named.
fn by_instance(ids: &[String]) -> Result<Vec<(String, Vec<Key>)>, ExecutionError> {
    let mut all: Vec<(String, Vec<Key>)> = Vec::new();
    for id in ids {
        let unknown = |()| ExecutionError::NoIncident(id.clone());
        let WorkRef { instance, key } = id.parse().map_err(unknown)?;
        match all.iter_mut().find(|(known, _)| *known == instance) {
            Some((_, keys)) if keys.contains(&key) => {}
            Some((_, keys)) => keys.push(key),
            None => all.push((instance, vec![key])),
        }
    }
    Ok(all)
}

impl After {
    /// After all incidents of the instance at `place`.
    fn all_of(place: Place) -> Self {
        Self { place, key: Key(u64::MAX) }
    }
}

fn cursor(After { place: (started_at, id), key }: &After) -> Cursor {
    Cursor(format!("{} {id} {key}", started_at.as_millis()))
}

fn after(Cursor(text): Cursor) -> Result<After> {
    let mut parts = text.split(' ');
    let read = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(at), Some(id), Some(key), None) = read else { return Err(not_of_this_list()) };
    match (at.parse(), key.parse()) {
        (Ok(at), Ok(key)) => {
            let place = (Timestamp::from_millis(at), id.to_owned());
            Ok(After { place, key: Key(key) })
        }
        _ => Err(not_of_this_list()),
    }
}
