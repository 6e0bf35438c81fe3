//! The heart of the room: a command is decided on the newest state and stored in one commit.

use std::collections::HashMap;
use std::sync::Arc;

use flowmaster_engine::{Command, Decided, Env, Key, advance};
use flowmaster_kernel::{Clock, Ctx, Error, IdSource, Result, TenantId};
use flowmaster_mind::mandates::{InForce, Mandates};
use flowmaster_store::{CONSTRAINT_FAILED, Db, Turns, WriteSet};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;

use super::archive::History;
use super::error::{CHANGED, EXISTS, ExecutionError, Refused};
use super::hot::Hot;
use super::instance::Stored;
use super::store;
use super::transition::{self, Moment, Settles, Written};
use crate::processes::{Processes, Published};
use crate::record;

/// How often a command is decided again after somebody else changed the instance.
const ATTEMPTS: usize = 16;

/// The journal of an instance has moved on.
const STALE: &str = "stale_instance";

pub(super) type InstanceKey = (TenantId, Arc<str>);

/// The execution room.
pub struct Execution {
    db: Db,
    processes: Arc<Processes>,
    mandates: Arc<Mandates>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) history: History,
    hot: Mutex<Hot>,
    pub(super) turns: Turns<InstanceKey>,
    pub(super) ends: Mutex<HashMap<InstanceKey, Arc<Notify>>>,
}

/// What else is written in the commit of a transition, made from the state after it: of one that was
/// followed, and of a completion that is kept as a proposal.
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

/// Why a command was not followed.
enum Failed {
    /// The engine cannot follow it in this state.
    Rejected(Error),
    /// Whether somebody listens is otherwise than was believed. It may be decided again.
    Unheard(Error),
    /// Anything else.
    Otherwise(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Otherwise(error)
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Rejected(error) | Failed::Unheard(error) | Failed::Otherwise(error) => error,
        }
    }
}

/// What a transition led to.
struct Followed {
    after: Arc<Stored>,
    /// Message subscriptions that began to wait.
    opened: Vec<Key>,
}

