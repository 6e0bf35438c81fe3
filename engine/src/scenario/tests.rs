//! The behaviour of every element, as scenarios.

mod activities;
mod ad_hoc;
mod behavior;
mod compensated_scopes;
mod compensation;
mod complex_gateways;
mod conditions;
mod events;
mod files;
mod format;
mod gateways;
mod governance;
mod incidents;
mod instantiation;
mod links;
mod loops;
mod multiple;
mod starts;
mod tokens;
mod transactions;

use super::*;
use crate::testing::models;

/// Runs the scenario `steps` (YAML without its head) on the process in `notation`.
fn outcome(notation: &str, steps: &str) -> Option<Difference> {
    outcome_as(notation, steps, &Cast::default())
}

fn outcome_as(notation: &str, steps: &str, cast: &Cast) -> Option<Difference> {
    let text = format!("name: test\nmodels: []\n{}", unindented(steps));
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let report = run_on(&scenario, &models(notation), cast);
    report.cases.into_iter().next().unwrap().failure
}

/// The scenario must hold.
fn check(notation: &str, steps: &str) {
    if let Some(difference) = outcome(notation, steps) {
        panic!("{difference}\n{notation}\n{steps}");
    }
}

fn unindented(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let margin = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines().map(|line| format!("{}\n", &line[margin..])).collect()
}
