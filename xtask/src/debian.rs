//! Programs from Debian's packages, for tests that need them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::program;

/// Installs a package, if this is root on Debian; otherwise says how, or what to do without it.
pub(crate) fn install(package: &str, otherwise: &str) -> anyhow::Result<()> {
    let apt = Path::new("/usr/bin/apt-get");
    if !apt.exists() || !is_root()? {
        bail!(
            "{package} is not installed. Install it (on Debian as root: apt-get install \
             {package}), or {otherwise}"
        );
    }
    println!("installing {package}");
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", package]] {
        let mut command = Command::new(apt);
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        program::quietly(&mut command).with_context(|| {
            format!("cannot install {package}: install it by hand, or {otherwise}")
        })?;
    }
    Ok(())
}

/// Installs the package of this name when the program of this name cannot be started.
pub(crate) fn ensure(program: &str, otherwise: &str) -> anyhow::Result<()> {
    if program::quietly(Command::new(program).arg("--version")).is_ok() {
        return Ok(());
    }
    install(program, otherwise)
}

pub(crate) fn is_root() -> anyhow::Result<bool> {
    Ok(program::quietly(Command::new("id").arg("-u"))?.trim() == "0")
}
