//! The ways in: the same call, answered the same, through every transport.

use std::sync::Arc;

use flowmaster_mcp_server::mcp::{Selection, Visitor};
use flowmaster_mcp_server::stdio;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex};

use crate::harness::{Caller, TestServer};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Rest,
    /// Streamable HTTP of MCP 2026-07-28: no session.
    Stateless,
    /// Streamable HTTP of MCP 2025-11-25: `initialize`, then a session.
    Session,
    /// HTTP+SSE of MCP 2024-11-05.
    Sse,
    Stdio,
}

impl Transport {
    pub(crate) const ALL: [Self; 5] =
        [Self::Rest, Self::Stateless, Self::Session, Self::Sse, Self::Stdio];
}

/// A caller who came in by one of them.
pub(crate) struct Connection {
    base: String,
    caller: Caller,
    client: reqwest::Client,
    way: Way,
}

enum Way {
    Rest,
    Stateless,
    Session(String),
    Sse { post: String, events: Events },
    Stdio(Pipe),
}

/// The value, or the body of the error.
pub(crate) type Told = Result<Value, Value>;

impl Connection {
    /// Comes in, or is refused at the door with this status.
    pub(crate) async fn open(
        server: &TestServer,
        transport: Transport,
        caller: &Caller,
    ) -> Result<Self, StatusCode> {
        let mut connection = Self {
            base: server.base.clone(),
            caller: caller.clone(),
            client: reqwest::Client::new(),
            way: Way::Rest,
        };
        connection.way = match transport {
            Transport::Rest => Way::Rest,
            Transport::Stateless => Way::Stateless,
            Transport::Session => Way::Session(connection.begin().await?),
            Transport::Sse => connection.subscribe().await?,
            Transport::Stdio => Way::Stdio(Pipe::open(server, &caller.key).await?),
        };
        Ok(connection)
    }

    pub(crate) async fn call(&mut self, operation: &str, arguments: Value) -> Told {
        if let Way::Rest = self.way {
            let answer = self.caller.call(operation, arguments).await;
            return answer.map_err(|(_, body)| body);
        }
        let call = json!({ "name": operation, "arguments": arguments });
        let result = self.ask("tools/call", call).await?;
        if result["isError"] == true {
            return Err(result["_meta"]["flowmaster/error"].clone());
        }
        Ok(result["structuredContent"].clone())
    }

    /// The result of a request of MCP. An error of the protocol or of HTTP has a body of ours, too.
    pub(crate) async fn ask(&mut self, method: &str, mut params: Value) -> Told {
        let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        if let Way::Stateless | Way::Stdio(_) = self.way {
            params["_meta"] = about_the_client();
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = match &mut self.way {
            Way::Rest => panic!("REST has operations only"),
            Way::Stateless => {
                let post = self.client.post(format!("{}/mcp", self.base));
                let post = post
                    .header("MCP-Protocol-Version", "2026-07-28")
                    .header("Mcp-Method", method)
                    .header("Mcp-Name", name);
                told(self.send(post, &message).await).await
            }
            Way::Session(session) => {
                let post = self.client.post(format!("{}/mcp", self.base));
                let post = post.header("Mcp-Session-Id", session.as_str());
                told(self.send(post, &message).await).await
            }
            Way::Sse { post, events } => {
                let post = self.client.post(post.as_str()).bearer_auth(&self.caller.key);
                let sent = post.json(&message).send().await.unwrap();
                if sent.status().is_success() {
                    events.message().await
                } else {
                    sent.json().await.unwrap()
                }
            }
            Way::Stdio(pipe) => pipe.ask(&message).await,
        };
        let (result, error) = (answer["result"].take(), answer["error"]["data"].take());
        match (result.is_null(), error.is_null()) {
            (false, _) => Ok(result),
            (true, false) => Err(error),
            (true, true) => Err(answer),
        }
    }

    async fn send(&self, post: RequestBuilder, message: &Value) -> Response {
        let post = post.bearer_auth(&self.caller.key);
        let post = post.header("Accept", "application/json, text/event-stream");
        post.json(message).send().await.unwrap()
    }

    /// A session of Streamable HTTP.
    async fn begin(&self) -> Result<String, StatusCode> {
        let post = || self.client.post(format!("{}/mcp", self.base));
        let first = allowed(self.send(post(), &initialize("2025-11-25")).await)?;
        let session = first.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let post = post().header("Mcp-Session-Id", &session);
        allowed(self.send(post, &initialized()).await)?;
        Ok(session)
    }

    /// A stream of events and the address for messages.
    async fn subscribe(&self) -> Result<Way, StatusCode> {
        let get = self.client.get(format!("{}/sse", self.base)).bearer_auth(&self.caller.key);
        let stream = allowed(get.send().await.unwrap())?;
        let mut events = Events { stream, text: String::new() };
        let (name, path) = events.next().await;
        assert_eq!(name, "endpoint");
        let post = format!("{}{path}", self.base);
        allowed(self.send(self.client.post(&post), &initialize("2024-11-05")).await)?;
        events.message().await;
        allowed(self.send(self.client.post(&post), &initialized()).await)?;
        Ok(Way::Sse { post, events })
    }
}

/// What every message of MCP 2026-07-28 says.
fn about_the_client() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tester", "version": "1.0" }
    })
}

fn initialize(revision: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": revision,
        "capabilities": {},
        "clientInfo": { "name": "tester", "version": "1.0" }
    }})
}

fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

fn allowed(response: Response) -> Result<Response, StatusCode> {
    if response.status().is_success() { Ok(response) } else { Err(response.status()) }
}

/// The message of a response, which may be an event of a stream.
async fn told(response: Response) -> Value {
    let text = response.text().await.unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: {"));
    let text = data.map_or(text.clone(), |rest| format!("{{{rest}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A stream of server-sent events.
struct Events {
    stream: Response,
    text: String,
}

impl Events {
    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, String) {
        loop {
            let Some((event, rest)) = self.text.split_once("\n\n") else {
                let more = self.stream.chunk().await.unwrap().expect("the stream goes on");
                self.text.push_str(std::str::from_utf8(&more).unwrap());
                continue;
            };
            let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
            let found = field("event: ").zip(field("data: "));
            let found = found.map(|(name, data)| (name.to_owned(), data.to_owned()));
            self.text = rest.to_owned();
            if let Some(found) = found {
                return found;
            }
        }
    }

    async fn message(&mut self) -> Value {
        let (name, data) = self.next().await;
        assert_eq!(name, "message");
        serde_json::from_str(&data).unwrap()
    }
}

/// A client at the other end of the server's input and output; the server ends when that is dropped.
struct Pipe {
    to_server: DuplexStream,
    from_server: Lines<BufReader<DuplexStream>>,
}

impl Pipe {
    async fn open(server: &TestServer, key: &str) -> Result<Self, StatusCode> {
        let app = Arc::clone(&server.server.app);
        let caller = app.authenticator.verify(key).await.map_err(|_| StatusCode::UNAUTHORIZED)?;
        let visitor = Visitor { caller, selection: Selection::default() };
        let (to_server, input) = duplex(64 * 1024);
        let (output, from_server) = duplex(64 * 1024);
        tokio::spawn(async move { stdio::serve(&app, visitor, input, output).await });
        Ok(Self { to_server, from_server: BufReader::new(from_server).lines() })
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.to_server.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let line = self.from_server.next_line().await.unwrap().expect("an answer");
        serde_json::from_str(&line).unwrap()
    }
}
