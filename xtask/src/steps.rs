//! The steps of `cargo xtask test`, in the order in which they run.
//!
//! A step is a variant of [`Step`], a place in [`ALL`], a name and an arm of `run_step`.

use std::path::Path;
use std::process::Command;

use anyhow::bail;
use clap::ValueEnum;

use crate::audit;
use crate::clients;
use crate::cluster::{Cluster, Durability};
use crate::conformance::{self, Format};
use crate::fuzz;
use crate::program;
use crate::run_tests::{self, Backend};
use crate::story;
use crate::tally::Tally;
use crate::tidy::{self, Tree};

/// What a machine may have to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Without {
    /// Tests whose path contains `postgres::`, and the product tests on PostgreSQL.
    Postgres,
    /// The models of others that conformance is checked on, and the conformance suite of MCP.
    Conformance,
    /// MCP clients and the conformance suite of others, from npm and PyPI, and the Node and Python they
    /// need.
    Clients,
    /// Tests of a disk that fails or is full: they need strace, and file systems of their own.
    Faults,
}

impl Without {
    /// The step that falls away as a whole.
    const fn step(self) -> Option<Step> {
        match self {
            Self::Postgres => Some(Step::Postgres),
            Self::Conformance => Some(Step::Conformance),
            Self::Clients => Some(Step::Clients),
            Self::Faults => None,
        }
    }
}

/// One step of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Format,
    Lints,
    Tidy,
    Sqlite,
    Postgres,
    Conformance,
    Fuzz,
    Clients,
    Story,
    SupplyChain,
}

/// In the order in which they run.
const ALL: [Step; 10] = [
    Step::Format,
    Step::Lints,
    Step::Tidy,
    Step::Sqlite,
    Step::Postgres,
    Step::Conformance,
    Step::Fuzz,
    Step::Clients,
    Step::Story,
    Step::SupplyChain,
];

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Tidy => "tidy",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Conformance => "conformance",
            Self::Fuzz => "fuzz",
            Self::Clients => "clients",
            Self::Story => "story",
            Self::SupplyChain => "supply-chain",
        }
    }

    const fn runs_tests(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }
}

/// Which steps to run, and on which crates.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    /// Short names; none means all.
    crates: Vec<String>,
    /// Whether the tests of a failing disk are run.
    faults: bool,
    /// Of what conformance is checked.
    formats: Vec<Format>,
}

impl Plan {
    /// `only` names steps and crates: crates alone mean their tests, steps alone mean all crates.
    pub(crate) fn new(tree: &Tree, without: &[Without], only: &[String]) -> anyhow::Result<Self> {
        let known = tree.crates();
        let mut steps = Vec::new();
        let mut crates = Vec::new();
        for name in only {
            if let Some(step) = ALL.into_iter().find(|step| step.name() == name) {
                steps.push(step);
            } else if known.contains(name) {
                crates.push(name.clone());
            } else {
                let names: Vec<_> = ALL.iter().map(|step| step.name()).collect();
                bail!(
                    "--only {name}: neither a step ({}) nor a crate ({})",
                    names.join(", "),
                    known.join(", ")
                );
            }
        }
        let wanted = |step: &Step| match (steps.is_empty(), crates.is_empty()) {
            (true, true) => true,
            (true, false) => step.runs_tests(),
            (false, _) => steps.contains(step),
        };
        let has = |step: &Step| without.iter().all(|missing| missing.step() != Some(*step));
        let steps: Vec<_> = ALL.into_iter().filter(wanted).filter(has).collect();
        if steps.is_empty() {
            bail!("--only and --without leave nothing to run");
        }
        let mut formats = vec![Format::Bpmn, Format::Dmn];
        if without.contains(&Without::Clients) {
            println!(
                "the conformance suite of MCP comes from npm: not run, as --without clients says"
            );
        } else {
            formats.push(Format::Mcp);
        }
        Ok(Self { steps, crates, faults: !without.contains(&Without::Faults), formats })
    }
}

