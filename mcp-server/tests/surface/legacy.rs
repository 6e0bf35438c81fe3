//! MCP 2025-06-18 and 2025-11-25 on the same address: `initialize`, sessions, streams.

use flowmaster_mcp_server::config::Config;
use serde_json::{Value, json};

use crate::harness::{Answer, Server};

async fn send(server: &Server, key: &str, session: Option<&str>, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ];
    headers.extend(session.map(|session| ("Mcp-Session-Id", session)));
    server.raw("POST /mcp", &headers, body.to_string().as_bytes()).await
}

async fn initialize(server: &Server, key: &str, revision: &str) -> Answer {
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": revision,
        "capabilities": {},
        "clientInfo": { "name": "older", "version": "0.9" }
    }});
    send(server, key, None, &body).await
}

async fn begin(server: &Server, key: &str) -> String {
    let answer = initialize(server, key, "2025-06-18").await;
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(send(server, key, Some(&session), &ready).await.status, 202);
    session
}

fn call(name: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": name, "arguments": arguments } })
}

#[tokio::test]
async fn each_older_revision_is_met_on_its_own_terms() {
    let server = Server::start().await;
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let result = initialize(&server, "anna", revision).await.json()["result"].take();
        assert_eq!(result["protocolVersion"], revision);
        assert_eq!(result["serverInfo"]["name"], "flowmaster");
    }
    let newest = initialize(&server, "anna", "2099-01-01").await.json()["result"].take();
    assert_eq!(newest["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn a_session_lists_calls_and_ends() {
    let server = Server::start().await;
    let session = begin(&server, "anna").await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let listed = send(&server, "anna", Some(&session), &list).await.json();
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 9);
    let added = call("note_add", &json!({"text": "milk"}));
    let added = send(&server, "anna", Some(&session), &added).await.json();
    assert_eq!(added["result"]["structuredContent"]["text"], "milk");
    assert!(added["result"]["resultType"].is_null(), "older revisions have no such field");

    let headers = [("Authorization", "Bearer anna"), ("Mcp-Session-Id", session.as_str())];
    let ended = server.raw("DELETE /mcp", &headers, b"").await;
    assert_eq!((ended.status, ended.body.as_str()), (204, ""));
    let later = send(&server, "anna", Some(&session), &list).await;
    assert_eq!((later.status, later.code().as_str()), (404, "session_not_found"));
    assert_eq!(server.raw("DELETE /mcp", &headers, b"").await.status, 404);
    assert_eq!(send(&server, "anna", None, &list).await.status, 400);
}

#[tokio::test]
async fn the_credential_of_each_request_counts() {
    let server = Server::start().await;
    let session = begin(&server, "eve").await;
    let add = call("note_add", &json!({"text": "milk"}));
    let refused = send(&server, "eve", Some(&session), &add).await.json();
    assert!(refused["result"]["content"][0]["text"].as_str().unwrap().contains("forbidden"));
    let stolen = send(&server, "anna", Some(&session), &add).await;
    assert_eq!((stolen.status, stolen.code().as_str()), (404, "session_not_found"));
    let nobody = send(&server, "nobody", Some(&session), &add).await;
    assert_eq!(nobody.status, 401);
    let stream = [
        ("Authorization", "Bearer anna"),
        ("Accept", "text/event-stream"),
        ("Mcp-Session-Id", session.as_str()),
    ];
    assert_eq!(server.raw("GET /mcp", &stream, b"").await.status, 404);
    let end = [("Authorization", "Bearer anna"), ("Mcp-Session-Id", session.as_str())];
    assert_eq!(server.raw("DELETE /mcp", &end, b"").await.status, 404);
}

#[tokio::test]
async fn sessions_are_capped_and_newer_clients_do_not_need_them() {
    let server = Server::start_with(Config { max_sessions: 2, ..Config::default() }).await;
    let first = begin(&server, "anna").await;
    begin(&server, "anna").await;
    let full = initialize(&server, "anna", "2025-06-18").await;
    assert_eq!((full.status, full.code().as_str()), (503, "too_many_sessions"));
    assert_eq!(server.modern("anna", "tools/list", json!({})).await.status, 200);
    let end = [("Authorization", "Bearer anna"), ("Mcp-Session-Id", first.as_str())];
    server.raw("DELETE /mcp", &end, b"").await;
    assert_eq!(initialize(&server, "anna", "2025-06-18").await.status, 200);
}

#[tokio::test]
async fn an_older_client_is_reported_with_its_revision() {
    let server = Server::start().await;
    let session = begin(&server, "anna").await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    send(&server, "anna", Some(&session), &list).await;
    let seen = server.seen.lock();
    let stages: Vec<_> = seen
        .iter()
        .map(|client| (client.name.as_str(), client.revision.as_str(), client.tools))
        .collect();
    assert_eq!(stages, [("older", "2025-06-18", None), ("older", "2025-06-18", Some(9))]);
}
