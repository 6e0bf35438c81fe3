//! The one way to run an operation: look-up, role and scope, size, schema, idempotency, rate,
//! deadline, span, metrics, audit.
//!
//! Invariants: nobody is allowed by default; arguments reach a verb only after their schema held;
//! a panic inside a verb is an `internal` error of that call alone; a write that was started is
//! never cut off half-way, because its caller could not tell what became of it.

mod audit;
mod changes;
mod late;
mod limits;
mod nearest;
mod run;
mod schema;
mod tool;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use flowmaster_kernel::{
    BoxFuture, Catalogue, Ctx, Error, ErrorKind, Idempotency, MAX_IDEMPOTENCY_KEY, Result,
    TenantId, ToolCaller,
};
use flowmaster_store::{TRANSACTION_LOST, Turn, Turns};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tracing::Instrument as _;

use audit::{Fingerprint, Meter, Record};
use changes::Changes;
pub use late::LateCaller;
use limits::Buckets;
pub use limits::Limits;
use schema::{Contract, IDEMPOTENCY_KEY};
pub use tool::{Declaration, Tool};

use crate::ports::{AnswerBook, AuditLog, ProcessTools};

/// Runs operations.
pub struct Dispatcher {
    offers: BTreeMap<String, Arc<Offer>>,
    limits: Limits,
    buckets: Buckets,
    turns: Turns<CallKey>,
    changes: Changes,
    answers: Option<Arc<dyn AnswerBook>>,
    audit: Option<Arc<dyn AuditLog>>,
    processes: Option<Arc<dyn ProcessTools>>,
}

/// A tool with its compiled contract.
pub struct Offer {
    /// The tool.
    pub tool: Tool,
    contract: Contract,
    done: Meter,
}

impl Offer {
    fn new(tool: Tool) -> Result<Self> {
        let contract = Contract::compile(&tool.name, tool.effect, &tool.input)?;
        let done = Meter::new(&tool.name, "ok");
        Ok(Self { tool, contract, done })
    }

    /// The input schema as callers see it, with the common arguments.
    #[must_use]
    pub fn advertised_input(&self) -> Arc<Map<String, Value>> {
        Arc::clone(&self.contract.advertised)
    }
}

/// What running a call led to.
enum Outcome {
    /// It was done now.
    Done(Value),
    /// It was done before, under its key, with this answer.
    DoneBefore(Value),
}

/// An idempotency key belongs to one principal of one tenant.
#[derive(Clone, PartialEq, Eq, Hash)]
struct CallKey(TenantId, String, String);

impl CallKey {
    fn of(ctx: &Ctx) -> Option<Self> {
        let call = ctx.idempotency.as_ref()?;
        Some(Self(ctx.tenant.clone(), ctx.principal.id.clone(), call.key.clone()))
    }
}

/// How often a call is run again after its transaction was lost with nothing applied.
const RERUNS: usize = 5;

/// What a dispatcher stands on, besides the catalogue.
#[derive(Clone, Default)]
pub struct Foundations {
    /// Bounds of a call.
    pub limits: Limits,
    /// Recorded answers; needed as soon as one operation writes.
    pub answers: Option<Arc<dyn AnswerBook>>,
    /// Where calls are written down.
    pub audit: Option<Arc<dyn AuditLog>>,
    /// Processes published as tools.
    pub processes: Option<Arc<dyn ProcessTools>>,
}

impl Dispatcher {
    /// Prepares every operation of the catalogue.
    ///
    /// # Errors
    /// A schema that does not compile, or writes without an answer book: the program must not
    /// start.
    pub fn new(catalogue: &Catalogue, on: Foundations) -> Result<Self> {
        let mut offers = BTreeMap::new();
        for operation in catalogue.iter() {
            let tool = Tool::from(operation);
            if tool.is_mutating() && on.answers.is_none() {
                return Err(Error::invalid("answer_book_missing", "an operation writes")
                    .why(format!("{} writes, and nothing records answers", tool.name)));
            }
            offers.insert(tool.name.to_string(), Arc::new(Offer::new(tool)?));
        }
        Ok(Self {
            offers,
            limits: on.limits,
            buckets: Buckets::default(),
            turns: Turns::default(),
            changes: Changes::default(),
            answers: on.answers,
            audit: on.audit,
            processes: on.processes,
        })
    }

    /// The operations of the catalogue, by name.
    pub fn offers(&self) -> impl Iterator<Item = &Arc<Offer>> {
        self.offers.values()
    }

    /// Changes whenever a call through this dispatcher has written something in the tenant.
    pub fn watch(&self, tenant: &TenantId) -> watch::Receiver<()> {
        self.changes.watch(tenant)
    }

    /// How many calls through this dispatcher have written something.
    pub fn written(&self) -> u64 {
        self.changes.count()
    }

