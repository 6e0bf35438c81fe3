//! The REST API: `POST /api/v1/OPERATION` with the arguments as the body.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use flowmaster_kernel::{Error, Result};
use serde_json::Value;

use super::problem::Problem;
use crate::compose::App;
use crate::ports::Caller;

const KEY_HEADER: &str = "idempotency-key";
const KEY_ARGUMENT: &str = "idempotency_key";

/// Calls an operation.
pub(super) async fn call(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(operation): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let ctx = app.surface.ctx(&caller, traceparent);
    let arguments = match arguments(&headers, &body) {
        Ok(arguments) => arguments,
        Err(error) => return Problem::from(error).into_response(),
    };
    match app.surface.dispatcher.call(ctx, &operation, arguments).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The arguments in the body, with the idempotency key of the header.
fn arguments(headers: &HeaderMap, body: &[u8]) -> Result<Value> {
    let mut arguments = if body.is_empty() {
        Value::Object(serde_json::Map::new())
    } else {
        serde_json::from_slice(body).map_err(|error| {
            Error::invalid("invalid_json", "the body is not JSON")
                .why(error.to_string())
                .fix("send one JSON object with the arguments")
        })?
    };
    let Some(key) = headers.get(KEY_HEADER) else { return Ok(arguments) };
    let key = key.to_str().map_err(|_| {
        Error::invalid("invalid_idempotency_key", "the idempotency key is not ASCII text")
    })?;
    if let Some(fields) = arguments.as_object_mut() {
        let given = fields.entry(KEY_ARGUMENT).or_insert_with(|| key.into());
        if given.as_str() != Some(key) {
            return Err(Error::invalid(
                "invalid_idempotency_key",
                "the header and the body name different idempotency keys",
            ));
        }
    }
    Ok(arguments)
}
