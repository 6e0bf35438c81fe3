//! The configuration: one struct, filled from defaults, then a TOML file, then `FLOWMASTER_*`
//! variables, then flags. The only module that reads the environment.
//!
//! Invariant: what is misspelt is an error that names the right words, never silently ignored.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flowmaster_kernel::{Error, Result};
use flowmaster_reach::webhooks::{Network, Networks};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::dispatch::Limits;

const PREFIX: &str = "FLOWMASTER_";
const MAX_FILE: u64 = 1024 * 1024;
/// The shortest key that secrets are made from, in bytes.
const MIN_SIGNING_KEY: usize = 32;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that must not be printed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// A number of days or hours: `90d`, `36h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Retention {
    hours: u32,
}

impl Retention {
    /// The same as a duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.hours as u64 * 3_600)
    }
}

impl TryFrom<String> for Retention {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no number of days or hours, such as 90d or 36h");
        let (number, unit) = match text.strip_suffix('d') {
            Some(days) => (days, 24),
            None => (text.strip_suffix('h').ok_or_else(wrong)?, 1),
        };
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let hours = number.checked_mul(unit).ok_or_else(wrong)?;
        Ok(Self { hours })
    }
}

impl From<Retention> for String {
    fn from(retention: Retention) -> Self {
        match retention.hours {
            hours if hours % 24 == 0 => format!("{}d", hours / 24),
            hours => format!("{hours}h"),
        }
    }
}

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub bind: SocketAddr,
    /// The address that clients use, when it is not that of `bind`, e.g. behind a proxy.
    pub public_url: Option<String>,
    /// Where data is kept.
    pub data_dir: PathBuf,
    /// Where instances are archived; default: `archive` in the data folder. Nodes of one database
    /// share it.
    pub archive_dir: Option<PathBuf>,
    /// How long instances that ended stay in the tables, e.g. `90d`; then they are archived.
    /// Without it they stay for ever.
    pub retention: Option<Retention>,
    /// Networks that webhooks may reach although their addresses are not public, and without TLS, e.g.
    /// `10.0.0.0/8`.
    pub webhook_networks: Vec<String>,
    /// What the secrets of webhooks are made from; default: `signing.key` in the data folder. Nodes of
    /// one database need the same.
    pub signing_key: Option<Secret>,
    /// A PostgreSQL server instead of the embedded database. `DATABASE_URL` sets it too.
    pub database_url: Option<Secret>,
    /// The key that `call` and `connect` send, and that a new server takes.
    pub key: Option<Secret>,
    /// Host names that are served besides loopback and the own ones.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may use the server, e.g. `https://app.example.com`.
    pub allowed_origins: Vec<String>,
    /// OAuth authorization servers named in the metadata of the resource (RFC 9728).
    pub authorization_servers: Vec<String>,
    /// Whether `/sse` and `/messages` are served for clients of MCP 2024-11-05.
    pub legacy_sse: bool,
    /// How many sessions of older MCP clients may be open.
    pub max_sessions: usize,
    /// The tools that `mcp` lists.
    pub toolsets: String,
    /// Whether `mcp` refuses changes.
    pub read_only: bool,
    /// How many calls a principal may make a second over time.
    pub calls_per_second: u32,
    /// How many calls a principal may make at once.
    pub burst: u32,
    /// How long a call may take, in seconds.
    pub deadline_seconds: u64,
    /// What is logged, e.g. `info` or `warn,flowmaster=debug`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where the model of agents that this server runs is: what stands before
    /// `/chat/completions`, e.g. `https://api.openai.com/v1`.
    pub model_base_url: Option<String>,
    /// The provider's name of that model.
    pub model_name: Option<String>,
    /// The key for that model.
    pub model_key: Option<Secret>,
    /// Where traces go, e.g. `http://localhost:4318`. Nothing is exported without it.
    pub otlp_endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 9000)),
            public_url: None,
            data_dir: PathBuf::from("flowmaster-data"),
            archive_dir: None,
            retention: None,
            webhook_networks: Vec::new(),
            signing_key: None,
            database_url: None,
            key: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            authorization_servers: Vec::new(),
            legacy_sse: true,
            max_sessions: 1_000,
            toolsets: "core".to_owned(),
            read_only: false,
            calls_per_second: limits.calls_per_second,
            burst: limits.burst,
            deadline_seconds: limits.deadline.as_secs(),
            log: "warn,rmcp=error,flowmaster_mcp_server=info".to_owned(),
            log_format: LogFormat::Text,
            model_base_url: None,
            model_name: None,
            model_key: None,
            otlp_endpoint: None,
        }
    }
}

