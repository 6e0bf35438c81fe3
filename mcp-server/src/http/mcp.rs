//! Streamable HTTP at `/mcp`, both eras, with the tools that the address asks for.
//!
//! rmcp's own checks of Host and Origin are off because the guard makes them for every route; two
//! lists would drift apart.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use flowmaster_kernel::{Error, ErrorKind, Result};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use super::MAX_BODY;
use super::problem::Problem;
use crate::compose::App;
use crate::mcp::{McpServer, Selection, SelectionHeaders, Sessions, Visitor};
use crate::ports::Caller;

const SESSION_HEADER: &str = "mcp-session-id";
const VERSION_HEADER: &str = "mcp-protocol-version";
/// The first revision without sessions.
const SESSIONLESS: &str = "2026-07-28";

/// What serves all requests; a plain handler, because a service of axum would be copied for each.
struct Entrance {
    sessions: Arc<Sessions>,
    service: StreamableHttpService<McpServer, Sessions>,
}

pub(super) fn routes(app: &Arc<App>, stop: &CancellationToken) -> Router<Arc<App>> {
    let sessions = Arc::new(Sessions::new(app.config.max_sessions));
    let surface = Arc::clone(&app.surface);
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_legacy_session_mode(true)
        .with_sse_keep_alive(Some(Duration::from_secs(15)))
        .with_max_request_body_bytes(MAX_BODY)
        .with_cancellation_token(stop.clone())
        .disable_allowed_hosts();
    let service = StreamableHttpService::new(
        move || Ok(McpServer::for_requests(Arc::clone(&surface))),
        Arc::clone(&sessions),
        config,
    );
    let serve = any(serve).with_state(Arc::new(Entrance { sessions, service }));
    Router::new()
        .route("/mcp", serve.clone())
        .route("/mcp/readonly", serve.clone())
        .route("/mcp/x/{toolsets}", serve.clone())
        .route("/mcp/x/{toolsets}/readonly", serve)
}

/// The tools that a request asks for.
pub(super) fn selection_of(request: &Request) -> Result<Selection> {
    let text = |name: &str| header(request.headers(), name);
    let headers =
        SelectionHeaders { toolsets: text("x-mcp-toolsets"), read_only: text("x-mcp-readonly") };
    Selection::of_request(request.uri().path(), request.uri().query(), headers)
}

/// Tells rmcp's handler who is calling, and keeps sessions to their owners.
async fn serve(State(entrance): State<Arc<Entrance>>, mut request: Request) -> Response {
    let Entrance { sessions, service } = &*entrance;
    let visitor = match visitor_of(&request) {
        Ok(visitor) => visitor,
        Err(error) => return Problem::from(error).into_response(),
    };
    let caller = visitor.caller.clone();
    if let Err(problem) = check_session(sessions, &request, &caller) {
        return problem.into_response();
    }
    request.extensions_mut().insert(visitor);
    let ends_session = request.method() == Method::DELETE;
    let mut response = service.handle(request).await.map(Body::new);
    // rmcp says 202 when the session has ended already, which clients take for a failure; the
    // specification names no status, and 204 is what HTTP has for it.
    if ends_session && response.status() == StatusCode::ACCEPTED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    if let Some(session) = header(response.headers(), SESSION_HEADER) {
        sessions.give(session, caller);
    }
    response
}

fn visitor_of(request: &Request<Body>) -> Result<Visitor> {
    let caller = request.extensions().get::<Caller>().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, "credential_missing", "the request has no caller")
    })?;
    Ok(Visitor { caller, selection: selection_of(request)? })
}

fn check_session(sessions: &Sessions, request: &Request, caller: &Caller) -> Result<(), Problem> {
    let headers = request.headers();
    if let Some(session) = header(headers, SESSION_HEADER) {
        if sessions.belongs_to(session, caller) {
            return Ok(());
        }
        // The revisions with sessions ask for 404, at which clients begin a new one.
        return Err(Problem::with_status(
            StatusCode::NOT_FOUND,
            Error::new(ErrorKind::NotFound, "session_not_found", "there is no such session")
                .fix("begin a new session with initialize"),
        ));
    }
    if header(headers, VERSION_HEADER).is_some_and(|version| version >= SESSIONLESS) {
        return Ok(());
    }
    sessions.check_room().map_err(|full| {
        Problem::from(
            Error::new(ErrorKind::Unavailable, "too_many_sessions", "no session is free")
                .why(full.to_string())
                .fix("close a client, wait, or use a client that speaks MCP 2026-07-28"),
        )
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