/// Runs the steps of `plan`. A step that cannot run is a failure like any other.
pub(crate) fn run(root: &Path, plan: &Plan) -> Tally {
    let mut total = Tally::default();
    let mut results = Vec::new();
    for &step in &plan.steps {
        println!("\n== {} ==", step.name());
        let tally = run_step(root, step, plan).unwrap_or_else(|error| {
            println!("{error:#}");
            Tally::FAIL
        });
        results.push(format!("{:>12}: {tally}", step.name()));
        total += tally;
    }
    println!("\n{}", results.join("\n"));
    if total == Tally::default() {
        println!("nothing ran: a run that tests nothing is no success");
        return Tally::FAIL;
    }
    total
}

fn run_step(root: &Path, step: Step, plan: &Plan) -> anyhow::Result<Tally> {
    let crates = &plan.crates;
    match step {
        Step::Format => checked(cargo(root).args(["fmt", "--all", "--check"])),
        Step::Lints => {
            let all = ["--workspace", "--all-targets"];
            // What the conformance suite asks for is in no other build.
            let suite = ["--package=flowmaster-mcp-server", "--features=conformance"];
            let mut tally = Tally::default();
            for what in [all, suite] {
                let mut clippy = cargo(root);
                clippy.arg("clippy").args(what).args(["--locked", "--", "-D", "warnings"]);
                tally += checked(&mut clippy)?;
            }
            Ok(tally)
        }
        Step::Tidy => tidy::run(root),
        Step::Sqlite => run_tests::run(root, crates, &Backend::Sqlite { faults: plan.faults }),
        Step::Postgres => {
            let cluster = Cluster::start(Durability::Off)?;
            run_tests::run(root, crates, &Backend::Postgres { url: cluster.url() })
        }
        Step::Conformance => Ok(conformance::run(root, &plan.formats)),
        Step::Fuzz => fuzz::run(root, fuzz::SHORT),
        Step::Clients => clients::run(root),
        Step::Story => story::run(root),
        Step::SupplyChain => audit::run(root),
    }
}

pub(crate) fn cargo(root: &Path) -> Command {
    let mut cargo = program::cargo();
    cargo.current_dir(root);
    cargo
}

pub(crate) fn checked(command: &mut Command) -> anyhow::Result<Tally> {
    program::succeeds(command).map(Tally::of)
}

#[cfg(test)]
mod tests {
    use super::{Format, Plan, Step, Without};
    use crate::tidy::Tree;

    fn plan(without: &[Without], only: &[&str]) -> Result<Plan, String> {
        let package = "[package]\nname = \"flowmaster-store\"";
        let tree = Tree::of(&[("store/Cargo.toml", package)]);
        let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
        Plan::new(&tree, without, &only).map_err(|error| error.to_string())
    }

    fn check(without: &[Without], only: &[&str], steps: &[Step], crates: &[&str]) {
        let plan = plan(without, only).unwrap();
        assert_eq!((plan.steps.as_slice(), plan.crates), (steps, owned(crates)), "{only:?}");
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_plan_has_the_steps_that_are_wanted_in_their_order() {
        use Step::{Clients, Format, Fuzz, Lints, Postgres, Sqlite, Story, SupplyChain, Tidy};
        check(&[], &[], &super::ALL, &[]);
        check(
            &[Without::Postgres, Without::Clients, Without::Conformance],
            &[],
            &[Format, Lints, Tidy, Sqlite, Fuzz, Story, SupplyChain],
            &[],
        );
        check(&[Without::Postgres], &["clients", "postgres"], &[Clients], &[]);
        check(&[], &["store"], &[Sqlite, Postgres], &["store"]);
        check(&[Without::Faults], &["sqlite"], &[Sqlite], &[]);
        assert!(plan(&[], &[]).unwrap().faults && !plan(&[Without::Faults], &[]).unwrap().faults);
        check(&[], &["store", "postgres"], &[Postgres], &["store"]);
        check(&[], &["tidy", "format"], &[Format, Tidy], &[]);
    }

    #[test]
    fn what_comes_from_npm_is_left_out_without_clients() {
        let formats = |without: &[Without]| plan(without, &[]).unwrap().formats;
        assert_eq!(formats(&[]), [Format::Bpmn, Format::Dmn, Format::Mcp]);
        assert_eq!(formats(&[Without::Clients]), [Format::Bpmn, Format::Dmn]);
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused() {
        assert!(plan(&[], &["stoer"]).unwrap_err().contains("neither a step"));
        let nothing = plan(&[Without::Postgres], &["postgres"]).unwrap_err();
        assert!(nothing.contains("nothing to run"), "{nothing}");
    }
}
