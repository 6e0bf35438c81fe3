//! The verbs of the audit room, and the task that writes entries down.

use std::sync::atomic::{AtomicU64, Ordering};

use flowmaster_kernel::{Ctx, Page, Result};
use flowmaster_store::{Db, WriteSet};
use tokio::sync::mpsc;

use super::store;
use super::types::{Entries, Entry, SearchAudit};

/// How many entries can wait to be written.
const QUEUE: usize = 10_000;
/// How many are written at once.
const BATCH: usize = 200;

/// The audit room.
pub struct Audit {
    db: Db,
    queue: mpsc::Sender<(Ctx, Entry)>,
    lost: AtomicU64,
}

impl Audit {
    /// The room on `db`, and the task that writes entries down; run it until the server stops.
    pub fn new(db: Db) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, entries) = mpsc::channel(QUEUE);
        let writer = write_down(db.clone(), entries);
        (Self { db, queue, lost: AtomicU64::new(0) }, writer)
    }

    /// Queues an entry. Never waits.
    pub fn record(&self, ctx: &Ctx, entry: Entry) {
        if self.queue.try_send((ctx.clone(), entry)).is_err() {
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::error!(lost, "an audit entry was lost because the queue is full or closed");
        }
    }

    /// How many entries were lost since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) async fn search(&self, ctx: &Ctx, params: SearchAudit) -> Result<Entries> {
        let page = flowmaster_kernel::PageRequest { limit: params.limit, cursor: None };
        let limit = page.limit()?;
        let mut session = self.db.read(ctx).await?;
        let found = store::search(&mut session, &params, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |entry| entry.id.to_string()))
    }
}

/// Writes what is queued until every sender is gone.
async fn write_down(db: Db, mut entries: mpsc::Receiver<(Ctx, Entry)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        while let Some((ctx, _)) = batch.first() {
            // The key of the call belongs to the call, not to the record of it.
            let ctx = Ctx { idempotency: None, ..ctx.clone() };
            let mut writes = WriteSet::new();
            let (mine, others): (Vec<_>, Vec<_>) =
                batch.drain(..).partition(|(other, _)| other.tenant == ctx.tenant);
            for (_, entry) in &mine {
                store::add(&mut writes, entry);
            }
            if let Err(error) = db.submit(&ctx, writes.finishing()).await {
                tracing::error!(%error, entries = mine.len(), "audit entries could not be written");
            }
            batch = others;
        }
    }
}
