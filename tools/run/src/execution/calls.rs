//! Errands between instances: calls, their ends, messages and signals that were thrown. They go
//! through the outbox in the commit of the instance that sends them, and are carried out by the
//! execution room itself, at least once.

use flowmaster_engine::command::ChildOutcome;
use flowmaster_engine::effect::EffectKind;
use flowmaster_engine::instance::Caller;
use flowmaster_engine::{Command, InstanceState, StartedBy, VariableMap};
use flowmaster_kernel::{Ctx, Error, ErrorKind, Result};
use flowmaster_store::WriteSet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::EXISTS;
use super::held::{Held, Told, is_settled};
use super::messages::{DEFAULT_TTL_MILLIS, Delivery};
use super::service::{Execution, Then};

/// The BPMN error that a call activity gets when the called process does not let itself be started.
const CALL_REFUSED: &str = "CALL_REFUSED";

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
    Resumed {
        instance: String,
    },
}

impl Errand {
    pub(super) const TOPIC: &'static str = "execution.errand";

    /// The errand of an effect; `None` where nobody has to do anything.
    pub(super) fn of(effect: EffectKind) -> Option<Self> {
        Some(match effect {
            EffectKind::CallProcess { process, instance, caller, variables, business_key } => {
                Self::Call {
                    process,
                    instance: instance.to_string(),
                    caller,
                    variables,
                    business_key,
                }
            }
            EffectKind::CancelChild { instance } => {
                Self::CancelChild { instance: instance.to_string() }
            }
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
    pub(super) async fn run_errand(
        &self,
        ctx: &Ctx,
        id: &str,
        errand: Errand,
        mark: &Mark<'_>,
    ) -> Result<()> {
        match errand {
            Errand::Call { process, instance, caller, variables, business_key } => {
                let caller_of = Some(caller.clone());
                let by = StartedBy::Command;
                let start =
                    Command::Start { variables, business_key, at: None, by, caller: caller_of };
                self.call(ctx, &process, instance, caller, start, mark).await
            }
            Errand::CancelChild { instance } => {
                self.tell(ctx, &instance, &Command::Cancel { reason: None }, mark).await
            }
            Errand::Ended { caller, state, variables, error } => {
                let held = Held::ChildEnded { key: caller.key, state, variables, error };
                self.answer_caller(ctx, id, &caller, &held, mark).await
            }
            Errand::Escalate { caller, code, variables } => {
                let held = Held::Escalate { key: caller.key, code, variables };
                self.answer_caller(ctx, id, &caller, &held, mark).await
            }
            Errand::Message { name, correlation, variables } => {
                let delivery = Delivery {
                    id: id.to_owned(),
                    may_repeat: true,
                    name,
                    correlation,
                    variables,
                    ttl_millis: DEFAULT_TTL_MILLIS,
                };
                let delivered = self.deliver_message(ctx, &delivery).await;
                self.sent(ctx, id, delivered.map(drop), mark).await
            }
            Errand::Signal { name, variables } => {
                let delivered = self.deliver_signal(ctx, &name, &variables, id).await;
                self.sent(ctx, id, delivered.map(drop), mark).await
            }
            Errand::Resumed { instance } => {
                self.carry_on(ctx, &instance).await?;
                mark.alone(self, ctx).await
            }
        }
    }

    async fn call(
        &self,
        ctx: &Ctx,
        process: &str,
        instance: String,
        caller: Caller,
        start: Command,
        mark: &Mark<'_>,
    ) -> Result<()> {
        let ended = |outcome| Command::ChildEnded { key: caller.key, outcome };
        let published = match self.processes().published(ctx, process, None).await {
            Ok(published) => published,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                let missing = ended(ChildOutcome::Missing);
                return self.tell(ctx, &caller.instance, &missing, mark).await;
            }
            Err(error) => return Err(error),
        };
        let also = |_: &_| Ok(mark.writes());
        match self.start_instance(ctx, &published, instance, start, also).await {
            Ok(_) => Ok(()),
            // Started by an earlier delivery.
            Err(error) if error.code() == EXISTS => mark.alone(self, ctx).await,
            Err(error) if is_final(&error) => {
                let failed = ChildOutcome::Failed {
                    code: CALL_REFUSED.to_owned(),
                    message: Some(error.to_string()),
                    variables: VariableMap::new(),
                };
                self.tell(ctx, &caller.instance, &ended(failed), mark).await
            }
            Err(error) => Err(error),
        }
    }

    async fn answer_caller(
        &self,
        ctx: &Ctx,
        id: &str,
        caller: &Caller,
        held: &Held,
        mark: &Mark<'_>,
    ) -> Result<()> {
        match self.tell_or_hold(ctx, &caller.instance, id, held, mark).await? {
            Told::Done => Ok(()),
            // It waits no longer: there is nobody to tell.
            Told::Repeated | Told::Gone => mark.alone(self, ctx).await,
        }
    }

    /// Notes that a message or signal is out. What refused it would refuse it again.
    async fn sent(&self, ctx: &Ctx, id: &str, sent: Result<()>, mark: &Mark<'_>) -> Result<()> {
        if let Err(error) = sent {
            if !is_final(&error) {
                return Err(error);
            }
            tracing::warn!(%error, message = id, "a process did not begin by a message or signal");
        }
        mark.alone(self, ctx).await
    }

    /// Sends a command of the system to an instance that may be gone or beyond it.
    pub(super) async fn tell(
        &self,
        ctx: &Ctx,
        id: &str,
        command: &Command,
        mark: &Mark<'_>,
    ) -> Result<()> {
        let also = |_: &_| Ok(mark.writes());
        match self.execute(ctx, id, command, Then::also(&also)).await {
            Ok(_) => Ok(()),
            // It waits no longer: there is nobody to tell.
            Err(error) if is_settled(&error) => mark.alone(self, ctx).await,
            Err(error) => Err(error),
        }
    }
}

/// Whether trying again would end the same way.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::TooLarge | ErrorKind::NotFound
    )
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
