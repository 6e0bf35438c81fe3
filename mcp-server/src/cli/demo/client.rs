//! A small MCP client: Streamable HTTP of MCP 2026-07-28, where every request is complete in
//! itself.

use std::time::Duration;

use flowmaster_kernel::{Error, ErrorBody, ErrorKind, Result};
use serde_json::{Value, json};

const REVISION: &str = "2026-07-28";

/// A client with one key.
pub(super) struct Client {
    http: reqwest::Client,
    address: String,
    base: String,
    key: String,
}

impl Client {
    pub(super) fn new(base: &str, key: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(40))
            .build()
            .map_err(|error| Error::internal("client_failed", error))?;
        let address = format!("{base}/mcp?toolsets=all");
        Ok(Self { http, address, base: base.to_owned(), key: key.to_owned() })
    }

    /// The same client with another key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self {
            http: self.http.clone(),
            address: self.address.clone(),
            base: self.base.clone(),
            key: key.to_owned(),
        }
    }

    /// Sends a request and gives its result.
    pub(super) async fn request(&self, method: &str, mut params: Value) -> Result<Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {
                "name": "flowmaster-demo", "version": env!("CARGO_PKG_VERSION")
            }
        });
        let name = params.get("name").and_then(Value::as_str).map(str::to_owned);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut request = self
            .http
            .post(&self.address)
            .bearer_auth(&self.key)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", REVISION)
            .header("Mcp-Method", method)
            .json(&body);
        if let Some(name) = name {
            request = request.header("Mcp-Name", name);
        }
        let broken = |error: reqwest::Error| {
            Error::new(
                ErrorKind::Unavailable,
                "server_unreachable",
                format!("no answer from {}", self.base),
            )
            .because(error)
        };
        let answer: Value = request.send().await.map_err(broken)?.json().await.map_err(broken)?;
        match answer.get("error") {
            Some(error) => Err(Error::invalid("protocol_error", error.to_string())),
            None => Ok(answer.get("result").cloned().unwrap_or_default()),
        }
    }

    /// Calls a tool; a tool that answers an error gives that error.
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let params = json!({ "name": tool, "arguments": arguments });
        let result = self.request("tools/call", params).await?;
        if result.get("isError").and_then(Value::as_bool) != Some(true) {
            return Ok(result.get("structuredContent").cloned().unwrap_or_default());
        }
        let text = result.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
        match serde_json::from_str::<ErrorBody>(text) {
            Ok(body) => {
                let error = Error::new(ErrorKind::Conflict, &body.code, body.what);
                Err(match body.why {
                    Some(why) => error.why(why),
                    None => error,
                })
            }
            Err(_) => Err(Error::invalid("tool_error", text)),
        }
    }
}
