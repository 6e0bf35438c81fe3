//! The program itself, as people start it.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::harness::Server;

/// The program, with `home` as its folder, where it keeps its data.
fn flowmaster(home: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowmaster"));
    command.args(arguments).env_clear().current_dir(home).kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = flowmaster(&home, &["up", "--bind", &address]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("port_taken") && told.contains("--bind"), "{told}");
}

#[tokio::test]
async fn a_misspelt_setting_is_told() {
    let home = tempfile::tempdir().unwrap();
    let output = flowmaster(&home, &[]).env("FLOWMASTER_BNID", "x").output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("bnid"));
}

#[tokio::test]
async fn the_server_starts_shows_its_key_once_and_takes_it() {
    let home = tempfile::tempdir().unwrap();
    let mut server = flowmaster(&home, &["--bind", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let (mut address, mut key) = (String::new(), String::new());
    while key.is_empty() {
        let line = lines.next_line().await.unwrap().expect("the key comes before the end");
        if let Some(("MCP", rest)) = line.trim().split_once("   ") {
            address = rest.to_owned();
        }
        if let Some(("Key", rest)) = line.trim().split_once("   ") {
            key = rest.split(' ').next().unwrap_or_default().to_owned();
        }
    }
    let base = address.strip_suffix("/mcp").unwrap();
    let answer = flowmaster(&home, &["call", "note_x", "--url", base])
        .env("FLOWMASTER_KEY", &key)
        .output()
        .await
        .unwrap();
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8(answer.stderr).unwrap().contains("unknown_operation"));
}

#[tokio::test]
async fn an_operation_is_called_and_its_answer_is_all_that_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let base = server.url("");
    let output = flowmaster(&home, &["call", "note_add", r#"{"text":"milk"}"#, "--url", &base])
        .env("FLOWMASTER_KEY", "anna")
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({"id": "note_0", "text": "milk"}));
}

#[tokio::test]
async fn stdio_ends_with_its_input_and_prints_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let mut server = flowmaster(&home, &["mcp", "--log", "trace"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "older", "version": "0.9" }
    }});
    let mut input = server.stdin.take().unwrap();
    input.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    drop(input);
    let mut printed = String::new();
    server.stdout.take().unwrap().read_to_string(&mut printed).await.unwrap();
    for line in printed.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(server.wait().await.unwrap().success());
}

#[tokio::test]
async fn traces_are_exported_when_a_collector_is_named() {
    let home = tempfile::tempdir().unwrap();
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut server = flowmaster(&home, &["mcp"])
        .env("FLOWMASTER_OTLP_ENDPOINT", &endpoint)
        .env("FLOWMASTER_LOG", "info")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "capability_read", "arguments": { "operation": "note_x" },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        }
    }});
    let mut input = server.stdin.take().unwrap();
    input.write_all(format!("{call}\n").as_bytes()).await.unwrap();
    let mut answers = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(answers.next_line().await.unwrap().expect("an answer").contains("unknown_operation"));
    drop(input);
    let (mut stream, _) = collector.accept().await.unwrap();
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    assert!(request.starts_with("POST /v1/traces "), "{request}");
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(server.wait().await.unwrap().success());
}

#[tokio::test]
async fn tenants_are_made_with_a_key_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| {
        let output = flowmaster(&home, arguments).output().await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let printed = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        (output.status.code(), printed.unwrap_or_default(), told)
    };
    let (code, made, told) = run(&["tenant", "create", "acme"]).await;
    assert_eq!(
        (code, &made["name"], &made["principal"]),
        (Some(0), &json!("acme"), &json!("admin"))
    );
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("fm_"), "{made}");
    assert!(told.contains("first tenant") && told.contains("fm_"), "{told}");

    let (_, listed, told) = run(&["tenant", "list"]).await;
    let tenants = listed["tenants"].as_array().unwrap();
    let names: Vec<_> = tenants.iter().map(|tenant| tenant["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "acme"]);
    assert_eq!(tenants[1]["id"], made["id"]);
    assert!(!listed.to_string().contains("fm_") && !told.contains("fm_"), "shown once: {told}");

    for (arguments, code) in [
        (vec!["tenant", "create", "acme"], "tenant_exists"),
        (vec!["tenant", "create", " acme"], "invalid_tenant_name"),
        (vec!["key", "create", "--tenant", "other"], "tenant_not_found"),
    ] {
        let (exit, _, told) = run(&arguments).await;
        assert!(exit != Some(0) && told.contains(code), "{arguments:?}: {told}");
    }

    let (_, key, _) = run(&["key", "create", "--tenant", "acme", "--name", "second"]).await;
    assert!(key["secret"].as_str().unwrap().starts_with("fm_"), "{key}");
    let count = |keys: &serde_json::Value| keys["keys"].as_array().unwrap().len();
    let by_id = made["id"].as_str().unwrap();
    assert_eq!(count(&run(&["key", "list", "--tenant", by_id]).await.1), 2);
    assert_eq!(count(&run(&["key", "list", "--local"]).await.1), 1, "that of the first tenant");
}
