//! Installs what others wrote once, at pinned versions, into the user's cache.
//!
//! Invariant: a folder is named after what is in it, so a new version is a new folder; an
//! installation that was interrupted is done again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::program;

/// The TypeScript clients need 22.19 or newer, which many machines do not have.
const NODE: &str = "node@22.23.3";

/// What runs a script.
pub(crate) struct Programs {
    pub(crate) interpreter: PathBuf,
    /// Where the script finds its packages, when the interpreter does not know.
    pub(crate) modules: Option<OsString>,
}

/// Python, with these packages of PyPI, e.g. `fastmcp==4.1.2`.
pub(crate) fn python(packages: &[&str]) -> anyhow::Result<Programs> {
    let folder = folder(packages)?;
    let interpreter = folder.join("bin/python");
    once(&folder, || {
        println!("installing {}: half a minute, once", packages.join(", "));
        program::quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        program::quietly(Command::new(&interpreter).args(pip).args(packages))?;
        Ok(())
    })
    .with_context(|| {
        format!(
            "cannot install {}: it needs Python 3.10 or newer with venv (on Debian: apt-get \
             install python3-venv), and the package registry",
            packages.join(", ")
        )
    })?;
    Ok(Programs { interpreter, modules: None })
}

/// Node.js, with these packages of npm, e.g. `@modelcontextprotocol/sdk@1.32.2`.
pub(crate) fn node(packages: &[&str]) -> anyhow::Result<Programs> {
    let folder = folder(&[packages, &[NODE]].concat())?;
    let interpreter = folder.join("node_modules/node/bin/node");
    once(&folder, || {
        println!("installing {}: once", packages.join(", "));
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"])
            .arg(&folder)
            .args(packages)
            .arg(NODE);
        program::quietly(&mut npm)?;
        // The package fetches the program when it is installed, which npm can be told not to do.
        program::quietly(Command::new(&interpreter).arg("--version"))?;
        Ok(())
    })
    .with_context(|| {
        format!(
            "cannot install {}: they need Node.js with npm (on Debian: apt-get install npm) and \
             its leave to run the install script of the package node, and the package registry",
            packages.join(", ")
        )
    })?;
    Ok(Programs { interpreter, modules: Some(folder.into_os_string()) })
}

fn folder(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME says where to install, and is not set")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-';
    let name = packages.join("-").replace(|letter| !plain(letter), "-");
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
