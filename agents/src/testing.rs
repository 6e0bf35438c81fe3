//! For tests: an endpoint on a loopback socket that speaks chat completions over real HTTP, gives
//! scripted replies, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{Endpoint, Secret};

/// What the endpoint does with one request.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// Answers with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Takes the request and never answers.
    Silence,
}

impl Scripted {
    /// A completion with these words.
    #[must_use]
    pub fn says(content: &str) -> Self {
        Self::completion(&json!({ "role": "assistant", "content": content }), Some("stop"))
    }

    /// A completion that asks for these tools; the arguments are text as the model wrote it.
    #[must_use]
    pub fn wants(calls: &[(&str, &str)]) -> Self {
        Self::completion(&tool_message(calls), Some("tool_calls"))
    }

    /// As [`Scripted::wants`] with another reason to end, or none.
    #[must_use]
    pub fn wants_ending(calls: &[(&str, &str)], finish: Option<&str>) -> Self {
        Self::completion(&tool_message(calls), finish)
    }

    /// A completion.
    #[must_use]
    pub fn completion(message: &Value, finish: Option<&str>) -> Self {
        let body = json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted-1",
            "choices": [{ "index": 0, "message": message, "finish_reason": finish }],
            "usage": { "prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150 }
        });
        Self::Answer(200, Vec::new(), body.to_string())
    }

    /// An error as OpenAI words it.
    #[must_use]
    pub fn error(status: u16, code: &str) -> Self {
        let body = json!({ "error": { "message": "as scripted", "type": code, "code": code } });
        Self::Answer(status, Vec::new(), body.to_string())
    }

    /// The same answer with a header more.
    #[must_use]
    pub fn with_header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            Self::Silence => Self::Silence,
        }
    }
}

fn tool_message(calls: &[(&str, &str)]) -> Value {
    let call = |(place, (name, arguments)): (usize, &(&str, &str))| {
        json!({
            "id": format!("call_{place}"),
            "type": "function",
            "function": { "name": name, "arguments": arguments }
        })
    };
    let calls: Vec<Value> = calls.iter().enumerate().map(call).collect();
    json!({ "role": "assistant", "content": null, "tool_calls": calls })
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The header `authorization`.
    pub authorization: String,
    /// The body.
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    script: Mutex<VecDeque<Scripted>>,
    asked: Mutex<Vec<Asked>>,
    arrived: Notify,
}

/// The endpoint; it ends with the runtime of the test.
pub struct ScriptedModel {
    inner: Arc<Inner>,
    base_url: String,
}

impl ScriptedModel {
    /// Starts an endpoint that answers the requests with `script`, in order.
    ///
    /// # Errors
    /// A socket that cannot be bound.
    pub async fn start(script: impl IntoIterator<Item = Scripted>) -> std::io::Result<Self> {
        let inner = Arc::new(Inner::default());
        inner.script.lock().extend(script);
        let router = axum::Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { inner, base_url })
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            timeout: Duration::from_secs(30),
            ..Endpoint::new(&*self.base_url, Secret::new("sk-scripted"), "scripted-1")
        }
    }

    /// Adds to the script.
    pub fn then(&self, reply: Scripted) {
        self.inner.script.lock().push_back(reply);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().clone()
    }

    /// Waits until it was asked `times` times in all.
    pub async fn was_asked(&self, times: usize) {
        loop {
            let arrived = self.inner.arrived.notified();
            if self.inner.asked.lock().len() >= times {
                return;
            }
            arrived.await;
        }
    }
}

async fn complete(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let authorization = authorization.unwrap_or_default().to_owned();
    inner.asked.lock().push(Asked { authorization, body });
    inner.arrived.notify_waiters();
    let next = inner.script.lock().pop_front();
    match next {
        Some(Scripted::Answer(status, headers, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                if let Ok(value) = value.parse() {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Some(Scripted::Silence) => std::future::pending().await,
        None => (StatusCode::NOT_FOUND, "the script is over").into_response(),
    }
}
