//! The HTTP entrances. Every request passes the `gate` first (Host, Origin and size, the credential,
//! the body), and only then a route.
//!
//! Invariants: a path that is not exactly a public one needs a credential, whatever it is; the
//! body is complete and within its limit before a protocol sees it; answers are never cached.

mod api;
mod auth;
mod gate;
mod guard;
mod health;
mod mcp;
mod openapi;
mod problem;
mod sse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Router, ServiceExt};
use flowmaster_kernel::{Error, ErrorKind};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use gate::Guarded;
use guard::AllowList;
use problem::Problem;

use crate::compose::App;

/// The largest request body, in bytes: one call with the largest document in base64, and what is
/// around it. Most operations take far less (see `dispatch`); nobody is heard without a credential.
pub(crate) const MAX_BODY: usize = flowmaster_data::documents::MAX_ADD_BYTES + 64 * 1024;

/// All routes of the server, behind the gate.
///
/// `stop` ends the open streams; `base` is the address that clients use, without a trailing slash.
fn guarded_routes(app: &Arc<App>, base: &str, stop: &CancellationToken) -> Guarded {
    let door = Arc::new(auth::Door::new(Arc::clone(app), base));
    let allowed = AllowList::new(&app.config, base);
    let gate = Arc::new(gate::Gate { allowed, door: Arc::clone(&door) });

    let mut routes = Router::new()
        .merge(mcp::routes(app, stop))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document))
        // The gate has limited the body; the limit of axum is another.
        .route("/api/v1/{operation}", post(api::call).layer(DefaultBodyLimit::disable()))
        .with_state(Arc::clone(app));
    for path in auth::METADATA_PATHS {
        routes = routes.route(path, get(auth::metadata).with_state(Arc::clone(&door)));
    }
    if app.config.legacy_sse {
        routes = routes.merge(sse::routes(app, stop));
    }
    let routes = routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
    Guarded { gate, routes }
}

/// Serves until `stop`, then lets the calls in flight finish for up to ten seconds.
///
/// # Errors
/// What the listener reports.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let base = app.config.base_url(address);
    let routes = guarded_routes(&app, &base, &stop);
    let routes = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(routes);
    // Without it every small answer waits for the client's delayed acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let begin_drain = stop.clone();
    let server = axum::serve(listener, routes)
        .with_graceful_shutdown(async move { begin_drain.cancelled().await });
    tokio::select! {
        result = std::future::IntoFuture::into_future(server) => result,
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(10)).await;
        } => Ok(()),
    }
}

async fn not_found() -> Problem {
    Problem::from(
        Error::new(ErrorKind::NotFound, "no_such_path", "there is nothing at this path")
            .fix("MCP is at /mcp, the REST API at /api/v1, its description at /openapi.json"),
    )
}

async fn method_not_allowed() -> Problem {
    Problem::with_status(
        StatusCode::METHOD_NOT_ALLOWED,
        Error::invalid("method_not_allowed", "this path does not take this method"),
    )
}
