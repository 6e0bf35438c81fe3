//! The endpoint over real HTTP, against scripted replies.

use serde_json::json;

use super::*;
use crate::model::ToolSpec;
use crate::testing::{Scripted, ScriptedModel};

fn request() -> Request {
    Request {
        messages: vec![
            Message::System { content: "Be brief.".to_owned() },
            Message::User { content: "What does it cost?".to_owned() },
            Message::Assistant {
                content: None,
                tool_calls: vec![RawToolCall {
                    id: "call_0".to_owned(),
                    name: "price_get".to_owned(),
                    arguments: r#"{"item":"a"}"#.to_owned(),
                }],
            },
            Message::Tool { call: "call_0".to_owned(), content: "5".to_owned() },
        ],
        tools: vec![ToolSpec {
            name: "price_get".to_owned(),
            description: "Use this to get a price.".to_owned(),
            input: json!({ "type": "object" }),
        }],
        output_schema: Some(json!({ "type": "object" })),
        max_output_tokens: 77,
    }
}

async fn model(script: Vec<Scripted>) -> (ScriptedModel, OpenAi) {
    let scripted = ScriptedModel::start(script).await.unwrap();
    let model = OpenAi::new(scripted.endpoint()).unwrap();
    (scripted, model)
}

#[tokio::test]
async fn a_request_is_what_the_protocol_says() {
    let (scripted, model) = model(vec![Scripted::says("5")]).await;
    let reply = model.call(&request()).await.unwrap();
    assert_eq!(reply.content.as_deref(), Some("5"));
    assert_eq!((reply.finish, reply.usage.unwrap().total()), (Finish::Stop, 150));
    let asked = &scripted.asked()[0];
    assert_eq!(asked.authorization, "Bearer sk-scripted");
    assert_eq!(
        asked.body,
        json!({
            "messages": [
                { "role": "system", "content": "Be brief." },
                { "role": "user", "content": "What does it cost?" },
                { "role": "assistant", "tool_calls": [{
                    "type": "function", "id": "call_0",
                    "function": { "name": "price_get", "arguments": "{\"item\":\"a\"}" }
                }] },
                { "role": "tool", "content": "5", "tool_call_id": "call_0" }
            ],
            "model": "scripted-1",
            "max_completion_tokens": 77,
            "response_format": {
                "type": "json_schema",
                "json_schema": { "name": "output", "schema": { "type": "object" } }
            },
            "tools": [{ "type": "function", "function": {
                "name": "price_get", "description": "Use this to get a price.",
                "parameters": { "type": "object" }
            } }]
        })
    );
}

#[tokio::test]
async fn older_servers_are_asked_in_their_way() {
    let scripted = ScriptedModel::start([Scripted::says("5")]).await.unwrap();
    let endpoint = Endpoint {
        token_limit: TokenLimit::MaxTokens,
        structured: Structured::JsonObject,
        ..scripted.endpoint()
    };
    OpenAi::new(endpoint).unwrap().call(&request()).await.unwrap();
    let body = &scripted.asked()[0].body;
    assert_eq!(body["max_tokens"], 77);
    assert_eq!(body["response_format"], json!({ "type": "json_object" }));
    assert!(body.get("max_completion_tokens").is_none());
}

