//! What the surface needs from the rooms. The composition root implements these over the rooms'
//! verbs; nothing here knows how.
//!
//! Invariant: the tenant in a [`Caller`] comes from a verified credential only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{
    Answers, BoxFuture, Clock, Content, Ctx, IdSource, Page, PageRequest, Principal, Question,
    Result, Scopes, TenantId, Timestamp,
};
use serde_json::Value;

use crate::dispatch::Tool;

/// Who a credential stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant of the credential.
    pub tenant: TenantId,
    /// The verified principal.
    pub principal: Arc<Principal>,
    /// What the credential allows.
    pub scopes: Arc<Scopes>,
}

impl Caller {
    /// The context of one call by this caller.
    #[must_use]
    pub fn ctx(&self, trace: Arc<str>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdSource>) -> Ctx {
        Ctx {
            tenant: self.tenant.clone(),
            principal: Arc::clone(&self.principal),
            scopes: Arc::clone(&self.scopes),
            trace,
            deadline: None,
            idempotency: None,
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            exchange: None,
        }
    }

    /// Whether `other` is the same principal of the same tenant, whatever its credential allows.
    #[must_use]
    pub fn is_same_principal(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.principal.id == other.principal.id
    }
}

/// Turns a bearer credential into a caller.
pub trait Authenticator: Send + Sync {
    /// Verifies `bearer`.
    ///
    /// # Errors
    /// `unauthenticated` family for a credential that is unknown, expired or revoked.
    fn verify<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller>>;
}

/// The recorded answers of mutating calls. Rooms record inside their own transaction; this side
/// only looks up.
pub trait AnswerBook: Send + Sync {
    /// The answer recorded for the key in `ctx.idempotency`, if there is one.
    ///
    /// # Errors
    /// `idempotency_conflict` when the key was used with another body.
    fn recorded_answer<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Option<Value>>>;
}

/// What is written down about a call that changed something or was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The operation asked for.
    pub operation: String,
    /// `ok`, or the code of the error.
    pub outcome: String,
    /// SHA-256 of the canonical arguments, in hexadecimal: the arguments may hold secrets.
    pub arguments_hash: String,
    /// How long the call took.
    pub duration: Duration,
}

/// Where calls are written down.
pub trait AuditLog: Send + Sync {
    /// Takes an entry. Must not block: queue it.
    fn record(&self, ctx: &Ctx, entry: AuditEntry);
}

/// A resource in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceEntry {
    /// `flowmaster://…`
    pub uri: String,
    /// A short name.
    pub name: String,
    /// A human title.
    pub title: Option<String>,
    /// What it holds.
    pub description: Option<String>,
    /// Its media type.
    pub mime_type: String,
}

/// A family of resources (RFC 6570 level 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTemplate {
    /// E.g. `flowmaster://process/{id}`.
    pub uri_template: String,
    /// A short name.
    pub name: String,
    /// A human title.
    pub title: Option<String>,
    /// What such a resource holds.
    pub description: Option<String>,
    /// The media type of all of them.
    pub mime_type: String,
}

/// The contents of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceContents {
    /// Its media type.
    pub mime_type: String,
    /// What it holds.
    pub body: ResourceBody,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes, in base64.
    Base64(String),
}

/// What can be read by URI, such as `flowmaster://process/{id}`.
pub trait ResourceSource: Send + Sync {
    /// The schemes of the URIs.
    fn schemes(&self) -> Vec<&'static str> {
        vec!["flowmaster"]
    }

    /// The resources worth listing.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn list<'a>(
        &'a self,
        ctx: &'a Ctx,
        page: PageRequest,
    ) -> BoxFuture<'a, Result<Page<ResourceEntry>>>;

    /// The families of resources.
    fn templates(&self) -> Vec<ResourceTemplate>;

    /// Reads one, if the caller may.
    ///
    /// # Errors
    /// A `not_found` family error when it does not exist or is not the caller's to see.
    fn read<'a>(&'a self, ctx: &'a Ctx, uri: &'a str) -> BoxFuture<'a, Result<ResourceContents>>;

    /// Values for `variable` of `template` that begin with `prefix`, at most 100.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn complete<'a>(
        &'a self,
        ctx: &'a Ctx,
        template: &'a str,
        variable: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>>>;
}

