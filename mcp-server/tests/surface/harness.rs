//! Starts a server on a free port and speaks HTTP to it, by hand where every byte matters.

use std::net::SocketAddr;
use std::sync::Arc;

use flowmaster_kernel::{
    BoxFuture, Error, ErrorKind, Principal, PrincipalKind, Result, Role, Scopes, TenantId,
};
use flowmaster_mcp_server::compose::{App, Ports, assemble};
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::http::serve;
use flowmaster_mcp_server::mcp::{ClientSeen, Observer};
use flowmaster_mcp_server::ports::{Authenticator, Caller, ProcessTools};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::notebook::Notebook;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) notebook: Arc<Notebook>,
    pub(crate) seen: Arc<Mutex<Vec<ClientSeen>>>,
    _stop: DropGuard,
}

/// Keys: `anna` may do everything in tenant a, `eve` may only read, `bob` is in tenant b, `carl`
/// has no role that may do anything.
pub(crate) struct Keys;

impl Authenticator for Keys {
    fn verify<'a>(&'a self, bearer: &'a str) -> BoxFuture<'a, Result<Caller>> {
        Box::pin(std::future::ready(caller(bearer).ok_or_else(|| {
            Error::new(ErrorKind::Unauthenticated, "invalid_key", "the key is not valid")
        })))
    }
}

pub(crate) fn caller(key: &str) -> Option<Caller> {
    let (tenant, role, scopes) = match key {
        "anna" => ("ten_a", Role::Admin, Scopes::all()),
        "eve" => ("ten_a", Role::Employee, Scopes::from_iter(["notes:read".to_owned()])),
        "bob" => ("ten_b", Role::Employee, Scopes::all()),
        "carl" => ("ten_a", Role::Auditor, Scopes::all()),
        _ => return None,
    };
    Some(Caller {
        tenant: TenantId::from_text(tenant),
        principal: Arc::new(Principal::new(key, PrincipalKind::Person, &[role], &[])),
        scopes: Arc::new(scopes),
    })
}

pub(crate) fn app(config: Config) -> (Arc<App>, Arc<Notebook>, Arc<Mutex<Vec<ClientSeen>>>) {
    app_with(config, None)
}

fn app_with(
    config: Config,
    processes: Option<Arc<dyn ProcessTools>>,
) -> (Arc<App>, Arc<Notebook>, Arc<Mutex<Vec<ClientSeen>>>) {
    let notebook = Arc::new(Notebook::default());
    let mut catalogue = notebook.catalogue();
    catalogue.add(notebook.long_tail()).unwrap();
    let mut ports = Ports::new(catalogue, Arc::new(Keys));
    ports.answers = Some(Arc::clone(&notebook) as _);
    ports.audit = Some(Arc::clone(&notebook) as _);
    ports.processes = Some(processes.unwrap_or_else(|| Arc::clone(&notebook) as _));
    ports.resources = Some(Arc::clone(&notebook) as _);
    ports.prompts = Some(Arc::clone(&notebook) as _);
    let seen: Arc<Mutex<Vec<ClientSeen>>> = Arc::default();
    let told = Arc::clone(&seen);
    ports.observer = Observer::new(move |client| told.lock().push(client.clone()));
    (assemble(ports, config).unwrap(), notebook, seen)
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        Self::serve(app(config)).await
    }

    /// With other tools in place of the published processes.
    pub(crate) async fn start_offering(processes: Arc<dyn ProcessTools>) -> Self {
        Self::serve(app_with(Config::default(), Some(processes))).await
    }

    async fn serve(
        (app, notebook, seen): (Arc<App>, Arc<Notebook>, Arc<Mutex<Vec<ClientSeen>>>),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(app, listener, stop.clone()));
        Self { address, notebook, seen, _stop: stop.drop_guard() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends one request as it is given and reads the whole answer.
    pub(crate) async fn raw(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        let mut hosts = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        if hosts.next().is_none() {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
        // The server may answer and close before it has read all of a body that it refuses.
        let _ = stream.write_all(body).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Answer::parse(&bytes)
    }

    /// Posts JSON with a key.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {key}");
        self.raw(
            &format!("POST {path}"),
            &[("Authorization", &bearer), ("Content-Type", "application/json")],
            body.to_string().as_bytes(),
        )
        .await
    }

    /// Calls an operation over REST.
    pub(crate) async fn rest(&self, key: &str, operation: &str, arguments: Value) -> Answer {
        self.post(&format!("/api/v1/{operation}"), key, &arguments).await
    }

    /// Sends a request of MCP 2026-07-28 to `path`.
    pub(crate) async fn modern_at(
        &self,
        path: &str,
        key: &str,
        method: &str,
        params: Value,
    ) -> Answer {
        self.modern_of(path, key, method, params, &json!({}), &[]).await
    }

    /// The same, of a client with these capabilities, and with more headers.
    pub(crate) async fn modern_of(
        &self,
        path: &str,
        key: &str,
        method: &str,
        params: Value,
        capabilities: &Value,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": { "name": "tester", "version": "1.0" }
        });
        let name =
            params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let bearer = format!("Bearer {key}");
        let mut headers = vec![
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", method),
        ];
        if !name.is_empty() {
            headers.push(("Mcp-Name", &name));
        }
        headers.extend(more);
        self.raw(&format!("POST {path}"), &headers, body.to_string().as_bytes()).await
    }

    /// Sends a request of MCP 2026-07-28.
    pub(crate) async fn modern(&self, key: &str, method: &str, params: Value) -> Answer {
        self.modern_at("/mcp", key, method, params).await
    }

    /// Calls a tool over MCP 2026-07-28 and returns the result.
    pub(crate) async fn tool(&self, key: &str, name: &str, arguments: Value) -> Value {
        let params = json!({ "name": name, "arguments": arguments });
        self.modern(key, "tools/call", params).await.json()["result"].take()
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
        let body = if chunked { unchunk(body) } else { body.to_owned() };
        Self { status: status.unwrap_or_default(), headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, or the last event of a stream.
    pub(crate) fn json(&self) -> Value {
        let event = self.body.lines().rev().find_map(|line| line.strip_prefix("data: "));
        let text = event.filter(|text| text.starts_with('{')).unwrap_or(&self.body);
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn unchunk(body: &str) -> String {
    let mut rest = body;
    let mut whole = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 || tail.len() < size {
            break;
        }
        whole.push_str(&tail[..size]);
        rest = tail[size..].trim_start_matches("\r\n");
    }
    whole
}
