//! What a running call and its client say to each other, in both eras.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::events::Events;
use crate::harness::{Answer, Server};
use crate::talker::Talker;

async fn start() -> (Server, Talker) {
    let talker = Talker::default();
    (Server::start_offering(Arc::new(talker.clone())).await, talker)
}

async fn call(server: &Server, key: &str, params: Value) -> Answer {
    let elicitation = json!({ "elicitation": {} });
    server.modern_of("/mcp", key, "tools/call", params, &elicitation, &[]).await
}

fn accept(field: &str, value: &Value) -> Value {
    json!({ field: { "action": "accept", "content": { field: value } } })
}

#[tokio::test]
async fn a_question_is_a_result_and_the_next_request_answers_it() {
    let (server, talker) = start().await;
    let ask = |responses: Value, state: &Value| json!({ "name": "talk_ask", "inputResponses": responses, "requestState": state });
    let first = call(&server, "anna", json!({ "name": "talk_ask" })).await.json()["result"].take();
    assert_eq!(first["resultType"], "input_required");
    assert_eq!(first["inputRequests"]["name"]["method"], "elicitation/create");
    assert_eq!(first["inputRequests"]["name"]["params"]["message"], "Which name?");
    assert_eq!(first["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "flowmaster");

    let answered = ask(accept("name", &json!("Ada")), &first["requestState"]);
    let second = call(&server, "anna", answered).await.json()["result"].take();
    let open: Vec<_> = second["inputRequests"].as_object().unwrap().keys().collect();
    assert_eq!(open, ["color"], "what was answered is not asked again");

    let wrong = ask(accept("color", &json!(5)), &second["requestState"]);
    let again = call(&server, "anna", wrong).await.json()["result"].take();
    assert_eq!(again["resultType"], "input_required", "an answer that does not fit is none");
    assert_eq!(talker.heard.load(Ordering::Acquire), 0);

    let answered = ask(accept("color", &json!("blue")), &second["requestState"]);
    let done = call(&server, "anna", answered).await.json()["result"].take();
    assert_eq!(done["content"][0]["text"], "Ada likes blue");
    assert!(done["structuredContent"].is_null());
    assert_eq!(talker.heard.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn what_a_client_carries_belongs_to_its_own_request() {
    let (server, _) = start().await;
    let first = call(&server, "anna", json!({ "name": "talk_ask" })).await.json()["result"].take();
    let state = first["requestState"].as_str().unwrap();
    let check = async |key: &str, state: &str, arguments: Value| {
        let params = json!({ "name": "talk_ask", "arguments": arguments, "requestState": state });
        let error = call(&server, key, params).await.json()["error"].take();
        assert_eq!(error["code"], -32602, "{error}");
        assert_eq!(error["data"]["code"], "request_state_refused");
    };
    check("anna", &format!("{state}x"), json!({})).await;
    check("bob", state, json!({})).await;
    check("anna", state, json!({ "idempotency_key": "another" })).await;
}

#[tokio::test]
async fn only_those_who_take_questions_are_asked() {
    let (server, _) = start().await;
    let params = json!({ "name": "talk_ask" });
    let refused = server.modern("anna", "tools/call", params).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!(-32021)));
    let needed = &refused.json()["error"]["data"]["requiredCapabilities"];
    assert_eq!(needed, &json!({ "elicitation": {} }));
    let over_rest = server.rest("anna", "talk_ask", json!({})).await;
    assert_eq!((over_rest.status, over_rest.code().as_str()), (409, "cannot_ask"));
}

#[tokio::test]
async fn an_older_client_is_asked_while_the_call_waits() {
    let (server, talker) = start().await;
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
                       "params": { "name": "talk_ask", "arguments": {} } });
    let (mut events, endpoint) =
        Events::session(&server, "anna", json!({ "elicitation": {} })).await;
    server.post(&endpoint, "anna", &call).await;
    for (field, value) in [("name", "Ada"), ("color", "blue")] {
        let asked = events.message().await;
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        assert_eq!(asked["params"]["message"], format!("Which {field}?"));
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"],
                             "result": { "action": "accept", "content": { field: value } } });
        assert_eq!(server.post(&endpoint, "anna", &answer).await.status, 202);
    }
    let done = events.message().await;
    assert_eq!((&done["id"], &done["result"]["isError"]), (&json!(7), &json!(false)));
    assert_eq!(done["result"]["content"][0]["text"], "Ada likes blue");

    let (mut events, endpoint) = Events::session(&server, "anna", json!({})).await;
    server.post(&endpoint, "anna", &call).await;
    let refused = events.message().await;
    assert_eq!(refused["result"]["isError"], true);
    assert!(refused.to_string().contains("cannot_ask"), "{refused}");
    assert_eq!(talker.heard.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn progress_only_grows_and_notes_have_a_level() {
    let (server, _) = start().await;
    let params = json!({ "name": "talk_say", "_meta": {
        "progressToken": "t", "io.modelcontextprotocol/logLevel": "info"
    }});
    let mut events = Events::modern(&server, "anna", "tools/call", params).await;
    let mut progress = Vec::new();
    let mut notes = Vec::new();
    let result = loop {
        let mut message = events.message().await;
        match message["method"].as_str() {
            Some("notifications/progress") => {
                assert_eq!(message["params"]["progressToken"], "t");
                progress.push(message["params"]["progress"].as_f64().unwrap());
            }
            Some("notifications/message") => notes.push(message["params"].take()),
            _ => break message["result"].take(),
        }
    };
    assert_eq!(progress, [1.0, 2.0]);
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    assert_eq!((&note["level"], &note["data"]), (&json!("warning"), &json!("look at this")));
    assert_eq!(
        result["content"][0],
        json!({
            "type": "image", "data": "cGl4ZWw=", "mimeType": "image/png"
        })
    );
    let quiet = server.modern("anna", "tools/call", json!({ "name": "talk_say" })).await;
    assert_eq!(quiet.header("content-type"), Some("application/json"), "nobody asked to be told");
}

#[tokio::test]
async fn a_session_sets_the_level_of_its_notes() {
    let (server, _) = start().await;
    let (mut events, endpoint) = Events::session(&server, "anna", json!({})).await;
    let request = |id: u8, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let say = request(2, "tools/call", json!({ "name": "talk_say", "arguments": {} }));
    let check = async |events: &mut Events, level: &str, expected: &[&str]| {
        let set = request(1, "logging/setLevel", json!({ "level": level }));
        server.post(&endpoint, "anna", &set).await;
        assert_eq!(events.message().await["result"], json!({}));
        server.post(&endpoint, "anna", &say).await;
        for expected in expected {
            assert_eq!(events.message().await["params"]["data"], *expected);
        }
        assert_eq!(events.message().await["id"], 2);
    };
    check(&mut events, "debug", &["a detail", "look at this"]).await;
    check(&mut events, "warning", &["look at this"]).await;
    check(&mut events, "error", &[]).await;
}

#[tokio::test]
async fn arguments_that_headers_repeat_are_compared() {
    let (server, _) = start().await;
    let check = async |headers: &[(&str, &str)], status: u16, code: Value| {
        let params = json!({ "name": "talk_route", "arguments": { "topic": "Hello" } });
        let none = json!({});
        let answer = server.modern_of("/mcp", "anna", "tools/call", params, &none, headers).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &code), "{answer:?}");
    };
    check(&[("Mcp-Param-Topic", "Hello")], 200, Value::Null).await;
    check(&[("Mcp-Param-Topic", "=?base64?SGVsbG8=?=")], 200, Value::Null).await;
    check(&[("Mcp-Param-Topic", "Bye")], 400, json!(-32020)).await;
    check(&[], 400, json!(-32020)).await;
}
