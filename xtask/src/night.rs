//! `cargo xtask night`: the proofs at their large sizes, which take hours, and a table of what each
//! reached. A change runs the same proofs at small sizes as part of the tests.

use std::path::Path;

use crate::cluster::{Cluster, Durability};
use crate::fuzz;
use crate::program::{self, Reports};
use crate::run_tests::{PRODUCT_TESTS, SERVER};
use crate::steps::cargo;
use crate::tally::Tally;

/// What a proof prints when it ends; see `tests/product/proof.rs`.
const REACHED: &str = "proof: ";
/// Seconds for each target of the fuzzer.
const FUZZ_SECONDS: u64 = 300;
/// Cases of each property of the engine.
const PROPERTY_CASES: u64 = 300_000;
/// Random processes that the engine and the token game are compared on, by ten paths each.
const PLAYED_PROCESSES: u64 = 30_000;

/// A row of the table.
struct Row {
    name: &'static str,
    on: On,
}

/// How a row is run.
enum On {
    /// Product tests of this name, on SQLite.
    Sqlite(&'static str),
    /// Product tests of this name, on PostgreSQL.
    Postgres(&'static str),
    /// The properties of the engine, with so many cases, and the journals of all releases.
    Engine(&'static str, u64),
    /// Everything that reads what others wrote.
    Fuzzer,
}

const ROWS: [Row; 12] = [
    Row { name: "R2 power cuts", on: On::Sqlite("power_cut") },
    Row { name: "R5 simulations", on: On::Sqlite("whatever_fails_under_dispatch") },
    Row { name: "R6 journals of all releases", on: On::Engine("golden", PROPERTY_CASES) },
    Row { name: "R7 random commands", on: On::Engine("random", PROPERTY_CASES) },
    Row { name: "R7 token game", on: On::Engine("token_game", PLAYED_PROCESSES) },
    Row { name: "I4 two calls at once", on: On::Sqlite("serial") },
    Row {
        name: "R8 paused nodes, killed databases",
        on: On::Postgres("/postgres::(pauses|killed)/"),
    },
    Row { name: "R10 webhooks on SQLite", on: On::Sqlite("webhooks") },
    Row { name: "R10 webhooks on PostgreSQL", on: On::Postgres("webhooks") },
    Row { name: "R14, R15 overload and endurance", on: On::Sqlite("overload") },
    Row { name: "R17 corrupt bytes", on: On::Sqlite("corrupt") },
    Row { name: "S11 readers of foreign input", on: On::Fuzzer },
];

/// Runs the rows whose names contain one of `only` (all if there is none) at `percent` of their
/// size.
pub(crate) fn run(
    root: &Path,
    percent: u64,
    seed: Option<u64>,
    only: &[String],
) -> anyhow::Result<Tally> {
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let chosen = |row: &&Row| only.is_empty() || only.iter().any(|it| row.name.contains(it));
    let (mut total, mut table) = (Tally::default(), Vec::new());
    for row in ROWS.iter().filter(chosen) {
        println!("\n== {} ==", row.name);
        let (tally, reached) = row.run(root, percent, seed).unwrap_or_else(|error| {
            println!("{error:#}");
            (Tally::FAIL, Vec::new())
        });
        table.push(format!("{}: {tally}", row.name));
        table.extend(reached.iter().map(|line| format!("    {line}")));
        total += tally;
    }
    println!("\nseed {seed}, {percent} % of a night\n{}", table.join("\n"));
    Ok(if total == Tally::default() { Tally::FAIL } else { total })
}

impl Row {
    /// Runs it; gives what its proofs say that they reached.
    fn run(&self, root: &Path, percent: u64, seed: u64) -> anyhow::Result<(Tally, Vec<String>)> {
        let mut command = cargo(root);
        let mut cluster = None;
        let of = |part: u64| (part * percent / 100).max(1).to_string();
        let (tests, package) = match self.on {
            On::Sqlite(tests) => (tests, PRODUCT_TESTS),
            On::Postgres(tests) => {
                let started = Cluster::start(Durability::Full)?;
                command.env("FLOWMASTER_TEST_POSTGRES", started.url());
                cluster = Some(started);
                (tests, PRODUCT_TESTS)
            }
            On::Engine(tests, cases) => {
                command.env("PROPTEST_CASES", of(cases));
                (tests, "flowmaster-engine")
            }
            On::Fuzzer => {
                let (seconds, seed) = (of(FUZZ_SECONDS), seed.to_string());
                let arguments = ["--seconds", &seconds, "--seed", &seed];
                return Ok((fuzz::run(root, &arguments)?, Vec::new()));
            }
        };
        let backend = if cluster.is_some() { "postgres" } else { "sqlite" };
        command
            .env("FLOWMASTER_TEST_DATABASE", backend)
            .env("FLOWMASTER_TEST_NIGHT", percent.to_string())
            .env("FLOWMASTER_TEST_SEED", seed.to_string())
            .args(["nextest", "run", "--release", "--locked", "--profile", "night"])
            .args(["--color", "never", "--success-output", "immediate"])
            .args(["--package", package, "--package", SERVER, "--filterset"])
            .arg(format!("package(={package}) and test({tests})"));
        let mut reached = Vec::new();
        let tally = program::watched(&mut command, Reports::Stderr, |line| {
            reached.extend(line.trim().strip_prefix(REACHED).map(str::to_owned));
        })?;
        Ok((tally, reached))
    }
}
