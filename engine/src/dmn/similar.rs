//! Rules of different decisions that say something about the same inputs: some contradict each other,
//! some say the same twice or nearly so.
//!
//! Two tables are compared where their columns have the same expressions and an output of each has the
//! same name. What is found holds for every hit policy; that one table is meant to overrule the other
//! only people know, so nothing here is an error.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::analyze::grid::{Budget, Column, Exhausted, Grid, Space};
use super::analyze::outputs::Answers;
use super::analyze::{InputValue, in_words};
use super::table::DecisionTable;

/// The most pairs that are listed.
pub const MAX_SIMILAR: usize = 100;
/// The most tables that are compared with each other.
pub const MAX_TABLES: usize = 500;
/// How much work the comparison of all tables may be, in looks at a cell.
const STEPS: u64 = 20_000_000;

/// What was found between tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Similarities {
    /// The pairs of rules, at most 100; contradictions first.
    pub pairs: Vec<SimilarRules>,
    /// How many there are of each kind, also those that are not listed.
    pub counts: BTreeMap<String, usize>,
    /// False when there were too many tables or rules to compare all, or cells that are more than
    /// comparisons with constants: then there may be more pairs.
    pub is_complete: bool,
}

/// Two rules of different decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SimilarRules {
    /// What they have to do with each other.
    pub kind: SimilarKind,
    /// The one.
    pub one: RulePlace,
    /// The other.
    pub other: RulePlace,
    /// Name of the output that both give.
    pub output: String,
    /// Inputs that both match, one for each column.
    pub example: Vec<InputValue>,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// A rule of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct RulePlace {
    /// Id of the decision.
    pub decision: String,
    /// Number of the rule in its table, from 1.
    pub rule: usize,
    /// Its cell in the column of the output.
    pub answer: String,
}

/// What two rules have to do with each other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SimilarKind {
    /// Both match the example and answer differently.
    Conflict,
    /// Both match the same inputs and answer the same.
    Duplicate,
    /// Both match the example and answer the same; their conditions differ in one column only.
    NearDuplicate,
}

impl SimilarKind {
    fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::NearDuplicate => "near_duplicate",
        }
    }
}

/// Compares the rules of each two of `tables` that are of different decisions, and each with those of
/// `others`, which are not compared among themselves.
#[must_use]
pub fn similar(tables: &[&DecisionTable], others: &[&DecisionTable]) -> Similarities {
    let own: BTreeSet<&str> = tables.iter().map(|table| table.id.as_str()).collect();
    let all = [tables, others].concat();
    let mut found =
        Similarities { is_complete: all.len() <= MAX_TABLES, ..Similarities::default() };
    let tables = all.get(..MAX_TABLES).unwrap_or(&all);
    let mut by_columns: BTreeMap<Vec<&str>, Vec<&DecisionTable>> = BTreeMap::new();
    for table in tables {
        let mut columns: Vec<&str> = table.inputs.iter().map(|it| it.expression.as_str()).collect();
        columns.sort_unstable();
        by_columns.entry(columns).or_default().push(table);
    }
    let mut budget = Budget::new(STEPS);
    for (columns, alike) in by_columns {
        if !columns.is_empty() && alike.len() > 1 {
            let group = Group::of(&columns, &alike);
            if group.compare(&own, &mut found, &mut budget).is_err() {
                found.is_complete = false;
            }
        }
    }
    found
}

/// Tables over the same columns, as one.
struct Group<'a> {
    columns: &'a [&'a str],
    /// The rules of all, each with its table.
    rules: Vec<(&'a DecisionTable, usize)>,
    grid: Grid,
    answers: Answers<'a>,
}

impl<'a> Group<'a> {
    fn of(columns: &'a [&'a str], tables: &[&'a DecisionTable]) -> Self {
        let cells = columns.iter().map(|expression| {
            let place = |table: &DecisionTable| {
                table.inputs.iter().position(|input| input.expression == *expression)
            };
            let inputs: Vec<(&DecisionTable, usize)> =
                tables.iter().filter_map(|table| Some((*table, place(table)?))).collect();
            let type_name =
                inputs.iter().find_map(|(table, at)| table.inputs.get(*at)?.type_name.as_deref());
            let cells = inputs.iter().flat_map(|(table, at)| {
                table.rules.iter().map(|rule| rule.inputs.get(*at).map_or("-", |cell| cell.trim()))
            });
            Column { type_name, allowed: None, cells: cells.collect() }
        });
        let grid = Grid::new(&cells.collect::<Vec<_>>());
        let rules =
            tables.iter().flat_map(|table| (0..table.rules.len()).map(|rule| (*table, rule)));
        Self { columns, rules: rules.collect(), grid, answers: Answers::of(tables) }
    }

