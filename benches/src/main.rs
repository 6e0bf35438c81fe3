//! Benchmarks: instances per second through the engine's API beside a bare loop and other engines, MCP
//! calls per second through the whole server beside a bare echo server, what instances cost that wait,
//! and how long decision tables take to be evaluated, analysed and saved. Figures are printed with what the disk can do, and
//! written as JSON. Run in release mode: `cargo xtask bench`.

mod cpu;
mod decisions;
mod disk;
mod instances;
mod mcp;
mod parked;
mod peers;
mod program;
mod raw;
mod report;
mod rules;
mod served;
mod server;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use instances::{Governance, Rounds};
use parked::Parked;
use peers::Peers;
use report::Report;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Instances a second, from start to end.
    Instances,
    /// The same without policies and with three on the human task, in turns.
    Governance,
    /// Calls a second through the whole server.
    Mcp,
    /// The same instances through the real program, and by other engines.
    Peers,
    /// What instances cost that wait, each at a human task with a timer, on the embedded database.
    Parked,
    /// Evaluations a second of a decision table of 20 rules, also by other engines; how long it takes
    /// to analyse one of 1,000, and to save it.
    Rules,
}

/// What is measured, and where the figures go.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(value_enum, default_values_t = [Measurement::Instances, Measurement::Mcp])]
    what: Vec<Measurement>,
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
    #[command(flatten)]
    peers: Peers,
    #[command(flatten)]
    parked: Parked,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    report.add("disk_fdatasync_per_s", disk::syncs_per_second()?)?;
    runtime.block_on(measure(&arguments, &mut report))?;
    report.write(&arguments.json)
}

async fn measure(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let postgres = arguments.postgres.as_deref();
    let has = |measurement| arguments.what.contains(&measurement);
    let rounds = Rounds {
        instances: arguments.instances,
        concurrency: arguments.concurrency,
        governance: Governance::Free,
    };
    if has(Measurement::Governance) {
        governed(&rounds, report).await?;
    }
    if has(Measurement::Instances) || has(Measurement::Peers) {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().display());
        let committed = instances::measure("sqlite", url, &rounds, report).await?;
        raw::measure(folder.path(), committed, report)?;
        if let Some(url) = postgres {
            instances::measure("postgres", url.to_owned(), &rounds, report).await?;
        }
    }
    if has(Measurement::Peers) {
        served::measure(&rounds, report).await?;
        peers::measure(&arguments.peers, postgres, arguments.concurrency, report).await?;
    }
    if has(Measurement::Mcp) {
        mcp::measure(arguments.seconds, report).await?;
    }
    if has(Measurement::Rules) {
        decisions::measure(&arguments.peers, report).await?;
        rules::measure(report).await?;
    }
    if has(Measurement::Parked) {
        arguments.parked.measure(report).await?;
    }
    Ok(())
}

/// How often each is measured in turn.
const TURNS: usize = 7;

/// What three policies cost, on the embedded database.
async fn governed(rounds: &Rounds, report: &mut Report) -> anyhow::Result<()> {
    let mut shares = Vec::with_capacity(TURNS);
    for turn in 1..=TURNS {
        let mut per_second = [0.0; 2];
        let cases = [("free", Governance::Free), ("governed", Governance::ThreePolicies)];
        for ((name, governance), figure) in cases.into_iter().zip(&mut per_second) {
            let folder = tempfile::tempdir()?;
            let url = format!("sqlite:{}", folder.path().display());
            let name = format!("{name}_{turn}");
            let rounds = Rounds { governance, ..*rounds };
            instances::measure(&name, url, &rounds, report).await?;
            *figure = report.get(&format!("{name}_instances_per_s")).unwrap_or_default();
        }
        let [free, governed] = per_second;
        report.add(&format!("governance_share_of_throughput_{turn}"), governed / free)?;
        shares.push(governed / free);
    }
    shares.sort_by(f64::total_cmp);
    report.add("governance_share_of_throughput_p50", report::quantile(&shares, 0.5))
}