    /// What the caller may call, by name: operations first, then the tenant's published processes.
    ///
    /// # Errors
    /// Whatever the source of published processes reports.
    pub async fn offers_to(&self, ctx: &Ctx) -> Result<Vec<Arc<Offer>>> {
        let mut allowed: Vec<_> =
            self.offers().filter(|offer| offer.tool.is_allowed_to(ctx)).cloned().collect();
        if let Some(processes) = &self.processes {
            let mut published = processes.tools(ctx).await?;
            published.retain(|tool| {
                tool.is_allowed_to(ctx) && !self.offers.contains_key(tool.name.as_ref())
            });
            published.sort_by(|a, b| a.name.cmp(&b.name));
            for tool in published {
                match Offer::new(tool) {
                    Ok(offer) => allowed.push(Arc::new(offer)),
                    // One bad process must not hide the other tools of the tenant.
                    Err(error) => tracing::warn!(%error, "a published process is not offered"),
                }
            }
        }
        Ok(allowed)
    }

    /// Calls `operation` for the principal of `ctx`.
    ///
    /// # Errors
    /// A refusal of the dispatcher (`unknown_operation`, `forbidden`, `arguments_too_large`,
    /// `invalid_arguments`, `rate_limited`, `deadline_exceeded`, …) or the error of the verb.
    pub async fn call(&self, ctx: Ctx, operation: &str, arguments: Value) -> Result<Value> {
        let started = Instant::now();
        let span = tracing::info_span!(
            "operation",
            name = operation,
            tenant = %ctx.tenant,
            principal = %ctx.principal.id,
            trace = %ctx.trace
        );
        let mut record = Record::default();
        let result = self
            .admit_and_run(&ctx, operation, arguments, &mut record)
            .instrument(span.clone())
            .await
            .map_err(|error| with_trace(error, &ctx));
        let _entered = span.enter();
        record.close(self.audit.as_ref(), &ctx, operation, &result, started.elapsed());
        result
    }

    async fn admit_and_run(
        &self,
        ctx: &Ctx,
        operation: &str,
        arguments: Value,
        record: &mut Record,
    ) -> Result<Value> {
        let offer = self.find(ctx, operation).await?;
        let tool = &offer.tool;
        record.offer = Some(Arc::clone(&offer));
        authorise(ctx, tool)?;

        let mut arguments = match arguments {
            Value::Null => Value::Object(Map::new()),
            arguments => arguments,
        };
        self.limits.of(tool).check(&arguments)?;
        let mut ctx = ctx.clone();
        let key = if tool.is_mutating() { take_key(&ctx, &mut arguments)? } else { None };
        let fingerprint = Fingerprint::of(operation, &arguments);
        record.arguments = Some(fingerprint);
        offer.contract.check(operation, &arguments)?;
        ctx.idempotency = key.map(|key| {
            Arc::new(Idempotency {
                key,
                operation: operation.to_owned(),
                body_hash: fingerprint.to_string(),
            })
        });
        if let Some(answer) = self.recorded_answer(&ctx).await? {
            record.replayed = true;
            return self.answer_again(tool, ctx, arguments, answer).await;
        }
        self.buckets.take(&self.limits, &ctx)?;
        if !tool.is_mutating() {
            return run::read(&self.limits, ctx, |ctx| tool.run(ctx, arguments)).await;
        }
        match self.run_once(tool, &ctx, &arguments).await? {
            Outcome::Done(answer) => {
                self.changes.tell(&ctx.tenant);
                Ok(answer)
            }
            Outcome::DoneBefore(answer) => {
                record.replayed = true;
                self.answer_again(tool, ctx, arguments, answer).await
            }
        }
    }