#[tokio::test]
async fn replies_are_read_as_they_are() {
    let call = json!([{ "function": { "name": "price_get", "arguments": { "item": "a" } } }]);
    let cases = [
        (Scripted::wants(&[("price_get", "{\"item\":")]), Finish::ToolCalls, 1),
        (Scripted::wants_ending(&[("price_get", "{}")], None), Finish::Missing, 1),
        (Scripted::wants_ending(&[("price_get", "{}")], Some("length")), Finish::Length, 1),
        (Scripted::completion(&json!({ "tool_calls": call }), Some("stop")), Finish::Stop, 1),
        (
            Scripted::completion(&json!({ "content": "x" }), Some("error")),
            Finish::Other("error".to_owned()),
            0,
        ),
        (Scripted::Answer(200, vec![], r#"{"choices":[]}"#.to_owned()), Finish::Missing, 0),
    ];
    for (reply, finish, calls) in cases {
        let (_scripted, model) = model(vec![reply.clone()]).await;
        let got = model.call(&request()).await.unwrap();
        assert_eq!((got.finish, got.tool_calls.len()), (finish, calls), "{reply:?}");
    }
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_and_a_refusal_is_not() {
    let busy = || Scripted::error(429, "rate_limit_exceeded").with_header("retry-after", "0");
    let says = || Scripted::says("5");
    let check = async |script: Vec<Scripted>, expected: &str, requests: usize| {
        let (scripted, model) = model(script).await;
        let got = match model.call(&request()).await {
            Ok(reply) => reply.content.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert!(got.contains(expected), "{got}");
        assert_eq!(scripted.asked().len(), requests, "{expected}");
    };
    check(vec![busy(), busy(), says()], "5", 3).await;
    let down = Scripted::error(503, "overloaded").with_header("retry-after", "0");
    check(vec![down.clone(), says()], "5", 2).await;
    check(vec![busy(), busy(), busy(), busy(), says()], "HTTP 429", 4).await;
    check(vec![busy().with_header("retry-after", "3600"), says()], "HTTP 429", 1).await;
    check(vec![Scripted::error(429, "insufficient_quota"), says()], "used up", 1).await;
    check(vec![Scripted::error(401, "invalid_api_key"), says()], "HTTP 401", 1).await;
    let html = Scripted::Answer(200, vec![], "<html>".to_owned());
    check(vec![html, says()], "not a chat completion", 1).await;
}

#[tokio::test]
async fn what_takes_too_long_or_is_too_large_ends() {
    let scripted = ScriptedModel::start([
        Scripted::Silence,
        Scripted::Answer(200, vec![], " ".repeat(9 * 1024 * 1024)),
    ])
    .await
    .unwrap();
    let endpoint =
        Endpoint { timeout: Duration::from_millis(200), max_retries: 0, ..scripted.endpoint() };
    let slow = OpenAi::new(endpoint).unwrap().call(&request()).await.unwrap_err();
    assert!(matches!(slow, ModelError::Unreachable(_)) && slow.is_transient(), "{slow}");
    let large = OpenAi::new(scripted.endpoint()).unwrap().call(&request()).await.unwrap_err();
    assert!(large.to_string().contains("bytes"), "{large}");
}

#[test]
fn a_configuration_that_cannot_work_is_refused_and_the_key_is_never_shown() {
    let endpoint = |url: &str, key: &str, model: &str| Endpoint::new(url, Secret::new(key), model);
    for wrong in [
        endpoint("not a url", "k", "m"),
        endpoint("ftp://host/v1", "k", "m"),
        endpoint("http://host/v1", "k", ""),
        endpoint("http://host/v1", "two\nlines", "m"),
    ] {
        assert!(matches!(OpenAi::new(wrong), Err(ModelError::Configuration(_))));
    }
    let model = OpenAi::new(endpoint("http://host/v1", "sk-secret", "m")).unwrap();
    assert!(!format!("{model:?}").contains("sk-secret"));
}

#[tokio::test]
async fn a_route_falls_back_to_its_next_endpoint() {
    let down = ScriptedModel::start([Scripted::error(500, "down")]).await.unwrap();
    let up = ScriptedModel::start([Scripted::says("5")]).await.unwrap();
    let endpoint = Endpoint { max_retries: 0, ..down.endpoint() };
    let mut routes = crate::Routes::default();
    routes.add("default", OpenAi::new(endpoint).unwrap());
    routes.add("default", OpenAi::new(up.endpoint()).unwrap());
    assert_eq!(routes.call("default", &request()).await.unwrap().content.as_deref(), Some("5"));
    let unknown = routes.call("other", &request()).await.unwrap_err();
    assert!(matches!(unknown, ModelError::NoRoute(_)), "{unknown}");
}
