//! What is wrong with a decision table, found without running it: inputs that no rule covers, rules
//! that contradict each other, rules that never apply, and cells that cannot be meant.
//!
//! Each finding about values comes with an example of them. A cell that is more than a comparison with
//! constants is not guessed at: its rule is left out where a finding would need it, and the analysis
//! says so. What is found is so for every value; parts of seconds alone are not looked at.

mod axis;
mod cell;
mod cells;
pub(super) mod grid;
pub(super) mod outputs;
mod policy;
mod ranges;
mod value;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::DecisionTable;
use crate::finding::Severity;
pub(super) use cell::{Accepts, CONSTRUCTORS, constant};
use grid::{Column, Grid, Space};
pub(super) use value::{Kind, literal};

/// The most findings of one code that are listed.
pub const MAX_OF_A_CODE: usize = 25;
/// How much work each search of an analysis may be, in looks at a cell. Enough for thousands of rules as
/// people write them, and done in about a second.
const STEPS: u64 = 5_000_000;

/// What an analysis found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// The findings, at most 25 of a code.
    pub findings: Vec<TableFinding>,
    /// How many there are of each code, also those that are not listed.
    pub counts: BTreeMap<String, usize>,
    /// False when cells could not be analysed or the table was too much work: then there may be more
    /// gaps, overlaps and unreachable rules than were found. What was found is right in any case.
    pub is_complete: bool,
}

/// One finding about a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct TableFinding {
    /// What kind it is: `gap`, `overlap`, `conflict`, `unreachable_rule`, `never_matches`,
    /// `duplicate_rule`, `unused_input`, `outside_allowed`, `wrong_type`, `missing_type`,
    /// `no_output_order`, `not_analysed` or `too_much_work`.
    pub code: String,
    /// `error`: the table fails for some inputs. `warning`: probably not meant. `info`: good to know.
    pub severity: Severity,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// Numbers of the rules that it is about, from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<usize>,
    /// Heading of the column that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Inputs for which it shows, one for each column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub example: Vec<InputValue>,
    /// For a gap: the input cells of a rule that would fill it, one for each column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<String>,
}

/// A value of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct InputValue {
    /// The expression of the column, e.g. `amount`.
    pub input: String,
    /// Its value in FEEL, e.g. `1000` or `"EU"`.
    pub value: String,
}

/// Analyses a table.
#[must_use]
pub fn analyze(table: &DecisionTable) -> Analysis {
    let columns: Vec<Column<'_>> = (0..)
        .zip(&table.inputs)
        .map(|(at, input)| Column {
            type_name: input.type_name.as_deref(),
            allowed: input.allowed.as_deref(),
            cells: table
                .rules
                .iter()
                .map(|rule| rule.inputs.get(at).map_or("-", String::as_str).trim())
                .collect(),
        })
        .collect();
    let grid = Grid::new(&columns);
    let mut found =
        Found { table, analysis: Analysis { is_complete: true, ..Analysis::default() } };
    cells::check(&grid, &mut found);
    policy::check(&grid, &mut found);
    found.analysis
}

/// What was found so far.
struct Found<'a> {
    table: &'a DecisionTable,
    analysis: Analysis,
}

impl Found<'_> {
    /// Adds a finding, and lists it while there are few of its code.
    fn add(&mut self, finding: impl FnOnce(&DecisionTable) -> TableFinding, code: &str) {
        let count = self.analysis.counts.entry(code.to_owned()).or_default();
        *count += 1;
        if *count <= MAX_OF_A_CODE {
            self.analysis.findings.push(finding(self.table));
        }
    }

    /// Says that something was too much work.
    fn too_much(&mut self, what: &str) {
        self.analysis.is_complete = false;
        let what = format!("the table is too much work to look for {what} in all of it");
        let fix =
            "split the table by the values of one input, into decisions that are analysed alone";
        self.add(
            |_| TableFinding::new(Severity::Info, "too_much_work", what, fix),
            "too_much_work",
        );
    }
}

impl TableFinding {
    /// A finding about no rule, column or value in particular.
    #[must_use]
    pub fn new(severity: Severity, code: &str, what: String, fix: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            what,
            fix: fix.into(),
            rules: Vec::new(),
            column: None,
            example: Vec::new(),
            cells: Vec::new(),
        }
    }

    fn of_rules(mut self, rules: impl IntoIterator<Item = usize>) -> Self {
        self.rules = rules.into_iter().map(|index| index + 1).collect();
        self
    }

    fn in_column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    fn with_example(mut self, example: Vec<InputValue>) -> Self {
        self.example = example;
        self
    }
}

/// One input of `space` for each column.
fn example(table: &DecisionTable, grid: &Grid, space: &Space) -> Vec<InputValue> {
    let columns = table.inputs.iter().zip(&grid.axes).zip(space);
    columns
        .map(|((input, axis), segments)| InputValue {
            input: input.expression.clone(),
            value: axis.example(segments),
        })
        .collect()
}

/// The example as text, such as `amount = 1000, region = "EU"`.
pub(super) fn in_words(example: &[InputValue]) -> String {
    let values = example.iter().map(|it| format!("{} = {}", it.input, it.value));
    values.collect::<Vec<_>>().join(", ")
}

/// `1`, `1 and 2`, `1, 2 and 3 more`.
fn numbers(rules: &[usize]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = rules.iter().take(SHOWN).map(|rule| (rule + 1).to_string()).collect();
    match (shown.as_slice(), rules.len().saturating_sub(SHOWN)) {
        ([one, other], 0) => format!("{one} and {other}"),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
