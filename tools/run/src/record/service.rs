//! The verbs of the runtime record.

use flowmaster_kernel::{
    Ctx, Cursor, Error, Id, IdSource, Page, PageRequest, Result, TenantId, Timestamp,
};
use flowmaster_store::{Db, Session};
use serde::Serialize;

use super::chain::{Check, Fault, KnownSeal, Seal, Verified};
use super::error::RecordError;
use super::export::{cursor, known, read};
use super::pages::{Size, StoredSeal, page};
use super::store::{self, Kept};
use super::types::{
    Entry, EntrySummary, FoundEntries, GetRecord, RecordEntry, RecordedEntry, SearchRecord,
    VerifyRecord,
};

/// How many entries one search looks at.
const WINDOW: usize = 20_000;
/// How many seals one call checks.
const SEALS: usize = 200;
/// What is checked at once.
const SIZE: Size = Size { seals: 50, entries: 1_000 };
/// How many entries that no seal covers one call checks.
const UNSEALED: usize = 5_000;
/// A text behind the id of every entry.
const BEHIND_ALL: &str = "s";
/// What an id may be older or newer than the moment in its entry, in milliseconds.
const SLACK_MILLIS: i64 = 1_000;

/// The runtime record of all tenants.
pub struct Record {
    pub(super) db: Db,
}

impl Record {
    /// The room on `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchRecord) -> Result<FoundEntries> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let newest = params.before.map(|before| first_id(before.plus_millis(SLACK_MILLIS)));
        let behind = match (&params.cursor, newest) {
            (Some(Cursor(place)), _) => place.clone(),
            (None, Some(newest)) => newest,
            (None, None) => BEHIND_ALL.to_owned(),
        };
        let oldest = params.from.map(|from| first_id(from.plus_millis(-SLACK_MILLIS)));
        let mut session = self.db.read(ctx).await?;
        let window = store::end_of_window(&mut session, &params, &behind, WINDOW).await?;
        let is_over = match (&window, &oldest) {
            (Some(window), Some(oldest)) => window < oldest,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let floor = window.clone().filter(|_| !is_over).or(oldest).unwrap_or_default();
        let found = store::search(&mut session, &params, &behind, &floor, limit + 1).await?;
        let mut page = Page::from_overfetched(found, limit, |kept| kept.entry.id.to_string());
        if page.next_cursor.is_none() && !is_over {
            page.next_cursor = window.map(Cursor);
        }
        let items = page.items.into_iter().map(summary).collect();
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetRecord) -> Result<RecordedEntry> {
        let found = store::find(&mut *self.db.read(ctx).await?, &params.id).await?;
        let Kept { entry, hash, seal } = found.ok_or(RecordError::NotFound(params.id))?;
        Ok(RecordedEntry { entry, hash, seal })
    }

    /// Checks the seals behind a place, and when none is left the entries that no seal covers yet.
    ///
    /// # Errors
    /// What the store reports; what is not as it was written is part of the answer.
    pub async fn verify(&self, ctx: &Ctx, params: VerifyRecord) -> Result<Verified> {
        let before = params.cursor.as_ref().map(known).transpose()?.unwrap_or_default();
        let mut session = self.db.read(ctx).await?;
        let mut behind = last_of(&mut session, &before).await?;
        let mut check = Check::behind(before, params.known.as_ref());
        loop {
            if check.verified.seals >= SEALS {
                let next_cursor = Some(cursor(check.last()));
                return Ok(Verified { next_cursor, ..check.close(Ok(())) });
            }
            ctx.check_deadline()?;
            let seals = SIZE.seals.min(SEALS - check.verified.seals);
            let page = page(&mut session, check.last().seal, Size { seals, ..SIZE }).await?;
            if let Err(fault) = verify_seals(ctx, &page.seals, &mut check)? {
                return Ok(check.close(Err(fault)));
            }
            let last = page.seals.last().and_then(|stored| stored.seal.as_ref());
            let last = match last.filter(|_| !page.is_last) {
                Some(seal) => seal.last.as_str(),
                None => BEHIND_ALL,
            };
            if let Some(stray) = store::stray(&mut session, &behind, last).await? {
                let what = "the entry was added".to_owned();
                return Ok(check.close(Err(Fault { seal: 0, entry: Some(stray), what })));
            }
            if !page.is_last {
                last.clone_into(&mut behind);
                continue;
            }
            let rest = verify_rest(&mut session, &mut check).await?;
            // What was sealed meanwhile is neither unsealed nor without its seal.
            if store::seals(&mut session, check.last().seal, 1).await?.is_empty() {
                return Ok(check.close(rest));
            }
        }
    }

