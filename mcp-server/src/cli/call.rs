//! `flowmaster call`: one operation of a running server.

use std::io::Read as _;
use std::time::Duration;

use clap::Args;
use flowmaster_kernel::{Error, ErrorBody, ErrorKind, Result};
use serde_json::Value;

use super::unwritable;
use crate::config::Config;
use crate::http::MAX_BODY;
use crate::terminal::Terminal;

/// What `flowmaster call` takes.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// The operation, e.g. `process_start`.
    operation: String,
    /// Its arguments as one JSON object, or `-` to read them from standard input.
    #[arg(default_value = "{}")]
    arguments: String,
    /// The server; by default the one that the settings describe. The key is FLOWMASTER_KEY.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Same key, same answer, one effect.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(super) async fn call(config: &Config, args: CallArgs, terminal: &mut Terminal) -> Result<()> {
    let text = match args.arguments.as_str() {
        "-" => read_input()?,
        _ => args.arguments,
    };
    let arguments: Value = serde_json::from_str(&text).map_err(|error| {
        Error::invalid("invalid_json", "the arguments are not JSON").why(error.to_string())
    })?;
    let base = args.url.unwrap_or_else(|| config.base_url(config.bind));
    let key = args.idempotency_key.as_deref();
    let answer = send(config, &base, &args.operation, &arguments, key).await?;
    let pretty = serde_json::to_string_pretty(&answer)
        .map_err(|error| Error::internal("answer_encoding", error))?;
    terminal.result(&pretty).map_err(unwritable)
}

/// Calls one operation of the server at `base` and gives its answer.
pub(super) async fn send(
    config: &Config,
    base: &str,
    operation: &str,
    arguments: &Value,
    idempotency_key: Option<&str>,
) -> Result<Value> {
    let plain = operation.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain {
        return Err(Error::invalid("invalid_operation", "that is no name of an operation"));
    }
    let address = format!("{}/api/v1/{operation}", base.trim_end_matches('/'));
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(config.deadline_seconds.saturating_add(5)))
        .build()
        .map_err(|error| Error::internal("client_failed", error))?;
    let mut request = client.post(&address).json(arguments);
    if let Some(key) = &config.key {
        request = request.bearer_auth(key.expose());
    }
    if let Some(key) = idempotency_key {
        request = request.header("Idempotency-Key", key);
    }
    let response = request.send().await.map_err(|error| unreachable_at(base, &error))?;
    let succeeded = response.status().is_success();
    let body = response.bytes().await.map_err(|error| unreachable_at(base, &error))?;
    let answer: Value = serde_json::from_slice(&body).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            "not_flowmaster",
            format!("{base} answered something else"),
        )
        .why(error.to_string())
        .fix("check the address given with --url")
    })?;
    if succeeded { Ok(answer) } else { Err(refusal(answer)) }
}

fn read_input() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().take(MAX_BODY as u64).read_to_string(&mut text).map_err(|error| {
        Error::invalid("invalid_input", "standard input cannot be read").why(error.to_string())
    })?;
    Ok(text)
}

fn unreachable_at(base: &str, error: &reqwest::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "server_unreachable", format!("no answer from {base}"))
        .why(error.to_string())
        .fix("start the server with flowmaster up, or name another with --url")
}

/// The server's error, to be shown as our own.
fn refusal(answer: Value) -> Error {
    match serde_json::from_value::<ErrorBody>(answer) {
        Ok(body) => {
            let mut error = Error::new(ErrorKind::Unavailable, &body.code, body.what);
            if let Some(why) = body.why {
                error = error.why(why);
            }
            if let Some(fix) = body.fix {
                error = error.fix(fix);
            }
            match body.details {
                Some(details) => error.details(details),
                None => error,
            }
        }
        Err(error) => Error::internal("unreadable_error", error),
    }
}
