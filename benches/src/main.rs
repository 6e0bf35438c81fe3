//! Benchmarks: instances per second through the engine's API, MCP calls per second through the whole
//! server beside a bare echo server, and what instances cost that wait (`parked`). Figures are printed with what the disk can do, and
//! written as JSON. Run in release mode: `cargo xtask bench`.

mod cpu;
mod disk;
mod instances;
mod mcp;
mod parked;
mod program;
mod report;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use parked::Parked;
use report::Report;

/// What is measured, and where the figures go.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured. Default: instances and MCP calls.
    #[command(subcommand)]
    what: Option<What>,
    /// A PostgreSQL server to measure as well; its database is filled.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// How many instances a round runs.
    #[arg(long, default_value_t = 20_000)]
    instances: usize,
    /// How many are under way at the same time.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// How many seconds each MCP measurement takes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// The file for the figures as JSON.
    #[arg(long, default_value = "target/bench.json", value_name = "FILE")]
    json: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The cost of instances that wait, each at a human task with a timer, on the embedded database.
    Parked(Parked),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    report.add("disk_fdatasync_per_s", disk::syncs_per_second()?)?;
    runtime.block_on(async {
        if let Some(What::Parked(parked)) = arguments.what {
            return parked.measure(&mut report).await;
        }
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().display());
        let rounds = instances::Rounds {
            instances: arguments.instances,
            concurrency: arguments.concurrency,
        };
        instances::measure("sqlite", url, &rounds, &mut report).await?;
        if let Some(url) = arguments.postgres {
            instances::measure("postgres", url, &rounds, &mut report).await?;
        }
        mcp::measure(arguments.seconds, &mut report).await
    })?;
    report.write(&arguments.json)
}
