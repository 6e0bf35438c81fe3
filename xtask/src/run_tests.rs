//! Runs the tests of the crates, and the product tests, on one back end.
//!
//! Invariant: each test runs once per back end it concerns. Tests whose path contains `postgres::`
//! belong to PostgreSQL, all others to SQLite; the other product tests are the same code on both,
//! told by `FLOWMASTER_TEST_DATABASE` which one to take, but for those whose path contains
//! `faults::`: the disk that fails in them is that of SQLite.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::debian;
use crate::program::{self, Reports};
use crate::tally::Tally;

pub(crate) const PRODUCT_TESTS: &str = "flowmaster-tests";
/// Has the program that the product tests start.
pub(crate) const SERVER: &str = "flowmaster-mcp-server";

/// On what the tests run.
pub(crate) enum Backend {
    Sqlite {
        /// Whether the tests of a failing disk are run.
        faults: bool,
    },
    Postgres {
        url: String,
    },
}

impl Backend {
    const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }
}

/// Runs the tests of `crates` (short names; none means all).
pub(crate) fn run(root: &Path, crates: &[String], backend: &Backend) -> anyhow::Result<Tally> {
    let packages: Vec<_> = crates.iter().map(|name| format!("flowmaster-{name}")).collect();
    let (product, others): (Vec<_>, Vec<_>) =
        packages.into_iter().partition(|package| package == PRODUCT_TESTS);
    let all = crates.is_empty();
    let runner = Runner::find(root);

    let mut tally = Tally::default();
    let mut backend = backend;
    // It verifies the runtime record, as a stranger would.
    if (all || !product.is_empty())
        && let Err(error) = debian::ensure("python3", "put Python 3 on the path")
    {
        println!("{error:#}");
        tally += Tally::FAIL;
    }
    if (all || !product.is_empty())
        && matches!(backend, Backend::Sqlite { faults: true })
        && let Err(error) = debian::ensure("strace", "leave its tests out with --without faults")
    {
        println!("{error:#}");
        tally += Tally::FAIL;
        backend = &Backend::Sqlite { faults: false };
    }
    if all || !others.is_empty() {
        tally += runner.run(root, &Part::Crates(&others), backend)?;
    }
    if all || !product.is_empty() {
        tally += runner.run(root, &Part::Product { all }, backend)?;
    }
    if all && tally == Tally::default() {
        bail!("no test ran on {}: a run that tests nothing is no success", backend.name());
    }
    Ok(tally)
}

/// A part of the tests.
enum Part<'a> {
    /// The tests of these packages that belong to the back end; none means all but the product's.
    Crates(&'a [String]),
    /// The product tests.
    Product {
        /// Are the tests of all packages run, too?
        all: bool,
    },
}

enum Runner {
    Nextest,
    /// Slower, and a whole package in one process, but it is everywhere.
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

    fn run(&self, root: &Path, part: &Part<'_>, backend: &Backend) -> anyhow::Result<Tally> {
        let mut command = program::cargo();
        command.current_dir(root).env("FLOWMASTER_TEST_DATABASE", backend.name());
        match backend {
            Backend::Sqlite { .. } => command.env_remove("FLOWMASTER_TEST_POSTGRES"),
            Backend::Postgres { url } => command.env("FLOWMASTER_TEST_POSTGRES", url),
        };
        match self {
            Self::Nextest => {
                nextest(&mut command, part, backend);
                program::counted(&mut command, Reports::Stderr)
            }
            Self::CargoTest => {
                let mut build = program::cargo();
                build.current_dir(root).args(["build", "--locked", "--package", SERVER]);
                if matches!(part, Part::Product { .. }) && !program::succeeds(&mut build)? {
                    return Ok(Tally::FAIL);
                }
                cargo_test(&mut command, part, backend);
                program::counted(&mut command, Reports::Stdout)
            }
        }
    }
}

/// The packages select what is built, the expression what is run: so all is built once, and the
/// server's program with it, which the product tests start.
fn nextest(command: &mut Command, part: &Part<'_>, backend: &Backend) {
    command.args(["nextest", "run", "--locked", "--color", "never", "--no-fail-fast"]);
    command.args(["--no-tests", "pass", "--status-level", "slow"]);
    match part {
        Part::Crates([]) | Part::Product { all: true } => command.arg("--workspace"),
        Part::Crates(packages) => command.args(packages.iter().flat_map(|it| ["--package", it])),
        Part::Product { all: false } => {
            command.args(["--package", PRODUCT_TESTS, "--package", SERVER])
        }
    };
    let product = format!("package(={PRODUCT_TESTS})");
    command.arg("--filterset").arg(match (part, backend) {
        (Part::Product { .. }, Backend::Sqlite { faults: true }) => {
            format!(r"{product} and not test(/\bpostgres::/)")
        }
        (Part::Product { .. }, Backend::Sqlite { faults: false }) => {
            format!(r"{product} and not test(/\b(faults|postgres)::/)")
        }
        (Part::Product { .. }, Backend::Postgres { .. }) => {
            format!(r"{product} and not test(/\bfaults::/)")
        }
        (Part::Crates(_), Backend::Sqlite { .. }) => {
            format!(r"not {product} and not test(/\bpostgres::/)")
        }
        (Part::Crates(_), Backend::Postgres { .. }) => {
            format!(r"not {product} and test(/\bpostgres::/)")
        }
    });
}

fn cargo_test(command: &mut Command, part: &Part<'_>, backend: &Backend) {
    command.args(["test", "--locked", "--color", "never", "--no-fail-fast"]);
    match part {
        Part::Crates([]) => command.args(["--workspace", "--exclude", PRODUCT_TESTS]),
        Part::Crates(packages) => command.args(packages.iter().flat_map(|it| ["--package", it])),
        Part::Product { .. } => command.args(["--package", PRODUCT_TESTS]),
    };
    command.args(["--", "--color", "never"]);
    match (part, backend) {
        (Part::Product { .. }, Backend::Sqlite { faults: true })
        | (Part::Crates(_), Backend::Sqlite { .. }) => command.args(["--skip", "postgres::"]),
        (Part::Product { .. }, Backend::Sqlite { faults: false }) => {
            command.args(["--skip", "faults::", "--skip", "postgres::"])
        }
        (Part::Product { .. }, Backend::Postgres { .. }) => command.args(["--skip", "faults::"]),
        (Part::Crates(_), Backend::Postgres { .. }) => command.arg("postgres::"),
    };
}
