//! The real `flowmaster` program as a child process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::cpu;

/// A running server; killed when dropped.
pub(crate) struct Program {
    child: Child,
    base: String,
    key: String,
    client: reqwest::Client,
}

impl Program {
    /// Starts the program beside this one on the data in `folder`.
    pub(crate) fn start(folder: &Path, key: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("flowmaster");
        let mut child = Command::new(&program)
            .args(["up", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .env("FLOWMASTER_CALLS_PER_SECOND", "1000000")
            .env("FLOWMASTER_BURST", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let base = loop {
            let line = lines.next().context("the server did not start")??;
            if let Some(url) = line.trim().strip_prefix("MCP") {
                break url.trim().trim_end_matches("/mcp").to_owned();
            }
        };
        // What it goes on to say must have a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, base, key: key.to_owned(), client: reqwest::Client::new() })
    }

    /// Calls an operation over REST.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/{operation}", self.base);
        let request = self.client.post(url).bearer_auth(&self.key).json(&arguments);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// CPU time that it took so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        cpu::cpu_seconds_of(&self.child.id().to_string())
    }

    /// A field of proc(5) `/proc/PID/status` that is in kB, in MB.
    pub(crate) fn memory_mb(&self, field: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
        let kilobytes: f64 =
            line.split_whitespace().nth(1).context("no value")?.parse().context("no number")?;
        Ok(kilobytes * 1_024.0 / 1e6)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
