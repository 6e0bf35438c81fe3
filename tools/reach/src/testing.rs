//! For tests: a receiver of webhooks on a loopback socket that speaks real HTTP, answers as it is told
//! to, and keeps what it was sent.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::webhooks::is_signed;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body to the letter.
    pub body: String,
}

impl Received {
    /// Id of the event.
    #[must_use]
    pub fn id(&self) -> &str {
        self.headers.get("webhook-id").map_or("", String::as_str)
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether it is signed with the secret `whsec_…`.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let header = |name: &str| self.headers.get(name).map_or("", String::as_str);
        let content = format!("{}.{}.{}", self.id(), header("webhook-timestamp"), self.body);
        is_signed(secret, &content, header("webhook-signature"))
    }
}

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status and these headers.
    Status(u16, &'static [(&'static str, &'static str)]),
    /// Takes the request and ends the connection without an answer.
    Hangs,
    /// Takes the request and never answers.
    Silence,
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

struct Inner {
    answer: Box<Answer>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
}

/// The receiver; it ends with the runtime of the test.
pub struct Receiver {
    inner: Arc<Inner>,
    /// Where it is.
    pub url: String,
}

impl Receiver {
    /// Starts a receiver that answers what `answer` says.
    ///
    /// # Errors
    /// A socket that cannot be bound.
    pub async fn start(
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (received, arrived) = Default::default();
        let inner = Arc::new(Inner { answer: Box::new(answer), received, arrived });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let serving = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(Arc::clone(&serving), stream));
            }
        });
        Ok(Self { inner, url })
    }

    /// What it was sent so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().clone()
    }

    /// Waits until it was sent `times` requests in all.
    pub async fn was_sent(&self, times: usize) {
        loop {
            let arrived = self.inner.arrived.notified();
            if self.inner.received.lock().len() >= times {
                return;
            }
            arrived.await;
        }
    }
}

async fn connection(inner: Arc<Inner>, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(received) = request(&mut stream).await? {
        let reply = (inner.answer)(&received);
        inner.received.lock().push(received);
        inner.arrived.notify_waiters();
        match reply {
            Reply::Status(status, headers) => {
                let headers: String =
                    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let answer = format!("HTTP/1.1 {status} -\r\n{headers}content-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await?;
            }
            Reply::Hangs => return Ok(()),
            Reply::Silence => std::future::pending().await,
        }
    }
    Ok(())
}

/// The next request of a connection, if there is one.
async fn request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Received>> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => {
                if let Some((name, value)) = line.split_once(':') {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
            }
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Received { headers, body }))
}
