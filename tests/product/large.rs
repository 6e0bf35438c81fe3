//! How much the entrances take: the largest document that is promised, and not much more.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::harness::TestServer;
use crate::transports::{Connection, Transport};

/// The largest document, in bytes.
const LARGEST: usize = 10 * 1024 * 1024;

/// A document of `bytes` bytes, as arguments of `document_add`.
fn document(bytes: usize) -> Value {
    // Three bytes are four letters of base64.
    let rest = ["", "eA==", "eHk="][bytes % 3];
    let encoded = "eHl6".repeat(bytes / 3) + rest;
    json!({ "name": "large.txt", "media_type": "text/plain", "base64": encoded })
}

#[tokio::test]
async fn the_largest_document_comes_in_through_every_entrance() {
    let server = TestServer::start().await;
    let (largest, too_large) = (document(LARGEST), document(LARGEST + 1));
    let mut ids = BTreeSet::new();
    for transport in Transport::ALL {
        let mut connection = Connection::open(&server, transport, &server.admin).await.unwrap();
        let added = connection.call("document_add", largest.clone()).await.unwrap();
        ids.insert(added["id"].to_string());
        let refused = connection.call("document_add", too_large.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "document_too_large", "{transport:?}");
    }
    assert_eq!(ids.len(), 1, "the same content is the same document: {ids:?}");
}

#[tokio::test]
async fn other_operations_take_far_less() {
    let server = TestServer::start().await;
    let arguments = json!({ "xml": "x".repeat(5 * 1024 * 1024) });
    for transport in Transport::ALL {
        let mut connection = Connection::open(&server, transport, &server.admin).await.unwrap();
        let refused = connection.call("process_save", arguments.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "arguments_too_large", "{transport:?}");
    }
    let refused = server.admin.call("process_save", arguments).await.unwrap_err();
    assert_eq!(refused.0, 413);
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
