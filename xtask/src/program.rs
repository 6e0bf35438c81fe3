//! Starting other programs, and saying what to do when one is missing.

use std::io::BufReader;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::tally::Tally;

/// Cargo, the one this was started by.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a program whose output is shown. Whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(status.success())
}

/// Runs a program that has to succeed; its output is shown only when it does not.
pub(crate) fn quietly(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}):\n{text}{problem}", shown(command), output.status);
    }
    Ok(text)
}

/// Runs a program for what it prints, and whether it succeeded.
pub(crate) fn said(command: &mut Command) -> anyhow::Result<(String, bool)> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&text).into_owned(), output.status.success()))
}

/// How a program reports its results.
#[derive(Clone, Copy)]
pub(crate) enum Reports {
    /// A test runner, on its standard output.
    Stdout,
    /// A test runner, on its standard error.
    Stderr,
    /// One of ours: `N passed, N failed` on its standard output.
    Closing,
}

/// Runs a program, shows its output and counts its results.
pub(crate) fn counted(command: &mut Command, reports: Reports) -> anyhow::Result<Tally> {
    watched(command, reports, |_| ())
}

/// The same, and gives each line to `heed`.
pub(crate) fn watched(
    command: &mut Command,
    reports: Reports,
    mut heed: impl FnMut(&str),
) -> anyhow::Result<Tally> {
    println!("$ {}", shown(command));
    match reports {
        Reports::Stdout | Reports::Closing => command.stdout(Stdio::piped()),
        Reports::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let read = match reports {
        Reports::Stdout | Reports::Stderr => Tally::read,
        Reports::Closing => Tally::read_closing,
    };
    let mut tally = Tally::default();
    let mut heed = |line: &str| {
        read(&mut tally, line);
        heed(line);
    };
    if let Some(stream) = child.stdout.take() {
        show(BufReader::new(stream), &mut heed)?;
    }
    if let Some(stream) = child.stderr.take() {
        show(BufReader::new(stream), &mut heed)?;
    }
    let status = child.wait()?;
    // It did not build, or it died before it could report.
    if !status.success() && tally.failed == 0 {
        tally += Tally::FAIL;
    }
    Ok(tally)
}

fn show(mut lines: impl std::io::BufRead, heed: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        heed(&text);
        line.clear();
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
