//! The sessions of clients that speak 2025-11-25 or older: capped, and bound to their principal.
//!
//! rmcp keeps the sessions; this adds what it does not do. A session that belongs to somebody else
//! looks like one that does not exist.

use std::collections::HashMap;
use std::time::Duration;

use futures::Stream;
use parking_lot::Mutex;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use thiserror::Error;

use crate::ports::Caller;

/// How long a session may be idle. Long, because many clients do not begin again when theirs ended;
/// what bounds the memory is the limit.
const IDLE_TIME: Duration = Duration::from_secs(3_600);

/// No session is free.
#[derive(Debug, Error)]
#[error("all {limit} sessions are taken")]
pub struct SessionsFull {
    limit: usize,
}

/// What can go wrong with a session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionFailure {
    /// No session is free.
    #[error(transparent)]
    Full(#[from] SessionsFull),
    /// What rmcp reports.
    #[error(transparent)]
    Local(#[from] LocalSessionManagerError),
}

/// Sessions with an owner and an upper limit.
pub struct Sessions {
    inner: LocalSessionManager,
    limit: usize,
    owners: Mutex<HashMap<String, Option<Caller>>>,
}

impl Sessions {
    /// Room for `limit` sessions.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(IDLE_TIME);
        Self { inner, limit, owners: Mutex::default() }
    }

    /// Refuses when no session is free.
    ///
    /// # Errors
    /// [`SessionsFull`].
    pub fn check_room(&self) -> Result<(), SessionsFull> {
        if self.owners.lock().len() < self.limit {
            return Ok(());
        }
        Err(SessionsFull { limit: self.limit })
    }

    /// Whether `caller` may use the session.
    #[must_use]
    pub fn belongs_to(&self, session: &str, caller: &Caller) -> bool {
        self.owners
            .lock()
            .get(session)
            .and_then(Option::as_ref)
            .is_some_and(|owner| owner.is_same_principal(caller))
    }

    /// Gives a new session to `caller`; one that is already gone stays gone.
    pub fn give(&self, session: &str, caller: Caller) {
        if let Some(owner) = self.owners.lock().get_mut(session) {
            owner.get_or_insert(caller);
        }
    }

    fn forget(&self, session: &SessionId) {
        self.owners.lock().remove(session.as_ref());
    }
}

impl SessionManager for Sessions {
    type Error = SessionFailure;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.check_room()?;
        let (id, transport) = self.inner.create_session().await?;
        self.owners.lock().insert(id.to_string(), None);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        Ok(self.inner.initialize_session(id, message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.forget(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.inner.create_stream(id, message).await?)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.inner.create_standalone_stream(id).await?)
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.inner.resume(id, last_event_id).await?)
    }
}
