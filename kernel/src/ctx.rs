//! The context of a call: the first argument of every verb.

use std::fmt;
use std::sync::Arc;

use crate::{
    Clock, Error, ErrorKind, Exchange, Id, IdSource, Kind, Principal, PrincipalKind, Result, Role,
    Scopes, TenantId, Timestamp,
};

/// The longest idempotency key, in bytes.
pub const MAX_IDEMPOTENCY_KEY: usize = 128;

/// Who calls, on whose behalf, until when. Made by the entrance that verified the credential.
#[derive(Clone)]
pub struct Ctx {
    /// The tenant of the credential.
    pub tenant: TenantId,
    /// The verified caller.
    pub principal: Arc<Principal>,
    /// What the credential allows.
    pub scopes: Arc<Scopes>,
    /// W3C trace id, 32 hexadecimal digits.
    pub trace: Arc<str>,
    /// When the caller stops waiting.
    pub deadline: Option<Timestamp>,
    /// Set on a mutating call that carries a key.
    pub idempotency: Option<Arc<Idempotency>>,
    /// The source of "now".
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdSource>,
    /// The other end of the call, where the entrance can carry more than one answer.
    pub exchange: Option<Arc<dyn Exchange>>,
}

/// "Same key, same answer, one effect": what the store needs to keep that promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, unique for this principal.
    pub key: String,
    /// The operation called.
    pub operation: String,
    /// SHA-256 of the canonical arguments, in hexadecimal. Another body under the same key is a
    /// conflict.
    pub body_hash: String,
}

impl Ctx {
    /// The context of `principal` whom no credential narrows further: what the roles allow, without
    /// a deadline and without an idempotency key.
    #[must_use]
    pub fn unrestricted(
        tenant: TenantId,
        principal: impl Into<Arc<Principal>>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self {
            tenant,
            principal: principal.into(),
            scopes: Arc::new(Scopes::all()),
            trace: "internal".into(),
            deadline: None,
            idempotency: None,
            clock,
            ids,
            exchange: None,
        }
    }

    /// FlowMaster's own work for `tenant`: what drivers do when a timer is due or a message waits.
    #[must_use]
    pub fn system(tenant: TenantId, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdSource>) -> Self {
        let flowmaster = Principal::new("flowmaster", PrincipalKind::System, &[Role::Admin], &[]);
        Self::unrestricted(tenant, flowmaster, Arc::clone(clock), Arc::clone(ids))
    }

    /// The current moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id of kind `K`.
    #[must_use]
    pub fn fresh_id<K: Kind>(&self) -> Id<K> {
        Id::fresh(&*self.ids, self.now())
    }

    /// Fails once the deadline has passed.
    ///
    /// # Errors
    /// `deadline_exceeded`.
    pub fn check_deadline(&self) -> Result<()> {
        match self.deadline {
            Some(deadline) if self.now() > deadline => {
                Err(Error::new(ErrorKind::Timeout, "deadline_exceeded", "the call took too long")
                    .why("the deadline of the call passed before it was done")
                    .fix("ask for less at once, or raise the time limit of the call"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("tenant", &self.tenant)
            .field("principal", &self.principal.id)
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}
