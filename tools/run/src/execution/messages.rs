//! Messages and signals: to whoever waits for them, to processes that begin by them, and into the
//! buffer for whoever begins to wait later (BPMN 2.0.2 §10.5.5.3, §10.5.5.10).

use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Command, Key, VariableMap};
use flowmaster_kernel::{Ctx, Id, Result};
use flowmaster_store::WriteSet;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::instance::{InstanceKind, Stored};
use super::service::{Execution, Then};
use super::store;
use super::types::{BroadcastSignal, Delivered, PublishMessage};

/// How long a message is kept by default.
const DEFAULT_TTL_MILLIS: i64 = 3_600_000;

/// A message on its way.
pub(super) struct Delivery {
    /// The same at every delivery.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) correlation: Option<String>,
    pub(super) variables: VariableMap,
    pub(super) ttl_millis: Option<i64>,
}

impl Execution {
    pub(super) async fn publish_message(&self, ctx: &Ctx, params: PublishMessage) -> Result<Delivered> {
        let id = match params.message_id {
            Some(given) => given,
            None => ctx.fresh_id::<InstanceKind>().to_string(),
        };
        let delivery = Delivery {
            id,
            name: params.name,
            correlation: params.correlation,
            variables: params.variables.into(),
            ttl_millis: params.ttl_s.map(|seconds| i64::from(seconds) * 1_000),
        };
        let step = Ctx { idempotency: None, ..ctx.clone() };
        let delivered = self.deliver_message(&step, delivery).await?;
        let mut writes = WriteSet::new();
        writes.answer(ctx, &delivered)?;
        self.db().submit(ctx, writes).await?;
        Ok(delivered)
    }

    pub(super) async fn broadcast(&self, ctx: &Ctx, params: BroadcastSignal) -> Result<Delivered> {
        let id = ctx.fresh_id::<InstanceKind>().to_string();
        let step = Ctx { idempotency: None, ..ctx.clone() };
        let delivered =
            self.deliver_signal(&step, &params.name, &params.variables.into(), &id).await?;
        let mut writes = WriteSet::new();
        writes.answer(ctx, &delivered)?;
        self.db().submit(ctx, writes).await?;
        Ok(delivered)
    }

    /// Gives a message to one waiting element of each instance, starts what begins by it, or keeps
    /// it.
    pub(super) async fn deliver_message(&self, ctx: &Ctx, message: Delivery) -> Result<Delivered> {
        let correlation = message.correlation.clone().unwrap_or_default();
        let subscribers = {
            let mut session = self.db().read(ctx).await?;
            store::subscribers(&mut session, "message", &message.name, &correlation).await?
        };
        let mut delivered = Delivered { correlated: Vec::new(), started: Vec::new(), buffered: false };
        for (instance, key) in subscribers {
            if delivered.correlated.last() == Some(&instance) {
                continue;
            }
            let command = Command::CorrelateMessage {
                key,
                variables: message.variables.clone(),
                message_id: Some(message.id.clone()),
            };
            let nothing_more = |_: &Stored| Ok(WriteSet::new());
            match self.execute(ctx, &instance, &command, Then::also(&nothing_more)).await {
                Ok(_) => delivered.correlated.push(instance),
                Err(error) if matches!(error.code(), "not_waiting" | "instance_state") => {}
                Err(error) => return Err(error),
            }
        }
        let begun = self.processes().begun_by_message(ctx, &message.name).await?;
        for (process, element) in begun {
            let started = self.begin(ctx, &process, element, &message.variables, &message.id).await?;
            delivered.started.extend(started);
        }
        let ttl = message.ttl_millis.unwrap_or(DEFAULT_TTL_MILLIS);
        if delivered.correlated.is_empty() && delivered.started.is_empty() && ttl > 0 {
            let expires_at = ctx.now().plus_millis(ttl);
            let variables = serde_json::to_value(&message.variables).unwrap_or(Value::Null);
            let mut writes = WriteSet::new();
            store::buffer(&mut writes, &message.id, &message.name, &correlation, &variables, expires_at);
            self.db().submit(ctx, writes).await?;
            delivered.buffered = true;
        }
        Ok(delivered)
    }

