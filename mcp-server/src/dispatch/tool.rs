//! A callable as the surface sees it: an operation of the catalogue, or a process published as a
//! tool. Names of the former are known when the program is built, of the latter only at run time.

use std::borrow::Cow;
use std::sync::Arc;

use flowmaster_kernel::{BoxFuture, Ctx, Effect, Operation, Result, Role, Toolset};
use serde_json::Value;

type Verb = dyn Fn(Ctx, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync;
type Again = dyn Fn(Ctx, Value, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync;

/// Something that can be called by name.
#[derive(Clone)]
pub struct Tool {
    /// Its name, unique in the tenant.
    pub name: Cow<'static, str>,
    /// A short human title.
    pub title: Cow<'static, str>,
    /// Begins with when to use it; read by models.
    pub description: Cow<'static, str>,
    /// Whether it reads, writes or destroys.
    pub effect: Effect,
    /// The scope a credential needs.
    pub scope: Cow<'static, str>,
    /// The roles that may call it. Nobody else may.
    pub roles: Cow<'static, [Role]>,
    /// The list in which it is offered.
    pub toolset: Toolset,
    /// JSON Schema 2020-12 of the arguments; always an object.
    pub input: Arc<Value>,
    /// JSON Schema 2020-12 of the answer; always an object.
    pub output: Arc<Value>,
    /// The largest arguments in bytes, when they may be larger than those of other tools.
    pub max_argument_bytes: Option<usize>,
    verb: Arc<Verb>,
    again: Arc<Again>,
}

/// The declaration of a [`Tool`] that is known only at run time.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its name, unique in the tenant.
    pub name: String,
    /// A short human title.
    pub title: String,
    /// Begins with when to use it.
    pub description: String,
    /// Whether it reads, writes or destroys.
    pub effect: Effect,
    /// The scope a credential needs.
    pub scope: String,
    /// The roles that may call it.
    pub roles: Vec<Role>,
    /// The list in which it is offered.
    pub toolset: Toolset,
    /// JSON Schema 2020-12 of the arguments.
    pub input: Value,
    /// JSON Schema 2020-12 of the answer.
    pub output: Value,
}

impl Tool {
    /// A tool that is known only at run time. `again` answers a repeated call from the recorded
    /// answer.
    pub fn published(
        declaration: Declaration,
        verb: impl Fn(Ctx, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync + 'static,
        again: impl Fn(Ctx, Value, Value) -> BoxFuture<'static, Result<Value>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: declaration.name.into(),
            title: declaration.title.into(),
            description: declaration.description.into(),
            effect: declaration.effect,
            scope: declaration.scope.into(),
            roles: declaration.roles.into(),
            toolset: declaration.toolset,
            input: Arc::new(declaration.input),
            output: Arc::new(declaration.output),
            max_argument_bytes: None,
            verb: Arc::new(verb),
            again: Arc::new(again),
        }
    }

    /// Whether the caller of `ctx` may call it.
    #[must_use]
    pub fn is_allowed_to(&self, ctx: &Ctx) -> bool {
        ctx.principal.has_any(&self.roles) && ctx.scopes.allow(&self.scope)
    }

    /// Whether it changes something.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        self.effect != Effect::Read
    }

    pub(super) fn run(&self, ctx: Ctx, arguments: Value) -> BoxFuture<'static, Result<Value>> {
        (self.verb)(ctx, arguments)
    }

    pub(super) fn answer_again(
        &self,
        ctx: Ctx,
        arguments: Value,
        recorded: Value,
    ) -> BoxFuture<'static, Result<Value>> {
        (self.again)(ctx, arguments, recorded)
    }
}

impl From<&Operation> for Tool {
    fn from(operation: &Operation) -> Self {
        let spec = operation.spec;
        let (callable, repeatable) = (operation.clone(), operation.clone());
        Self {
            name: spec.name.into(),
            title: spec.title.into(),
            description: spec.description.into(),
            effect: spec.effect,
            scope: spec.scope().into(),
            roles: spec.roles.into(),
            toolset: spec.toolset,
            input: Arc::clone(&operation.input),
            output: Arc::clone(&operation.output),
            max_argument_bytes: operation.max_argument_bytes,
            verb: Arc::new(move |ctx, arguments| callable.call(ctx, arguments)),
            again: Arc::new(move |ctx, arguments, recorded| {
                repeatable.answer_again(ctx, arguments, recorded)
            }),
        }
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).finish_non_exhaustive()
    }
}
