//! The built program as a child process.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::harness::Caller;

/// The `flowmaster` program beside the test binary.
pub(crate) fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("flowmaster");
    assert!(
        program.exists(),
        "{} is missing; build it with cargo build --package flowmaster-mcp-server",
        program.display()
    );
    program
}

/// A server in a process of its own; killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// Kept open, as a terminal would be.
    _output: Lines<BufReader<ChildStdout>>,
    pub(crate) base: String,
    pub(crate) new_key: Option<String>,
}

impl Running {
    /// Starts a server on the data in `folder`, or in `database`, and waits until it says that it
    /// is up.
    pub(crate) fn start(folder: &Path, database: Option<&str>) -> Self {
        let mut command = Command::new(program());
        // What the tests are told is no setting of the program.
        command.env_remove("FLOWMASTER_TEST_DATABASE").env_remove("FLOWMASTER_TEST_POSTGRES");
        if let Some(url) = database {
            command.env("FLOWMASTER_DATABASE_URL", url);
        }
        let mut child = command
            .args(["up", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .env("FLOWMASTER_CALLS_PER_SECOND", "1000000")
            .env("FLOWMASTER_BURST", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut base, mut new_key) = (None, None);
        for line in lines.by_ref() {
            let line = line.unwrap();
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("MCP") {
                base = rest.trim().strip_suffix("/mcp").map(str::to_owned);
            }
            if let Some(rest) = line.strip_prefix("Key") {
                new_key = rest.split_whitespace().next().map(str::to_owned);
            }
            if line.starts_with("Install links") {
                break;
            }
        }
        Self {
            child,
            _output: lines,
            base: base.expect("the server did not say where it is"),
            new_key,
        }
    }

    pub(crate) fn caller(&self, key: &str) -> Caller {
        Caller::at(&self.base, key)
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