    /// Gives a signal to every instance that waits for it, and starts what begins by it.
    pub(super) async fn deliver_signal(
        &self,
        ctx: &Ctx,
        name: &str,
        variables: &VariableMap,
        id: &str,
    ) -> Result<Delivered> {
        let subscribers = {
            let mut session = self.db().read(ctx).await?;
            store::subscribers(&mut session, "signal", name, "").await?
        };
        let mut delivered = Delivered { correlated: Vec::new(), started: Vec::new(), buffered: false };
        for (instance, _) in subscribers {
            if delivered.correlated.last() == Some(&instance) {
                continue;
            }
            let command =
                Command::BroadcastSignal { name: name.to_owned(), variables: variables.clone() };
            let nothing_more = |_: &Stored| Ok(WriteSet::new());
            match self.execute(ctx, &instance, &command, Then::also(&nothing_more)).await {
                Ok(_) => delivered.correlated.push(instance),
                Err(error) if matches!(error.code(), "not_waiting" | "instance_state") => {}
                Err(error) => return Err(error),
            }
        }
        for (process, element) in self.processes().begun_by_signal(ctx, name).await? {
            let started = self.begin(ctx, &process, element, variables, id).await?;
            delivered.started.extend(started);
        }
        Ok(delivered)
    }

    /// Starts a process at a start event, once for every `cause`.
    pub(super) async fn begin(
        &self,
        ctx: &Ctx,
        process: &str,
        element: String,
        variables: &VariableMap,
        cause: &str,
    ) -> Result<Option<String>> {
        let published = self.processes().published(ctx, process, None).await?;
        let id = caused_id(cause, process, &element);
        let command = Command::Start {
            variables: variables.clone(),
            business_key: None,
            at: Some(element.into()),
            caller: None,
        };
        match self.start_instance(ctx, &published, id.to_string(), command, |_| Ok(WriteSet::new())).await {
            Ok(_) => Ok(Some(id.to_string())),
            Err(error) if error.code() == "instance_exists" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives buffered messages to waits that just opened.
    pub(super) async fn take_buffered(&self, ctx: &Ctx, stored: &Stored, opened: &[Key]) -> Result<()> {
        let step = Ctx { idempotency: None, ..ctx.clone() };
        for key in opened {
            let Some(wait) = stored.instance.wait(*key) else { continue };
            let WaitKind::Message { name, correlation } = &wait.kind else { continue };
            let correlation = correlation.as_deref().unwrap_or_default();
            let found = {
                let mut session = self.db().read(&step).await?;
                store::buffered(&mut session, name, correlation, step.now()).await?
            };
            let Some(message) = found else { continue };
            let command = Command::CorrelateMessage {
                key: *key,
                variables: serde_json::from_value(message.variables).unwrap_or_default(),
                message_id: Some(message.id.clone()),
            };
            let take = |_: &Stored| {
                let mut writes = WriteSet::new();
                store::unbuffer(&mut writes, &message.id);
                Ok(writes)
            };
            match self.execute(&step, &stored.instance.id, &command, Then::also(&take)).await {
                Ok(_) => {}
                // Somebody else took it, or the wait is over: that is what was wanted.
                Err(error) if matches!(error.code(), "not_waiting" | "instance_state" | "instance_contended") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The id of the instance that `cause` begins: the same for the same cause.
fn caused_id(cause: &str, process: &str, element: &str) -> Id<InstanceKind> {
    let digest = Sha256::digest(format!("{cause}\n{process}\n{element}").as_bytes());
    let text: String = digest.iter().take(13).map(|byte| format!("{byte:02x}")).collect();
    Id::from_text(format!("ins_{text}"))
}