impl Config {
    /// Reads the configuration of this process: `file` if given, the environment, then `flags`.
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn load(file: Option<&Path>, flags: Table) -> Result<Self> {
        let text = file.map(read).transpose()?;
        Self::merge(text.as_deref(), std::env::vars_os().filter_map(as_text), flags)
    }

    /// Puts the layers on top of each other.
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn merge(
        file: Option<&str>,
        environment: impl Iterator<Item = (String, String)>,
        flags: Table,
    ) -> Result<Self> {
        let mut table: Table = match file {
            Some(text) => text.parse().map_err(|error| invalid("the file is not TOML", &error))?,
            None => Table::new(),
        };
        for (name, text) in environment {
            let field = match name.strip_prefix(PREFIX) {
                Some(field) => field.to_ascii_lowercase(),
                None if name == "DATABASE_URL" => "database_url".to_owned(),
                None => continue,
            };
            let value = value_of(&field, &text)
                .map_err(|why| invalid(&format!("the variable {name} is wrong"), &why))?;
            table.insert(field, value);
        }
        table.extend(flags);
        let config: Self = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| invalid("a setting is wrong", &error.message()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if self.calls_per_second == 0 || self.burst == 0 || self.deadline_seconds == 0 {
            return Err(invalid(
                "a limit is wrong",
                &"calls_per_second, burst and deadline_seconds must be at least 1",
            ));
        }
        if let Some(url) = &self.public_url {
            let plain = url.starts_with("http://") || url.starts_with("https://");
            if !plain || url.ends_with('/') {
                return Err(invalid(
                    "public_url is wrong",
                    &"it must begin with http:// or https:// and not end with a slash",
                ));
            }
        }
        if self.signing_key.as_ref().is_some_and(|key| key.expose().len() < MIN_SIGNING_KEY) {
            return Err(invalid("signing_key is wrong", &"it must have at least 32 characters"));
        }
        self.webhook_networks().map(drop)
    }

    /// The networks that webhooks may reach besides the public ones.
    ///
    /// # Errors
    /// `invalid_config`.
    pub fn webhook_networks(&self) -> Result<Networks> {
        let networks: Result<Vec<Network>, String> =
            self.webhook_networks.iter().map(|network| network.parse()).collect();
        networks.map(Networks::new).map_err(|why| invalid("webhook_networks is wrong", &why))
    }

    /// The address that clients use, for a server that listens at `address`.
    #[must_use]
    pub fn base_url(&self, address: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        // An unspecified address is no address to connect to.
        let host = if address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            match address {
                SocketAddr::V4(v4) => v4.ip().to_string(),
                SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
            }
        };
        format!("http://{host}:{}", address.port())
    }

    /// Where the store is: a PostgreSQL server, or the data folder.
    #[must_use]
    pub fn store_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.expose().to_owned(),
            None => format!("sqlite:{}", self.data_dir.display()),
        }
    }

    /// Where instances are archived.
    #[must_use]
    pub fn archive_dir(&self) -> PathBuf {
        self.archive_dir.clone().unwrap_or_else(|| self.data_dir.join("archive"))
    }

    /// The bounds of a call.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            deadline: Duration::from_secs(self.deadline_seconds),
            calls_per_second: self.calls_per_second,
            burst: self.burst,
            ..Limits::default()
        }
    }
}

/// Where the user's own files are: for `connect`, which writes the configuration of clients.
#[must_use]
pub fn home_dir() -> Option<PathBuf> {
    std::env::home_dir()
}

fn read(path: &Path) -> Result<String> {
    let wrong = |error: &dyn fmt::Display| {
        invalid(&format!("the file {} cannot be read", path.display()), error)
    };
    let size = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if size > MAX_FILE {
        return Err(wrong(&"it is too large"));
    }
    std::fs::read_to_string(path).map_err(|error| wrong(&error))
}

