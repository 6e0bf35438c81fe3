//! The built program as a child process.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

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
    output: Lines<BufReader<ChildStdout>>,
    pub(crate) base: String,
    pub(crate) new_key: Option<String>,
}

impl Running {
    /// Starts a server on the data in `folder`, or in `database`, and waits until it says that it
    /// is up.
    pub(crate) fn start(folder: &Path, database: Option<&str>) -> Self {
        let mut command = Command::new(program());
        if let Some(url) = database {
            command.env("FLOWMASTER_DATABASE_URL", url);
        }
        Self::start_by(command, folder).expect("the server did not start")
    }

    /// The same by `command`, which is the program or becomes it, with its arguments added. The
    /// status if it ends before it is up.
    pub(crate) fn start_by(mut command: Command, folder: &Path) -> Result<Self, ExitStatus> {
        // What the tests are told is no setting of the program.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FLOWMASTER_TEST_") {
                command.env_remove(name);
            }
        }
        // Tests are faster than people, unless they are about that.
        if command.get_envs().all(|(name, _)| name != "FLOWMASTER_BURST") {
            command.env("FLOWMASTER_CALLS_PER_SECOND", "1000000");
            command.env("FLOWMASTER_BURST", "1000000");
        }
        let mut child = command
            .args(["up", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        match invitation(&mut output) {
            Some((base, new_key)) => Ok(Self { child, output, base, new_key }),
            None => Err(child.wait().unwrap()),
        }
    }

    /// Waits until the same process says again that it is up, after a restart by itself; whether
    /// it did before it ended.
    pub(crate) fn is_up_again(&mut self) -> bool {
        let Some((base, _)) = invitation(&mut self.output) else { return false };
        self.base = base;
        true
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn caller(&self, key: &str) -> Caller {
        Caller::at(&self.base, key)
    }

    /// SIGTERM: what is under way is finished first.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(asked.success());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended}");
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Reads what a server says when it is up: its address, and its key if it is new.
fn invitation(output: &mut Lines<BufReader<ChildStdout>>) -> Option<(String, Option<String>)> {
    let (mut base, mut new_key) = (None, None);
    for line in output {
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
    base.map(|base| (base, new_key))
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
