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
mod conformance;
mod debian;
mod fuzz;
mod install;
mod night;
mod peers;
mod program;
mod run_tests;
mod server;
mod steps;
mod story;
mod tally;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use crate::cluster::{Cluster, Durability};
use crate::conformance::Format;
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
        /// Only these steps (format, lints, tidy, sqlite, postgres, conformance, fuzz, clients, story,
        /// supply-chain) and the tests of these crates (by their short names: store, run, …).
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Checks what the compiler cannot: dependency arrows, table ownership, file sizes …
    Tidy,
    /// Makes the tables of the documentation that say what scenarios show.
    Docs,
    /// Checks the supply chain: known vulnerabilities, bans, licences, sources.
    Audit,
    /// Mutated input for everything that reads what others wrote; what follows `--` goes to the
    /// fuzzer, e.g. `--seconds 300 bpmn`.
    Fuzz {
        /// Arguments of the fuzzer.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Runs the proofs at the sizes of a night, in release mode, and says what each reached.
    Night {
        /// How much of a night there is time for.
        #[arg(long, default_value_t = 100)]
        percent: u64,
        /// Repeats the night that was run with this seed.
        #[arg(long)]
        seed: Option<u64>,
        /// Only the rows whose names contain one of these, e.g. `R2,R5`.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Measures in release mode, on SQLite and on a PostgreSQL of its own that waits for its disk;
    /// what follows `--` goes to the benchmark, e.g. `--instances 5000`.
    Bench {
        /// What is measured: instances, governance, mcp, peers, parked, rules. Without any, instances
        /// and mcp.
        what: Vec<String>,
        /// Arguments of the benchmark.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Checks any folder of models against what a format promises, or the server against what MCP
    /// does.
    Conformance {
        /// The format or protocol.
        #[arg(value_enum)]
        format: Format,
        /// Files or folders; without any, what `cargo xtask test` checks.
        path: Option<PathBuf>,
    },
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
        Xtask::Docs => {
            let tree = Tree::read(&root)?;
            for (path, text) in tidy::pages(&tree) {
                std::fs::write(root.join(path), text)
                    .with_context(|| format!("cannot write {path}"))?;
            }
            tidy::run(&root)?
        }
        Xtask::Audit => audit::run(&root)?,
        Xtask::Fuzz { arguments } => fuzz::run(&root, &arguments)?,
        Xtask::Night { percent, seed, only } => {
            let tally = night::run(&root, percent, seed, &only)?;
            println!("{tally}");
            tally
        }
        Xtask::Bench { what, arguments } => {
            let cluster = Cluster::start(Durability::Full)?;
            if what.iter().any(|it| matches!(it.as_str(), "parked" | "peers")) {
                // The program itself is measured, beside the benchmark.
                let program =
                    ["build", "--release", "--locked", "--package", "flowmaster-mcp-server"];
                steps::checked(steps::cargo(&root).args(program))?;
            }
            let mut benchmark = steps::cargo(&root);
            benchmark
                .args(["run", "--release", "--locked", "--package", "flowmaster-benches", "--"])
                .args(["--postgres", &cluster.url()]);
            if what.iter().any(|it| matches!(it.as_str(), "peers" | "rules")) {
                peers::tell(&mut benchmark)?;
            }
            steps::checked(benchmark.args(what).args(arguments))?
        }
        Xtask::Conformance { format, path } => match path {
            Some(path) => format.check(&root, &path)?,
            None => conformance::of(&root, format)?,
        },
    };
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The root of the repository: the parent of this crate.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).context("the folder of this crate has no parent")
}
