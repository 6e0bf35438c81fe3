//! The request itself: bounded in time and size, to a checked address, without following redirects.
//!
//! Invariants: a host is resolved once, its addresses are checked, and the connection goes to one of
//! those; nothing of the environment (proxies) changes that; what the receiver says beyond its status
//! is not kept, so nobody reads through us what only we can reach; errors do not name the URL, which
//! may hold a key of the receiver.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use tokio::sync::OnceCell;

use super::address::Networks;
use super::error::WebhookError;

/// The longest URL, in bytes.
const MAX_URL: usize = 2_000;
/// How long a receiver may take for its answer.
const ANSWER: Duration = Duration::from_secs(15);
/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that the connection can be used again, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// Sends events. Its clients are made when they are first needed: a server without webhooks does not
/// read certificates for them.
pub(super) struct Sender {
    networks: Arc<Networks>,
    /// To public addresses and those of the operator's networks.
    secure: OnceCell<Client>,
    /// To those of the operator's networks alone.
    plain: OnceCell<Client>,
}

/// An event on its way.
pub(super) struct Outgoing<'a> {
    pub(super) url: &'a str,
    /// `webhook-id`.
    pub(super) id: &'a str,
    /// `webhook-timestamp`.
    pub(super) seconds: i64,
    /// `webhook-signature`.
    pub(super) signature: String,
    pub(super) body: String,
}

/// Why an event was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: String,
    /// The receiver wants no more, ever.
    pub(super) is_gone: bool,
    /// For how long it wants to be left alone.
    pub(super) retry_after_millis: Option<i64>,
}

impl Refused {
    fn by(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_gone: false, retry_after_millis: None }
    }
}

impl Sender {
    /// A sender that reaches public addresses, and these networks.
    pub(super) fn new(networks: Networks) -> Self {
        let networks = Arc::new(networks);
        Self { networks, secure: OnceCell::new(), plain: OnceCell::new() }
    }

    /// The client for URLs of this scheme.
    async fn client(&self, scheme: &str) -> reqwest::Result<&Client> {
        let is_plain = scheme == "http";
        let made = async || {
            let networks = Arc::clone(&self.networks);
            client(Checked { networks, own_alone: is_plain }).https_only(!is_plain).build()
        };
        let client = if is_plain { &self.plain } else { &self.secure };
        client.get_or_try_init(made).await
    }

    /// Whether events may be sent to `url`, as far as that can be said without resolving its host.
    pub(super) fn check(&self, url: &str) -> Result<Url, WebhookError> {
        if url.len() > MAX_URL {
            return Err(WebhookError::Url("it has more than 2,000 characters"));
        }
        let url: Url = url.parse().map_err(|_| WebhookError::Url("it is none"))?;
        let host = url.host_str().ok_or(WebhookError::Url("it has no host"))?;
        let is_plain = match url.scheme() {
            "https" => false,
            "http" if !self.networks.is_empty() => true,
            "http" => return Err(WebhookError::Url("it is not https")),
            _ => return Err(WebhookError::Url("it is neither https nor http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookError::Url("it holds a user name"));
        }
        if url.fragment().is_some() {
            return Err(WebhookError::Url("it has a fragment"));
        }
        // Numbers in any notation are an address by now (WHATWG URL §3.5), which is not resolved.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_allowed = |address| match is_plain {
            true => self.networks.contain(address),
            false => self.networks.allow(address),
        };
        if literal.is_ok_and(|address| !is_allowed(address)) {
            return Err(WebhookError::Url("its address may not be reached"));
        }
        Ok(url)
    }

    /// Sends an event once, at `now`.
    pub(super) async fn send(&self, it: Outgoing<'_>, now: Timestamp) -> Result<(), Refused> {
        let url = self.check(it.url).map_err(|error| Refused::by(error.to_string()))?;
        let client = self.client(url.scheme()).await.map_err(|error| {
            tracing::error!(%error, "no client for webhooks could be made");
            Refused::by("this server cannot send")
        })?;
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", it.id)
            .header("webhook-timestamp", it.seconds)
            .header("webhook-signature", it.signature)
            .body(it.body);
        let response = request.send().await.map_err(|error| Refused::by(unreachable(&error)))?;
        let status = response.status();
        if status.is_success() {
            return drain(response).await;
        }
        Err(Refused {
            reason: format!("it answered {}", status.as_u16()),
            is_gone: status == StatusCode::GONE,
            retry_after_millis: retry_after(response.headers(), now),
        })
    }
}

fn client(resolver: Checked) -> ClientBuilder {
    Client::builder()
        .user_agent("FlowMaster")
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .dns_resolver(Arc::new(resolver))
}

/// Takes the rest of an answer: it counts once it is whole, or once it is longer than anybody needs.
async fn drain(mut response: Response) -> Result<(), Refused> {
    let mut read = 0;
    while let Some(chunk) =
        response.chunk().await.map_err(|error| Refused::by(unreachable(&error)))?
    {
        read += chunk.len();
        if read > MAX_ANSWER {
            break;
        }
    }
    Ok(())
}

/// Milliseconds, from seconds or from a moment (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(i64::from(seconds) * 1_000),
        Err(_) => {
            let moment: Timestamp = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().into();
            Some(moment.as_millis().saturating_sub(now.as_millis()).max(0))
        }
    }
}

