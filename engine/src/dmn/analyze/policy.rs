//! Findings about rules together, by what the hit policy makes of rules that match alike
//! (DMN 1.5 §8.2.8).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::grid::{Budget, Grid, Space};
use super::outputs::Outputs;
use super::{Found, MAX_OF_A_CODE, STEPS, TableFinding, example, in_words, numbers};
use crate::dmn::table::{DecisionTable, HitPolicy};
use crate::finding::Severity;

pub(super) fn check(grid: &Grid, found: &mut Found<'_>) {
    no_output_order(found);
    // Rules of which a cell is unknown take part in nothing that has to be certain.
    let known: BTreeMap<usize, Space> = (0..grid.rules.len())
        .filter_map(|rule| Some((rule, grid.known(rule)?)))
        .filter(|(_, space)| !space.iter().any(super::ranges::Ranges::is_empty))
        .collect();
    match grid.meetings(&known, |_, _| true, &mut Budget::new(STEPS)) {
        Ok(pairs) => together(grid, &known, &pairs, found),
        Err(_) => found.too_much("overlaps"),
    }
    gaps(grid, found);
}

fn together(
    grid: &Grid,
    known: &BTreeMap<usize, Space>,
    pairs: &[(usize, usize)],
    found: &mut Found<'_>,
) {
    let outputs = Outputs::of(found.table);
    match found.table.hit_policy {
        HitPolicy::Unique => {
            for pair in pairs {
                overlap(grid, known, *pair, found);
            }
        }
        HitPolicy::Any => {
            for pair in pairs {
                conflict(grid, known, &outputs, *pair, found);
            }
        }
        HitPolicy::First => {
            unreachable(grid, known, pairs, found, |rule, other| Some(other < rule));
        }
        HitPolicy::Priority => unreachable(grid, known, pairs, found, |rule, other| {
            let order = outputs.compare(other, rule)?;
            Some(order == Ordering::Less || (order == Ordering::Equal && other < rule))
        }),
        HitPolicy::RuleOrder
        | HitPolicy::OutputOrder
        | HitPolicy::Collect
        | HitPolicy::CollectSum
        | HitPolicy::CollectMin
        | HitPolicy::CollectMax
        | HitPolicy::CollectCount => {
            for pair in pairs {
                duplicate(known, &outputs, *pair, found);
            }
        }
    }
}

/// Inputs that both rules match.
fn common(known: &BTreeMap<usize, Space>, (one, other): (usize, usize)) -> Space {
    match (known.get(&one), known.get(&other)) {
        (Some(one), Some(other)) => Grid::common(one, other),
        _ => Space::new(),
    }
}

fn overlap(
    grid: &Grid,
    known: &BTreeMap<usize, Space>,
    pair: (usize, usize),
    found: &mut Found<'_>,
) {
    let finding = |table: &DecisionTable| {
        let example = example(table, grid, &common(known, pair));
        let (one, other) = (pair.0 + 1, pair.1 + 1);
        let values = in_words(&example);
        let what =
            format!("rules {one} and {other} both match {values}, and UNIQUE lets one rule match");
        let fix = format!(
            "narrow rule {one} or rule {other}; if both are meant, take FIRST, PRIORITY or a COLLECT \
             policy"
        );
        TableFinding::new(Severity::Error, "overlap", what, fix)
            .of_rules([pair.0, pair.1])
            .with_example(example)
    };
    found.add(finding, "overlap");
}

fn conflict(
    grid: &Grid,
    known: &BTreeMap<usize, Space>,
    outputs: &Outputs<'_>,
    pair: (usize, usize),
    found: &mut Found<'_>,
) {
    let (severity, differ) = match outputs.same(pair.0, pair.1) {
        Some(true) => return,
        Some(false) => (Severity::Error, "answer differently"),
        None => (Severity::Warning, "may answer differently"),
    };
    let finding = |table: &DecisionTable| {
        let example = example(table, grid, &common(known, pair));
        let what = format!(
            "rules {} and {} both match {} and {differ}: {} and {}",
            pair.0 + 1,
            pair.1 + 1,
            in_words(&example),
            outputs.texts(pair.0).join(", "),
            outputs.texts(pair.1).join(", "),
        );
        let fix = "narrow one of the rules or give both the same output: under ANY the answer is null \
                   where they differ";
        TableFinding::new(severity, "conflict", what, fix)
            .of_rules([pair.0, pair.1])
            .with_example(example)
    };
    found.add(finding, "conflict");
}

