//! What rules answer: whether two answers are the same, and which is more important.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dsntk_feel::values::Value as FeelValue;

use super::cell::{Accepts, constant_output};
use super::value::compare;
use crate::dmn::table::DecisionTable;

/// The cells of outputs, and their values where these are constants.
#[derive(Default)]
pub(in crate::dmn) struct Answers<'a>(BTreeMap<&'a str, Option<FeelValue>>);

impl<'a> Answers<'a> {
    pub(in crate::dmn) fn of(tables: &[&'a DecisionTable]) -> Self {
        let rules = tables.iter().flat_map(|table| &table.rules);
        let mut constants: BTreeMap<&str, Option<FeelValue>> = BTreeMap::new();
        for text in rules.flat_map(|rule| &rule.outputs) {
            constants.entry(text).or_insert_with(|| constant_output(text));
        }
        Self(constants)
    }

    /// The value of a cell; `None` when it is not a constant.
    pub(in crate::dmn) fn constant(&self, text: &str) -> Option<&FeelValue> {
        self.0.get(text)?.as_ref()
    }

    /// Whether two cells say the same; `None` when that depends on the inputs.
    pub(in crate::dmn) fn same(&self, one: &str, other: &str) -> Option<bool> {
        if one == other {
            return Some(true);
        }
        Some(same_values(self.constant(one)?, self.constant(other)?))
    }
}

/// The answers of the rules of a table.
pub(in crate::dmn) struct Outputs<'a> {
    table: &'a DecisionTable,
    answers: Answers<'a>,
    /// By rule: the places of its outputs in the allowed values of their columns, the most important
    /// first; `None` when that depends on the inputs.
    ranks: Vec<Option<Vec<usize>>>,
}

impl<'a> Outputs<'a> {
    pub(in crate::dmn) fn of(table: &'a DecisionTable) -> Self {
        let answers = Answers::of(&[table]);
        let order = table.outputs.iter().map(|output| {
            let allowed = output.allowed.as_deref().map(Accepts::read);
            allowed.iter().flat_map(Accepts::constants).cloned().collect()
        });
        let order: Vec<Vec<FeelValue>> = order.collect();
        let ranks = table.rules.iter().map(|rule| rank(&answers, &rule.outputs, &order));
        Self { table, ranks: ranks.collect(), answers }
    }

    /// The value of the cell of a rule; `None` when it is not a constant.
    pub(in crate::dmn) fn constant(&self, text: &str) -> Option<&FeelValue> {
        self.answers.constant(text)
    }

    pub(in crate::dmn) fn texts(&self, rule: usize) -> &'a [String] {
        self.table.rules.get(rule).map_or(&[], |rule| rule.outputs.as_slice())
    }

    /// Whether two rules answer the same; `None` when that depends on the inputs.
    pub(in crate::dmn) fn same(&self, one: usize, other: usize) -> Option<bool> {
        let cells = self.texts(one).iter().zip(self.texts(other));
        let mut is_known = true;
        for (one, other) in cells {
            match self.answers.same(one, other) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => is_known = false,
            }
        }
        is_known.then_some(true)
    }

    /// The order in which PRIORITY takes two rules; `None` when that depends on the inputs.
    pub(in crate::dmn) fn compare(&self, one: usize, other: usize) -> Option<Ordering> {
        let rank = |rule: usize| self.ranks.get(rule)?.as_ref();
        Some(rank(one)?.cmp(rank(other)?))
    }
}

fn rank(answers: &Answers<'_>, outputs: &[String], order: &[Vec<FeelValue>]) -> Option<Vec<usize>> {
    let cells = outputs.iter().zip(order);
    cells
        .map(|(text, order)| {
            let value = answers.constant(text)?;
            let place = order.iter().position(|it| same_values(it, value));
            // What the list does not have comes last.
            Some(place.unwrap_or(usize::MAX))
        })
        .collect()
}

fn same_values(one: &FeelValue, other: &FeelValue) -> bool {
    match (one, other) {
        (FeelValue::Null(_), FeelValue::Null(_)) => true,
        _ => compare(one, other) == Some(Ordering::Equal),
    }
}
