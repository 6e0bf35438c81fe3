//! `cargo xtask`: what is run by hand and by continuous integration, in one place.
//!
//! `test` runs everything, `tidy` checks the invariants of the tree, `audit` checks the supply
//! chain. Invariants: the last line of `test` is `N passed, N failed`; what cannot be run is a
//! failure that says its remedy; nothing that was started is left behind.
//!
//! Not here: anything the product needs at run time.

#![expect(clippy::print_stdout, reason = "the command line is what this program is for")]

mod audit;
mod clients;
mod cluster;
mod debian;
mod program;
mod run_tests;
mod steps;
mod story;
mod tally;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use crate::steps::{Plan, Without};
use crate::tidy::Tree;

/// Tests, invariants and supply chain of FlowMaster.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    /// Runs every check and test; the last line says how many passed and failed.
    Test {
        /// What this machine cannot have.
        #[arg(long, value_enum)]
        without: Vec<Without>,
        /// Only these steps (format, lints, tidy, sqlite, postgres, clients, story, supply-chain) and
        /// the tests of these crates (by their short names: store, run, …).
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Checks what the compiler cannot: dependency arrows, table ownership, file sizes …
    Tidy,
    /// Checks the supply chain: known vulnerabilities, bans, licences, sources.
    Audit,
    /// Measures in release mode; what follows `--` goes to the benchmark, e.g. `--instances 5000`.
    Bench {
        /// Arguments of the benchmark.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Checks any folder of models against what a format promises.
    Conformance {
        /// The format.
        #[arg(value_enum)]
        format: Format,
        /// Files or folders.
        path: PathBuf,
    },
}

/// The formats whose conformance is checked.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// BPMN 2.0: every file is read and written back without loss.
    Bpmn,
}

fn main() -> ExitCode {
    match run(Xtask::parse()) {
        Ok(code) => code,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Xtask) -> anyhow::Result<ExitCode> {
    let root = root()?;
    let tally = match command {
        Xtask::Test { without, only } => {
            let plan = Plan::new(&Tree::read(&root)?, &without, &only)?;
            let tally = steps::run(&root, &plan);
            println!("{tally}");
            tally
        }
        Xtask::Tidy => tidy::run(&root)?,
        Xtask::Audit => audit::run(&root)?,
        Xtask::Bench { arguments } => steps::checked(
            steps::cargo(&root)
                .args(["run", "--release", "--locked", "--package", "flowmaster-benches", "--"])
                .args(arguments),
        )?,
        Xtask::Conformance { format: Format::Bpmn, path } => steps::checked(
            steps::cargo(&root)
                .args(["run", "--quiet", "--locked", "--package", "flowmaster-mcp-server", "--"])
                .args(["bpmn", "check"])
                .arg(path),
        )?,
    };
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The root of the repository: the parent of this crate.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).context("the folder of this crate has no parent")
}
