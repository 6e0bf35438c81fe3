//! Mutated input for everything that reads what others wrote: no panic, no hang, no broken promise.
//!
//! Each target has a process of its own, so that what ends a process (an overflown stack) ends one
//! target. A run is repeated with `--seed`. What was once a bug is a file in `fuzz/seeds/<target>`,
//! which every run takes first.

#![expect(clippy::print_stdout, reason = "the command line is what this program is for")]

mod mutate;
mod run;
mod targets;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use targets::{TARGETS, Target};

/// Fuzzes the targets named, or all of them.
#[derive(Parser)]
struct Arguments {
    /// How many seconds each target is fuzzed.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many inputs each target gets at most, so that a run with a seed is the same every time.
    #[arg(long)]
    inputs: Option<u64>,
    /// Repeats the run that was made with this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// The targets; all of them when none is named.
    targets: Vec<String>,
    /// Fuzzes one target in this process.
    #[arg(long, hide = true)]
    here: bool,
}

fn main() -> ExitCode {
    match play(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How many targets failed.
fn play(arguments: &Arguments) -> anyhow::Result<usize> {
    let chosen = chosen(&arguments.targets)?;
    let seed = arguments.seed.unwrap_or_else(from_the_clock);
    if arguments.here {
        for target in chosen {
            let span = Duration::from_secs(arguments.seconds);
            let most = arguments.inputs.unwrap_or(u64::MAX);
            let inputs =
                run::run(target, seed, span, most).with_context(|| target.name.to_owned())?;
            println!("{}: {inputs} inputs, seed {seed}", target.name);
        }
        return Ok(0);
    }
    let program = std::env::current_exe()?;
    let mut failed = 0;
    for target in &chosen {
        let mut child = Command::new(&program);
        child.args(["--here", "--seconds", &arguments.seconds.to_string()]);
        if let Some(inputs) = arguments.inputs {
            child.args(["--inputs", &inputs.to_string()]);
        }
        child.args(["--seed", &seed.to_string(), target.name]);
        let status =
            child.status().with_context(|| format!("cannot start {}", program.display()))?;
        if !status.success() {
            println!(
                "{}: FAILED ({status}); repeat with --seed {seed} {}",
                target.name, target.name
            );
            failed += 1;
        }
    }
    println!("{} passed, {failed} failed", chosen.len() - failed);
    Ok(failed)
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            TARGETS.iter().find(|target| target.name == name).with_context(|| {
                let known: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                format!("{name} is not a target; there are {}", known.join(", "))
            })
        })
        .collect()
}

fn from_the_clock() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos() as u64)
}
