//! The verbs of the handles room.

use std::collections::BTreeMap;
use std::time::Duration;

use flowmaster_kernel::{Ctx, Error, ErrorKind, Result};
use flowmaster_store::{Db, WriteSet};
use serde_json::Value;

use super::store;
use super::types::{Handle, HandleState};

/// How long a handle is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The most handles of a principal.
const MAX_HANDLES: i64 = 10_000;
/// The largest state, in bytes.
const MAX_STATE: usize = 256 * 1024;
/// How often a change is tried again when somebody else was faster.
const ATTEMPTS: usize = 8;

/// The handles room.
pub struct Handles {
    db: Db,
}

impl Handles {
    /// The room on `db`.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// A handle of the caller on `subject`; the one that there is, if `subject` is not empty.
    ///
    /// # Errors
    /// `too_many_handles`, or what the store reports.
    pub async fn open(
        &self,
        ctx: &Ctx,
        operation: &str,
        subject: &str,
        state: HandleState,
    ) -> Result<Handle> {
        check(&state)?;
        // It may be opened within a call with an idempotency key, whose answer is another.
        let ctx = &Ctx { idempotency: None, ..ctx.clone() };
        let mut tx = self.db.begin(ctx).await?;
        if !subject.is_empty()
            && let Some(stored) = store::of_subject(&mut tx, ctx, operation, subject).await?
        {
            tx.rollback().await;
            return Ok(stored.handle);
        }
        let now = ctx.now();
        let mut writes = WriteSet::new();
        store::forget(&mut writes, now);
        if store::count(&mut tx, ctx).await? >= MAX_HANDLES {
            return Err(Error::new(
                ErrorKind::Exhausted,
                "too_many_handles",
                format!("you hold {MAX_HANDLES} handles"),
            )
            .fix("call without tasks; handles are forgotten after 7 days"));
        }
        let handle = Handle {
            id: format!("hdl_{:032x}", ctx.ids.entropy()),
            operation: operation.to_owned(),
            subject: subject.to_owned(),
            state,
            created_at: now,
            updated_at: now,
            expires_at: now.plus_millis(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX)),
        };
        store::add(&mut writes, ctx, &handle)?;
        tx.apply(writes).await?;
        tx.commit(()).await?;
        Ok(handle)
    }

    /// The caller's handle with the id `id`.
    ///
    /// # Errors
    /// `handle_not_found`, also for somebody else's.
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<Handle> {
        let mut snapshot = self.db.read(ctx).await?;
        let found = store::find(&mut snapshot, ctx, id).await?;
        Ok(found.ok_or_else(|| unknown(id))?.handle)
    }

    /// Gives an open handle the state that `next` makes of it. One that is closed stays as it is.
    ///
    /// # Errors
    /// `handle_not_found`, or what the store reports.
    pub async fn change(
        &self,
        ctx: &Ctx,
        id: &str,
        next: impl Fn(&Handle) -> HandleState,
    ) -> Result<Handle> {
        let ctx = &Ctx { idempotency: None, ..ctx.clone() };
        for _ in 0..ATTEMPTS {
            let mut tx = self.db.begin(ctx).await?;
            let found = store::find(&mut tx, ctx, id).await?;
            let stored = found.ok_or_else(|| unknown(id))?;
            if !stored.handle.state.is_open() {
                tx.rollback().await;
                return Ok(stored.handle);
            }
            let state = next(&stored.handle);
            check(&state)?;
            let now = ctx.now();
            let (statement, values) = store::change(&stored, &state, now)?;
            if tx.execute(statement, &values).await? == 1 {
                tx.commit(()).await?;
                return Ok(Handle { state, updated_at: now, ..stored.handle });
            }
            tx.rollback().await;
        }
        Err(Error::new(ErrorKind::Unavailable, "handle_busy", "the handle changes all the time")
            .fix("try again"))
    }

    /// Takes answers to open questions; what answers none is left aside.
    ///
    /// # Errors
    /// As [`Handles::change`].
    pub async fn answer(
        &self,
        ctx: &Ctx,
        id: &str,
        given: &BTreeMap<String, Value>,
    ) -> Result<Handle> {
        self.change(ctx, id, |handle| match &handle.state {
            HandleState::Open { questions, answers } => {
                let (mut questions, mut answers) = (questions.clone(), answers.clone());
                for (key, answer) in given {
                    if questions.remove(key).is_some() {
                        answers.insert(key.clone(), answer.clone());
                    }
                }
                HandleState::Open { questions, answers }
            }
            closed => closed.clone(),
        })
        .await
    }
}

fn unknown(id: &str) -> Error {
    let shown: String = id.chars().take(64).collect();
    Error::not_found("handle", &shown)
}

fn check(state: &HandleState) -> Result<()> {
    let size = serde_json::to_string(state)
        .map_err(|error| Error::internal("handle_encoding", error))?
        .len();
    if size <= MAX_STATE {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "handle_too_large", "the handle would be too large")
        .why(format!("{size} bytes; the limit is {MAX_STATE}"))
        .fix("answer with less"))
}
