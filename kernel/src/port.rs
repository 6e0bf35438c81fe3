//! Ports: what a lower crate needs from a higher one.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::{Ctx, Result};

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How an agent acts: through the same dispatch as everyone else, with its own principal.
pub trait ToolCaller: Send + Sync {
    /// Calls `operation` with `arguments` as the principal of `ctx`.
    fn call<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Value>>;
}
