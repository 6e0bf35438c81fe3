//! MCP over a pair of pipes, both eras.

use flowmaster_kernel::Result;
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::mcp::{Selection, Visitor};
use flowmaster_mcp_server::stdio::serve;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex};
use tokio::task::JoinHandle;

use crate::harness::{app, caller};

struct Pipe {
    to_server: DuplexStream,
    from_server: Lines<BufReader<DuplexStream>>,
    server: JoinHandle<Result<()>>,
}

impl Pipe {
    fn open(selection: Selection) -> Self {
        let (app, _, _) = app(Config::default());
        let (to_server, input) = duplex(64 * 1024);
        let (output, from_server) = duplex(64 * 1024);
        let visitor = Visitor { caller: caller("anna").unwrap(), selection };
        let server = tokio::spawn(async move { serve(&app, visitor, input, output).await });
        Self { to_server, from_server: BufReader::new(from_server).lines(), server }
    }

    async fn send(&mut self, message: &Value) {
        self.to_server.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        let line = self.from_server.next_line().await.unwrap().expect("an answer");
        serde_json::from_str(&line).unwrap()
    }

    async fn close(mut self) {
        self.to_server.shutdown().await.unwrap();
        self.server.await.unwrap().unwrap();
    }
}

fn modern(id: u32, method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

#[tokio::test]
async fn a_modern_client_probes_lists_calls_and_leaves() {
    let mut pipe = Pipe::open(Selection::default());
    let found = pipe.ask(&modern(1, "server/discover", json!({}))).await;
    assert!(found["result"]["supportedVersions"].is_array());
    let listed = pipe.ask(&modern(2, "tools/list", json!({}))).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 9);
    let call = json!({"name": "note_add", "arguments": {"text": "milk"}});
    let added = pipe.ask(&modern(3, "tools/call", call)).await;
    assert_eq!(added["result"]["structuredContent"]["text"], "milk");
    pipe.close().await;
}

#[tokio::test]
async fn an_older_client_initializes_first() {
    let mut pipe = Pipe::open(Selection::of("core", true).unwrap());
    let first = pipe
        .ask(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "older", "version": "0.9" }
        }}))
        .await;
    assert_eq!(first["result"]["protocolVersion"], "2025-06-18");
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    let listed = pipe.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await;
    let tools = listed["result"]["tools"].to_string();
    assert!(tools.contains("note_get") && !tools.contains("note_add"), "read-only");
    pipe.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_at_once_is_no_failure() {
    Pipe::open(Selection::default()).close().await;
}
