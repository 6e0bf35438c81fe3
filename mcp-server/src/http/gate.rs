//! What every request passes, in this order: Host, Origin and announced size (`guard`), the
//! credential (`auth`), the body; and every answer gets the hardening headers.
//!
//! One middleware, because each costs every request a copy of all that is behind it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::auth::Door;
use super::guard::{self, AllowList};
use super::problem::Problem;

/// Who is let in.
pub(super) struct Gate {
    pub(super) allowed: AllowList,
    pub(super) door: Arc<Door>,
}

/// Lets a request through to its route, or refuses it.
pub(super) async fn pass(
    State(gate): State<Arc<Gate>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match gate.admit(peer, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    guard::harden(response.headers_mut());
    response
}

impl Gate {
    async fn admit(&self, peer: SocketAddr, mut request: Request) -> Result<Request, Problem> {
        guard::check(&self.allowed, &request)?;
        self.door.verify(peer, &mut request).await?;
        guard::take_body(request).await
    }
}
