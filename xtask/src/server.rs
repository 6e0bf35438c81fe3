//! The program, built, and a server for those who test it from outside, for as long as they run.
//!
//! Invariant: it is ended and its folder removed however this program ends, be it killed: the
//! keeper waits for the end of a pipe that this program holds.

use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::program;
use crate::steps::cargo;

/// The server alone writes to standard output, so that it ends when the server does.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$1" up --bind 127.0.0.1:0 --data-dir "$2/data" 2>"$2/log" &
exec >/dev/null
cat
kill -KILL $!
rm -rf "$2"
"#;

/// Builds the program with these arguments of cargo; it is beside this one.
pub(crate) fn built(root: &Path, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "--package", "flowmaster-mcp-server"]);
    if !program::succeeds(build.args(arguments))? {
        bail!("flowmaster does not build");
    }
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let flowmaster = own.with_file_name("flowmaster");
    if !flowmaster.exists() {
        bail!(
            "{} is missing: run this as `cargo xtask`, not in release mode",
            flowmaster.display()
        );
    }
    Ok(flowmaster)
}

/// The settings of whoever runs the tests are for their server, not for ours.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("FLOWMASTER_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Where the program is that runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Where it was built.
    InPlace,
    /// In the folder of the server, because another will be built in its place.
    Copied,
}

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    folder: PathBuf,
    base: String,
    key: String,
    /// Held for its end.
    _keeper: Keeper,
}

impl Server {
    /// Starts one on a free port, and waits until it says where it is.
    pub(crate) fn start(flowmaster: &Path, program: Program) -> anyhow::Result<Self> {
        let template = std::env::temp_dir().join("flowmaster-tested-XXXXXX");
        let folder = program::quietly(Command::new("mktemp").arg("-d").arg(template))?;
        let folder = PathBuf::from(folder.trim());
        let copy = folder.join("flowmaster");
        let flowmaster = match program {
            Program::InPlace => flowmaster,
            Program::Copied => {
                std::fs::copy(flowmaster, &copy).context("cannot copy the program")?;
                &copy
            }
        };
        let mut keeper = Keeper::start(flowmaster, &folder)?;
        let (base, key) = keeper.invitation().with_context(|| {
            let log = std::fs::read_to_string(folder.join("log"));
            format!("the server did not start:\n{}", log.unwrap_or_else(|_| "no log".to_owned()))
        })?;
        println!("flowmaster runs at {base}");
        Ok(Self { folder, base, key, _keeper: keeper })
    }

    /// Where its addresses begin.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The key of its administrator.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A folder for those who start a server of their own; it goes when this server does.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

struct Keeper {
    child: Child,
    /// Kept open, as a terminal would be.
    output: Lines<BufReader<ChildStdout>>,
}

impl Keeper {
    fn start(flowmaster: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut keeper = Command::new("sh");
        let mut child = without_settings(&mut keeper)
            .args(["-c", KEEPER, "sh"])
            .args([flowmaster, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start the keeper of the server")?;
        let output = child.stdout.take().context("the keeper has no output")?;
        Ok(Self { child, output: BufReader::new(output).lines() })
    }

    /// The address and the key that the server prints when it is up.
    fn invitation(&mut self) -> anyhow::Result<(String, String)> {
        let (mut base, mut key) = (None, None);
        for line in self.output.by_ref() {
            let line = line?;
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("MCP ") {
                base = rest.trim().strip_suffix("/mcp").map(str::to_owned);
            }
            if let Some(rest) = line.strip_prefix("Key ") {
                key = rest.split_whitespace().next().map(str::to_owned);
            }
            if let (Some(base), Some(key)) = (&base, &key) {
                return Ok((base.clone(), key.clone()));
            }
        }
        bail!("it ended before it said its address and its key")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            println!("the server may still run: {error}");
        }
    }
}
