//! Runs the tests of the crates, and the product tests, on one back end.
//!
//! Invariant: each test runs once per back end it concerns. Tests whose path contains `postgres::`
//! belong to PostgreSQL, all others to SQLite; the product tests are the same code on both, told by
//! `FLOWMASTER_TEST_DATABASE` which one to take.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::program::{self, Reports};
use crate::tally::Tally;

const PRODUCT_TESTS: &str = "flowmaster-tests";

/// On what the tests run.
pub(crate) enum Backend {
    Sqlite,
    Postgres { url: String },
}

impl Backend {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }
}

/// Runs the tests of `crates` (short names; none means all).
pub(crate) fn run(root: &Path, crates: &[String], backend: &Backend) -> anyhow::Result<Tally> {
    let runner = Runner::find(root);
    let (product, rooms): (Vec<_>, Vec<_>) =
        crates.iter().map(|name| format!("flowmaster-{name}")).partition(|it| it == PRODUCT_TESTS);

    let mut tally = Tally::default();
    if crates.is_empty() {
        let all = ["--workspace", "--exclude", PRODUCT_TESTS];
        tally += runner.run(root, &all, backend, Part::Crates)?;
    } else if !rooms.is_empty() {
        let packages: Vec<_> = rooms.iter().flat_map(|it| ["--package", it]).collect();
        tally += runner.run(root, &packages, backend, Part::Crates)?;
    }
    if crates.is_empty() || !product.is_empty() {
        tally += runner.run(root, &["--package", PRODUCT_TESTS], backend, Part::Product)?;
    }
    if tally == Tally::default() && crates.is_empty() {
        bail!("no test ran on {}: a run that tests nothing is no success", backend.name());
    }
    Ok(tally)
}

/// Which tests of a package belong to a back end.
#[derive(Clone, Copy)]
enum Part {
    /// Those whose path says so.
    Crates,
    /// All.
    Product,
}

enum Runner {
    Nextest,
    /// Slower and all in one process, but it is everywhere.
    CargoTest,
}

impl Runner {
    fn find(root: &Path) -> Self {
        let mut version = program::cargo();
        if program::quietly(version.current_dir(root).args(["nextest", "--version"])).is_ok() {
            return Self::Nextest;
        }
        println!("cargo-nextest is not installed: the tests run with cargo test");
        Self::CargoTest
    }

    fn run(
        &self,
        root: &Path,
        packages: &[&str],
        backend: &Backend,
        part: Part,
    ) -> anyhow::Result<Tally> {
        let mut command = program::cargo();
        command.current_dir(root).env("FLOWMASTER_TEST_DATABASE", backend.name());
        match backend {
            Backend::Sqlite => command.env_remove("FLOWMASTER_TEST_POSTGRES"),
            Backend::Postgres { url } => command.env("FLOWMASTER_TEST_POSTGRES", url),
        };
        let reports = match self {
            Self::Nextest => nextest(&mut command, packages, backend, part),
            Self::CargoTest => cargo_test(&mut command, packages, backend, part),
        };
        program::counted(&mut command, reports)
    }
}

fn nextest(command: &mut Command, packages: &[&str], backend: &Backend, part: Part) -> Reports {
    command.args(["nextest", "run", "--locked", "--color", "never", "--no-fail-fast"]);
    command.args(["--no-tests", "pass", "--status-level", "slow"]).args(packages);
    match (part, backend) {
        (Part::Product, _) => command,
        (Part::Crates, Backend::Sqlite) => command.args(["-E", r"not test(/\bpostgres::/)"]),
        (Part::Crates, Backend::Postgres { .. }) => command.args(["-E", r"test(/\bpostgres::/)"]),
    };
    Reports::Stderr
}

fn cargo_test(command: &mut Command, packages: &[&str], backend: &Backend, part: Part) -> Reports {
    command.args(["test", "--locked", "--color", "never", "--no-fail-fast"]).args(packages);
    command.args(["--", "--color", "never"]);
    match (part, backend) {
        (Part::Product, _) => command,
        (Part::Crates, Backend::Sqlite) => command.args(["--skip", "postgres::"]),
        (Part::Crates, Backend::Postgres { .. }) => command.arg("postgres::"),
    };
    Reports::Stdout
}
