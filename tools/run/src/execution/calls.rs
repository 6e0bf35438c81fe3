//! Errands between instances: calls, their ends, messages and signals that were thrown. They go
//! through the outbox in the commit of the instance that sends them, and are carried out by the
//! execution room itself, at least once.

use flowmaster_engine::command::ChildOutcome;
use flowmaster_engine::effect::EffectKind;
use flowmaster_engine::instance::Caller;
use flowmaster_engine::{Command, InstanceState, VariableMap};
use flowmaster_kernel::{Ctx, Error, ErrorKind, Result};
use flowmaster_store::WriteSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::messages::Delivery;
use super::service::{Execution, Then};

/// Something one instance wants done about another.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub(super) enum Errand {
    Call {
        process: String,
        instance: String,
        caller: Caller,
        variables: VariableMap,
        business_key: Option<String>,
    },
    CancelChild {
        instance: String,
    },
    Ended {
        caller: Caller,
        state: InstanceState,
        variables: VariableMap,
        error: Option<(String, Option<String>)>,
    },
    Message {
        name: String,
        correlation: Option<String>,
        variables: VariableMap,
    },
    Signal {
        name: String,
        variables: VariableMap,
    },
    Escalate {
        caller: Caller,
        code: String,
        variables: VariableMap,
    },
}

impl Errand {
    pub(super) const TOPIC: &'static str = "execution.errand";

    /// The errand of an effect; `None` where nobody has to do anything.
    pub(super) fn of(effect: EffectKind) -> Option<Self> {
        Some(match effect {
            EffectKind::CallProcess { process, instance, caller, variables, business_key } => {
                Self::Call { process, instance: instance.to_string(), caller, variables, business_key }
            }
            EffectKind::CancelChild { instance } => Self::CancelChild { instance: instance.to_string() },
            EffectKind::InstanceEnded { state, caller: Some(caller), variables, error } => {
                Self::Ended { caller, state, variables, error }
            }
            EffectKind::PublishMessage { name, correlation, variables } => {
                Self::Message { name, correlation, variables }
            }
            EffectKind::BroadcastSignal { name, variables } => Self::Signal { name, variables },
            EffectKind::EscalateCaller { caller, code, variables } => {
                Self::Escalate { caller, code, variables }
            }
            _ => return None,
        })
    }

    pub(super) fn to_payload(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(|error| Error::internal("errand_encoding", error))
    }
}

impl Execution {
    /// Carries out an errand. `id` is the same at every delivery, `mark` notes that it is done.
    pub(super) async fn run_errand(&self, ctx: &Ctx, id: &str, errand: Errand, mark: &Mark<'_>) -> Result<()> {
        match errand {
            Errand::Call { process, instance, caller, variables, business_key } => {
                self.call(ctx, process, instance, caller, variables, business_key, mark).await
            }
            Errand::CancelChild { instance } => {
                self.tell(ctx, &instance, Command::Cancel { reason: None }, mark).await
            }
            Errand::Ended { caller, state, variables, error } => {
                let outcome = match (state, error) {
                    (InstanceState::Completed, _) => ChildOutcome::Completed { variables },
                    (InstanceState::Failed, Some((code, message))) => {
                        ChildOutcome::Failed { code, message, variables }
                    }
                    _ => ChildOutcome::Cancelled,
                };
                self.tell(ctx, &caller.instance, Command::ChildEnded { key: caller.key, outcome }, mark).await
            }
            Errand::Escalate { caller, code, variables } => {
                let command = Command::Escalate { key: caller.key, code, variables };
                self.tell(ctx, &caller.instance, command, mark).await
            }
            Errand::Message { name, correlation, variables } => {
                let delivery = Delivery { id: id.to_owned(), name, correlation, variables, ttl_millis: None };
                self.deliver_message(ctx, delivery).await?;
                mark.alone(self, ctx).await
            }
            Errand::Signal { name, variables } => {
                self.deliver_signal(ctx, &name, &variables, id).await?;
                mark.alone(self, ctx).await
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of the errand")]
    async fn call(
        &self,
        ctx: &Ctx,
        process: String,
        instance: String,
        caller: Caller,
        variables: VariableMap,
        business_key: Option<String>,
        mark: &Mark<'_>,
    ) -> Result<()> {
        let published = match self.processes().published(ctx, &process, None).await {
            Ok(published) => published,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                let command = Command::ChildEnded { key: caller.key, outcome: ChildOutcome::Missing };
                return self.tell(ctx, &caller.instance, command, mark).await;
            }
            Err(error) => return Err(error),
        };
        let command = Command::Start { variables, business_key, at: None, caller: Some(caller.clone()) };
        let started = self
            .start_instance(ctx, &published, instance, command, |_| Ok(mark.writes()))
            .await;
        match started {
            // Started by an earlier delivery.
            Err(error) if error.code() == "instance_exists" => mark.alone(self, ctx).await,
            other => other.map(drop),
        }
    }

    /// Sends a command of the system to an instance that may be gone or beyond it.
    pub(super) async fn tell(&self, ctx: &Ctx, id: &str, command: Command, mark: &Mark<'_>) -> Result<()> {
        let done = self.execute(ctx, id, &command, Then::also(&|_| Ok(mark.writes()))).await;
        match done {
            Ok(_) => Ok(()),
            // It waits no longer, or not yet again: there is nobody to tell.
            Err(error) if is_settled(&error) => mark.alone(self, ctx).await,
            Err(error) => Err(error),
        }
    }
}

/// Whether the instance has nothing to do with a command any more.
fn is_settled(error: &Error) -> bool {
    matches!(error.code(), "instance_not_found" | "instance_state" | "not_waiting")
}

/// Notes, in the same commit as what it led to, that a delivery is done.
pub(super) struct Mark<'a>(pub(super) &'a (dyn Fn(&mut WriteSet) + Send + Sync));

impl Mark<'_> {
    pub(super) fn writes(&self) -> WriteSet {
        let mut writes = WriteSet::new();
        (self.0)(&mut writes);
        writes
    }

    /// The mark in a commit of its own.
    pub(super) async fn alone(&self, execution: &Execution, ctx: &Ctx) -> Result<()> {
        execution.db().submit(ctx, self.writes().finishing()).await
    }
}
