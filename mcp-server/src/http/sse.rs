//! The transport of MCP 2024-11-05, for clients that know nothing newer: `GET /sse` opens a stream
//! whose first event names the address for messages; what is posted there is answered on the
//! stream.
//!
//! Only the transport is here: messages go to the same handler as everywhere else. A session lives
//! as long as its stream, belongs to one principal, and has an id that cannot be guessed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use flowmaster_kernel::{Error, ErrorKind, Result};
use futures::{Stream, StreamExt as _};
use parking_lot::Mutex;
use rmcp::model::{ClientJsonRpcMessage, GetExtensions as _, ServerJsonRpcMessage};
use rmcp::service::serve_server_with_ct;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard, PollSender};

use super::MAX_BODY;
use super::mcp::selection_of;
use super::problem::Problem;
use crate::compose::App;
use crate::mcp::{McpServer, Selection, Surface, Visitor};
use crate::ports::Caller;
use crate::system::secret;

const MAX_SESSIONS: usize = 256;
const MAX_SESSIONS_EACH: usize = 16;
/// How many messages may wait on either side.
const QUEUE: usize = 16;
const SEND_TIME: Duration = Duration::from_secs(5);

struct Session {
    caller: Caller,
    selection: Selection,
    inbox: mpsc::Sender<ClientJsonRpcMessage>,
}

type Sent = Result<Event, Infallible>;
type Open = Arc<Mutex<HashMap<String, Session>>>;

#[derive(Clone)]
struct Desk {
    surface: Arc<Surface>,
    open: Open,
    stop: CancellationToken,
}

pub(super) fn routes(app: &Arc<App>, stop: &CancellationToken) -> Router {
    let desk =
        Desk { surface: Arc::clone(&app.surface), open: Open::default(), stop: stop.clone() };
    Router::new().route("/sse", get(open)).route("/messages", post(message)).with_state(desk)
}

async fn open(State(desk): State<Desk>, request: Request) -> Response {
    match begin(&desk, &request) {
        Ok(stream) => Sse::new(stream)
            .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
            .into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn begin(desk: &Desk, request: &Request) -> Result<impl Stream<Item = Sent> + use<>> {
    let caller = caller_of(request)?;
    let selection = selection_of(request)?;
    let id = secret();
    let (inbox, received) = mpsc::channel::<ClientJsonRpcMessage>(QUEUE);
    let (outbox, to_send) = mpsc::channel::<ServerJsonRpcMessage>(QUEUE);
    {
        let mut open = desk.open.lock();
        let own = open.values().filter(|one| one.caller.is_same_principal(&caller)).count();
        if open.len() >= MAX_SESSIONS || own >= MAX_SESSIONS_EACH {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "too_many_sessions",
                "no stream is free",
            )
            .fix("close a client, or use Streamable HTTP at /mcp"));
        }
        let session = Session { caller: caller.clone(), selection, inbox };
        open.insert(id.clone(), session);
    }
    let alive = desk.stop.child_token();
    let server = McpServer::for_visitor(Arc::clone(&desk.surface), Visitor { caller, selection });
    let transport = (PollSender::new(outbox), ReceiverStream::new(received));
    let served = alive.clone();
    tokio::spawn(async move {
        match serve_server_with_ct(server, transport, served).await {
            Ok(running) => {
                if let Err(error) = running.waiting().await {
                    tracing::warn!(%error, "a stream ended badly");
                }
            }
            Err(error) => tracing::debug!(%error, "a stream did not begin"),
        }
    });
    let endpoint = Event::default().event("endpoint").data(format!("/messages?session_id={id}"));
    let events = futures::stream::iter([endpoint]).chain(ReceiverStream::new(to_send).filter_map(
        |message| async move {
            match serde_json::to_string(&message) {
                Ok(text) => Some(Event::default().event("message").data(text)),
                Err(error) => {
                    tracing::error!(%error, "a message could not be written");
                    None
                }
            }
        },
    ));
    Ok(Leaving {
        events: Box::pin(events),
        open: Arc::clone(&desk.open),
        id,
        _end: alive.drop_guard(),
    })
}

/// The stream of a session; dropping it ends the session.
struct Leaving<S> {
    events: Pin<Box<S>>,
    open: Open,
    id: String,
    _end: DropGuard,
}

impl<S: Stream<Item = Event>> Stream for Leaving<S> {
    type Item = Sent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(context).map(|event| event.map(Ok))
    }
}

impl<S> Drop for Leaving<S> {
    fn drop(&mut self) {
        self.open.lock().remove(&self.id);
    }
}

async fn message(State(desk): State<Desk>, request: Request) -> Response {
    match accept(&desk, request).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn accept(desk: &Desk, request: Request) -> Result<()> {
    let caller = caller_of(&request)?;
    let id = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("session_id="))
        .unwrap_or_default()
        .to_owned();
    let (inbox, selection) = desk
        .open
        .lock()
        .get(&id)
        .filter(|session| session.caller.is_same_principal(&caller))
        .map(|session| (session.inbox.clone(), session.selection))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "session_not_found", "there is no such stream")
                .fix("open a stream with GET /sse and post to the address that it names")
        })?;
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|error| {
        Error::invalid("invalid_body", "the body could not be read").because(error)
    })?;
    let mut message: ClientJsonRpcMessage = serde_json::from_slice(&bytes).map_err(|error| {
        Error::invalid("invalid_message", "the body is not a JSON-RPC message")
            .why(error.to_string())
    })?;
    // The credential of this post counts, not that of the stream: it may have been cut since.
    parts.extensions.insert(Visitor { caller, selection });
    match &mut message {
        ClientJsonRpcMessage::Request(request) => {
            request.request.extensions_mut().insert(parts);
        }
        ClientJsonRpcMessage::Notification(notification) => {
            notification.notification.extensions_mut().insert(parts);
        }
        ClientJsonRpcMessage::Response(_) | ClientJsonRpcMessage::Error(_) => {}
    }
    match inbox.send_timeout(message, SEND_TIME).await {
        Ok(()) => Ok(()),
        Err(_full_or_closed) => Err(Error::new(
            ErrorKind::Unavailable,
            "stream_busy",
            "the stream does not take messages now",
        )
        .fix("read the answers on the stream, then post again")),
    }
}

fn caller_of(request: &Request) -> Result<Caller> {
    request.extensions().get::<Caller>().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, "credential_missing", "the request has no caller")
    })
}
