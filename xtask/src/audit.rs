//! The supply chain: known vulnerabilities (cargo-audit), and bans, licences and sources
//! (cargo-deny, `deny.toml`).
//!
//! Nothing is fetched for the verdict itself: the advisories are a folder, by default beside the
//! repository. The two programs are installed once, at pinned versions, into the user's cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::program;
use crate::tally::Tally;

const AUDIT: Tool = Tool { name: "cargo-audit", version: "0.22.2" };
const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

/// Where the advisories are, relative to the repository.
const ADVISORIES: &str = "../shared/advisory-db";

/// Checks the supply chain: two results.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for check in [vulnerabilities, policy] {
        tally += check(root).map(Tally::of).unwrap_or_else(|error| {
            println!("{error:#}");
            Tally::FAIL
        });
    }
    Ok(tally)
}

fn vulnerabilities(root: &Path) -> anyhow::Result<bool> {
    let advisories = std::env::var_os("FLOWMASTER_ADVISORY_DB")
        .map_or_else(|| root.join(ADVISORIES), PathBuf::from);
    if !advisories.join("crates").is_dir() {
        bail!(
            "there are no advisories in {}: put a copy of the RustSec advisory database there, or \
             say with FLOWMASTER_ADVISORY_DB where it is",
            advisories.display()
        );
    }
    let mut audit = Command::new(AUDIT.install()?);
    audit.current_dir(root).args(["audit", "--no-fetch", "--stale", "--db"]).arg(advisories);
    program::succeeds(&mut audit)
}

fn policy(root: &Path) -> anyhow::Result<bool> {
    let mut deny = Command::new(DENY.install()?);
    // Its warnings (two releases of one crate) are long, and no verdict.
    deny.current_dir(root).args(["--locked", "--log-level", "error"]);
    deny.args(["check", "bans", "licenses", "sources"]);
    program::succeeds(&mut deny)
}

/// A program of the package registry.
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    /// Where it is, after installing it when it is not there.
    fn install(&self) -> anyhow::Result<PathBuf> {
        let Self { name, version } = *self;
        let home =
            std::env::var_os("HOME").context("HOME says where to install, and is not set")?;
        let place = Path::new(&home).join(format!(".cache/flowmaster-tools/{name}-{version}"));
        let program = place.join("bin").join(name);
        if program.exists() {
            return Ok(program);
        }
        println!("installing {name} {version}: some minutes, once");
        let mut install = program::cargo();
        install
            .args(["install", "--quiet", "--locked", "--debug", "--version", version, "--root"])
            .arg(&place)
            .arg(name)
            // Quicker to build than a release, and quick enough to run.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("CARGO_TARGET_DIR");
        if !program::succeeds(&mut install)? {
            bail!("cannot install {name} {version}: is the package registry reachable?");
        }
        Ok(program)
    }
}
