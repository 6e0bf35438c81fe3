//! Decision tables that compare inputs with constants and answer with constants (DMN 1.5 §8), compiled
//! once. Most tables are such; the evaluator evaluates every cell of a table for each answer.
//!
//! Invariant: what is answered here is what the evaluator answers. What needs more is left to it: at
//! compilation a table with anything but constants, at evaluation a value of another type than the cells
//! of its column, and every answer that is an error.

mod column;
mod read;
mod types;

use std::collections::BTreeMap;

use dsntk_feel::FeelType;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::{BuiltinAggregator, Definitions, HitPolicy};

use super::analyze::Accepts;
use column::Column;

/// The tables of a file that could be compiled, by the names of their decisions.
#[derive(Default)]
pub(super) struct CompiledTables(BTreeMap<String, Table>);

struct Table {
    hit_policy: HitPolicy,
    columns: Vec<Column>,
    rules: Vec<Rule>,
    /// The answer when no rule matches.
    default: Option<FeelValue>,
    /// What the answer is taken for: the type of the table, then that of the decision.
    types: Vec<FeelType>,
}

struct Rule {
    /// One a column.
    cells: Vec<Accepts>,
    output: FeelValue,
    /// How important its outputs are: 0 is the most.
    ranks: Vec<usize>,
}

impl CompiledTables {
    /// Compiles what can be of `definitions`.
    pub(super) fn of(definitions: &Definitions) -> Self {
        Self(read::tables(definitions))
    }

    /// The answer of the decision with this name, where it is known without the evaluator.
    pub(super) fn answer(&self, decision: &str, inputs: &FeelContext) -> Option<FeelValue> {
        self.0.get(decision)?.answer(inputs)
    }
}

impl Table {
    fn answer(&self, inputs: &FeelContext) -> Option<FeelValue> {
        let values = self.columns.iter().map(|column| column.value(inputs));
        let values: Vec<_> = values.collect::<Option<_>>()?;
        let mut columns = self.columns.iter().zip(&values);
        let is_allowed = columns.all(|(column, value)| column.allows(value));
        let matches = |rule: &&Rule| {
            is_allowed && rule.cells.iter().zip(&values).all(|(cell, value)| cell.passes(value))
        };
        let mut matching = self.rules.iter().filter(matches);
        let value = match matching.next() {
            Some(first) => self.hit(first, matching)?,
            None => self.default.clone()?,
        };
        Some(self.types.iter().fold(value, |value, type_| value.coerced(type_)))
    }

    /// The answer of the rules that match, the `first` and the `others` (DMN 1.5 §8.2.8).
    fn hit<'a>(
        &self,
        first: &'a Rule,
        mut others: impl Iterator<Item = &'a Rule>,
    ) -> Option<FeelValue> {
        let aggregate = |of: fn(Vec<FeelValue>) -> FeelValue,
                         others: &mut dyn Iterator<Item = _>| {
            of(outputs(std::iter::once(first).chain(others)))
        };
        Some(match self.hit_policy {
            HitPolicy::First => first.output.clone(),
            HitPolicy::Unique if others.next().is_none() => first.output.clone(),
            HitPolicy::Any if others.all(|it| it.output == first.output) => first.output.clone(),
            HitPolicy::Unique | HitPolicy::Any => return None,
            HitPolicy::Priority => others
                .fold(first, |best, it| if it.ranks < best.ranks { it } else { best })
                .output
                .clone(),
            HitPolicy::OutputOrder => {
                let mut all: Vec<&Rule> = std::iter::once(first).chain(others).collect();
                all.sort_by(|one, other| one.ranks.cmp(&other.ranks));
                FeelValue::List(outputs(all.into_iter()))
            }
            HitPolicy::RuleOrder | HitPolicy::Collect(BuiltinAggregator::List) => {
                aggregate(FeelValue::List, &mut others)
            }
            HitPolicy::Collect(BuiltinAggregator::Count) => {
                FeelValue::Number((1 + others.count()).into())
            }
            HitPolicy::Collect(BuiltinAggregator::Sum) => {
                aggregate(dsntk_feel_evaluator::evaluate_sum, &mut others)
            }
            HitPolicy::Collect(BuiltinAggregator::Min) => {
                aggregate(dsntk_feel_evaluator::evaluate_min, &mut others)
            }
            HitPolicy::Collect(BuiltinAggregator::Max) => {
                aggregate(dsntk_feel_evaluator::evaluate_max, &mut others)
            }
        })
    }
}

fn outputs<'a>(rules: impl Iterator<Item = &'a Rule>) -> Vec<FeelValue> {
    rules.map(|rule| rule.output.clone()).collect()
}

#[cfg(test)]
mod tests;
