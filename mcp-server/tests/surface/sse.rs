//! HTTP+SSE of MCP 2024-11-05.

use flowmaster_mcp_server::config::Config;
use serde_json::{Value, json};

use crate::events::Events;
use crate::harness::Server;

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2024-11-05",
        "capabilities": {},
        "clientInfo": { "name": "oldest", "version": "0.1" }
    }})
}

#[tokio::test]
async fn the_oldest_handshake_and_a_call() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "anna").await.unwrap();
    let (name, endpoint) = events.next().await;
    assert_eq!(name, "endpoint");
    let id = endpoint.strip_prefix("/messages?session_id=").unwrap();
    assert_eq!(id.len(), 64);

    assert_eq!(server.post(&endpoint, "anna", &initialize()).await.status, 202);
    let first = events.message().await;
    assert_eq!(
        (&first["id"], &first["result"]["protocolVersion"]),
        (&json!(0), &json!("2024-11-05"))
    );
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(server.post(&endpoint, "anna", &ready).await.status, 202);
    let add = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
                      "params": { "name": "note_add", "arguments": { "text": "milk" } } });
    assert_eq!(server.post(&endpoint, "anna", &add).await.status, 202);
    let added = events.message().await;
    assert_eq!(added["id"], 7);
    assert!(added["result"]["content"][0]["text"].as_str().unwrap().contains("milk"));

    let stolen = server.post(&endpoint, "eve", &add).await;
    assert_eq!((stolen.status, stolen.code().as_str()), (404, "session_not_found"));
    let broken = server.post(&endpoint, "anna", &json!({"jsonrpc": "2.0"})).await;
    assert_eq!((broken.status, broken.code().as_str()), (400, "invalid_message"));
}

#[tokio::test]
async fn a_stream_that_is_closed_ends_its_session() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "anna").await.unwrap();
    let (_, endpoint) = events.next().await;
    drop(events);
    // The server learns of it with the next thing it writes, so it is asked until it knows.
    for _ in 0..10_000 {
        if server.post(&endpoint, "anna", &initialize()).await.status == 404 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the session outlived its stream");
}

#[tokio::test]
async fn streams_of_one_principal_are_capped() {
    let server = Server::start().await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Events::open(&server, "anna").await.unwrap());
    }
    let refused = Events::open(&server, "anna").await.err().unwrap();
    assert_eq!(refused.status().unwrap().as_u16(), 503);
    assert!(Events::open(&server, "eve").await.is_ok());
}

#[tokio::test]
async fn the_transport_can_be_switched_off() {
    let server = Server::start_with(Config { legacy_sse: false, ..Config::default() }).await;
    let refused = Events::open(&server, "anna").await.err().unwrap();
    assert_eq!(refused.status().unwrap().as_u16(), 404);
}
