//! Findings about single columns and cells.

use std::collections::BTreeSet;

use dsntk_feel::values::Value as FeelValue;

use super::axis::Axis;
use super::cell::Accepts;
use super::grid::{Column, Grid};
use super::outputs::Outputs;
use super::value::{Kind, literal};
use super::{Found, TableFinding, numbers};
use crate::dmn::table::{DecisionTable, Input};
use crate::finding::Severity;

pub(super) fn check(grid: &Grid, found: &mut Found<'_>) {
    let table = found.table;
    for (at, input) in table.inputs.iter().enumerate() {
        let (Some(axis), Some(cells)) = (grid.axes.get(at), grid.cells.get(at)) else { continue };
        let rules_with = |text: &str| -> Vec<usize> {
            let has = |index: &usize| {
                let rule = table.rules.get(*index);
                rule.and_then(|rule| rule.inputs.get(at)).is_some_and(|it| it.trim() == text)
            };
            (0..table.rules.len()).filter(has).collect()
        };
        missing_type(input, axis, found);
        unused(grid, at, input, found);
        not_analysed(grid, at, input, found);
        unknown_allowed(input.allowed.as_deref(), input.heading(), found);
        for (text, accepts) in cells {
            if let Some(value) = foreign(axis, accepts) {
                wrong_type(axis, value, input.heading(), || rules_with(text), found);
            } else if axis.ranges(accepts).is_some_and(|ranges| ranges.is_empty()) {
                accepts_nothing(input, text, || rules_with(text), found);
            } else if let Some(value) = not_allowed(input, axis, accepts) {
                outside_allowed(input, value, || rules_with(text), found);
            }
        }
    }
    outputs(table, found);
}

fn missing_type(input: &Input, axis: &Axis, found: &mut Found<'_>) {
    if input.type_name.is_some() {
        return;
    }
    let finding = |_: &DecisionTable| {
        let as_if = axis.kind.map_or("any value", Kind::name);
        let what =
            format!("the input {:?} has no type; its cells read like {as_if}", input.heading());
        let fix =
            "give it a type, so that values of another type are an error and not a silent miss";
        TableFinding::new(Severity::Info, "missing_type", what, fix).in_column(input.heading())
    };
    found.add(finding, "missing_type");
}

fn unused(grid: &Grid, at: usize, input: &Input, found: &mut Found<'_>) {
    let accepts_all = |rule: &Vec<Option<_>>| {
        let universe = grid.axes.get(at).map(|axis| &axis.universe);
        rule.get(at).is_some_and(|ranges| ranges.as_ref() == universe)
    };
    if grid.rules.is_empty() || !grid.rules.iter().all(accepts_all) {
        return;
    }
    let finding = |_: &DecisionTable| {
        let what = format!("the input {:?} makes no difference in any rule", input.heading());
        TableFinding::new(Severity::Warning, "unused_input", what, "leave the column out")
            .in_column(input.heading())
    };
    found.add(finding, "unused_input");
}

fn not_analysed(grid: &Grid, at: usize, input: &Input, found: &mut Found<'_>) {
    let is_unknown = |(_, rule): &(usize, &Vec<Option<_>>)| matches!(rule.get(at), Some(None));
    let unknown = grid.rules.iter().enumerate().filter(is_unknown);
    let rules: Vec<usize> = unknown.map(|(index, _)| index).collect();
    let Some(first) = rules.first().copied() else { return };
    found.analysis.is_complete = false;
    let finding = |table: &DecisionTable| {
        let cell = table.rules.get(first).and_then(|rule| rule.inputs.get(at));
        let what = format!(
            "cells in column {:?} are not analysed (rules {}), such as {:?}: they are more than \
             comparisons with constants that can be put in order",
            input.heading(),
            numbers(&rules),
            cell.map_or("", String::as_str),
        );
        let fix = "move what is calculated into the expression of a column of its own, and compare it \
                   with constants; or check these rules by hand";
        TableFinding::new(Severity::Info, "not_analysed", what, fix)
            .of_rules(rules)
            .in_column(input.heading())
    };
    found.add(finding, "not_analysed");
}

/// Allowed values that are more than constants: then every value is taken to be allowed.
fn unknown_allowed(text: Option<&str>, column: &str, found: &mut Found<'_>) {
    let Some(text) = text.filter(|text| matches!(Accepts::read(text), Accepts::Unknown)) else {
        return;
    };
    found.analysis.is_complete = false;
    let finding = |_: &DecisionTable| {
        let what = format!("the allowed values of {column:?} are not analysed: {text:?}");
        let fix = "write them as comparisons with constants, such as \"EU\", \"US\" or [0..100]";
        TableFinding::new(Severity::Info, "not_analysed", what, fix).in_column(column)
    };
    found.add(finding, "not_analysed");
}

