//! MCP over a pair of pipes, both eras.

use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::mcp::{Selection, Visitor};
use flowmaster_mcp_server::stdio::serve;
use serde_json::json;

use crate::harness::{app, caller};
use crate::pipe::{Pipe, modern};

fn open(selection: Selection) -> Pipe {
    let (app, _, _) = app(Config::default());
    let visitor = Visitor { caller: caller("anna").unwrap(), selection };
    Pipe::open(|input, output| async move { serve(&app, visitor, input, output).await })
}

#[tokio::test]
async fn a_modern_client_probes_lists_calls_and_leaves() {
    let mut pipe = open(Selection::default());
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
    let mut pipe = open(Selection::of("core", true).unwrap());
    let first = pipe
        .ask(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "older", "version": "0.9" }
        }}))
        .await;
    assert_eq!(first["result"]["protocolVersion"], "2025-06-18");
    pipe.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    let listed = pipe.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await;
    let tools = listed["result"]["tools"].to_string();
    assert!(tools.contains("note_get") && !tools.contains("note_add"), "read-only");
    pipe.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_at_once_is_no_failure() {
    open(Selection::default()).close().await;
}
