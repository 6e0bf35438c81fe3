//! Instances that ended leave the tables for files, and can be shown again from there.
//!
//! Invariants: the record of an instance is checked (hashes, replay) and durable in its file before
//! a row of it is removed; what removes the rows, the list of what is archived and the recorded answer
//! of the call are one commit; an instance leaves only when it is over for everybody: it ended, what it
//! called has left, no message of it is under way, and no room still works on it. A crash between file
//! and commit leaves lines to which nothing points, and the instance is archived again.

mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::{Ctx, Cursor, ErrorKind, Page, PageRequest, Result, TenantId, Timestamp};
use flowmaster_store::archive::{Archive, Keeper, Line};
use flowmaster_store::journal::{self, Sealed};
use flowmaster_store::{IDEMPOTENCY_RECORDED, WriteSet, outbox};

use super::error::ExecutionError;
use super::instance::Stored;
use super::search::not_of_this_list;
use super::service::Execution;
use super::store;
use super::store::archived::{self, ArchivedFilter, ArchivedRow, Ended, EndedAt};
use super::types::{
    ArchiveInstances, ArchivedInstance, ArchivedInstances, ArchivedPage, ArchivedSummary,
    GetArchived, KeptInstance, SearchArchived, Variables,
};

pub use record::Record;

/// How many instances that nothing called one call archives when the caller does not say.
const INSTANCES: u32 = 50;
/// The most of them.
const MAX_INSTANCES: u32 = 200;
/// A transaction that removes has about so many statements: others write in between.
const ENOUGH_STATEMENTS: usize = 1_000;
/// An archive file has about so many bytes.
const ENOUGH_BYTES: usize = 16 * 1024 * 1024;
/// The longest journal that is archived, in bytes of events.
const MAX_JOURNAL_BYTES: usize = 64 * 1024 * 1024;
/// How often a batch is put together again after something in it changed meanwhile.
const ATTEMPTS: usize = 3;

/// Where what is over goes, and which rooms have something about it.
pub struct History {
    archive: Archive,
    keepers: Vec<Arc<dyn Keeper>>,
}

impl History {
    /// Files in `archive`, with what `keepers` have.
    #[must_use]
    pub fn new(archive: Archive, keepers: Vec<Arc<dyn Keeper>>) -> Self {
        Self { archive, keepers }
    }
}

/// What a batch of the upkeep did.
#[derive(Debug, Default)]
pub struct Archived {
    /// How many instances left.
    pub count: usize,
    /// From where to go on.
    pub next: Option<EndedAt>,
}

/// An instance that is about to leave.
struct Leaving {
    stored: Stored,
    removal: WriteSet,
}

/// What leaves in one commit.
#[derive(Default)]
struct Batch {
    lines: Vec<Line>,
    leaving: Vec<Leaving>,
    kept: Vec<KeptInstance>,
    statements: usize,
    bytes: usize,
    next: Option<EndedAt>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.statements >= ENOUGH_STATEMENTS || self.bytes >= ENOUGH_BYTES
    }

    fn take(&mut self, line: Line, leaving: Leaving) {
        self.statements += leaving.removal.len() + archived::STATEMENTS;
        self.bytes += line.bytes();
        self.lines.push(line);
        self.leaving.push(leaving);
    }
}

/// An instance whose called instances leave first.
struct Open {
    stored: Stored,
    record: Record,
    removal: WriteSet,
    called: Vec<String>,
}

impl Execution {
    pub(super) async fn archive(
        &self,
        ctx: &Ctx,
        params: ArchiveInstances,
    ) -> Result<ArchivedInstances> {
        let limit = params.limit.unwrap_or(INSTANCES);
        if limit == 0 || limit > MAX_INSTANCES {
            return Err(ExecutionError::Choice("at most 200 instances at once").into());
        }
        let after = params.cursor.map(place).transpose()?;
        let wanted = Ended { before: params.ended_before, process: params.process, after };
        let answer = |batch: &Batch| ArchivedInstances {
            archived: batch.leaving.iter().map(|it| it.stored.instance.id.to_string()).collect(),
            kept: batch.kept.clone(),
            next_cursor: batch.next.as_ref().map(cursor),
        };
        let also = |batch: &Batch| {
            let mut writes = WriteSet::new();
            writes.answer(ctx, &answer(batch))?;
            Ok(writes)
        };
        let batch = self.archive_batch(ctx, &wanted, limit as usize, &also).await?;
        Ok(answer(&batch))
    }

