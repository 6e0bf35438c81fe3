//! A bridge from standard input and output to a running server, for clients that can only start
//! a program: the data folder belongs to one process, so a second one must not open it.
//!
//! Nothing of the protocol is decided here; messages pass unchanged, and only what the transports
//! say differently is translated (MCP 2026-07-28, Streamable HTTP: headers, sessions, streams).

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowmaster_kernel::{Error, Result};
use futures::StreamExt as _;
use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::config::Secret;
use crate::http::MAX_BODY;

const VERSION_META: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
/// How many answers may wait for a slow client.
const QUEUE: usize = 64;

/// Passes messages between `input`/`output` and the server at `address` until `input` ends.
///
/// # Errors
/// `bridge_failed` when a stream breaks.
pub async fn bridge<R, W>(address: &str, key: Option<&Secret>, input: R, output: W) -> Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (lines, received) = mpsc::channel::<String>(QUEUE);
    let writing = tokio::spawn(write_lines(received, output));
    let far = Arc::new(Far {
        client: Client::builder().build().map_err(failed)?,
        address: address.to_owned(),
        key: key.map(|key| key.expose().to_owned()),
        session: Mutex::default(),
        lines,
    });
    let mut running = JoinSet::new();
    let mut asked: HashMap<String, AbortHandle> = HashMap::new();
    let mut input = BufReader::new(input);
    while let Some(line) = next_line(&mut input).await? {
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            far.say(&json!({ "jsonrpc": "2.0", "id": null,
                             "error": { "code": -32700, "message": "the line is not JSON" } }))
                .await;
            continue;
        };
        while let Some(ended) = running.try_join_next() {
            note_end(ended);
        }
        asked.retain(|_, task| !task.is_finished());
        if let Some(cancelled) = cancelled_request(&message)
            && let Some(task) = asked.remove(&cancelled)
        {
            // Over HTTP, ending the stream of a request is what cancels it.
            task.abort();
        }
        if message.get("method").is_some_and(|method| method == "initialize") {
            // What follows needs the session that this makes.
            far.pass(message).await;
            continue;
        }
        let id = message.get("id").map(ToString::to_string);
        let far = Arc::clone(&far);
        let task = running.spawn(async move { far.pass(message).await });
        asked.extend(id.map(|id| (id, task)));
    }
    running.abort_all();
    far.leave().await;
    drop(far);
    while running.join_next().await.is_some() {}
    writing.await.map_err(failed)?
}

struct Far {
    client: Client,
    address: String,
    key: Option<String>,
    session: Mutex<Session>,
    lines: mpsc::Sender<String>,
}

/// What an older client's `initialize` has agreed upon.
#[derive(Clone, Default)]
struct Session {
    id: Option<HeaderValue>,
    revision: Option<String>,
}

impl Far {
    /// Sends a message and hands every answer to the client.
    async fn pass(&self, message: Value) {
        let id = message.get("id").cloned();
        if let Err(why) = self.exchange(&message).await {
            tracing::warn!(why, "a message was not passed");
            if let Some(id) = id.filter(|_| message.get("method").is_some()) {
                self.say(&json!({ "jsonrpc": "2.0", "id": id,
                                  "error": { "code": -32603, "message": why } }))
                    .await;
            }
        }
    }