/// An argument of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What to give.
    pub description: Option<String>,
    /// Whether the prompt cannot do without it.
    pub required: bool,
}

/// A prompt in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptEntry {
    /// Its name.
    pub name: String,
    /// A human title.
    pub title: Option<String>,
    /// When to use it.
    pub description: Option<String>,
    /// What it asks for.
    pub arguments: Vec<PromptArgument>,
}

/// Who speaks in a prompt message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The user of the client.
    User,
    /// The model.
    Assistant,
}

/// A rendered prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptText {
    /// What it is for.
    pub description: Option<String>,
    /// The messages, in order.
    pub messages: Vec<(Speaker, Content)>,
}

/// The prompts a person can start from their client.
pub trait PromptSource: Send + Sync {
    /// All prompts the caller may use, by name.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn list<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<PromptEntry>>>;

    /// Renders one.
    ///
    /// # Errors
    /// A `not_found` family error for an unknown name, `invalid` for wrong arguments.
    fn get<'a>(
        &'a self,
        ctx: &'a Ctx,
        name: &'a str,
        arguments: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptText>>;
}

/// The processes that a tenant has published as tools.
pub trait ProcessTools: Send + Sync {
    /// The tools of the caller's tenant.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn tools<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<Tool>>>;

    /// The tool called `name`.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn tool<'a>(&'a self, ctx: &'a Ctx, name: &'a str) -> BoxFuture<'a, Result<Option<Tool>>> {
        Box::pin(
            async move { Ok(self.tools(ctx).await?.into_iter().find(|tool| tool.name == name)) },
        )
    }
}

/// Something that goes on after its call was answered.
#[derive(Debug)]
pub struct Ongoing {
    /// Its id, which cannot be guessed.
    pub id: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it changed.
    pub updated_at: Timestamp,
    /// How long its id is known.
    pub expires_at: Timestamp,
    /// Where it is.
    pub state: OngoingState,
}

/// Where something is that goes on.
#[derive(Debug)]
pub enum OngoingState {
    /// It goes on by itself.
    Working {
        /// What it waits for, in words.
        message: Option<String>,
    },
    /// It waits for this very caller.
    Asking(BTreeMap<String, Question>),
    /// It is done.
    Done(Result<Value>),
    /// It broke.
    Broken(String),
    /// Somebody put an end to it.
    Cancelled,
}

/// What calls have begun, for those who follow it.
pub trait Continuations: Send + Sync {
    /// What goes on after `operation` has given `answer`; nothing, when all is done.
    ///
    /// # Errors
    /// Whatever the room reports.
    fn begun<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        answer: &'a Value,
    ) -> BoxFuture<'a, Result<Option<Ongoing>>>;

    /// Where it is now, if the caller may still see it.
    ///
    /// # Errors
    /// A `not_found` family error, also for somebody else's.
    fn get<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<Ongoing>>;

    /// Takes answers to its questions; what answers none is left aside.
    ///
    /// # Errors
    /// As [`Continuations::get`], or what keeps an answer from being taken.
    fn answer<'a>(
        &'a self,
        ctx: &'a Ctx,
        id: &'a str,
        answers: Answers,
    ) -> BoxFuture<'a, Result<()>>;

    /// Puts an end to it; what has ended stays as it is.
    ///
    /// # Errors
    /// As [`Continuations::get`], or that the caller may not.
    fn cancel<'a>(&'a self, ctx: &'a Ctx, id: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// Whether the server can do its work now.
pub trait Readiness: Send + Sync {
    /// Checks what the server stands on.
    ///
    /// # Errors
    /// What is missing.
    fn check(&self) -> BoxFuture<'_, Result<()>>;
}
