//! What every request passes, in this order: Host, Origin and announced size (`guard`), the
//! credential (`auth`), the body; and every answer gets the hardening headers.
//!
//! It stands before all routes as a service of its own: as a middleware of the routes it would cost
//! every request a copy of what is behind it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse as _, Response};
use flowmaster_kernel::{BoxFuture, Error};
use tower::{Service, ServiceExt as _};

use super::auth::Door;
use super::guard::{self, AllowList};
use super::problem::Problem;

/// Who is let in.
pub(super) struct Gate {
    pub(super) allowed: AllowList,
    pub(super) door: Arc<Door>,
}

impl Gate {
    async fn admit(&self, mut request: Request) -> Result<Request, Problem> {
        guard::check(&self.allowed, &request)?;
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|&ConnectInfo(it)| it);
        let peer = peer.ok_or_else(|| Error::internal("peer_unknown", "no address of the peer"))?;
        self.door.verify(peer, &mut request).await?;
        guard::take_body(request).await
    }
}

/// Routes behind the gate.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) gate: Arc<Gate>,
    pub(super) routes: Router,
}

impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { gate, routes } = self.clone();
        Box::pin(async move {
            let mut response = match gate.admit(request).await {
                Ok(request) => routes.oneshot(request).await?,
                Err(problem) => problem.into_response(),
            };
            guard::harden(response.headers_mut());
            Ok(response)
        })
    }
}