    async fn exchange(&self, message: &Value) -> Result<(), String> {
        let request = self.client.post(&self.address).headers(self.headers(message)?).json(message);
        let response = self.authorised(request).send().await.map_err(|e| e.to_string())?;
        if response.status() == StatusCode::ACCEPTED {
            return Ok(());
        }
        if let Some(id) = response.headers().get("mcp-session-id") {
            self.session.lock().id = Some(id.clone());
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return self.relay(response).await;
        }
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| format!("{} answered something else than MCP", self.address))?;
        if answer.get("jsonrpc").is_some() {
            self.arrived(&answer).await;
            return Ok(());
        }
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        Err(format!("{} {}", text("what"), text("fix")).trim().to_owned())
    }

    /// Hands on every message of a stream of events.
    async fn relay(&self, response: Response) -> Result<(), String> {
        let mut bytes = response.bytes_stream();
        let mut pending: Vec<u8> = Vec::new();
        while let Some(part) = bytes.next().await {
            pending.extend_from_slice(&part.map_err(|error| error.to_string())?);
            if pending.len() > 4 * MAX_BODY {
                return Err("the server sends a message without an end".to_owned());
            }
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let data = line.strip_prefix(b"data:").unwrap_or_default();
                if let Ok(message) = serde_json::from_slice::<Value>(data) {
                    self.arrived(&message).await;
                }
            }
        }
        Ok(())
    }

    async fn arrived(&self, message: &Value) {
        let revision = message.pointer("/result/protocolVersion").and_then(Value::as_str);
        if let Some(revision) = revision {
            self.session.lock().revision = Some(revision.to_owned());
        }
        self.say(message).await;
    }

    async fn say(&self, message: &Value) {
        if self.lines.send(message.to_string()).await.is_err() {
            tracing::debug!("the client does not listen any more");
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    fn headers(&self, message: &Value) -> Result<HeaderMap, String> {
        let text = |name: &str| message.pointer(name).and_then(Value::as_str);
        let session = self.session.lock().clone();
        let mut headers = HeaderMap::new();
        let accepted = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, accepted);
        let mut set = |name: &'static str, value: Option<&str>| match value {
            Some(value) => {
                headers.insert(HeaderName::from_static(name), field(value)?);
                Ok(())
            }
            None => Ok::<_, String>(()),
        };
        if let Some(revision) = text(VERSION_META) {
            set("mcp-protocol-version", Some(revision))?;
            set("mcp-method", text("/method"))?;
            let name = ["/params/name", "/params/uri", "/params/taskId"].into_iter().find_map(text);
            set("mcp-name", name)?;
            return Ok(headers);
        }
        set("mcp-protocol-version", session.revision.as_deref())?;
        if let Some(id) = session.id {
            headers.insert(HeaderName::from_static("mcp-session-id"), id);
        }
        Ok(headers)
    }

    /// Ends the session, if there is one.
    async fn leave(&self) {
        let Some(id) = self.session.lock().id.take() else { return };
        let request = self.client.delete(&self.address).header("mcp-session-id", id);
        if let Err(error) = self.authorised(request).send().await {
            tracing::debug!(%error, "the session was not ended");
        }
    }
}

/// Text as the value of a header (MCP 2026-07-28, "Header encoding").
fn field(text: &str) -> Result<HeaderValue, String> {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    let value =
        if plain { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) };
    HeaderValue::from_str(&value).map_err(|error| error.to_string())
}

/// The id of the request that a modern client cancels.
fn cancelled_request(message: &Value) -> Option<String> {
    let cancels = message.get("method").is_some_and(|name| name == "notifications/cancelled");
    message.pointer("/params/requestId").filter(|_| cancels).map(ToString::to_string)
}

async fn next_line<R: AsyncRead + Unpin>(input: &mut BufReader<R>) -> Result<Option<Vec<u8>>> {
    loop {
        let mut line = Vec::new();
        let mut limited = tokio::io::AsyncReadExt::take(&mut *input, MAX_BODY as u64 + 1);
        let read = limited.read_until(b'\n', &mut line).await.map_err(failed)?;
        if read == 0 {
            return Ok(None);
        }
        if read > MAX_BODY {
            return Err(Error::invalid("bridge_failed", "a message is too large")
                .why(format!("the limit is {MAX_BODY} bytes")));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

async fn write_lines<W: AsyncWrite + Unpin>(
    mut lines: mpsc::Receiver<String>,
    mut output: W,
) -> Result<()> {
    while let Some(line) = lines.recv().await {
        output.write_all(line.as_bytes()).await.map_err(failed)?;
        output.write_all(b"\n").await.map_err(failed)?;
        output.flush().await.map_err(failed)?;
    }
    Ok(())
}

fn note_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a message was lost");
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::invalid("bridge_failed", "the bridge is broken").why(error.to_string()).because(error)
}
