//! The rooms behind the ports of the surface.

use std::sync::Arc;

use flowmaster_kernel::{BoxFuture, Ctx, Error, ErrorKind, Result};
use flowmaster_store::{Db, Health};
use flowmaster_trust::audit::{self, Audit};
use flowmaster_trust::identity::{Identity, Verified};
use serde_json::Value;

use crate::ports::{AnswerBook, AuditEntry, AuditLog, Authenticator, Caller, Readiness};

impl From<Verified> for Caller {
    fn from(verified: Verified) -> Self {
        Self { tenant: verified.tenant, principal: verified.principal, scopes: verified.scopes }
    }
}

/// Keys of the identity room.
pub(super) struct Keys(pub(super) Arc<Identity>);

impl Authenticator for Keys {
    fn verify<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller>> {
        Box::pin(async move { self.0.verify(bearer).await.map(Caller::from) })
    }
}

/// The store: recorded answers and readiness.
pub(super) struct Store(pub(super) Db);

impl AnswerBook for Store {
    fn recorded_answer<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(self.0.recorded_answer(ctx))
    }
}

impl Readiness for Store {
    fn check(&self) -> BoxFuture<'_, Result<()>> {
        let health = *self.0.health().borrow();
        Box::pin(std::future::ready(match health {
            Health::Ready => Ok(()),
            Health::StorageLow => {
                Err(Error::new(ErrorKind::StorageFull, "storage_full", "storage is full")
                    .fix("free space on the disk of the data folder"))
            }
            Health::Poisoned | Health::Closed | Health::Unreachable => Err(Error::new(
                ErrorKind::Unavailable,
                "store_unavailable",
                "the store is not available",
            )
            .fix("look at the log of the server")),
        }))
    }
}

/// The audit room.
pub(super) struct AuditTrail(pub(super) Arc<Audit>);

impl AuditLog for AuditTrail {
    fn record(&self, ctx: &Ctx, entry: AuditEntry) {
        let entry = audit::types::Entry {
            id: ctx.fresh_id(),
            at: ctx.now(),
            principal: ctx.principal.id.clone(),
            operation: entry.operation,
            outcome: entry.outcome,
            arguments_hash: entry.arguments_hash,
            duration_ms: i64::try_from(entry.duration.as_millis()).unwrap_or(i64::MAX),
            trace: ctx.trace.to_string(),
        };
        self.0.record(ctx, entry);
    }
}