    /// The first tenant behind `after` that has entries.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn next_tenant(&self, after: &str) -> Result<Option<TenantId>> {
        store::tenants::next_recorded(&self.db, after).await
    }
}

/// The id of the last entry of a seal; nothing for what is before the first.
async fn last_of(session: &mut Session, seal: &KnownSeal) -> Result<String> {
    let found = store::seals(session, seal.seal.saturating_sub(1), 1).await?;
    let found = found.first().and_then(|body| read::<Seal>(body));
    let known = found.filter(|found| found.seal == seal.seal);
    Ok(known.map_or_else(String::new, |known| known.last))
}

/// Checks seals with everything that they cover, up to the first fault.
fn verify_seals(
    ctx: &Ctx,
    seals: &[StoredSeal],
    check: &mut Check<'_>,
) -> Result<Result<(), Fault>> {
    for StoredSeal { body, seal, rows } in seals {
        let next = check.last().seal + 1;
        let fault = |entry: Option<String>, what: &str| {
            Ok(Err(Fault { seal: next, entry, what: what.to_owned() }))
        };
        let Some(seal) = seal else { return fault(None, "the seal was changed") };
        if line(seal)? != *body || seal.tenant != ctx.tenant.as_str() {
            return fault(None, "the seal was changed");
        }
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let Ok(kept) = store::kept(row) else {
                return fault(Some(row.text(0)?), "the entry was changed");
            };
            found.push(kept.link());
        }
        if let Err(fault) = check.take(seal, &found) {
            return Ok(Err(fault));
        }
    }
    Ok(Ok(()))
}

/// Checks that the seals end where they should, and the entries that none covers yet.
async fn verify_rest(session: &mut Session, check: &mut Check<'_>) -> Result<Result<(), Fault>> {
    if let Err(fault) = check.end() {
        return Ok(Err(fault));
    }
    if store::highest(session).await? > check.last().seal {
        let seal = check.last().seal + 1;
        let what = "the seal is missing, and what it covers is there".to_owned();
        return Ok(Err(Fault { seal, entry: None, what }));
    }
    let rows = store::of_none(session, UNSEALED).await?;
    check.verified.unsealed = rows.len();
    for row in &rows {
        if let Err(what) = store::check_unsealed(row) {
            return Ok(Err(Fault { seal: 0, entry: Some(row.text(0)?), what: what.to_owned() }));
        }
    }
    Ok(Ok(()))
}

/// A line of an export.
pub(super) fn line(of: &impl Serialize) -> Result<String> {
    serde_json::to_string(of).map_err(|source| Error::internal("not_json", source))
}

/// The lowest id of an entry that is made at `at`.
fn first_id(at: Timestamp) -> String {
    struct Lowest;

    impl IdSource for Lowest {
        fn entropy(&self) -> u128 {
            0
        }
    }

    Id::<RecordEntry>::fresh(&Lowest, at).to_string()
}

fn summary(Kept { entry, seal, .. }: Kept) -> EntrySummary {
    let Entry {
        id,
        at,
        instance,
        process,
        element,
        action,
        tool,
        actor,
        outcome,
        policy,
        reason,
        ..
    } = entry;
    let actor = actor.id;
    EntrySummary {
        id,
        at,
        instance,
        process,
        element,
        action,
        tool,
        actor,
        outcome,
        policy,
        reason,
        seal,
    }
}
