//! The bridge from pipes to a running server.

use flowmaster_mcp_server::config::Secret;
use flowmaster_mcp_server::stdio::bridge;
use serde_json::json;

use crate::harness::Server;
use crate::pipe::{Pipe, modern};

fn open(address: String, key: &'static str) -> Pipe {
    Pipe::open(|input, output| async move {
        bridge(&address, Some(&Secret::new(key)), input, output).await
    })
}

#[tokio::test]
async fn a_modern_client_crosses() {
    let server = Server::start().await;
    let mut pipe = open(server.url("/mcp?toolsets=core&read_only=false"), "anna");
    let call = json!({"name": "note_add", "arguments": {"text": "milk"}});
    let added = pipe.ask(&modern(1, "tools/call", call)).await;
    assert_eq!((&added["id"], &added["result"]["isError"]), (&json!(1), &json!(false)));
    let unknown = json!({"name": "nötig", "arguments": {}});
    let refused = pipe.ask(&modern(2, "tools/call", unknown)).await;
    assert_eq!(refused["error"]["code"], -32602, "a name that is not ASCII is encoded: {refused}");
    pipe.send("{ not json").await;
    assert_eq!(pipe.answer().await["error"]["code"], -32700);
    pipe.close().await;
}

#[tokio::test]
async fn an_older_client_crosses_with_its_session() {
    let server = Server::start().await;
    let mut pipe = open(server.url("/mcp"), "anna");
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
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 9);
    pipe.close().await;
}

#[tokio::test]
async fn what_keeps_a_message_from_crossing_is_told() {
    let server = Server::start().await;
    let mut pipe = open(server.url("/mcp"), "nobody");
    let refused = pipe.ask(&modern(1, "tools/list", json!({}))).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32603)));
    assert!(refused["error"]["message"].as_str().unwrap().contains("key"), "{refused}");
    pipe.close().await;
}
