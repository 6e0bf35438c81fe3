//! The official MCP conformance suite judges a server of ours, over HTTP and with a key.
//!
//! Invariants: no failure is expected, also where the suite does not score; every scenario that the
//! suite has for servers is run, those that a revision requires at its revision, the others as the
//! suite chooses. The server is built with the tools that the suite asks for, into a place of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::install::{self, Programs};
use crate::program;
use crate::server::{self, Server};
use crate::tally::Tally;

const SUITE: &str = "@modelcontextprotocol/conformance@0.2.0-alpha.12";
/// Where the suite begins, in the folder of its package.
const BEGINNING: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
/// The revisions for which the suite has a frozen set of required scenarios.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// Runs every scenario.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let suite = Suite::install(root)?;
    let flowmaster = server::built(root, &["--features", "conformance"])?;
    let server = Server::start(&flowmaster, server::Program::Copied);
    // What the other steps start is the program without the tools of the suite.
    server::built(root, &[])?;
    let server = server?;

    let mut tally = Tally::default();
    let mut judged = BTreeSet::new();
    for revision in REVISIONS {
        let (said, succeeded) = suite.judge(&server, &["--requirements", revision])?;
        let results = results(&said);
        let failed: Vec<_> = results.iter().filter(|it| it.tally.failed > 0).collect();
        for result in &results {
            tally += result.tally;
            judged.insert(result.scenario.clone());
        }
        println!("{revision}: {} scenarios, {} of them failed", results.len(), failed.len());
        for result in &failed {
            let scenario = ["--scenario", &result.scenario, "--spec-version", revision, "--force"];
            println!("{}", suite.judge(&server, &scenario)?.0.trim_end());
        }
        if results.is_empty() || (!succeeded && failed.is_empty()) {
            println!("{}", said.trim_end());
            tally += Tally::FAIL;
        }
    }
    for scenario in suite.scenarios()?.iter().filter(|it| !judged.contains(*it)) {
        let (said, succeeded) = suite.judge(&server, &["--scenario", scenario])?;
        let result = total(&said).filter(|it| succeeded == (it.failed == 0));
        match result {
            Some(result) if result.failed == 0 => println!("{scenario}: {result}"),
            _ => println!("{}", said.trim_end()),
        }
        tally += result.unwrap_or(Tally::FAIL);
    }
    println!("{tally}");
    Ok(tally)
}

/// The suite, installed.
struct Suite {
    node: PathBuf,
    beginning: PathBuf,
    credential: PathBuf,
}

impl Suite {
    fn install(root: &Path) -> anyhow::Result<Self> {
        let Programs { interpreter, modules } = install::node(&[SUITE])?;
        let modules = PathBuf::from(modules.context("the suite was installed nowhere")?);
        Ok(Self {
            node: interpreter,
            beginning: modules.join(BEGINNING),
            credential: root.join("tests/conformance/mcp/credential.mjs"),
        })
    }

    /// What the suite says of the server, and whether it succeeded.
    fn judge(&self, server: &Server, which: &[&str]) -> anyhow::Result<(String, bool)> {
        let mut suite = Command::new(&self.node);
        suite
            .env("NO_COLOR", "1")
            .env("FLOWMASTER_KEY", server.key())
            .arg("--import")
            .args([&self.credential, &self.beginning])
            .args(["server", "--url", &format!("{}/mcp", server.base()), "--output-dir"])
            .arg(server.folder().join("results"))
            .args(which);
        program::said(&mut suite)
    }

    /// The scenarios for servers.
    fn scenarios(&self) -> anyhow::Result<Vec<String>> {
        let listed = program::quietly(
            Command::new(&self.node).arg(&self.beginning).args(["list", "--server"]),
        )?;
        let scenarios: Vec<_> = listed.lines().filter_map(scenario).map(str::to_owned).collect();
        if scenarios.is_empty() {
            bail!("the suite lists no scenarios:\n{listed}");
        }
        Ok(scenarios)
    }
}

/// `  - tools-list [2025-11-25,2026-07-28]` names `tools-list`.
fn scenario(line: &str) -> Option<&str> {
    line.trim().strip_prefix("- ")?.split_whitespace().next()
}

/// What came of a scenario.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    scenario: String,
    tally: Tally,
}

/// The lines `✓ NAME: N passed, N failed` of a summary.
fn results(said: &str) -> Vec<Outcome> {
    let outcome = |line: &str| {
        let (scenario, numbers) = line.strip_prefix(['✓', '✗'])?.trim().split_once(": ")?;
        let mut tally = Tally::default();
        tally.read_closing(numbers);
        (numbers.contains(" passed, ")).then(|| Outcome { scenario: scenario.to_owned(), tally })
    };
    said.lines().filter_map(outcome).collect()
}

/// `Passed: 3/4, 1 failed, 0 warnings` at the end of one scenario.
fn total(said: &str) -> Option<Tally> {
    let rest = said.lines().rev().find_map(|line| line.trim().strip_prefix("Passed: "))?;
    let (passed, rest) = rest.split_once('/')?;
    let (_, rest) = rest.split_once(", ")?;
    let (failed, _) = rest.split_once(" failed")?;
    Some(Tally { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_suite_prints_is_understood() {
        let said = "=== SUMMARY ===\n✓ ping: 2 passed, 0 failed\n✗ tasks: 1 passed, 8 failed\n\n\
                    Total: 3 passed, 8 failed\n\nNot scored:\n  ✗ tasks (extension)\n";
        let outcome = |scenario: &str, passed, failed| Outcome {
            scenario: scenario.to_owned(),
            tally: Tally { passed, failed },
        };
        assert_eq!(results(said), [outcome("ping", 2, 0), outcome("tasks", 1, 8)]);
        let one = "Checks:\nTest Results:\nPassed: 3/4, 1 failed, 2 warnings\n";
        assert_eq!(total(one), Some(Tally { passed: 3, failed: 1 }));
        assert_eq!(total("it could not connect"), None);
        assert_eq!(scenario("  - tools-list [2025-11-25,2026-07-28]"), Some("tools-list"));
        assert_eq!(scenario("Server scenarios (test against a server):"), None);
    }
}