impl Execution {
    /// The room on `db`; what is over goes to `history`.
    pub fn new(
        db: Db,
        processes: Arc<Processes>,
        mandates: Arc<Mandates>,
        history: History,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self {
            db,
            processes,
            mandates,
            clock,
            ids,
            history,
            hot: Mutex::default(),
            turns: Turns::default(),
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

    /// The instance at hand, which another node may have changed meanwhile, or as it is stored.
    pub(super) async fn newest(&self, ctx: &Ctx, id: &str) -> Result<Arc<Stored>> {
        match self.at_hand(&(ctx.tenant.clone(), Arc::from(id))) {
            Some(hot) => Ok(hot),
            None => self.stored(ctx, id).await,
        }
    }

    fn at_hand(&self, key: &InstanceKey) -> Option<Arc<Stored>> {
        self.hot.lock().get(key)
    }

    /// The version of the process that an instance runs on.
    pub(super) async fn published_of(&self, ctx: &Ctx, stored: &Stored) -> Result<Arc<Published>> {
        self.processes.published(ctx, &stored.process, Some(stored.process_version)).await
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
        let key = (ctx.tenant.clone(), Arc::from(id));
        let Followed { after, opened } = {
            let _turn = self.turns.take(key.clone()).await;
            self.follow(ctx, &key, command, then).await?
        };
        if !opened.is_empty() {
            // The command is done whatever becomes of this; a sweep of the drivers makes up for it.
            if let Err(error) = Box::pin(self.take_buffered(ctx, &after, &opened)).await {
                tracing::warn!(%error, instance = id, "could not look for kept messages");
            }
        }
        Ok(after)
    }

    async fn follow(
        &self,
        ctx: &Ctx,
        key: &InstanceKey,
        command: &Command,
        then: Then<'_>,
    ) -> Result<Followed> {
        for attempt in 1..=ATTEMPTS {
            ctx.check_deadline()?;
            let hot = self.at_hand(key);
            let is_hot = hot.is_some();
            let before = match hot {
                Some(hot) => hot,
                None => self.stored(ctx, &key.1).await?,
            };
            match self.attempt(ctx, &before, command.clone(), then).await {
                Ok(followed) => return Ok(followed),
                // Another node may have moved it on: only the store tells what it cannot do.
                Err(Failed::Rejected(_)) if is_hot => self.forget(ctx, &key.1),
                Err(Failed::Otherwise(error)) if matches!(error.code(), CHANGED | STALE) => {
                    self.forget(ctx, &key.1);
                }
                Err(Failed::Unheard(_)) if attempt < ATTEMPTS => {}
                // The store itself says that nothing was applied and the same may run again.
                Err(Failed::Otherwise(error))
                    if error.code() == flowmaster_store::TRANSACTION_LOST => {}
                Err(failed) => return Err(failed.into()),
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
        let before = Arc::new(before);
        let mut attempt = 1;
        let begun = loop {
            match self.attempt(ctx, &before, command.clone(), Then::also(&also)).await {
                Err(Failed::Unheard(_)) if attempt < ATTEMPTS => attempt += 1,
                begun => break begun,
            }
        };
        let Followed { after, opened } = begun.map_err(|failed| match Error::from(failed) {
            // Its journal has begun.
            error if error.code() == STALE => {
                Error::conflict(EXISTS, "the instance exists").because(error)
            }
            error => error,
        })?;
        if !opened.is_empty()
            && let Err(error) = Box::pin(self.take_buffered(ctx, &after, &opened)).await
        {
            tracing::warn!(%error, instance = %after.instance.id, "could not look for kept messages");
        }
        Ok(after)
    }

    async fn attempt(
        &self,
        ctx: &Ctx,
        before: &Arc<Stored>,
        command: Command,
        then: Then<'_>,
    ) -> Result<Followed, Failed> {
        let published = self.published_of(ctx, before).await?;
        let mandates = self.mandates.in_force(ctx).await?;
        let env = Env { now: ctx.now(), actor: &ctx.principal, authority: &mandates.authority };
        let definition = &published.definition;
        let decided = advance(definition, &before.instance, command, &env)
            .map_err(|rejected| Failed::Rejected(rejected.into()))?;
        let refused = Refused::of(&decided);
        let moment = Moment {
            ctx,
            now: env.now,
            mandates_version: mandates.version,
            organisation_version: mandates.organisation_version,
            audience: self.db.audience(ctx),
        };
        if let Some(refused) = refused.as_ref().filter(|_| before.version == 0) {
            // Nothing began, so there is no journal: the record alone tells.
            let mut writes = WriteSet::new();
            record::append(&mut writes, &moment.step(&published, before, 0), &decided.hearings)?;
            self.db.submit(ctx, writes).await?;
            return Err(Error::from(ExecutionError::Refused(Box::new(refused.clone()))).into());
        }
        let Written { mut writes, after, opened, bytes } =
            transition::write(&moment, &published, before, decided, then.settles)?;
        if refused.as_ref().is_none_or(Refused::is_kept) {
            writes.extend((then.also)(&after)?);
        }
        // What ends work is let through on a full disk.
        let writes = if before.version > 0 { writes.finishing() } else { writes };
        if let Err(error) = self.db.submit(ctx, writes).await {
            self.forget(ctx, &before.instance.id);
            if error.code() != CONSTRAINT_FAILED {
                return Err(error.into());
            }
            self.db.look_at_audience(ctx).await?;
            return Err(Failed::Unheard(error));
        }
        let after = Arc::new(after);
        self.remember(ctx, &after, bytes);
        match refused {
            Some(refused) => Err(Error::from(ExecutionError::Refused(Box::new(refused))).into()),
            None => Ok(Followed { after, opened }),
        }
    }

    /// What a command would lead to now, without doing it.
    pub(super) async fn foresee(
        &self,
        ctx: &Ctx,
        stored: &Stored,
        command: Command,
    ) -> Result<Decided> {
        let published = self.published_of(ctx, stored).await?;
        let mandates = self.mandates.in_force(ctx).await?;
        let env = Env { now: ctx.now(), actor: &ctx.principal, authority: &mandates.authority };
        Ok(advance(&published.definition, &stored.instance, command, &env)?)
    }

    /// The mandates in force.
    pub(super) async fn mandates(&self, ctx: &Ctx) -> Result<Arc<InForce>> {
        self.mandates.in_force(ctx).await
    }

    /// Records the answer under the key of the call, after everything that the call did.
    pub(super) async fn record(&self, ctx: &Ctx, answer: &impl Serialize) -> Result<()> {
        let mut writes = WriteSet::new();
        writes.answer(ctx, answer)?;
        if writes.is_empty() { Ok(()) } else { self.db().submit(ctx, writes).await }
    }

    pub(super) fn forget(&self, ctx: &Ctx, id: &str) {
        self.hot.lock().remove(&(ctx.tenant.clone(), Arc::from(id)));
    }

    fn remember(&self, ctx: &Ctx, after: &Arc<Stored>, bytes: usize) {
        let key = (ctx.tenant.clone(), Arc::clone(&after.instance.id));
        if after.instance.state.is_ended() {
            self.hot.lock().remove(&key);
            if let Some(waiting) = self.ends.lock().remove(&key) {
                waiting.notify_waiters();
            }
        } else {
            self.hot.lock().put(key, Arc::clone(after), bytes);
        }
    }
}