/// Why there was no answer, without the URL.
fn unreachable(error: &reqwest::Error) -> &'static str {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotAllowed>() {
            return "the address of its host may not be reached";
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}

/// Resolves hosts to addresses that may be reached.
struct Checked {
    networks: Arc<Networks>,
    /// Not public ones either: what is sent there is not encrypted.
    own_alone: bool,
}

/// None of the addresses of a host may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the address of the host may not be reached")]
struct NotAllowed;

impl Checked {
    fn allows(&self, address: IpAddr) -> bool {
        if self.own_alone { self.networks.contain(address) } else { self.networks.allow(address) }
    }

    fn pick(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Addrs, NotAllowed> {
        let allowed: Vec<SocketAddr> = found.filter(|address| self.allows(address.ip())).collect();
        if allowed.is_empty() { Err(NotAllowed) } else { Ok(Box::new(allowed.into_iter())) }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let checked = Self { networks: Arc::clone(&self.networks), own_alone: self.own_alone };
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(checked.pick(found)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(networks: &[&str]) -> Sender {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Sender::new(Networks::new(networks))
    }

    #[test]
    fn no_spelling_of_an_address_leads_inside() {
        let outside = sender(&[]);
        for allowed in [
            "https://example.com/hook",
            "https://example.com:8443/hook?token=1",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(outside.check(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "http://example.com/",
            "https://",
            "https://user@example.com/",
            "https://user:word@example.com/",
            "https://:word@example.com/",
            "https://example.com@127.0.0.1/",
            "https://example.com/#part",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://017700000001/",
            "https://0177.0.0.01/",
            "https://127.0.0.1./",
            "https://①②⑦.⓪.⓪.①/",
            "https://１２７.0.0.1/",
            "https://%31%32%37.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://[::1]/",
            "https://[::]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::169.254.169.254]/",
            "https://[2002:a9fe:a9fe::]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://192.168.0.1:443/",
            "https://172.16.0.1/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
        ] {
            assert!(outside.check(refused).is_err(), "{refused}");
        }
        assert!(outside.check(&format!("https://example.com/{}", "x".repeat(2_000))).is_err());
        let inside = sender(&["127.0.0.0/8"]);
        for (url, allowed) in [
            ("http://127.0.0.1:8080/", true),
            ("https://127.0.0.1/", true),
            ("http://localhost/", true),
            ("http://8.8.8.8/", false),
            ("https://8.8.8.8/", true),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(inside.check(url).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn a_host_is_reached_only_at_addresses_that_were_checked() {
        let networks = Arc::new(Networks::new(vec!["10.0.0.0/8".parse().unwrap()]));
        let picked = |own_alone, found: &[&str]| {
            let checked = Checked { networks: Arc::clone(&networks), own_alone };
            let found = found.iter().map(|it| SocketAddr::new(it.parse().unwrap(), 0));
            checked.pick(found).map_or(0, Iterator::count)
        };
        assert_eq!(picked(false, &["8.8.8.8", "127.0.0.1", "10.0.0.1", "::1"]), 2);
        assert_eq!(picked(false, &["127.0.0.1", "::ffff:127.0.0.1"]), 0);
        assert_eq!(picked(true, &["8.8.8.8", "10.0.0.1"]), 1);
        assert_eq!(picked(true, &["8.8.8.8"]), 0);
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let outside = sender(&[]);
        let it = Outgoing {
            url: "https://localhost:1/",
            id: "1",
            seconds: 0,
            signature: String::new(),
            body: String::new(),
        };
        let refused = outside.send(it, Timestamp::from_millis(0)).await.unwrap_err();
        assert_eq!(refused.reason, "the address of its host may not be reached");
    }

    #[test]
    fn a_receiver_says_in_seconds_or_with_a_date_when_to_come_back() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        let check = |text: &str, millis| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), millis, "{text}");
        };
        check("120", Some(120_000));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(37_000));
        check("Sun, 06 Nov 1994 08:48:37 GMT", Some(0));
        check("-1", None);
        check("soon", None);
    }
}
