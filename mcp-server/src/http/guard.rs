//! What is decided before anybody is asked who they are: Host, Origin, media type and size.
//!
//! Host against DNS rebinding, Origin against other web sites (MCP 2026-07-28, Streamable HTTP,
//! "Security"), the media type against forms that browsers send across origins without asking.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use flowmaster_kernel::{Error, ErrorKind, Result};

use super::MAX_BODY;
use super::problem::Problem;
use crate::config::Config;

/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(30);
const MAX_URI: usize = 8 * 1024;

/// The hosts and origins that are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AllowList {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl AllowList {
    /// The loopback names, the host of `base`, and what the settings add.
    #[must_use]
    pub(super) fn new(config: &Config, base: &str) -> Self {
        let mut hosts: Vec<String> =
            ["localhost", "127.0.0.1", "[::1]"].map(ToOwned::to_owned).to_vec();
        hosts.extend(base.parse::<Uri>().ok().and_then(|uri| uri.host().map(ToOwned::to_owned)));
        hosts.extend(config.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()));
        let origins =
            config.allowed_origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Self { hosts, origins }
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<()> {
        let authority = host_of(uri, headers).ok_or_else(|| {
            Error::invalid("invalid_host", "the request does not name one host")
                .fix("send exactly one Host header")
        })?;
        let host = without_port(&authority);
        if !self.hosts.iter().any(|allowed| allowed == host) {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "host_not_allowed",
                "this server does not serve that host",
            )
            .fix("use the address that the server prints, or add the host to allowed_hosts"));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let own = ["http://", "https://"]
            .iter()
            .any(|scheme| origin.strip_prefix(scheme) == Some(authority.as_str()));
        if origins.next().is_none() && (own || self.origins.contains(&origin)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "origin_not_allowed",
            "web pages of that origin may not use this server",
        )
        .fix("add the origin to allowed_origins"))
    }
}

/// The authority asked for, in lower case, if the request names exactly one.
pub(super) fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut named = headers.get_all(header::HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => Some(host.to_str().ok()?.to_ascii_lowercase()),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    match (host, uri.authority()) {
        (Some(host), Some(authority)) => {
            (authority.as_str().eq_ignore_ascii_case(&host)).then_some(host)
        }
        (Some(host), None) => Some(host),
        (None, authority) => authority.map(|name| name.as_str().to_ascii_lowercase()),
    }
}

/// `[::1]:80` → `[::1]`, `localhost:80` → `localhost`.
pub(super) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => {
            host
        }
        _ => authority,
    }
}

/// Whether a request comes from this machine itself, and not through a proxy on it.
pub(super) fn is_local(peer: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    const PROXIED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];
    let host = host_of(uri, headers).unwrap_or_default();
    peer.ip().to_canonical().is_loopback()
        && matches!(without_port(&host), "localhost" | "127.0.0.1" | "[::1]")
        && !PROXIED.iter().any(|name| headers.contains_key(*name))
}

/// Refuses wrong hosts, foreign origins, form posts and bodies that are announced too large.
pub(super) fn check(allowed: &AllowList, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > MAX_URI) {
        return Err(Problem::with_status(
            StatusCode::URI_TOO_LONG,
            Error::invalid("uri_too_long", "the address is too long"),
        ));
    }
    allowed.check(request.uri(), headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_BODY as u64) {
        return Err(too_large());
    }
    if request.method() == Method::POST && !is_json(headers) {
        return Err(Problem::with_status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::invalid("unsupported_media_type", "the body is not JSON")
                .fix("send the body with Content-Type: application/json"),
        ));
    }
    Ok(())
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else { return false };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn too_large() -> Problem {
    Problem::from(
        Error::new(ErrorKind::TooLarge, "body_too_large", "the body is too large")
            .why(format!("the limit is {MAX_BODY} bytes"))
            .fix("send less at once"),
    )
}

/// Reads the whole body, within its limit and in time, so that no protocol waits for a slow client.
pub(super) async fn take_body(request: Request) -> Result<Request, Problem> {
    if request.method() != Method::POST {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_too_large_or_broken)) => Err(too_large()),
        Err(_elapsed) => Err(Problem::with_status(
            StatusCode::REQUEST_TIMEOUT,
            Error::new(ErrorKind::Timeout, "body_too_slow", "the body did not arrive in time"),
        )),
    }
}

/// Adds the headers that keep browsers from doing more with an answer than reading it.
pub(super) fn harden(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_cut_off_hosts_only() {
        let check = |authority: &str, host: &str| assert_eq!(without_port(authority), host);
        check("localhost", "localhost");
        check("localhost:80", "localhost");
        check("[::1]:80", "[::1]");
        check("[::1]", "[::1]");
        check("example.com:http", "example.com:http");
    }
}
