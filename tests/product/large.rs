//! How much the entrances take: the largest document that is promised, and not much more.

use std::sync::Arc;
use std::time::Duration;

use flowmaster_mcp_server::mcp::{Selection, Visitor};
use flowmaster_mcp_server::stdio;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::harness::{TestServer, code};

/// The largest document, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;

/// A document of `bytes` bytes, as arguments of `document_add`.
fn document(bytes: usize) -> Value {
    // Three bytes are four letters of base64.
    let rest = ["", "eA==", "eHk="][bytes % 3];
    let encoded = "eHl6".repeat(bytes / 3) + rest;
    json!({ "name": "large.txt", "media_type": "text/plain", "base64": encoded })
}

fn tool_call(name: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": name,
        "arguments": arguments,
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "tester", "version": "1.0" }
        }
    }})
}

async fn over_http(server: &TestServer, name: &str, arguments: &Value) -> Value {
    let answer = reqwest::Client::new()
        .post(format!("{}/mcp", server.base))
        .bearer_auth(&server.admin.key)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", name)
        .json(&tool_call(name, arguments))
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

async fn over_stdio(server: &TestServer, name: &str, arguments: &Value) -> Value {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(far);
    let (app, owner) = (Arc::clone(&server.server.app), server.server.owner.clone());
    let visitor = Visitor { caller: owner, selection: Selection::default() };
    let served = tokio::spawn(async move { stdio::serve(&app, visitor, input, output).await });
    let (read, mut write) = tokio::io::split(near);
    let line = format!("{}\n", tool_call(name, arguments));
    write.write_all(line.as_bytes()).await.unwrap();
    let answer = BufReader::new(read).lines().next_line().await.unwrap().unwrap();
    served.abort();
    serde_json::from_str(&answer).unwrap()
}

#[tokio::test]
async fn the_largest_document_comes_in_through_every_entrance() {
    let server = TestServer::start().await;
    let (largest, too_large) = (document(LARGEST), document(LARGEST + 1));
    let added = server.admin.call("document_add", largest.clone()).await.unwrap();
    assert_eq!(added["is_new"], true);
    let refused = server.admin.call("document_add", too_large.clone()).await;
    assert_eq!(code(&refused), "document_too_large");
    let both = [
        (
            over_http(&server, "document_add", &largest).await,
            over_http(&server, "document_add", &too_large).await,
        ),
        (
            over_stdio(&server, "document_add", &largest).await,
            over_stdio(&server, "document_add", &too_large).await,
        ),
    ];
    for (taken, refused) in both {
        assert_eq!(taken["result"]["structuredContent"]["id"], added["id"], "{taken}");
        assert!(refused.to_string().contains("document_too_large"), "{refused}");
    }
}

#[tokio::test]
async fn other_operations_take_far_less() {
    let server = TestServer::start().await;
    let arguments = json!({ "xml": "x".repeat(5 * 1024 * 1024) });
    let refused = server.admin.call("process_save", arguments.clone()).await.unwrap_err();
    assert_eq!((refused.0, &refused.1["code"]), (413, &json!("arguments_too_large")));
    for refused in [
        over_http(&server, "process_save", &arguments).await,
        over_stdio(&server, "process_save", &arguments).await,
    ] {
        assert!(refused.to_string().contains("arguments_too_large"), "{refused}");
    }
}

/// Posts `head` and then chunks for as long as they are taken, at most 100 MB. Gives the answer's
/// status line and how many bytes were sent.
async fn flood(server: &TestServer, path: &str, head: &str, chunk: &[u8]) -> (String, usize) {
    let address = server.base.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let (read, mut write) = stream.into_split();
    let start = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{head}\r\n\r\n"
    );
    write.write_all(start.as_bytes()).await.unwrap();
    let sending = async {
        let mut sent = 0;
        while !chunk.is_empty() && sent < 100_000_000 && write.write_all(chunk).await.is_ok() {
            sent += chunk.len();
        }
        sent
    };
    let mut status = String::new();
    let mut answer = BufReader::new(read);
    let mut told = std::pin::pin!(answer.read_line(&mut status));
    let mut sending = std::pin::pin!(sending);
    let sent = tokio::select! {
        read = &mut told => {
            read.unwrap();
            // What is under way when the answer comes goes nowhere.
            tokio::time::timeout(Duration::from_secs(20), &mut sending).await.unwrap()
        }
        sent = &mut sending => {
            let _ = told.await;
            sent
        }
    };
    (status, sent)
}

#[tokio::test]
async fn a_body_that_does_not_end_is_cut_off() {
    let server = TestServer::start().await;
    let bearer = format!("Authorization: Bearer {}", server.admin.key);
    // Announced: refused before anybody is asked who they are, and before a byte of it comes.
    let (status, _) = flood(&server, "/mcp", "Content-Length: 100000000", b"").await;
    assert!(status.contains(" 413 "), "{status}");
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x1_0000], b"\r\n"].concat();
    for path in ["/mcp", "/api/v1/document_add"] {
        let head = format!("Transfer-Encoding: chunked\r\n{bearer}");
        let (status, sent) = flood(&server, path, &head, &chunk).await;
        assert!(status.is_empty() || status.contains(" 413 "), "{path}: {status}");
        assert!(sent < 40_000_000, "{path}: {sent}");
        let (status, sent) = flood(&server, path, "Transfer-Encoding: chunked", &chunk).await;
        assert!(status.is_empty() || status.contains(" 401 "), "{path}: {status}");
        assert!(sent < 20_000_000, "{path}: {sent}");
    }
    server.admin.call("me_get", json!({})).await.unwrap();
}
