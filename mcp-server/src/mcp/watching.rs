//! Subscriptions: a client is told when a list or a resource is not what it was.
//!
//! A watch looks at what its principal would see, after writes in the tenant and every few seconds, and
//! tells only real differences; so nobody learns of what they may not see, and it does not matter
//! which node changed something. Newer clients open a stream (`subscriptions/listen`), older ones
//! subscribe to resources within their session.
//!
//! Invariants: the number of watches and of the URIs of each is bounded; a
//! stream ends after [`LONGEST`], because the credential was verified when it began.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Ctx, Error, ErrorKind, PageRequest, Result};
use parking_lot::Mutex;
use rmcp::model::{ServerNotification, SubscriptionFilter};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Surface, Visitor, resources, tools};

/// How many watches there may be, and for one principal.
const MAX_WATCHES: usize = 256;
const MAX_WATCHES_EACH: usize = 16;
/// How many resources a watch may name.
pub(super) const MAX_URIS: usize = 32;
/// How many pages of a list are looked at.
const MAX_PAGES: usize = 20;
/// How long the pages are.
const PAGE_LIMIT: u32 = 50;
/// How often is looked at least, for what others wrote, and at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(1);
/// How long a watch may last.
pub(super) const LONGEST: Duration = Duration::from_secs(1_800);

/// Who watches, by tenant and principal.
#[derive(Default)]
pub struct Watches(Arc<Mutex<BTreeMap<(String, String), usize>>>);

impl Watches {
    /// A place for one more watch.
    ///
    /// # Errors
    /// `too_many_subscriptions`.
    pub(super) fn admit(&self, visitor: &Visitor) -> Result<Place> {
        let caller = &visitor.caller;
        let owner = (caller.tenant.to_string(), caller.principal.id.clone());
        let mut places = self.0.lock();
        let own = places.get(&owner).copied().unwrap_or_default();
        if own >= MAX_WATCHES_EACH || places.values().sum::<usize>() >= MAX_WATCHES {
            return Err(Error::new(
                ErrorKind::Exhausted,
                "too_many_subscriptions",
                "no subscription is free",
            )
            .fix("end a subscription, or put more into one"));
        }
        places.insert(owner.clone(), own + 1);
        Ok(Place { places: Arc::clone(&self.0), owner })
    }
}

/// A place among the watches; dropping it frees it.
pub(super) struct Place {
    places: Arc<Mutex<BTreeMap<(String, String), usize>>>,
    owner: (String, String),
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.lock();
        match places.get_mut(&self.owner) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                places.remove(&self.owner);
            }
        }
    }
}

/// What can be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    Tools,
    Prompts,
    Resources,
    Resource(String),
}

impl Watched {
    /// What a filter asks for.
    pub(super) fn of(filter: &SubscriptionFilter) -> BTreeSet<Self> {
        let lists = [
            (filter.tools_list_changed, Self::Tools),
            (filter.prompts_list_changed, Self::Prompts),
            (filter.resources_list_changed, Self::Resources),
        ];
        let lists = lists.into_iter().filter(|(wanted, _)| *wanted == Some(true));
        let uris = filter.resource_subscriptions.iter().flatten().cloned().map(Self::Resource);
        lists.map(|(_, list)| list).chain(uris).collect()
    }

    pub(super) fn notification(&self) -> ServerNotification {
        use rmcp::model as wire;
        match self {
            Self::Tools => wire::ToolListChangedNotification::default().into(),
            Self::Prompts => wire::PromptListChangedNotification::default().into(),
            Self::Resources => wire::ResourceListChangedNotification::default().into(),
            Self::Resource(uri) => wire::ResourceUpdatedNotification::new(
                wire::ResourceUpdatedNotificationParam::new(uri.clone()),
            )
            .into(),
        }
    }
}

/// A watch of one visitor.
pub(super) struct Watch {
    surface: Arc<Surface>,
    visitor: Visitor,
    seen: BTreeMap<Watched, u64>,
    /// How much had been written when the watch was asked for.
    since: u64,
    written: watch::Receiver<()>,
    /// When it may look again.
    rested: Option<Instant>,
    _place: Place,
}

impl Watch {
    pub(super) fn new(surface: &Arc<Surface>, visitor: Visitor, since: u64, place: Place) -> Self {
        let written = surface.dispatcher.watch(&visitor.caller.tenant);
        let surface = Arc::clone(surface);
        let seen = BTreeMap::new();
        Self { surface, visitor, seen, since, written, rested: None, _place: place }
    }

