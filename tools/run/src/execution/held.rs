//! What arrives for an instance while it is paused: it is kept, and carried out when the instance
//! is resumed. Nothing is lost, and no driver tries again and again meanwhile.

use flowmaster_engine::command::ChildOutcome;
use flowmaster_engine::{Command, InstanceState, Key, VariableMap};
use flowmaster_kernel::{Ctx, Error, Result};
use serde::{Deserialize, Serialize};

use super::calls::Mark;
use super::error::{CHANGED, ExecutionError, PAUSED, REFUSED, TAKEN};
use super::service::{Execution, Then};
use super::store::mail;

/// How often a command is sent again because the instance was paused or resumed meanwhile.
const ROUNDS: usize = 8;

/// A command that can be kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(super) enum Held {
    Message {
        key: Key,
        variables: VariableMap,
        message_id: String,
    },
    Signal {
        name: String,
        variables: VariableMap,
    },
    ChildEnded {
        key: Key,
        state: InstanceState,
        variables: VariableMap,
        error: Option<(String, Option<String>)>,
    },
    Escalate {
        key: Key,
        code: String,
        variables: VariableMap,
    },
}

impl Held {
    fn command(&self) -> Command {
        match self.clone() {
            Self::Message { key, variables, message_id } => {
                Command::CorrelateMessage { key, variables, message_id: Some(message_id) }
            }
            Self::Signal { name, variables } => Command::BroadcastSignal { name, variables },
            Self::ChildEnded { key, state, variables, error } => {
                let outcome = match (state, error) {
                    (InstanceState::Completed, _) => ChildOutcome::Completed { variables },
                    (InstanceState::Failed, Some((code, message))) => {
                        ChildOutcome::Failed { code, message, variables }
                    }
                    _ => ChildOutcome::Cancelled,
                };
                Command::ChildEnded { key, outcome }
            }
            Self::Escalate { key, code, variables } => Command::Escalate { key, code, variables },
        }
    }
}

/// What became of a command of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It was followed, or is kept for when the instance is resumed.
    Done,
    /// It was followed before.
    Repeated,
    /// The instance has nothing to do with it any more. Nothing was written.
    Gone,
}

impl Execution {
    /// Sends a command to an instance, or keeps it under `held_id` while the instance is paused;
    /// `mark` is written in the same commit.
    pub(super) async fn tell_or_hold(
        &self,
        ctx: &Ctx,
        id: &str,
        held_id: &str,
        held: &Held,
        mark: &Mark<'_>,
    ) -> Result<Told> {
        for _ in 0..ROUNDS {
            let also = |_: &_| Ok(mark.writes());
            match self.execute(ctx, id, &held.command(), Then::also(&also)).await {
                Ok(_) => return Ok(Told::Done),
                Err(error) if error.code() == PAUSED => {}
                Err(error) if error.code() == TAKEN => return Ok(Told::Repeated),
                Err(error) if is_settled(&error) => return Ok(Told::Gone),
                Err(error) => return Err(error),
            }
            let mut writes = mark.writes();
            mail::hold(&mut writes, id, held_id, held, ctx.now())?;
            match self.db().submit(ctx, writes.finishing()).await {
                Ok(()) => return Ok(Told::Done),
                Err(error) if error.code() == TAKEN => return Ok(Told::Repeated),
                // It was resumed between the two.
                Err(error) if error.code() == CHANGED => self.forget(ctx, id),
                Err(error) => return Err(error),
            }
        }
        Err(ExecutionError::Contended.into())
    }

    /// Carries out what was kept for an instance while it was paused, and looks for messages that
    /// it can take now.
    pub(super) async fn carry_on(&self, ctx: &Ctx, id: &str) -> Result<()> {
        loop {
            let next = mail::held(&mut *self.db().read(ctx).await?, id).await?;
            let Some((held_id, held)) = next else { break };
            let let_go = |writes: &mut _| mail::let_go(writes, id, &held_id);
            let mark = Mark(&let_go);
            let also = |_: &_| Ok(mark.writes());
            match self.execute(ctx, id, &held.command(), Then::also(&also)).await {
                Ok(_) => {}
                // Whoever resumes it next carries on.
                Err(error) if error.code() == PAUSED => return Ok(()),
                Err(error) if error.code() == TAKEN => {}
                // What the policies refused once is not tried again; the record tells of it.
                Err(error) if is_settled(&error) || error.code() == REFUSED => {
                    match mark.alone(self, ctx).await {
                        Err(error) if error.code() != TAKEN => return Err(error),
                        _ => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let stored = match self.stored(ctx, id).await {
            Err(error) if is_settled(&error) => return Ok(()),
            stored => stored?,
        };
        let waits: Vec<Key> = stored.instance.waits().map(|(key, _)| key).collect();
        self.take_buffered(ctx, &stored, &waits).await
    }
}

/// Whether the instance has nothing to do with a command any more.
pub(super) fn is_settled(error: &Error) -> bool {
    matches!(error.code(), "instance_not_found" | "instance_state" | "not_waiting")
}
