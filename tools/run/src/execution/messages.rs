//! Messages and signals: to whoever waits for them, to processes that begin by them, and into the
//! buffer for whoever begins to wait later (BPMN 2.0.2 §10.5.5.3, §10.5.5.10).
//!
//! A message is taken once by each process: by the instance that has waited longest, else by a new
//! one. A signal is heard by everybody.

use std::collections::BTreeSet;

use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Command, Key, StartedBy, VariableMap};
use flowmaster_kernel::{Ctx, Error, Id, Result, hex};
use flowmaster_store::WriteSet;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::calls::{Mark, is_final};
use super::error::{EXISTS, ExecutionError, PAUSED, REFUSED, TAKEN};
use super::held::{Held, Told, is_settled};
use super::instance::{InstanceKind, Stored};
use super::service::{Execution, Then};
use super::store::mail::{self, Subscriber, Taken, Taker, ToBuffer};
use super::types::{BroadcastSignal, Delivered, PublishMessage};

/// How long a message is kept by default.
pub(super) const DEFAULT_TTL_MILLIS: i64 = 3_600_000;
/// The longest time that a message is kept, in seconds: 30 days.
const MAX_TTL_S: u32 = 2_592_000;
/// The longest name, correlation key or id.
const MAX_NAME: usize = 500;
/// How often a delivery looks again because whoever waited had moved on.
const ROUNDS: usize = 32;

/// A message on its way.
pub(super) struct Delivery {
    /// The same at every delivery.
    pub(super) id: String,
    /// Whether it may be delivered again, so that who took it has to be remembered.
    pub(super) may_repeat: bool,
    pub(super) name: String,
    pub(super) correlation: Option<String>,
    pub(super) variables: VariableMap,
    pub(super) ttl_millis: i64,
}

/// Where and with what a process begins.
pub(super) struct Beginning<'a> {
    pub(super) process: &'a str,
    /// The start event.
    pub(super) element: String,
    /// What happened there.
    pub(super) by: StartedBy,
    pub(super) variables: &'a VariableMap,
    pub(super) business_key: Option<String>,
}

impl Execution {
    pub(super) async fn publish_message(
        &self,
        ctx: &Ctx,
        params: PublishMessage,
    ) -> Result<Delivered> {
        check_length("the name", &params.name)?;
        check_length("the correlation key", params.correlation.as_deref().unwrap_or_default())?;
        check_length("the message id", params.message_id.as_deref().unwrap_or_default())?;
        let ttl_s = params.ttl_s.map(i64::from);
        if params.ttl_s.is_some_and(|seconds| seconds > MAX_TTL_S) {
            return Err(Error::invalid("invalid_ttl", format!("ttl_s is over {MAX_TTL_S}"))
                .fix("keep a message for 30 days at most"));
        }
        let (id, may_repeat) = message_id(ctx, params.message_id);
        let delivery = Delivery {
            id,
            may_repeat,
            name: params.name,
            correlation: params.correlation,
            variables: params.variables.into(),
            ttl_millis: ttl_s.map_or(DEFAULT_TTL_MILLIS, |seconds| seconds * 1_000),
        };
        let delivered = self.deliver_message(&unkeyed(ctx), &delivery).await?;
        self.record(ctx, &delivered).await?;
        Ok(delivered)
    }

    pub(super) async fn broadcast(&self, ctx: &Ctx, params: BroadcastSignal) -> Result<Delivered> {
        check_length("the name", &params.name)?;
        let (id, _) = message_id(ctx, None);
        let variables = params.variables.into();
        let delivered = self.deliver_signal(&unkeyed(ctx), &params.name, &variables, &id).await?;
        self.record(ctx, &delivered).await?;
        Ok(delivered)
    }