    /// Looks again, after a write in the tenant or some seconds: what differs from the last look. The
    /// first time it looks at once, and what was written since the watch was asked for may be a
    /// difference, so everything counts as one.
    pub(super) async fn next(&mut self, watched: BTreeSet<Watched>) -> Vec<Watched> {
        let is_first = self.rested.is_none();
        if let Some(rested) = self.rested {
            // The time being over is a reason to look, as a write is; the dispatcher outlives this.
            let _ = timeout_at(Instant::now() + LOOK_EVERY, self.written.changed()).await;
            sleep_until(rested).await;
        }
        self.written.mark_unchanged();
        self.rested = Some(Instant::now() + REST);
        let differ = self.look(watched).await;
        if is_first && self.surface.dispatcher.written() != self.since {
            return self.seen.keys().cloned().collect();
        }
        differ
    }

    /// What differs from the last look. What is looked at for the first time does not differ.
    async fn look(&mut self, watched: BTreeSet<Watched>) -> Vec<Watched> {
        let ctx = self.surface.ctx(&self.visitor.caller, None);
        let mut seen = BTreeMap::new();
        let mut differ = Vec::new();
        for it in watched {
            let now = self.print(&ctx, &it).await;
            if self.seen.get(&it).is_some_and(|before| *before != now) {
                differ.push(it.clone());
            }
            seen.insert(it, now);
        }
        self.seen = seen;
        differ
    }

    /// A fingerprint of what the visitor sees. Not being allowed to see it is a sight too.
    async fn print(&self, ctx: &Ctx, watched: &Watched) -> u64 {
        let sight = match watched {
            Watched::Tools => {
                tools::listed(&self.surface, &self.visitor, ctx).await.and_then(|it| text(&it))
            }
            Watched::Prompts => self.prompts(ctx).await,
            Watched::Resources => self.resources(ctx).await,
            Watched::Resource(uri) => match self.surface.resources.as_deref() {
                Some(source) => {
                    resources::read(source, ctx, uri).await.and_then(|it| text(&it.contents))
                }
                None => Ok(String::new()),
            },
        };
        let mut hasher = DefaultHasher::new();
        sight.map_err(|error| error.code().to_owned()).hash(&mut hasher);
        hasher.finish()
    }

    async fn prompts(&self, ctx: &Ctx) -> Result<String> {
        let Some(source) = self.surface.prompts.as_deref() else { return Ok(String::new()) };
        Ok(format!("{:?}", source.list(ctx).await?))
    }

    async fn resources(&self, ctx: &Ctx) -> Result<String> {
        let Some(source) = self.surface.resources.as_deref() else { return Ok(String::new()) };
        let mut cursor = None;
        let mut sight = String::new();
        for _ in 0..MAX_PAGES {
            let page = source.list(ctx, PageRequest { limit: Some(PAGE_LIMIT), cursor }).await?;
            sight.push_str(&format!("{:?}", page.items));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(sight)
    }
}

fn text(sight: &impl Serialize) -> Result<String> {
    serde_json::to_string(sight).map_err(|error| Error::internal("sight_encoding", error))
}

#[cfg(test)]
mod tests {
    use flowmaster_kernel::{Principal, PrincipalKind, Role, Scopes, TenantId};

    use super::*;
    use crate::mcp::Selection;
    use crate::ports::Caller;

    fn visitor(id: &str) -> Visitor {
        let caller = Caller {
            tenant: TenantId::from_text("ten_a"),
            principal: Arc::new(Principal::new(id, PrincipalKind::Person, &[Role::Admin], &[])),
            scopes: Arc::new(Scopes::all()),
        };
        Visitor { caller, selection: Selection::default() }
    }

    #[test]
    fn each_principal_has_some_places_and_all_have_many() {
        let watches = Watches::default();
        let mut places: Vec<_> =
            (0..MAX_WATCHES_EACH).map(|_| watches.admit(&visitor("anna")).unwrap()).collect();
        let refused = watches.admit(&visitor("anna")).err().unwrap();
        assert_eq!(refused.code(), "too_many_subscriptions");
        for number in 0..MAX_WATCHES - MAX_WATCHES_EACH {
            places.push(watches.admit(&visitor(&format!("p{number}"))).unwrap());
        }
        assert!(watches.admit(&visitor("eve")).is_err());
        places.truncate(1);
        assert!(watches.admit(&visitor("anna")).is_ok() && watches.admit(&visitor("eve")).is_ok());
        drop(places);
        assert!(watches.0.lock().is_empty(), "who is gone takes no memory");
    }
}
