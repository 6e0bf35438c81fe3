//! The heart of the room: a command is decided on the newest state and stored in one commit.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::{Command, Env, advance, refusal};
use flowmaster_kernel::{Clock, Ctx, IdSource, Result, TenantId};
use flowmaster_mind::rules::Rules;
use flowmaster_store::{Db, WriteSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::error::{CHANGED, ExecutionError};
use super::instance::Stored;
use super::store;
use super::transition::{self, Settles, Written};
use crate::processes::{Processes, Published};

/// How many instances are kept at hand.
const HOT: usize = 20_000;
/// How often a command is decided again after somebody else changed the instance.
const ATTEMPTS: usize = 16;

type InstanceKey = (TenantId, Arc<str>);

/// The execution room.
pub struct Execution {
    db: Db,
    processes: Arc<Processes>,
    rules: Arc<Rules>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    hot: Mutex<lru::LruCache<InstanceKey, Arc<Stored>>>,
    pub(super) ends: Mutex<HashMap<InstanceKey, Arc<Notify>>>,
}

/// What else is written in the commit of a transition, made from the state after it.
pub(super) type Also<'a> = &'a (dyn Fn(&Stored) -> Result<WriteSet> + Send + Sync);

/// What a command brings along.
#[derive(Clone, Copy)]
pub(super) struct Then<'a> {
    also: Also<'a>,
    settles: Settles,
}

impl<'a> Then<'a> {
    /// More rows in the same commit.
    pub(super) fn also(also: Also<'a>) -> Self {
        Self { also, settles: Settles::Nothing }
    }

    /// The work that the caller holds and ends by this.
    pub(super) fn settling(self, settles: Settles) -> Self {
        Self { settles, ..self }
    }
}

impl Execution {
    /// The room on `db`.
    pub fn new(
        db: Db,
        processes: Arc<Processes>,
        rules: Arc<Rules>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        let capacity = NonZeroUsize::new(HOT).unwrap_or(NonZeroUsize::MIN);
        Self {
            db,
            processes,
            rules,
            clock,
            ids,
            hot: Mutex::new(lru::LruCache::new(capacity)),
            ends: Mutex::new(HashMap::new()),
        }
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) fn processes(&self) -> &Processes {
        &self.processes
    }

    /// The instance with id `id` as it is stored.
    ///
    /// # Errors
    /// `instance_not_found`.
    pub async fn stored(&self, ctx: &Ctx, id: &str) -> Result<Arc<Stored>> {
        let found = store::find(&mut *self.db.read(ctx).await?, id).await?;
        found.map(Arc::new).ok_or_else(|| ExecutionError::NotFound(id.to_owned()).into())
    }

    async fn newest(&self, ctx: &Ctx, id: &str) -> Result<Arc<Stored>> {
        let key = (ctx.tenant.clone(), Arc::from(id));
        if let Some(hot) = self.hot.lock().get(&key) {
            return Ok(Arc::clone(hot));
        }
        self.stored(ctx, id).await
    }

    /// Lets the instance follow `command`, and stores what follows with what the caller adds.
    ///
    /// # Errors
    /// A command that the instance cannot follow, one that the policies refuse (which is journaled),
    /// or what the store reports.
    pub(super) async fn execute(
        &self,
        ctx: &Ctx,
        id: &str,
        command: &Command,
        then: Then<'_>,
    ) -> Result<Arc<Stored>> {
        for _ in 0..ATTEMPTS {
            ctx.check_deadline()?;
            let before = self.newest(ctx, id).await?;
            match self.attempt(ctx, &before, command.clone(), then).await {
                Err(error) if error.code() == CHANGED || error.code() == "stale_instance" => {
                    self.forget(ctx, id);
                }
                // The store itself says that nothing was applied and the same may run again.
                Err(error) if error.code() == flowmaster_store::TRANSACTION_LOST => {}
                other => return other,
            }
        }
        Err(ExecutionError::Contended.into())
    }

    /// Starts an instance with the id `id`.
    pub(super) async fn start_instance(
        &self,
        ctx: &Ctx,
        published: &Published,
        id: String,
        command: Command,
        also: impl Fn(&Stored) -> Result<WriteSet> + Send + Sync,
    ) -> Result<Arc<Stored>> {
        let before = Stored {
            instance: flowmaster_engine::Instance::new(id),
            process: Arc::from(published.id.as_str()),
            process_version: published.version,
            version: 0,
            head: flowmaster_store::journal::Head::default(),
            started_at: ctx.now(),
            ended_at: None,
        };
        self.attempt(ctx, &Arc::new(before), command, Then::also(&also)).await
    }

    async fn attempt(
        &self,
        ctx: &Ctx,
        before: &Arc<Stored>,
        command: Command,
        then: Then<'_>,
    ) -> Result<Arc<Stored>> {
        let published =
            self.processes.published(ctx, &before.process, Some(before.process_version)).await?;
        let mandates = self.rules.mandates(ctx).await?;
        let env =
            Env { now: ctx.now(), actor: &ctx.principal, mandates: &mandates.mandates };
        let definition = &published.definition;
        let decided = advance(definition, &before.instance, command, &env)?;
        let refused = refusal(&decided.events).cloned();
        let Written { mut writes, after, opened } = transition::write(
            ctx,
            definition,
            before,
            decided,
            mandates.version,
            then.settles,
        )?;
        match &refused {
            None => writes.extend((then.also)(&after)?),
            // Nothing began, so there is no instance to keep a record in.
            Some(refusal) if before.version == 0 => {
                return Err(ExecutionError::Refused(Box::new(refusal.clone())).into());
            }
            Some(_) => {}
        }
        // What ends work is let through on a full disk.
        let writes = if before.version > 0 { writes.finishing() } else { writes };
        if let Err(error) = self.db.submit(ctx, writes).await {
            self.forget(ctx, &before.instance.id);
            return Err(error);
        }
        let after = Arc::new(after);
        self.remember(ctx, &after);
        if let Some(refused) = refused {
            return Err(ExecutionError::Refused(Box::new(refused)).into());
        }
        if opened.is_empty() {
            return Ok(after);
        }
        // A message that came before somebody waited for it.
        Box::pin(self.take_buffered(ctx, &after, &opened)).await?;
        Ok(after)
    }

    pub(super) fn forget(&self, ctx: &Ctx, id: &str) {
        self.hot.lock().pop(&(ctx.tenant.clone(), Arc::from(id)));
    }

    fn remember(&self, ctx: &Ctx, after: &Arc<Stored>) {
        let key = (ctx.tenant.clone(), Arc::clone(&after.instance.id));
        if !after.instance.state.is_ended() {
            self.hot.lock().put(key, Arc::clone(after));
            return;
        }
        self.hot.lock().pop(&key);
        if let Some(waiting) = self.ends.lock().remove(&key) {
            waiting.notify_waiters();
        }
    }
}