    /// Runs a call once under its key, however often it is made at the same time.
    async fn run_once(&self, tool: &Tool, ctx: &Ctx, arguments: &Value) -> Result<Outcome> {
        let turn = match CallKey::of(ctx) {
            None => None,
            Some(key) => {
                let turn = tokio::time::timeout(self.limits.deadline, self.turns.take(key)).await;
                Some(turn.map_err(|_elapsed| still_running())?)
            }
        };
        let has_waited = turn.as_ref().is_some_and(Turn::has_waited);
        // The turn ends with the verb, which goes on when its caller has gone away.
        let turn = Arc::new(turn);
        if has_waited && let Some(answer) = self.recorded_answer(ctx).await? {
            return Ok(Outcome::DoneBefore(answer));
        }
        let mut attempts_left = RERUNS;
        loop {
            let (verb, given, turn) = (tool.clone(), arguments.clone(), Arc::clone(&turn));
            let work = move |ctx| -> BoxFuture<'static, Result<Value>> {
                Box::pin(async move {
                    let _turn = turn;
                    verb.run(ctx, given).await
                })
            };
            let error = match run::write(&self.limits, ctx.clone(), work).await {
                Ok(answer) => return Ok(Outcome::Done(answer)),
                Err(error) => error,
            };
            // Any failure may come from the same call having been faster on another node: what it
            // wanted to change is changed already, and its answer is ours.
            if let Some(answer) = self.recorded_answer(ctx).await? {
                return Ok(Outcome::DoneBefore(answer));
            }
            // It shared a commit with one that failed: nothing of it was applied.
            if error.code() != TRANSACTION_LOST || attempts_left == 0 {
                return Err(error);
            }
            attempts_left -= 1;
        }
    }

    /// The offer called `name`. Whether the caller may use it is decided when it is called.
    ///
    /// # Errors
    /// `unknown_operation` with the names that look like it.
    pub async fn find(&self, ctx: &Ctx, name: &str) -> Result<Arc<Offer>> {
        if let Some(offer) = self.offers.get(name) {
            return Ok(Arc::clone(offer));
        }
        if let Some(processes) = &self.processes
            && let Some(tool) = processes.tool(ctx, name).await?
        {
            return Ok(Arc::new(Offer::new(tool)?));
        }
        let visible: Vec<_> = self
            .offers()
            .filter(|offer| offer.tool.is_allowed_to(ctx))
            .map(|offer| offer.tool.name.as_ref())
            .collect();
        let nearest = nearest::nearest(name, &visible, 3);
        let shown: String = name.chars().take(64).collect();
        let fix = if nearest.is_empty() {
            "find operations with capability_search".to_owned()
        } else {
            format!("use one of {}, or find others with capability_search", nearest.join(", "))
        };
        Err(Error::new(
            ErrorKind::NotFound,
            "unknown_operation",
            format!("no operation is called {shown:?}"),
        )
        .fix(fix)
        .next("capability_search")
        .details(json!({ "nearest": nearest })))
    }

    async fn recorded_answer(&self, ctx: &Ctx) -> Result<Option<Value>> {
        match &self.answers {
            Some(answers) if ctx.idempotency.is_some() => answers.recorded_answer(ctx).await,
            _ => Ok(None),
        }
    }

    /// The answer of a call that was done before, as it is now.
    async fn answer_again(
        &self,
        tool: &Tool,
        ctx: Ctx,
        arguments: Value,
        recorded: Value,
    ) -> Result<Value> {
        let work = move |ctx| tool.answer_again(ctx, arguments, recorded);
        run::write(&self.limits, ctx, work).await
    }
}

impl ToolCaller for Dispatcher {
    fn call<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Value>> {
        Box::pin(Self::call(self, ctx.clone(), operation, arguments))
    }
}

/// The inside of a defect is in the log; the trace id is what finds it there.
fn with_trace(error: Error, ctx: &Ctx) -> Error {
    if error.kind() == ErrorKind::Internal && error.body().details.is_none() {
        return error.details(json!({ "trace": *ctx.trace }));
    }
    error
}

fn still_running() -> Error {
    Error::new(ErrorKind::Timeout, "deadline_exceeded", "the same call is still running")
        .why("a call with this idempotency key was made before and is not done")
        .fix("call again with the same idempotency_key to learn its outcome")
}

fn authorise(ctx: &Ctx, tool: &Tool) -> Result<()> {
    if !ctx.principal.has_any(&tool.roles) {
        let needed: Vec<_> = tool.roles.iter().map(|role| role.as_str()).collect();
        let held: Vec<_> = ctx.principal.roles.iter().map(|role| role.as_str()).collect();
        return Err(Error::new(ErrorKind::Forbidden, "forbidden", "your roles do not allow this")
            .why(format!("{} needs one of the roles {}", tool.name, needed.join(", ")))
            .fix("ask an administrator for one of these roles")
            .details(json!({ "needed_roles": needed, "your_roles": held })));
    }
    if !ctx.scopes.allow(&tool.scope) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "forbidden",
            "your credential does not allow this",
        )
        .why(format!("{} needs the scope {}", tool.name, tool.scope))
        .fix("use a key that has this scope")
        .details(json!({ "needed_scope": tool.scope })));
    }
    Ok(())
}

/// Takes the idempotency key out of the arguments; in-process callers may set it in the context.
fn take_key(ctx: &Ctx, arguments: &mut Value) -> Result<Option<String>> {
    let given = arguments.as_object_mut().and_then(|fields| fields.shift_remove(IDEMPOTENCY_KEY));
    let key = match given {
        None | Some(Value::Null) => {
            return Ok(ctx.idempotency.as_ref().map(|known| known.key.clone()));
        }
        Some(Value::String(key)) => key,
        Some(_) => String::new(),
    };
    let printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY || !printable {
        return Err(Error::invalid("invalid_idempotency_key", "the idempotency key is wrong")
            .why(format!("it must be 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters"))
            .fix("send a fresh UUID, and the same one again when you retry"));
    }
    Ok(Some(key))
}
