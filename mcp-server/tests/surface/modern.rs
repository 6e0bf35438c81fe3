//! MCP 2026-07-28: no sessions, every request complete in itself.

use serde_json::{Value, json};

use crate::harness::Server;

fn names(result: &Value) -> Vec<String> {
    let tools = result["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn discovery_says_who_we_are_and_what_we_can() {
    let server = Server::start().await;
    let answer = server.modern("anna", "server/discover", json!({})).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let result = &answer.json()["result"];
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "flowmaster");
    assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(60_000)));
    for capability in ["tools", "resources", "prompts", "completions"] {
        assert!(result["capabilities"][capability].is_object(), "{capability}");
    }
    assert!(result["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
}

#[tokio::test]
async fn tools_carry_everything_a_client_decides_by() {
    let server = Server::start().await;
    let answer = server.modern("anna", "tools/list", json!({})).await.json();
    let result = &answer["result"];
    assert_eq!(
        names(result),
        [
            "capability_describe",
            "capability_read",
            "capability_search",
            "capability_write",
            "note_add",
            "note_delete",
            "note_get",
            "note_search",
            "run_onboarding",
        ]
    );
    assert_eq!(result["cacheScope"], "private");
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "flowmaster");
    let hints = |name: &str| {
        let tools = result["tools"].as_array().unwrap();
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert!(tool["title"].is_string() && tool["description"].is_string());
        assert_eq!(tool["inputSchema"]["type"], "object");
        assert_eq!(tool["outputSchema"]["type"], "object");
        ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]
            .map(|hint| tool["annotations"][hint].as_bool().unwrap())
    };
    assert_eq!(hints("note_get"), [true, false, true, false]);
    assert_eq!(hints("note_add"), [false, false, false, false]);
    assert_eq!(hints("note_delete"), [false, true, false, false]);
    assert_eq!(hints("capability_search"), [true, false, true, false]);
    assert_eq!(hints("capability_write"), [false, true, false, false]);
    let again = server.modern("anna", "tools/list", json!({})).await.json();
    assert_eq!(answer, again, "the order is the same every time");
}

#[tokio::test]
async fn the_list_depends_on_the_address_and_the_credential() {
    let server = Server::start().await;
    let check = async |path: &str, key: &str, present: &[&str], absent: &[&str]| {
        let result = server.modern_at(path, key, "tools/list", json!({})).await.json();
        let names = names(&result["result"]);
        for name in present {
            assert!(names.iter().any(|known| known == name), "{path} {key} lacks {name}");
        }
        for name in absent {
            assert!(!names.iter().any(|known| known == name), "{path} {key} has {name}");
        }
    };
    check("/mcp?toolsets=design", "anna", &["tail_aa"], &["note_add", "note_wait"]).await;
    check("/mcp/x/design", "anna", &["tail_aa"], &["note_add"]).await;
    check("/mcp?toolsets=core,admin", "anna", &["note_add", "note_wait"], &["tail_aa"]).await;
    let writes = ["note_add", "note_delete", "capability_write", "run_onboarding"];
    check("/mcp?read_only=true", "anna", &["note_get", "capability_read"], &writes).await;
    check("/mcp/x/core/readonly", "anna", &["note_get"], &writes).await;
    check("/mcp", "eve", &["note_get"], &["note_add", "note_delete", "run_onboarding"]).await;
    check("/mcp", "bob", &["note_add"], &["run_onboarding"]).await;
    check("/mcp?toolsets=all", "carl", &["capability_search"], &["note_get", "tail_aa"]).await;
    let wrong = server.modern_at("/mcp?toolsets=x", "anna", "tools/list", json!({})).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "unknown_toolset"));
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let server = Server::start().await;
    let page = async |cursor: Option<&Value>| {
        let params = cursor.map_or(json!({}), |cursor| json!({ "cursor": cursor }));
        server.modern_at("/mcp?toolsets=all", "anna", "tools/list", params).await.json()
    };
    let first = page(None).await["result"].take();
    let second = page(Some(&first["nextCursor"])).await["result"].take();
    let mut all = names(&first);
    assert_eq!(all.len(), 50);
    all.extend(names(&second));
    assert_eq!(all.len(), 4 + 7 + 60 + 1);
    assert!(all.is_sorted() && second["nextCursor"].is_null());
    let wrong = page(Some(&json!("!"))).await;
    assert_eq!(wrong["error"]["code"], -32602);
}

