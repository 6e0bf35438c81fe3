//! A real server in this process, on a port and a store of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowmaster_kernel::{Clock, IdSource, Role};
use flowmaster_mcp_server::compose::{Server, compose_with};
use flowmaster_mcp_server::config::{Config, Secret};
use flowmaster_mcp_server::http;
use flowmaster_mcp_server::mcp::Observer;
use flowmaster_mcp_server::system::{RandomIds, SystemClock, secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A server that ends with the test.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    pub(crate) admin: Caller,
    pub(crate) base: String,
    _stop: tokio_util::sync::DropGuard,
    _folder: Option<tempfile::TempDir>,
}

/// Somebody with a key.
#[derive(Clone)]
pub(crate) struct Caller {
    base: String,
    pub(crate) key: String,
    client: reqwest::Client,
}

/// An answer: the value, or the error's body with its HTTP status.
pub(crate) type Answer = Result<Value, (u16, Value)>;

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(SystemClock)).await
    }

    /// A server whose "now" is that of `clock`.
    pub(crate) async fn start_with(clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database().await.map(Secret::new);
        let server = Self::on(folder.path(), database, clock).await;
        Self { _folder: Some(folder), ..server }
    }

    /// A server on the data in `folder`, or in `database`.
    pub(crate) async fn on(folder: &Path, database: Option<Secret>, clock: Arc<dyn Clock>) -> Self {
        let config = Config {
            data_dir: folder.to_owned(),
            database_url: database,
            calls_per_second: 1_000_000,
            burst: 1_000_000,
            ..Config::default()
        };
        let server = compose_with(config, Observer::default(), clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(Arc::clone(&server.app), listener, stop.clone()));
        let key = server.new_key.as_ref().map(|key| key.expose().to_owned()).unwrap_or_default();
        let admin = Caller { base: base.clone(), key, client: reqwest::Client::new() };
        Self { server, admin, base, _stop: stop.drop_guard(), _folder: None }
    }

    /// A caller with these roles and groups.
    pub(crate) async fn person(&self, id: &str, roles: &[Role], groups: &[&str]) -> Caller {
        let user = json!({ "id": id, "roles": roles, "groups": groups });
        self.admin.call("user_save", user).await.unwrap();
        let key = self.admin.call("key_create", json!({ "principal": id })).await.unwrap();
        self.with_key(key["secret"].as_str().unwrap())
    }

    /// The administrator of another tenant.
    pub(crate) async fn stranger(&self) -> Caller {
        let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
        let made = self.server.rooms.identity.add_tenant(&ids, "other").await.unwrap();
        self.with_key(made.new_key.unwrap().reveal())
    }

    pub(crate) fn with_key(&self, key: &str) -> Caller {
        Caller { base: self.base.clone(), key: key.to_owned(), client: reqwest::Client::new() }
    }
}

impl Caller {
    pub(crate) fn at(base: &str, key: &str) -> Self {
        Self { base: base.to_owned(), key: key.to_owned(), client: reqwest::Client::new() }
    }

    /// Calls an operation over REST.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> Answer {
        self.try_call(operation, arguments, None).await.unwrap()
    }

    /// The same under an idempotency key; an error of the connection is the outer one.
    pub(crate) async fn try_call(
        &self,
        operation: &str,
        arguments: Value,
        idempotency_key: Option<&str>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self
            .client
            .post(format!("{}/api/v1/{operation}", self.base))
            .bearer_auth(&self.key)
            .json(&arguments);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        Ok(if status.is_success() { Ok(body) } else { Err((status.as_u16(), body)) })
    }

    /// Whether the server says that it is there.
    pub(crate) async fn is_alive(&self) -> bool {
        let health = self.client.get(format!("{}/healthz", self.base)).send().await;
        health.is_ok_and(|response| response.status().is_success())
    }

    /// The entries of all pages of a list.
    pub(crate) async fn all(&self, operation: &str, mut arguments: Value) -> Vec<Value> {
        let mut entries = Vec::new();
        loop {
            let page = self.call(operation, arguments.clone()).await.unwrap();
            entries.extend(page["items"].as_array().unwrap().iter().cloned());
            match page.get("next_cursor").filter(|it| !it.is_null()) {
                Some(cursor) => arguments["cursor"] = cursor.clone(),
                None => return entries,
            }
        }
    }

    /// Asks again until `pick` finds something: for what happens by itself.
    pub(crate) async fn until(
        &self,
        operation: &str,
        arguments: Value,
        pick: impl Fn(&Value) -> Option<Value>,
    ) -> Value {
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            let answer = self.call(operation, arguments.clone()).await.unwrap();
            if let Some(found) = pick(&answer) {
                return found;
            }
            tokio::task::yield_now().await;
        }
        panic!("{operation} never answered what was waited for");
    }
}

/// The code of an error.
pub(crate) fn code(answer: &Answer) -> &str {
    match answer {
        Ok(_) => "ok",
        Err((_, body)) => body["code"].as_str().unwrap_or_default(),
    }
}

/// A fresh database on PostgreSQL when the run is about it.
pub(crate) async fn database() -> Option<String> {
    if std::env::var_os("FLOWMASTER_TEST_DATABASE").is_none_or(|it| it != "postgres") {
        return None;
    }
    let admin = std::env::var_os("FLOWMASTER_TEST_POSTGRES")
        .and_then(|url| url.into_string().ok())
        .expect("FLOWMASTER_TEST_POSTGRES is not set; run cargo xtask test");
    Some(database_on(&admin).await)
}

/// A fresh database on the server that is reached as superuser at `admin`.
pub(crate) async fn database_on(admin: &str) -> String {
    let (client, connection) = tokio_postgres::connect(admin, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let name = format!("fm_{}", &secret()[..16]);
    // The role is a normal one, so that row security holds for it as in production.
    let role = format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'");
    client.batch_execute(&role).await.unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name} OWNER {name}")).await.unwrap();
    let rest = admin.rsplit_once('@').map_or("", |(_, rest)| rest);
    let (address, options) = rest.split_once('?').map_or((rest, ""), |(a, o)| (a, o));
    let host = address.split('/').next().unwrap_or_default();
    let options = if options.is_empty() { String::new() } else { format!("?{options}") };
    format!("postgres://{name}:{name}@{host}/{name}{options}")
}
