//! Streams of server-sent events, read event by event.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::harness::Server;

/// How long an event may take; a test that waits for one that never comes fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream, read event by event.
pub(crate) struct Events {
    bytes: futures::stream::BoxStream<'static, reqwest::Result<axum::body::Bytes>>,
    text: String,
}

impl Events {
    pub(crate) async fn open(server: &Server, key: &str) -> reqwest::Result<Self> {
        let response = reqwest::Client::new()
            .get(server.url("/sse"))
            .bearer_auth(key)
            .send()
            .await?
            .error_for_status()?;
        Ok(Self::of(response))
    }

    /// Opens a stream of 2024-11-05, begins a session on it with these capabilities, and says where its
    /// messages go.
    pub(crate) async fn session(server: &Server, key: &str, capabilities: Value) -> (Self, String) {
        let mut events = Self::open(server, key).await.unwrap();
        let (_, endpoint) = events.next().await;
        let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05",
            "capabilities": capabilities,
            "clientInfo": { "name": "oldest", "version": "0.1" }
        }});
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        for message in [initialize, ready] {
            assert_eq!(server.post(&endpoint, key, &message).await.status, 202);
        }
        events.message().await;
        (events, endpoint)
    }

    /// Sends a request of MCP 2026-07-28 that is answered with a stream.
    pub(crate) async fn modern(server: &Server, key: &str, method: &str, params: Value) -> Self {
        let mut request = reqwest::Client::new()
            .post(server.url("/mcp"))
            .bearer_auth(key)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", method);
        if let Some(name) = params["name"].as_str() {
            request = request.header("Mcp-Name", name);
        }
        let mut params = params;
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        for (name, value) in meta.as_object().unwrap() {
            params["_meta"][name] = value.clone();
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Self::of(request.json(&body).send().await.unwrap())
    }

    fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { bytes: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next event: its name and its data.
    pub(crate) async fn next(&mut self) -> (String, String) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
                };
                let found = (field("event: ").to_owned(), field("data: ").to_owned());
                self.text = rest.to_owned();
                if !found.1.is_empty() {
                    return found;
                }
                continue;
            }
            let more = tokio::time::timeout(PATIENCE, self.bytes.next()).await;
            let more = more.expect("an event in time").expect("the stream goes on").unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    pub(crate) async fn message(&mut self) -> Value {
        let (_, data) = self.next().await;
        serde_json::from_str(&data).unwrap()
    }
}