    /// Archives some of the tenant's instances that ended before `before`, those behind `after`. For
    /// the upkeep of a node.
    ///
    /// # Errors
    /// An archive that cannot be written, or what the store reports.
    pub async fn archive_ended(
        &self,
        ctx: &Ctx,
        before: Timestamp,
        after: Option<EndedAt>,
    ) -> Result<Archived> {
        let wanted = Ended { before, process: None, after };
        let nothing = |_: &Batch| Ok(WriteSet::new());
        let batch = self.archive_batch(ctx, &wanted, MAX_INSTANCES as usize, &nothing).await?;
        for kept in &batch.kept {
            let (instance, why) = (&kept.instance, &kept.what);
            if kept.code.ends_with("_tampered") {
                tracing::error!(instance, why, "an instance that ended is kept as evidence");
            } else {
                tracing::debug!(instance, why, "an instance that ended is not archived yet");
            }
        }
        Ok(Archived { count: batch.leaving.len(), next: batch.next })
    }

    /// The first tenant behind `after` that has instances that ended.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn next_tenant_with_ended(&self, after: &str) -> Result<Option<TenantId>> {
        archived::next_tenant(self.db(), after).await
    }

    async fn archive_batch(
        &self,
        ctx: &Ctx,
        wanted: &Ended,
        limit: usize,
        also: &(dyn Fn(&Batch) -> Result<WriteSet> + Send + Sync),
    ) -> Result<Batch> {
        for _ in 0..ATTEMPTS {
            let mut batch = self.gather(ctx, wanted, limit).await?;
            let lines = std::mem::take(&mut batch.lines);
            let places = match lines.is_empty() {
                true => Vec::new(),
                false => self.history.archive.write(ctx, lines).await?,
            };
            let mut writes = also(&batch)?;
            let now = ctx.now();
            for (leaving, place) in batch.leaving.iter_mut().zip(&places) {
                archived::leave(&mut writes, &leaving.stored, place, now);
                writes.extend(std::mem::take(&mut leaving.removal));
            }
            if writes.is_empty() {
                return Ok(batch);
            }
            let Err(error) = self.db().submit(ctx, writes.finishing()).await else {
                return Ok(batch);
            };
            if error.kind() != ErrorKind::Conflict {
                // It may have been applied all the same, so the file stays.
                return Err(error);
            }
            self.history.archive.discard(&places).await;
            if error.code() == IDEMPOTENCY_RECORDED {
                return Err(error);
            }
        }
        Err(ExecutionError::Contended.into())
    }

    /// Puts together what can leave in one commit.
    async fn gather(&self, ctx: &Ctx, wanted: &Ended, limit: usize) -> Result<Batch> {
        let mut session = self.db().read(ctx).await?;
        let ended = archived::ended(&mut session, wanted, limit + 1).await?;
        drop(session);
        let mut batch = Batch::default();
        let mut seen = wanted.after.clone();
        for (count, (ended_at, id)) in ended.into_iter().enumerate() {
            ctx.check_deadline()?;
            if count == limit || batch.is_full() {
                batch.next = Some(seen.unwrap_or_else(start));
                break;
            }
            match self.gather_family(ctx, &id, wanted.before, &mut batch).await {
                Ok(true) => {}
                Ok(false) => {
                    batch.next = Some(seen.unwrap_or_else(start));
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let (code, what) = (error.code().to_owned(), error.body().what.clone());
                    batch.kept.push(KeptInstance { instance: id.clone(), code, what });
                }
                Err(error) => return Err(error),
            }
            seen = Some((ended_at, id));
        }
        Ok(batch)
    }

    /// Adds an instance to the batch, behind all that it called; says whether it had room.
    async fn gather_family(
        &self,
        ctx: &Ctx,
        root: &str,
        before: Timestamp,
        batch: &mut Batch,
    ) -> Result<bool> {
        let mut path: Vec<Open> = self.open(ctx, root, before).await?.into_iter().collect();
        while let Some(last) = path.last_mut() {
            if let Some(called) = last.called.pop() {
                path.extend(self.open(ctx, &called, before).await?);
                continue;
            }
            if batch.is_full() {
                return Ok(false);
            }
            if let Some(Open { stored, record, removal, .. }) = path.pop() {
                batch.take(Line::of(&record)?, Leaving { stored, removal });
            }
        }
        Ok(true)
    }

    /// An instance that may leave; `None` if it has left.
    async fn open(&self, ctx: &Ctx, id: &str, before: Timestamp) -> Result<Option<Open>> {
        let mut session = self.db().read(ctx).await?;
        let Some(stored) = store::find(&mut session, id).await? else { return Ok(None) };
        if stored.ended_at.is_none_or(|ended_at| ended_at >= before) {
            return Err(ExecutionError::Needed("it called an instance that runs").into());
        }
        if outbox::has_of_key(&mut session, id).await? {
            return Err(ExecutionError::Needed("messages of it are under way").into());
        }
        let (mut sealed, mut bytes): (Vec<Sealed>, usize) = (Vec::new(), 0);
        loop {
            let after = sealed.last().map_or(0, |row| row.seq);
            let rows = journal::read_sealed(&mut session, id, after, 200).await?;
            let is_last = rows.is_empty();
            bytes += rows.iter().map(|row| row.events.get().len()).sum::<usize>();
            sealed.extend(rows);
            if is_last {
                break;
            }
            if bytes > MAX_JOURNAL_BYTES {
                return Err(
                    ExecutionError::Needed("its journal is too long for the archive").into()
                );
            }
        }
        let (mut belongings, mut removal) = (BTreeMap::new(), WriteSet::new());
        for keeper in &self.history.keepers {
            let found = keeper.belongings(&mut session, id).await?;
            if !found.record.is_null() {
                belongings.insert(keeper.room().to_owned(), found.record);
            }
            removal.extend(found.removal);
        }
        drop(session);
        let record = Record::new(&ctx.tenant, &stored, sealed, belongings, ctx.now());
        record.check()?;
        let called = record.called()?;
        Ok(Some(Open { stored, record, removal, called }))
    }

    /// The record of an archived instance, which is checked before it is shown.
    pub(super) async fn archived(&self, ctx: &Ctx, id: &str) -> Result<Option<Record>> {
        let mut session = self.db().read(ctx).await?;
        let row = archived::find(&mut session, id).await?;
        drop(session);
        match row {
            Some(row) => self.record_of(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// As [`Execution::archived`], of the one with the business key that ended last.
    pub(super) async fn archived_by_key(&self, ctx: &Ctx, key: &str) -> Result<Option<Record>> {
        let filter =
            ArchivedFilter { business_key: Some(key.to_owned()), ..ArchivedFilter::default() };
        let mut session = self.db().read(ctx).await?;
        let found = archived::search(&mut session, &filter, 1).await?;
        drop(session);
        match found.first() {
            Some(row) => self.record_of(row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn record_of(&self, row: &ArchivedRow) -> Result<Record> {
        let line = self.history.archive.read(&row.place).await?;
        let record = Record::read(&line)?;
        if (&record.id, &record.head) != (&row.id, &row.head) {
            return Err(ExecutionError::OtherRecord.into());
        }
        Ok(record)
    }

    /// The instance as it is stored, or as it was archived.
    pub(super) async fn stored_or_archived(
        &self,
        ctx: &Ctx,
        id: &str,
    ) -> Result<(Arc<Stored>, Option<Record>)> {
        let not_found = match self.stored(ctx, id).await {
            Ok(stored) => return Ok((stored, None)),
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            Err(error) => return Err(error),
        };
        let record = self.archived(ctx, id).await?.ok_or(not_found)?;
        Ok((Arc::new(record.stored()), Some(record)))
    }

    pub(super) async fn search_archived(
        &self,
        ctx: &Ctx,
        params: SearchArchived,
    ) -> Result<ArchivedPage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let filter = ArchivedFilter {
            process: params.process,
            business_key: params.business_key,
            ended_from: params.ended_from,
            ended_before: params.ended_before,
            after: params.cursor.map(place).transpose()?,
        };
        let found = archived::search(&mut *self.db().read(ctx).await?, &filter, limit + 1).await?;
        let key = |row: &ArchivedRow| cursor(&(row.ended_at, row.id.clone())).0;
        let page = Page::from_overfetched(found, limit, key);
        let items = page.items.into_iter().map(summary).collect();
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    pub(super) async fn get_archived(
        &self,
        ctx: &Ctx,
        params: GetArchived,
    ) -> Result<ArchivedInstance> {
        let mut session = self.db().read(ctx).await?;
        let row = archived::find(&mut session, &params.id).await?;
        drop(session);
        let unknown = || ExecutionError::NotArchived(params.id.clone());
        let row = row.ok_or_else(unknown)?;
        let record = self.record_of(&row).await?;
        let variables: Variables = record
            .instance
            .variables()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        Ok(ArchivedInstance {
            file: row.place.file.to_string(),
            transitions: row.head.seq,
            head_hash: row.head.hash.clone(),
            started_by: record.instance.starter.as_ref().map(|starter| starter.id.clone()),
            called_by: record.instance.caller.as_ref().map(|caller| caller.instance.to_string()),
            called: record.called()?,
            variables,
            belongings: record.belongings.into_iter().collect(),
            summary: summary(row),
        })
    }
}

fn summary(row: ArchivedRow) -> ArchivedSummary {
    ArchivedSummary {
        id: row.id,
        process: row.process,
        process_version: row.process_version,
        state: row.state,
        business_key: row.business_key,
        started_at: row.started_at,
        ended_at: row.ended_at,
        archived_at: row.archived_at,
    }
}

/// Before the first of a list.
fn start() -> EndedAt {
    (Timestamp::from_millis(i64::MIN), String::new())
}

fn cursor((at, id): &EndedAt) -> Cursor {
    Cursor(format!("{} {id}", at.as_millis()))
}

fn place(Cursor(text): Cursor) -> Result<EndedAt> {
    let parts = text.split_once(' ').and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    let (millis, id) = parts.ok_or_else(not_of_this_list)?;
    Ok((Timestamp::from_millis(millis), id))
}