    /// Gives a message to the first waiting instance of each process, starts what begins by it, or
    /// keeps it. Says what became of it, by earlier deliveries of the same message too.
    ///
    /// # Errors
    /// A process that refuses it, or to begin, after everybody else got the message.
    pub(super) async fn deliver_message(&self, ctx: &Ctx, message: &Delivery) -> Result<Delivered> {
        let correlation = message.correlation.as_deref().unwrap_or_default();
        for _ in 0..ROUNDS {
            let Taken { targets: mut taken_by, mut delivered } = self.taken(ctx, message).await?;
            let was_taken = !taken_by.is_empty();
            let mut refused =
                self.correlate(ctx, message, correlation, &mut taken_by, &mut delivered).await?;
            let begun = self.processes().begun_by_message(ctx, &message.name).await?;
            let variables = &message.variables;
            for (process, element) in begun {
                if !taken_by.insert(process.clone()) {
                    continue;
                }
                let id = &message.id;
                let instance = caused_id(id, &process, &element).to_string();
                let taker = Taker { target: &process, instance: &instance, began: true };
                let take = |writes: &mut WriteSet| message.take(writes, ctx, taker);
                let business_key = self.business_key(ctx, &process, &element, correlation).await?;
                let by = StartedBy::Message(message.name.clone());
                let beginning =
                    Beginning { process: &process, element, by, variables, business_key };
                match self.begin(ctx, beginning, id, &Mark(&take)).await {
                    Ok(began) => delivered.started.push(began.into_id()),
                    Err(error) if is_final(&error) => refused = Some(error),
                    Err(error) => return Err(error),
                }
            }
            if let Some(refused) = refused {
                return Err(refused);
            }
            let is_wanted = !delivered.correlated.is_empty() || !delivered.started.is_empty();
            if is_wanted && message.may_repeat {
                // Another delivery of the same message may have been faster in part.
                return Ok(self.taken(ctx, message).await?.delivered);
            }
            if is_wanted || was_taken || message.ttl_millis <= 0 {
                return Ok(delivered);
            }
            if self.keep(ctx, message, correlation).await? {
                delivered.buffered = true;
                return Ok(delivered);
            }
            // Somebody began to wait, or took it, meanwhile.
        }
        Err(ExecutionError::Contended.into())
    }

    async fn taken(&self, ctx: &Ctx, message: &Delivery) -> Result<Taken> {
        match message.may_repeat {
            true => mail::taken(&mut *self.db().read(ctx).await?, &message.id).await,
            false => Ok(Taken::default()),
        }
    }

    /// Gives the message to whoever waits; says which refused it, after everybody else got it.
    async fn correlate(
        &self,
        ctx: &Ctx,
        message: &Delivery,
        correlation: &str,
        taken_by: &mut BTreeSet<String>,
        delivered: &mut Delivered,
    ) -> Result<Option<Error>> {
        let mut refused = None;
        for _ in 0..ROUNDS {
            let first = {
                let mut session = self.db().read(ctx).await?;
                mail::first_subscribers(&mut session, &message.name, correlation).await?
            };
            let mut has_moved_on = false;
            for Subscriber { process, instance, key } in first {
                if taken_by.contains(&process) {
                    continue;
                }
                let held = Held::Message {
                    key,
                    variables: message.variables.clone(),
                    message_id: message.id.clone(),
                };
                let taker = Taker { target: &process, instance: &instance, began: false };
                let take = |writes: &mut WriteSet| message.take(writes, ctx, taker);
                match self.tell_or_hold(ctx, &instance, &message.id, &held, &Mark(&take)).await {
                    Ok(Told::Done | Told::Repeated) => delivered.correlated.push(instance),
                    Ok(Told::Gone) => {
                        has_moved_on = true;
                        continue;
                    }
                    Err(error) if error.code() == REFUSED => refused = Some(error),
                    Err(error) => return Err(error),
                }
                taken_by.insert(process);
            }
            if !has_moved_on {
                return Ok(refused);
            }
        }
        Err(ExecutionError::Contended.into())
    }

