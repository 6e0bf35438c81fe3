//! A PostgreSQL cluster of our own, for as long as the tests run.
//!
//! Invariants: the system's clusters are never touched; it is reached through a socket in its own
//! folder, which needs no password, and for the tests of TLS at a free port of the loopback address,
//! which does; it is stopped and its folder removed however
//! this program ends, be it killed: the keeper waits for the end of a pipe that this program holds.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::{debian, program};

/// The oldest PostgreSQL that is supported.
const VERSION: u32 = 15;

const OPTIONS: &str = "-c max_connections=200 -c listen_addresses=127.0.0.1";

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As PostgreSQL is by default.
    Full,
    /// Not: durability is what the tests of SQLite check; on PostgreSQL it would only cost time.
    Off,
}

impl Durability {
    const fn options(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::Off => "-c fsync=off -c full_page_writes=off",
        }
    }
}

/// How often another free port is tried: somebody else may take it first.
const ATTEMPTS: u32 = 5;

const KEEPER: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$1/pg_ctl" stop --pgdata "$2/data" --mode immediate >/dev/null 2>&1
rm -rf "$2"
"#;

/// A running cluster. Dropping it ends it.
pub(crate) struct Cluster {
    folder: String,
    port: u16,
    keeper: Child,
}

impl Cluster {
    /// Starts one, after installing PostgreSQL when it is missing and this is root on Debian.
    pub(crate) fn start(durability: Durability) -> anyhow::Result<Self> {
        let account = Account::find()?;
        let programs = programs()?;
        let folder = account.run("mktemp", &["-d", "/tmp/flowmaster-postgres-XXXXXX"])?;
        let folder = folder.trim().to_owned();
        let keeper = account
            .command("sh")
            .args(["-c", KEEPER, "sh"])
            .args([programs.as_os_str(), folder.as_ref()])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("cannot start the keeper of the PostgreSQL cluster")?;
        let mut cluster = Self { folder, port: 0, keeper };
        cluster.initialise(account, &programs, durability)?;
        println!("PostgreSQL runs in {}", cluster.folder);
        Ok(cluster)
    }

    fn initialise(
        &mut self,
        account: Account,
        programs: &Path,
        durability: Durability,
    ) -> anyhow::Result<()> {
        let program = |name: &str| programs.join(name).display().to_string();
        let data = format!("{}/data", self.folder);
        let log = format!("{}/log", self.folder);
        let settings = ["--username", "postgres", "--no-sync"];
        let entry = ["--auth-local", "trust", "--auth-host", "scram-sha-256"];
        let locale = ["--encoding", "UTF8", "--locale", "C.UTF-8"];
        let place = ["--pgdata", data.as_str()];
        account.run(&program("initdb"), &[&place[..], &settings, &entry, &locale].concat())?;
        for attempt in 1.. {
            self.port = free_port()?;
            let options = format!(
                "{OPTIONS} {} -c unix_socket_directories={} -c port={}",
                durability.options(),
                self.folder,
                self.port
            );
            let start =
                ["--wait", "--timeout", "60", "--log", &log, "--options", &options, "start"];
            let started = account.run(&program("pg_ctl"), &[&place[..], &start].concat());
            if started.is_ok() || attempt == ATTEMPTS {
                started.with_context(|| {
                    let log = std::fs::read_to_string(&log).unwrap_or_else(|_| "no log".to_owned());
                    format!("PostgreSQL did not start:\n{log}")
                })?;
                break;
            }
        }
        Ok(())
    }

    /// The URL of its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@{}:{}/postgres", self.folder.replace('/', "%2F"), self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            println!("the PostgreSQL cluster in {} may still run: {error}", self.folder);
        }
    }
}

/// As whom PostgreSQL runs: it refuses to be root.
#[derive(Clone, Copy)]
enum Account {
    /// This is root: as the user `postgres`.
    Postgres,
    Own,
}

impl Account {
    fn find() -> anyhow::Result<Self> {
        Ok(if debian::is_root()? { Self::Postgres } else { Self::Own })
    }

    fn command(self, program: &str) -> Command {
        let mut command = match self {
            Self::Own => Command::new(program),
            Self::Postgres => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--", program]);
                command
            }
        };
        // The user `postgres` may not be allowed into the current folder.
        command.current_dir("/");
        command
    }

    fn run(self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        program::quietly(self.command(program).args(arguments))
    }
}

fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// The folder of `initdb` and `pg_ctl`.
fn programs() -> anyhow::Result<PathBuf> {
    if let Some(folder) = newest(Path::new("/usr/lib/postgresql")) {
        return Ok(folder);
    }
    let package = format!("postgresql-{VERSION}");
    debian::install(&package, "leave its tests out with --without postgres")?;
    newest(Path::new("/usr/lib/postgresql"))
        .with_context(|| format!("{package} is installed, but initdb is nowhere to be found"))
}

/// The newest supported version under `folder`, where Debian keeps them by number.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let versions = entries.filter_map(|it| it.ok()?.file_name().to_str()?.parse::<u32>().ok());
    versions
        .filter(|version| *version >= VERSION)
        .map(|version| (version, folder.join(version.to_string()).join("bin")))
        .filter(|(_, programs)| programs.join("initdb").exists())
        .max()
        .map(|(_, programs)| programs)
}
