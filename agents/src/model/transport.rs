//! The way to an endpoint: bounded in size and time, retried where that is safe.
//!
//! Invariants: a reply is read up to [`MAX_REPLY_BYTES`] and no further; a request is sent again
//! only after 429, 5xx, or a failure to reach the endpoint; a `Retry-After` (RFC 9110 §10.2.3) is
//! obeyed, and one that is too long ends the attempt instead of blocking a worker.

use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};

use super::ModelError;

/// The largest reply, in bytes.
const MAX_REPLY_BYTES: usize = 8 * 1024 * 1024;
/// The first pause between two attempts; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How much of an endpoint's own words is passed on, in characters.
const MAX_MESSAGE: usize = 500;

/// An attempt that did not give a reply, on its way through the client library.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Undelivered(#[from] ModelError);

impl Undelivered {
    pub(super) fn into_inner(self) -> ModelError {
        self.0
    }
}

/// Our errors travel through the client library in a box.
impl From<Undelivered> for OpenAIError {
    fn from(error: Undelivered) -> Self {
        Self::Boxed(Box::new(error))
    }
}

/// Sends the request until there is a reply, or until it is no use any more.
pub(super) async fn deliver(
    client: Client,
    request: HttpRequestFactory,
    max_retries: u32,
) -> Result<Response, Undelivered> {
    let mut pause = FIRST_PAUSE;
    for attempt in 0_u32.. {
        let failed = match send(&client, &request).await {
            Ok(response) => return Ok(response),
            Err(failed) => failed,
        };
        let wait = failed.wait.unwrap_or(pause);
        let may_repeat = failed.is_repeatable && attempt < max_retries && wait <= LONGEST_PAUSE;
        if !may_repeat {
            return Err(failed.error.into());
        }
        tracing::debug!(error = %failed.error, attempt, ?wait, "a model call is tried again");
        tokio::time::sleep(wait).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
    Err(ModelError::Unreachable("no attempt was made".to_owned()).into())
}

struct Failed {
    error: ModelError,
    is_repeatable: bool,
    wait: Option<Duration>,
}

impl Failed {
    const fn finally(error: ModelError) -> Self {
        Self { error, is_repeatable: false, wait: None }
    }

    const fn for_now(error: ModelError) -> Self {
        Self { error, is_repeatable: true, wait: None }
    }
}

async fn send(client: &Client, request: &HttpRequestFactory) -> Result<Response, Failed> {
    let request = request
        .build()
        .await
        .map_err(|error| Failed::finally(ModelError::Configuration(error.to_string())))?;
    let response = client.execute(request).await.map_err(|error| unreachable(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(response).await?;
    if status.is_success() {
        let mut whole = http::Response::new(body);
        *whole.status_mut() = status;
        return Ok(whole.into());
    }
    Err(refused(status, &headers, &body))
}

/// The URL is left out: it may hold a key.
fn unreachable(error: &reqwest::Error) -> Failed {
    let reason = if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_redirect() {
        "it redirects"
    } else {
        "the connection broke"
    };
    Failed::for_now(ModelError::Unreachable(reason.to_owned()))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_REPLY_BYTES {
            let what = format!("the reply has more than {MAX_REPLY_BYTES} bytes");
            return Err(Failed::finally(ModelError::Malformed(what)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failed {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |pointer: &str| problem.pointer(pointer).and_then(serde_json::Value::as_str);
    let message = said("/error/message").or_else(|| said("/message")).unwrap_or_default();
    let message: String = message.chars().take(MAX_MESSAGE).collect();
    let is_quota = ["/error/code", "/error/type"]
        .iter()
        .any(|pointer| said(pointer) == Some("insufficient_quota"));
    let code = status.as_u16();
    if status == StatusCode::TOO_MANY_REQUESTS && is_quota {
        return Failed::finally(ModelError::Quota(message));
    }
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return Failed::finally(ModelError::Refused { status: code, message });
    }
    // The date form of Retry-After is not used by any of these endpoints.
    let retry_after_s =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let error = ModelError::Busy { status: code, message, retry_after_s };
    Failed { error, is_repeatable: true, wait: retry_after_s.map(Duration::from_secs) }
}