#[tokio::test]
async fn an_answer_is_structured_and_mirrored_as_text() {
    let server = Server::start().await;
    let result = server.tool("anna", "note_add", json!({"text": "milk"})).await;
    assert_eq!(result["structuredContent"], json!({"id": "note_0", "text": "milk"}));
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
    assert_eq!((&result["isError"], &result["resultType"]), (&json!(false), &json!("complete")));
}

#[tokio::test]
async fn an_error_of_a_tool_is_a_result_that_says_what_to_do() {
    let server = Server::start().await;
    let check = async |path: &str, key: &str, name: &str, arguments: Value, code: &str| {
        let params = json!({ "name": name, "arguments": arguments });
        let result =
            server.modern_at(path, key, "tools/call", params).await.json()["result"].take();
        assert_eq!(result["isError"], true, "{name}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        let error: Value = serde_json::from_str(text).unwrap();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["what"].is_string() && error["retryable"].is_boolean());
        assert_eq!(result["_meta"]["flowmaster/error"], error);
        assert!(result["structuredContent"].is_null(), "it would break the output schema");
        error
    };
    let error = check("/mcp", "anna", "note_get", json!({"id": "x"}), "note_not_found").await;
    assert_eq!(error["next"], "note_search");
    check("/mcp", "anna", "note_get", json!({}), "invalid_arguments").await;
    check("/mcp", "eve", "note_add", json!({"text": "x"}), "forbidden").await;
    check("/mcp", "anna", "note_explode", json!({}), "verb_panicked").await;
    let read_only = "/mcp?read_only=true";
    check(read_only, "anna", "note_add", json!({"text": "x"}), "read_only_connection").await;
    let wrapped = json!({"operation": "note_add", "arguments": {"text": "x"}});
    check(read_only, "anna", "capability_write", wrapped, "read_only_connection").await;

    let params = json!({ "name": "note_gett", "arguments": {} });
    let unknown = server.modern("anna", "tools/call", params).await.json();
    assert_eq!(unknown["error"]["code"], -32602);
    assert!(unknown["error"]["message"].as_str().unwrap().contains("note_get"));
    assert_eq!(unknown["error"]["data"]["details"]["nearest"][0], "note_get");
}

#[tokio::test]
async fn every_operation_is_reachable_by_searching_describing_and_calling() {
    let server = Server::start().await;
    let call = async |name: &str, arguments: Value| server.tool("anna", name, arguments).await;
    let found = call("capability_search", json!({"query": "delete notes"})).await;
    assert_eq!(found["structuredContent"]["items"][0]["operation"], "note_delete");
    let everything = call("capability_search", json!({"limit": 50})).await;
    assert_eq!(everything["structuredContent"]["matching"], 7 + 60 + 1);

    let described = call("capability_describe", json!({"operation": "note_add"})).await;
    let described = &described["structuredContent"];
    assert_eq!(described["call_with"], "capability_write");
    assert_eq!(described["allowed"], true);
    assert!(described["input_schema"]["properties"]["idempotency_key"].is_object());

    let write = json!({"operation": "note_add", "arguments": {"text": "milk"}});
    assert_eq!(call("capability_read", write.clone()).await["isError"], true);
    let written = call("capability_write", write).await;
    let read = json!({"operation": "note_get", "arguments": {"id": "note_0"}});
    assert_eq!(call("capability_write", read.clone()).await["isError"], true);
    let read = call("capability_read", read).await;
    assert_eq!(read["structuredContent"], written["structuredContent"]);

    let tail = call("capability_read", json!({"operation": "tail_aa"})).await;
    assert_eq!(tail["isError"], false);
    let hidden = server.tool("eve", "capability_search", json!({"query": "add"})).await;
    assert!(!hidden.to_string().contains("note_add"), "what is not allowed is not found");
    assert_eq!(call("capability_search", json!({"limit": 51})).await["isError"], true);
    assert_eq!(call("capability_describe", json!({"operation": "x"})).await["isError"], true);
}

#[tokio::test]
async fn a_result_has_a_size() {
    let server = Server::start().await;
    let added = server.tool("anna", "note_add", json!({"text": "x".repeat(100_000)})).await;
    assert_eq!(added["structuredContent"]["truncated"], json!(["/text"]));
    let read = server.tool("anna", "note_get", json!({"id": "note_0"})).await;
    assert!(read["content"][0]["text"].as_str().unwrap().contains("result_too_large"));
    let over_rest = server.rest("anna", "note_get", json!({"id": "note_0"})).await;
    assert_eq!(over_rest.json()["text"].as_str().unwrap().len(), 100_000);
}

#[tokio::test]
async fn resources_prompts_and_completion() {
    let server = Server::start().await;
    server.tool("anna", "note_add", json!({"text": "milk"})).await;
    let ask = async |key: &str, method: &str, params: Value| {
        server.modern(key, method, params).await.json()
    };
    let listed = ask("anna", "resources/list", json!({})).await["result"].take();
    assert_eq!(listed["resources"][0]["uri"], "flowmaster://document/note_0");
    assert_eq!((&listed["cacheScope"], &listed["ttlMs"]), (&json!("private"), &json!(60_000)));
    let templates = ask("anna", "resources/templates/list", json!({})).await["result"].take();
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "flowmaster://document/{id}");

    let uri = json!({"uri": "flowmaster://document/note_0"});
    let read = ask("anna", "resources/read", uri.clone()).await["result"].take();
    assert_eq!(read["contents"][0]["text"], "milk");
    let unseen = ask("bob", "resources/read", uri.clone()).await["error"].take();
    assert_eq!((&unseen["code"], &unseen["data"]["uri"]), (&json!(-32602), &uri["uri"]));
    let foreign = ask("anna", "resources/read", json!({"uri": "file:///etc/passwd"})).await;
    assert_eq!(foreign["error"]["data"]["code"], "invalid_uri");

    let reference = json!({
        "ref": { "type": "ref/resource", "uri": "flowmaster://document/{id}" },
        "argument": { "name": "id", "value": "note" }
    });
    let completed = ask("anna", "completion/complete", reference).await["result"].take();
    assert_eq!(completed["completion"]["values"], json!(["note_0"]));

    let prompts = ask("anna", "prompts/list", json!({})).await["result"].take();
    assert_eq!(prompts["prompts"][0]["name"], "summarise_notes");
    let get = json!({"name": "summarise_notes", "arguments": {"tone": "briefly"}});
    let prompt = ask("anna", "prompts/get", get).await["result"].take();
    assert_eq!(prompt["messages"][0]["content"]["text"], "Summarise the notes, briefly.");
    let missing = ask("anna", "prompts/get", json!({"name": "nothing"})).await;
    assert_eq!(missing["error"]["code"], -32602);
}

#[tokio::test]
async fn the_protocol_itself_is_checked() {
    let server = Server::start().await;
    let unknown = server.modern("anna", "tools/nonsense", json!({})).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!(-32601)));

    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    }}});
    let headers = [
        ("Authorization", "Bearer anna"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
    ];
    let mismatch = server.raw("POST /mcp", &headers, body.to_string().as_bytes()).await;
    assert_eq!((mismatch.status, &mismatch.json()["error"]["code"]), (400, &json!(-32020)));
}

#[tokio::test]
async fn a_client_is_reported_once_a_stage() {
    let server = Server::start().await;
    for _ in 0..2 {
        server.modern("anna", "server/discover", json!({})).await;
        server.modern("anna", "tools/list", json!({})).await;
    }
    let seen = server.seen.lock();
    let stages: Vec<_> = seen
        .iter()
        .map(|client| (client.name.as_str(), client.revision.as_str(), client.tools))
        .collect();
    assert_eq!(stages, [("tester", "2026-07-28", None), ("tester", "2026-07-28", Some(9))]);
}