/// A constant of another type than that of the column.
fn foreign<'a>(axis: &Axis, accepts: &'a Accepts) -> Option<&'a FeelValue> {
    axis.kind?;
    accepts.constants().find(|value| Kind::of(value).is_some_and(|kind| Some(kind) != axis.kind))
}

/// A constant that the column does not allow.
fn not_allowed<'a>(input: &Input, axis: &Axis, accepts: &'a Accepts) -> Option<&'a FeelValue> {
    input.allowed.as_ref()?;
    // The ends of ranges need not be allowed themselves.
    let Accepts::AnyOf(tests) = accepts else { return None };
    tests.iter().find_map(|test| match test {
        super::cell::Test::Equal(value) if !axis.allows(value) => Some(value),
        _ => None,
    })
}

fn wrong_type(
    axis: &Axis,
    value: &FeelValue,
    column: &str,
    rules: impl FnOnce() -> Vec<usize>,
    found: &mut Found<'_>,
) {
    let finding = |_: &DecisionTable| {
        let (rules, found, wanted) = (rules(), Kind::of(value), axis.kind);
        let what = format!(
            "{} in column {column:?} (rules {}) is a {}, and the column is of the type {}",
            literal(value),
            numbers(&rules),
            found.map_or("value", Kind::name),
            wanted.map_or("Any", Kind::name),
        );
        let fix = "write a value of the type of the column: texts in double quotes, dates as \
                   date(\"2026-01-31\")";
        TableFinding::new(Severity::Error, "wrong_type", what, fix)
            .of_rules(rules)
            .in_column(column)
    };
    found.add(finding, "wrong_type");
}

fn accepts_nothing(
    input: &Input,
    text: &str,
    rules: impl FnOnce() -> Vec<usize>,
    found: &mut Found<'_>,
) {
    let finding = |_: &DecisionTable| {
        let rules = rules();
        let what = format!(
            "rules {} never match: no allowed value of {:?} passes {text:?}",
            numbers(&rules),
            input.heading()
        );
        let fix = "correct the cell, or the allowed values of the input, or leave the rules out";
        TableFinding::new(Severity::Error, "never_matches", what, fix)
            .of_rules(rules)
            .in_column(input.heading())
    };
    found.add(finding, "never_matches");
}

fn outside_allowed(
    input: &Input,
    value: &FeelValue,
    rules: impl FnOnce() -> Vec<usize>,
    found: &mut Found<'_>,
) {
    let finding = |_: &DecisionTable| {
        let rules = rules();
        let what = format!(
            "{} (rules {}) is not among the values that the input {:?} allows",
            literal(value),
            numbers(&rules),
            input.heading()
        );
        let fix = "correct the cell, or add the value to the allowed values";
        TableFinding::new(Severity::Warning, "outside_allowed", what, fix)
            .of_rules(rules)
            .in_column(input.heading())
    };
    found.add(finding, "outside_allowed");
}

/// Answers that their column does not allow: the evaluator makes null of them.
fn outputs(table: &DecisionTable, found: &mut Found<'_>) {
    let outputs = Outputs::of(table);
    for (at, output) in table.outputs.iter().enumerate() {
        let texts: Vec<&str> = table
            .rules
            .iter()
            .map(|rule| rule.outputs.get(at).map_or("null", String::as_str))
            .collect();
        let column = Column {
            type_name: output.type_name.as_deref(),
            allowed: output.allowed.as_deref(),
            cells: Vec::new(),
        };
        let Some(axis) = Grid::new(&[column]).axes.pop() else { continue };
        unknown_allowed(output.allowed.as_deref(), output.heading(), found);
        let distinct: BTreeSet<&str> = texts.iter().copied().collect();
        for text in distinct {
            let Some(value) = outputs.constant(text) else { continue };
            let rules = || -> Vec<usize> {
                let has = |index: &usize| texts.get(*index) == Some(&text);
                (0..texts.len()).filter(has).collect()
            };
            let kind = Kind::of(value);
            if axis.kind.is_some() && kind.is_some() && kind != axis.kind {
                wrong_type(&axis, value, output.heading(), rules, found);
            } else if output.allowed.is_some() && !axis.allows(value) {
                let finding = |_: &DecisionTable| {
                    let rules = rules();
                    let what = format!(
                        "{} (rules {}) is not among the values that the output {:?} allows: the answer \
                         is null",
                        literal(value),
                        numbers(&rules),
                        output.heading()
                    );
                    let fix = "correct the answer, or add it to the allowed values";
                    TableFinding::new(Severity::Error, "outside_allowed", what, fix)
                        .of_rules(rules)
                        .in_column(output.heading())
                };
                found.add(finding, "outside_allowed");
            }
        }
    }
}