    fn compare(
        &self,
        own: &BTreeSet<&str>,
        found: &mut Similarities,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let known: BTreeMap<usize, Space> =
            (0..self.rules.len()).filter_map(|rule| Some((rule, self.grid.known(rule)?))).collect();
        found.is_complete &= known.len() == self.rules.len();
        let id = |rule: usize| self.rules.get(rule).map_or("", |(table, _)| table.id.as_str());
        let is_wanted = |one: usize, other: usize| {
            let (one, other) = (id(one), id(other));
            one != other && (own.contains(one) || own.contains(other))
        };
        for (one, other) in self.grid.meetings(&known, is_wanted, budget)? {
            let (Some(one_space), Some(other_space)) = (known.get(&one), known.get(&other)) else {
                continue;
            };
            let differing = one_space.iter().zip(other_space).filter(|(a, b)| a != b).count();
            for same in self.same_outputs(one, other) {
                let kind = match (self.answers.same(same.one, same.other), differing) {
                    (Some(false), _) => SimilarKind::Conflict,
                    (Some(true), 0) => SimilarKind::Duplicate,
                    (Some(true), 1) => SimilarKind::NearDuplicate,
                    _ => continue,
                };
                *found.counts.entry(kind.name().to_owned()).or_default() += 1;
                let place = found.pairs.partition_point(|it| it.kind <= kind);
                if place < MAX_SIMILAR {
                    let example = self.example(&Grid::common(one_space, other_space));
                    found.pairs.insert(place, self.described(kind, (one, other), &same, example));
                    found.pairs.truncate(MAX_SIMILAR);
                }
            }
        }
        Ok(())
    }

    /// The outputs that both rules give under one name.
    fn same_outputs(&self, one: usize, other: usize) -> Vec<SameOutput<'a>> {
        let (Some((one, one_rule)), Some((other, other_rule))) =
            (self.rules.get(one), self.rules.get(other))
        else {
            return Vec::new();
        };
        let cell = |table: &'a DecisionTable, rule: usize, at: usize| {
            table.rules.get(rule).and_then(|rule| rule.outputs.get(at)).map(String::as_str)
        };
        let same = one.outputs.iter().enumerate().filter_map(|(at, output)| {
            let name = one.output_name(output);
            let there = other.outputs.iter().position(|it| other.output_name(it) == name)?;
            Some(SameOutput {
                name,
                one: cell(one, *one_rule, at)?,
                other: cell(other, *other_rule, there)?,
            })
        });
        same.collect()
    }

    fn example(&self, space: &Space) -> Vec<InputValue> {
        let columns = self.columns.iter().zip(&self.grid.axes).zip(space);
        columns
            .map(|((input, axis), segments)| InputValue {
                input: (*input).to_owned(),
                value: axis.example(segments),
            })
            .collect()
    }

    fn described(
        &self,
        kind: SimilarKind,
        (one, other): (usize, usize),
        same: &SameOutput<'_>,
        example: Vec<InputValue>,
    ) -> SimilarRules {
        let place = |rule: usize, answer: &str| {
            let found = self.rules.get(rule);
            RulePlace {
                decision: found.map_or_else(String::new, |(table, _)| table.id.clone()),
                rule: found.map_or(0, |(_, rule)| rule + 1),
                answer: answer.to_owned(),
            }
        };
        let (one, other) = (place(one, same.one), place(other, same.other));
        let rules = format!(
            "rule {} of {:?} and rule {} of {:?}",
            one.rule, one.decision, other.rule, other.decision
        );
        let (what, fix) = match kind {
            SimilarKind::Conflict => (
                format!(
                    "{rules} both match {} and give {:?} differently: {} and {}",
                    in_words(&example),
                    same.name,
                    one.answer,
                    other.answer
                ),
                "decide which is right, or give the outputs names of their own if they mean different \
                 things",
            ),
            SimilarKind::Duplicate => (
                format!("{rules} say the same about {:?}", same.name),
                "keep it in one decision and let the other require that",
            ),
            SimilarKind::NearDuplicate => (
                format!("{rules} give {:?} alike and differ in one column", same.name),
                "check whether one was copied and changed, and whether both are still meant",
            ),
        };
        let output = same.name.to_owned();
        SimilarRules { kind, one, other, output, example, what, fix: fix.to_owned() }
    }
}

/// The cells of two rules in outputs of one name.
struct SameOutput<'a> {
    name: &'a str,
    one: &'a str,
    other: &'a str,
}

#[cfg(test)]
mod tests;