/// Rules of which others take everything. `beats` says whether the second of two rules is taken
/// before the first; `None` when that is unknown.
fn unreachable(
    grid: &Grid,
    known: &BTreeMap<usize, Space>,
    pairs: &[(usize, usize)],
    found: &mut Found<'_>,
    beats: impl Fn(usize, usize) -> Option<bool>,
) {
    let mut stronger: BTreeMap<usize, BTreeMap<usize, &Space>> = BTreeMap::new();
    for (one, other) in pairs {
        for (rule, rival) in [(*one, *other), (*other, *one)] {
            if beats(rule, rival) == Some(true)
                && let Some(space) = known.get(&rival)
            {
                stronger.entry(rule).or_default().insert(rival, space);
            }
        }
    }
    let mut budget = Budget::new(STEPS);
    for (rule, rivals) in &stronger {
        let Some(space) = known.get(rule) else { continue };
        let Ok((_, count)) = grid.uncovered(space, rivals, 0, &mut budget) else {
            return found.too_much("unreachable rules");
        };
        if count > 0 {
            continue;
        }
        let finding = |_: &DecisionTable| {
            let rivals: Vec<usize> = rivals.keys().copied().collect();
            let what = format!(
                "rule {} never gives the output: rules {} take everything that it matches",
                rule + 1,
                numbers(&rivals)
            );
            let fix = format!(
                "leave rule {} out, or narrow the rules that take its place, or move it before them",
                rule + 1
            );
            TableFinding::new(Severity::Warning, "unreachable_rule", what, fix).of_rules([*rule])
        };
        found.add(finding, "unreachable_rule");
    }
}

fn duplicate(
    known: &BTreeMap<usize, Space>,
    outputs: &Outputs<'_>,
    pair: (usize, usize),
    found: &mut Found<'_>,
) {
    if known.get(&pair.0) != known.get(&pair.1) || outputs.same(pair.0, pair.1) != Some(true) {
        return;
    }
    let finding = |table: &DecisionTable| {
        let (one, other) = (pair.0 + 1, pair.1 + 1);
        let policy = table.hit_policy.name();
        let what = format!("rules {one} and {other} are the same, and {policy} counts both");
        let fix = format!("leave rule {other} out unless it is meant twice");
        TableFinding::new(Severity::Warning, "duplicate_rule", what, fix).of_rules([pair.0, pair.1])
    };
    found.add(finding, "duplicate_rule");
}

fn no_output_order(found: &mut Found<'_>) {
    let table = found.table;
    if !table.hit_policy.needs_output_order() {
        return;
    }
    for output in table.outputs.iter().filter(|output| output.allowed.is_none()) {
        let finding = |table: &DecisionTable| {
            let policy = table.hit_policy.name();
            let what = format!(
                "{policy} takes rules in the order of the output values, and {:?} has none",
                output.heading()
            );
            let fix = "give the output its allowed values, the most important first";
            TableFinding::new(Severity::Error, "no_output_order", what, fix)
                .in_column(output.heading())
        };
        found.add(finding, "no_output_order");
    }
}

/// Inputs that no rule matches, not even one of which a cell is unknown.
fn gaps(grid: &Grid, found: &mut Found<'_>) {
    let table = found.table;
    if !table.outputs.is_empty() && table.outputs.iter().all(|output| output.default.is_some()) {
        return;
    }
    let boxes: Vec<Space> = (0..grid.rules.len()).map(|rule| grid.at_most(rule)).collect();
    let rules = boxes.iter().enumerate().collect();
    let budget = &mut Budget::new(STEPS);
    let Ok((spaces, count)) = grid.uncovered(&grid.universe(), &rules, MAX_OF_A_CODE, budget)
    else {
        return found.too_much("gaps");
    };
    for space in &spaces {
        found.add(|table| gap(table, grid, space), "gap");
    }
    if count > spaces.len() {
        found.analysis.counts.insert("gap".to_owned(), count);
    }
}

fn gap(table: &DecisionTable, grid: &Grid, space: &Space) -> TableFinding {
    let example = example(table, grid, space);
    let cells: Vec<String> =
        grid.axes.iter().zip(space).map(|(axis, segments)| axis.cell(segments)).collect();
    let (severity, answer) = if table.hit_policy.is_single() {
        (Severity::Warning, "the decision has no value")
    } else {
        (Severity::Info, "the decision collects nothing")
    };
    let what = format!("no rule matches {}: {answer}", in_words(&example));
    let fix = format!(
        "add a rule for {}, or a default output, or exclude these inputs by allowed values",
        cells.join(" | ")
    );
    TableFinding { cells, ..TableFinding::new(severity, "gap", what, fix).with_example(example) }
}
