//! The same work by others, on the same machine in the same run: start, a script, a task, the end,
//! each step durable before the next.
//!
//! `benches/peers` has a script a peer, which prints its figures as JSON. Engines of code run two
//! durable steps and wait for nobody, which is less work than ours. A peer that fails is told, and
//! the others are measured.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::report::Report;

/// Where the peers are installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Peers {
    /// The program of Node.js.
    #[arg(long, value_name = "FILE", default_value = "node")]
    pub(crate) node: PathBuf,
    /// The folder with Restate's server and SDK, feelin and dmn-eval-js in `node_modules`.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) modules: PathBuf,
    /// The Python that has DBOS, SpiffWorkflow and bkflow-dmn.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    pub(crate) python: PathBuf,
}

/// Runs every peer beside the figures of ours that are in the report.
pub(crate) async fn measure(
    peers: &Peers,
    postgres: Option<&str>,
    concurrency: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let concurrency = concurrency.to_string();
    let restate = [
        peers.modules.as_os_str(),
        folder.path().as_os_str(),
        OsStr::new("3000"),
        OsStr::new(&concurrency),
    ];
    add("restate", script(&peers.node, "restate.mjs", &restate).await, report)?;
    if let Some(url) = postgres {
        let url = with_socket(url)?;
        let dbos = [OsStr::new(&url), OsStr::new("1000"), OsStr::new(&concurrency)];
        add("dbos_postgres", script(&peers.python, "dbos_steps.py", &dbos).await, report)?;
    }
    let spiff = [folder.path().as_os_str(), OsStr::new("1000")];
    add("spiff_sqlite_serial", script(&peers.python, "spiff_steps.py", &spiff).await, report)?;
    let best = ["restate", "dbos_postgres", "spiff_sqlite_serial"]
        .iter()
        .filter_map(|peer| report.get(&format!("{peer}_instances_per_s")))
        .max_by(f64::total_cmp)
        .context("no peer could be measured")?;
    for store in ["sqlite", "served_sqlite", "postgres"] {
        if let Some(ours) = report.get(&format!("{store}_instances_per_s")) {
            report.add(&format!("{store}_times_the_best_peer"), ours / best)?;
        }
    }
    Ok(())
}

fn add(peer: &str, said: anyhow::Result<Value>, report: &mut Report) -> anyhow::Result<()> {
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            writeln!(std::io::stderr(), "{peer} could not be measured: {error:#}")?;
            return Ok(());
        }
    };
    for (figure, name) in
        [("per_s", "instances_per_s"), ("p50_ms", "instance_p50_ms"), ("p99_ms", "instance_p99_ms")]
    {
        let value = said.get(figure).and_then(Value::as_f64);
        let value = value.with_context(|| format!("{peer} says nothing of {figure}: {said}"))?;
        report.add(&format!("{peer}_{name}"), value)?;
    }
    Ok(())
}

/// What the script printed in its last line.
pub(crate) async fn script(
    interpreter: &Path,
    name: &str,
    arguments: &[&OsStr],
) -> anyhow::Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
    let mut command = Command::new(interpreter);
    command.arg(script).args(arguments).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let line = said.lines().next_back().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("it said {line:?}"))
}

/// The URL as libpq reads it, which takes the folder of a socket as a parameter only.
fn with_socket(url: &str) -> anyhow::Result<String> {
    let (user, rest) = url.split_once('@').context("the URL of PostgreSQL names no user")?;
    let (address, database) = rest.split_once('/').context("it names no database")?;
    let (host, port) = address.rsplit_once(':').context("it names no port")?;
    let user = user.replace("postgres://", "postgresql://");
    Ok(format!("{user}@/{database}?host={}&port={port}", host.replace("%2F", "/")))
}
