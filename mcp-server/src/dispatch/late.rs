//! A caller for rooms that are made before the dispatcher: agents act through operations, and the
//! operations are theirs and other rooms'.

use std::sync::{Arc, OnceLock, Weak};

use flowmaster_kernel::{BoxFuture, Ctx, Error, ErrorKind, Result, ToolCaller};
use serde_json::Value;

use super::Dispatcher;

/// Calls operations once it is bound. It does not keep the dispatcher alive, because the
/// dispatcher keeps the rooms alive that hold this.
#[derive(Default)]
pub struct LateCaller(OnceLock<Weak<Dispatcher>>);

impl LateCaller {
    /// Calls go to `dispatcher` from now on. Only the first binding counts.
    pub fn bind(&self, dispatcher: &Arc<Dispatcher>) {
        self.0.get_or_init(|| Arc::downgrade(dispatcher));
    }
}

impl ToolCaller for LateCaller {
    fn call<'a>(
        &'a self,
        ctx: &'a Ctx,
        operation: &'a str,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let dispatcher = self.0.get().and_then(Weak::upgrade).ok_or_else(|| {
                Error::new(ErrorKind::Unavailable, "not_serving", "the server is not serving now")
                    .fix("call again when it has started")
            })?;
            dispatcher.call(ctx.clone(), operation, arguments).await
        })
    }
}