    /// Keeps a message unless somebody waits for it or took it by now. One transaction: a
    /// subscription is either seen here, or it is opened later and its instance sees the message.
    async fn keep(&self, ctx: &Ctx, message: &Delivery, correlation: &str) -> Result<bool> {
        let mut tx = self.db().begin(ctx).await?;
        let first = mail::first_subscribers(&mut tx, &message.name, correlation).await?;
        let taken = mail::taken(&mut tx, &message.id).await?;
        if !first.is_empty() || !taken.targets.is_empty() {
            tx.rollback().await;
            return Ok(false);
        }
        let kept = ToBuffer {
            id: &message.id,
            name: &message.name,
            correlation,
            variables: Value::Object(message.variables.to_json()),
            received_at: ctx.now(),
            expires_at: ctx.now().plus_millis(message.ttl_millis),
        };
        mail::buffer(&mut tx, kept).await?;
        tx.commit(true).await
    }

    /// Gives a signal to every instance that waits for it, and starts what begins by it. Says what
    /// it led to, by earlier deliveries of the same signal too.
    ///
    /// # Errors
    /// A process that refuses it, or to begin, after everybody else heard the signal.
    pub(super) async fn deliver_signal(
        &self,
        ctx: &Ctx,
        name: &str,
        variables: &VariableMap,
        id: &str,
    ) -> Result<Delivered> {
        let (mut after, mut refused) = (String::new(), None);
        loop {
            let listeners = {
                let mut session = self.db().read(ctx).await?;
                mail::listeners(&mut session, name, &after).await?
            };
            let Some(last) = listeners.last() else { break };
            after.clone_from(last);
            for instance in listeners {
                let held = Held::Signal { name: name.to_owned(), variables: variables.clone() };
                let taker = Taker { target: &instance, instance: &instance, began: false };
                let take = |writes: &mut WriteSet| mail::take(writes, id, taker, ctx.now());
                match self.tell_or_hold(ctx, &instance, id, &held, &Mark(&take)).await {
                    Ok(_) => {}
                    Err(error) if error.code() == REFUSED => refused = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        for (process, element) in self.processes().begun_by_signal(ctx, name).await? {
            let instance = caused_id(id, &process, &element).to_string();
            let taker = Taker { target: &process, instance: &instance, began: true };
            let take = |writes: &mut WriteSet| mail::take(writes, id, taker, ctx.now());
            let by = StartedBy::Signal(name.to_owned());
            let beginning =
                Beginning { process: &process, element, by, variables, business_key: None };
            match self.begin(ctx, beginning, id, &Mark(&take)).await {
                Ok(_) => {}
                Err(error) if is_final(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(refused) => Err(refused),
            None => Ok(mail::taken(&mut *self.db().read(ctx).await?, id).await?.delivered),
        }
    }

    /// The business key of an instance of `process` that a message begins at `element`.
    async fn business_key(
        &self,
        ctx: &Ctx,
        process: &str,
        element: &str,
        correlation: &str,
    ) -> Result<Option<String>> {
        let published = self.processes().published(ctx, process, None).await?;
        let process = published.definition.process();
        Ok(process.business_key_at(&element.into(), Some(correlation)))
    }

    /// Starts a process at a start event, once for every `cause`; `mark` is written with it.
    pub(super) async fn begin(
        &self,
        ctx: &Ctx,
        beginning: Beginning<'_>,
        cause: &str,
        mark: &Mark<'_>,
    ) -> Result<Began> {
        let Beginning { process, element, by, variables, business_key } = beginning;
        let published = self.processes().published(ctx, process, None).await?;
        let id = caused_id(cause, process, &element).to_string();
        let variables = variables.clone();
        let at = Some(element.into());
        let command = Command::Start { variables, business_key, at, by, caller: None };
        let also = |_: &_| Ok(mark.writes());
        match self.start_instance(ctx, &published, id.clone(), command, also).await {
            Ok(_) => Ok(Began::Now(id)),
            Err(error) if matches!(error.code(), EXISTS | TAKEN) => Ok(Began::Before(id)),
            Err(error) => Err(error),
        }
    }

    /// Gives buffered messages to waits that just opened.
    pub(super) async fn take_buffered(
        &self,
        ctx: &Ctx,
        stored: &Stored,
        opened: &[Key],
    ) -> Result<()> {
        let step = unkeyed(ctx);
        for key in opened {
            let Some(wait) = stored.instance.wait(*key) else { continue };
            let WaitKind::Message { name, correlation } = &wait.kind else { continue };
            let correlation = correlation.as_deref().unwrap_or_default();
            let found = {
                let mut session = self.db().read(&step).await?;
                mail::buffered(&mut session, name, correlation, step.now()).await?
            };
            let Some(message) = found else { continue };
            let variables = serde_json::from_value(message.variables)
                .map_err(|error| Error::internal("message_decoding", error))?;
            let command = Command::CorrelateMessage {
                key: *key,
                variables,
                message_id: Some(message.id.clone()),
            };
            let take = |_: &Stored| {
                let mut writes = WriteSet::new();
                mail::unbuffer(&mut writes, &message.id);
                let (target, instance) = (&*stored.process, &*stored.instance.id);
                let taker = Taker { target, instance, began: false };
                mail::take(&mut writes, &message.id, taker, step.now());
                Ok(writes)
            };
            match self.execute(&step, &stored.instance.id, &command, Then::also(&take)).await {
                Ok(_) => {}
                // Somebody else took it, or the wait is over: that is what was wanted. A paused
                // instance looks again when it is resumed.
                Err(error) if is_settled(&error) || matches!(error.code(), TAKEN | PAUSED) => {}
                // It would be refused again: for this process the message is spent.
                Err(error) if error.code() == REFUSED => {
                    match self.db().submit(&step, take(stored)?.finishing()).await {
                        Err(error) if error.code() != TAKEN => return Err(error),
                        _ => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// An instance that something began.
pub(super) enum Began {
    /// With its id.
    Now(String),
    /// An earlier delivery of the same cause did; nothing was written.
    Before(String),
}

impl Began {
    pub(super) fn into_id(self) -> String {
        let (Self::Now(id) | Self::Before(id)) = self;
        id
    }
}

impl Delivery {
    /// Notes who took the message.
    fn take(&self, writes: &mut WriteSet, ctx: &Ctx, taker: Taker<'_>) {
        if self.may_repeat {
            mail::take(writes, &self.id, taker, ctx.now());
        }
    }
}

/// The key of a call belongs to its last commit: until then it is not done.
pub(super) fn unkeyed(ctx: &Ctx) -> Ctx {
    Ctx { idempotency: None, ..ctx.clone() }
}

/// The id of a message, and whether the sender may send it again: with its own id, or by repeating
/// the call with its key.
pub(super) fn message_id(ctx: &Ctx, given: Option<String>) -> (String, bool) {
    match (given, &ctx.idempotency) {
        (Some(given), _) => (given, true),
        (None, Some(call)) => (hashed(&["call", &ctx.principal.id, &call.key]), true),
        (None, None) => (ctx.fresh_id::<InstanceKind>().to_string(), false),
    }
}

/// The id of the instance that `cause` begins: the same for the same cause.
fn caused_id(cause: &str, process: &str, element: &str) -> Id<InstanceKind> {
    Id::from_text(format!("ins_{}", hashed(&[cause, process, element])))
}

fn hashed(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    hex(digest.first_chunk::<13>().map_or(&digest[..], |start| start))
}

pub(super) fn check_length(what: &'static str, text: &str) -> Result<()> {
    if text.chars().count() <= MAX_NAME {
        return Ok(());
    }
    Err(ExecutionError::TooLong { what, limit: MAX_NAME }.into())
}
