//! Installs the clients once, at pinned versions, into the user's cache.
//!
//! Invariant: a folder is named after what is in it, so a new version is a new folder; an
//! installation that was interrupted is done again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::program;

const FASTMCP: &str = "4.1.2";
const SDK: &str = "1.32.2";
const INSPECTOR: &str = "2.12.0";
/// The Inspector needs 22.19 or newer, which many machines do not have.
const NODE: &str = "22.23.3";

/// What runs a script.
pub(super) struct Programs {
    pub(super) interpreter: PathBuf,
    /// Where the script finds its packages, when the interpreter does not know.
    pub(super) modules: Option<OsString>,
}

/// Python, with fastmcp.
pub(super) fn fastmcp() -> anyhow::Result<Programs> {
    let folder = folder(&format!("fastmcp-{FASTMCP}"))?;
    let interpreter = folder.join("bin/python");
    once(&folder, || {
        println!("installing fastmcp {FASTMCP}: half a minute, once");
        program::quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let package = format!("fastmcp=={FASTMCP}");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        program::quietly(Command::new(&interpreter).args(pip).arg(package))?;
        Ok(())
    })
    .context(
        "cannot install fastmcp: it needs Python 3.10 or newer with venv (on Debian: apt-get \
         install python3-venv), and the package registry",
    )?;
    Ok(Programs { interpreter, modules: None })
}

/// Node.js, with the TypeScript SDK and the Inspector.
pub(super) fn node_packages() -> anyhow::Result<Programs> {
    let folder = folder(&format!("sdk-{SDK}-inspector-{INSPECTOR}-node-{NODE}"))?;
    let interpreter = folder.join("node_modules/node/bin/node");
    once(&folder, || {
        println!("installing the TypeScript SDK {SDK} and the Inspector {INSPECTOR}: once");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"])
            .arg(&folder)
            .arg(format!("@modelcontextprotocol/sdk@{SDK}"))
            .arg(format!("@modelcontextprotocol/inspector@{INSPECTOR}"))
            .arg(format!("node@{NODE}"));
        program::quietly(&mut npm)?;
        // The package fetches the program when it is installed, which npm can be told not to do.
        program::quietly(Command::new(&interpreter).arg("--version"))?;
        Ok(())
    })
    .context(
        "cannot install the TypeScript SDK and the Inspector: they need Node.js with npm (on \
         Debian: apt-get install npm) and its leave to run the install script of the package \
         node, and the package registry",
    )?;
    Ok(Programs { interpreter, modules: Some(folder.into_os_string()) })
}

fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME says where to install, and is not set")?;
    Ok(Path::new(&home).join(".cache/flowmaster-clients").join(name))
}

/// Fills `folder` when that was not done to the end before.
fn once(folder: &Path, install: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let done = folder.join("installed");
    if done.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    install()?;
    std::fs::write(&done, "").with_context(|| format!("cannot write {}", done.display()))
}