fn as_text((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// A variable as the kind of value that its field has.
fn value_of(field: &str, text: &str) -> Result<Value, String> {
    match field {
        "allowed_hosts" | "allowed_origins" | "authorization_servers" | "webhook_networks" => {
            Ok(Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Value::String(item.to_owned()))
                    .collect(),
            ))
        }
        "legacy_sse" | "read_only" => match text {
            "true" | "1" => Ok(Value::Boolean(true)),
            "false" | "0" => Ok(Value::Boolean(false)),
            _ => Err("it is neither true nor false".to_owned()),
        },
        "max_sessions" | "calls_per_second" | "burst" | "deadline_seconds" => {
            text.parse().map(Value::Integer).map_err(|_| "it is not a whole number".to_owned())
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn invalid(what: &str, why: &dyn fmt::Display) -> Error {
    Error::invalid("invalid_config", what).why(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(file: &str, environment: &[(&str, &str)], flags: &str) -> Result<Config> {
        let pairs: Vec<_> =
            environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Config::merge(Some(file), pairs.into_iter(), flags.parse().unwrap())
    }

    #[test]
    fn flags_win_over_the_environment_and_the_environment_over_the_file() {
        let check = |file, environment: &[(&str, &str)], flags, burst| {
            assert_eq!(merged(file, environment, flags).unwrap().burst, burst);
        };
        check("", &[], "", Config::default().burst);
        check("burst = 1", &[], "", 1);
        check("burst = 1", &[("FLOWMASTER_BURST", "2")], "", 2);
        check("burst = 1", &[("FLOWMASTER_BURST", "2")], "burst = 3", 3);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |file, environment: &[(&str, &str)], part: &str| {
            let error = merged(file, environment, "").unwrap_err();
            assert_eq!(error.code(), "invalid_config");
            assert!(error.to_string().contains(part), "{error}");
        };
        check("bnid = 1", &[], "unknown field `bnid`");
        check("burst", &[], "not TOML");
        check("burst = 0", &[], "at least 1");
        check("public_url = 'example.com'", &[], "http://");
        check("webhook_networks = ['10.0.0.0']", &[], "no network");
        check("", &[("FLOWMASTER_SIGNING_KEY", "short")], "at least 32");
        check("", &[("FLOWMASTER_BURTS", "2")], "unknown field `burts`");
        check("", &[("FLOWMASTER_BURST", "many")], "FLOWMASTER_BURST");
        check("", &[("FLOWMASTER_READ_ONLY", "maybe")], "neither true nor false");
    }

    #[test]
    fn a_retention_is_a_number_of_days_or_hours() {
        let check = |text: &str, hours: u64| {
            let config = merged("", &[("FLOWMASTER_RETENTION", text)], "").unwrap();
            let retention = config.retention.unwrap();
            assert_eq!(retention.as_duration(), Duration::from_secs(hours * 3_600), "{text}");
            assert_eq!(String::from(retention), text);
        };
        check("90d", 90 * 24);
        check("36h", 36);
        check("0d", 0);
        for wrong in ["", "90", "d", "-1d", "1.5d", "90 d", "200000000d", "1w"] {
            let error = merged("", &[("FLOWMASTER_RETENTION", wrong)], "").unwrap_err();
            assert!(error.to_string().contains("no number of days or hours"), "{error}");
        }
        assert_eq!(Config::default().retention, None);
        let moved = merged("archive_dir = '/vault'", &[], "").unwrap();
        assert_eq!(moved.archive_dir(), Path::new("/vault"));
    }

    #[test]
    fn lists_and_secrets_come_from_variables_and_secrets_stay_hidden() {
        let config = merged(
            "",
            &[
                ("FLOWMASTER_ALLOWED_HOSTS", "a.example, b.example"),
                ("DATABASE_URL", "postgres://user:hunter2@db/x"),
                ("HOME", "/nowhere"),
            ],
            "",
        )
        .unwrap();
        assert_eq!(config.allowed_hosts, ["a.example", "b.example"]);
        assert!(config.database_url.is_some());
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("hunter2") && shown.contains("***"));
    }

    #[test]
    fn an_address_to_listen_at_becomes_one_to_connect_to() {
        let check = |bind: &str, url: &str| {
            assert_eq!(Config::default().base_url(bind.parse().unwrap()), url);
        };
        check("127.0.0.1:80", "http://127.0.0.1:80");
        check("0.0.0.0:80", "http://127.0.0.1:80");
        check("[::1]:80", "http://[::1]:80");
    }
}
