//! The credential of a request, and where a client learns how to get one.
//!
//! Deny by default: only the exact paths of [`is_public`] are open, so no spelling of any other
//! path (`//mcp`, `/MCP`, `/%6dcp`) is. Credentials come in the `Authorization` header only, never
//! in an address (RFC 6750 §5.3).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use flowmaster_kernel::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::guard::is_local;
use super::problem::Problem;
use crate::compose::App;
use crate::ports::Caller;

/// Where the metadata of the protected resource is (RFC 9728 §3).
pub(super) const METADATA_PATHS: [&str; 2] =
    ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];
const PUBLIC_PATHS: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];
const MAX_CREDENTIAL: usize = 4 * 1024;

/// Checks credentials and says what is missing.
pub(super) struct Door {
    app: Arc<App>,
    base: String,
}

impl Door {
    pub(super) fn new(app: Arc<App>, base: &str) -> Self {
        Self { app, base: base.to_owned() }
    }

    fn challenge(&self, failure: &str) -> HeaderValue {
        let address = format!("{}{}/mcp", self.base, METADATA_PATHS[0]);
        HeaderValue::from_str(&format!("Bearer resource_metadata=\"{address}\"{failure}"))
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    /// Refuses a request whose path is not public and whose credential is not good; says in its
    /// extensions who the caller is.
    pub(super) async fn verify(
        &self,
        peer: SocketAddr,
        request: &mut Request,
    ) -> Result<(), Problem> {
        if !is_public(peer, request) {
            let caller = self.caller(request.headers()).await?;
            request.extensions_mut().insert(caller);
        }
        Ok(())
    }

    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let refuse = |error: Error, failure: &str| {
            Problem::from(error).header(header::WWW_AUTHENTICATE, self.challenge(failure))
        };
        let bearer = match bearer_of(headers) {
            Ok(bearer) => bearer,
            Err(error) => return Err(refuse(error, "")),
        };
        self.app.authenticator.verify(bearer).await.map_err(|error| match error.kind() {
            ErrorKind::Unauthenticated => refuse(error, ", error=\"invalid_token\""),
            _ => Problem::from(error),
        })
    }
}

fn is_public(peer: SocketAddr, request: &Request) -> bool {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return false;
    }
    PUBLIC_PATHS.contains(&path)
        || METADATA_PATHS.contains(&path)
        || (path == "/metrics" && is_local(peer, request.uri(), request.headers()))
}

/// The bearer credential of a request (RFC 6750 §2.1).
fn bearer_of(headers: &HeaderMap) -> Result<&str> {
    let missing = || {
        Error::new(
            ErrorKind::Unauthenticated,
            "credential_missing",
            "the request has no credential",
        )
        .fix("send the header Authorization: Bearer KEY with a key of this server")
    };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(missing()) };
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, credential) = text.split_once(' ').ok_or_else(missing)?;
    let credential = credential.trim();
    if !scheme.eq_ignore_ascii_case("bearer")
        || credential.is_empty()
        || credential.len() > MAX_CREDENTIAL
    {
        return Err(missing());
    }
    Ok(credential)
}

/// The metadata of the protected resource (RFC 9728 §2).
pub(super) async fn metadata(State(door): State<Arc<Door>>) -> Json<Value> {
    let mut document = json!({
        "resource": format!("{}/mcp", door.base),
        "resource_name": "FlowMaster",
        "bearer_methods_supported": ["header"],
    });
    let servers = &door.app.config.authorization_servers;
    if let Some(fields) = document.as_object_mut()
        && !servers.is_empty()
    {
        fields.insert("authorization_servers".to_owned(), json!(servers));
    }
    Json(document)
}
