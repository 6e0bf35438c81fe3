//! Why a decision table answers as it does: the value of each input, the rules that match, the cell
//! that keeps each other rule from matching, and the rules that gave the answer.
//!
//! The table is compiled once. Its cells are evaluated by what evaluates decisions, on the values that
//! the decision itself sees: a second decision of the file, made here, hands them out.

mod compile;
mod required;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope, Name};
use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::analyze::{InputValue, literal};
use super::model::Model;
use super::table::{DecisionTable, HitPolicy};
use super::{DecisionError, clock, silent_error};
use crate::dsntk;
use crate::feel::{self, Variables};
use crate::finding::Finding;
pub use required::{RequiredTable, required_tables};

/// The most rules that did not match of which an explanation says why.
pub const MAX_MISSES: usize = 200;
/// Stack for evaluating the table, as for a whole model.
const STACK: usize = 2 * feel::STACK;
/// The name under which a cell finds the value that it tests.
const TESTED: &str = "flowmaster_tested";

/// A decision table that can be explained.
pub struct Explainer {
    table: DecisionTable,
    /// The file, with a decision that gives what the table sees.
    model: Model,
    /// Whether it reads the clock.
    is_timed: bool,
    /// What the table sees: names, or those of an import and of something in it.
    names: Vec<Vec<Name>>,
    inputs: Vec<Column>,
    outputs: Vec<Vec<Evaluator>>,
    /// The values of the outputs, the most important first.
    output_order: Vec<Evaluator>,
}

/// A column of conditions, compiled.
struct Column {
    expression: Evaluator,
    allowed: Option<Evaluator>,
    cells: Vec<Evaluator>,
}

/// Why a table cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The file cannot be evaluated, or the decision is not in it.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// A decision without a table.
    #[error("the decision {0:?} has no decision table; evaluate the decisions that it requires")]
    NoTable(String),
    /// A table that cannot be read.
    #[error("the table cannot be read: {}", .0.first().map_or("", |finding| &finding.what))]
    Misshapen(Vec<Finding>),
}

/// Why a table answers as it does.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The answer of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_value: Option<String>,
    /// How the rules that match become the answer.
    pub hit_policy: HitPolicy,
    /// The value of each input expression, in FEEL.
    pub inputs: Vec<InputValue>,
    /// The columns whose value is none of those that they allow: no rule can match then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_allowed: Vec<OutsideAllowed>,
    /// Numbers of the rules that match, from 1.
    pub matched: Vec<usize>,
    /// Numbers of the rules that gave the answer, in its order. Empty when the default did, or when
    /// there is no answer.
    pub gave: Vec<usize>,
    /// The other rules, in order, with the first cell that did not match: at most 200.
    pub missed: Vec<Miss>,
    /// How many other rules there are.
    pub missed_count: usize,
}

/// A column whose value is none of those that it allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct OutsideAllowed {
    /// Heading of the column.
    pub column: String,
    /// The value, in FEEL; null for what is missing.
    pub value: String,
    /// What the column allows.
    pub allowed: String,
}

/// A rule that does not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Miss {
    /// Number of the rule, from 1.
    pub rule: usize,
    /// Heading of the first column that does not match.
    pub column: String,
    /// The cell, or the allowed values of the column when the value is none of them.
    pub cell: String,
    /// The value that was tested, in FEEL.
    pub value: String,
}

impl Explainer {
    /// Compiles the table of the decision with id `decision` of the DMN file `bytes`, which may import
    /// the files `imported`, and these each other.
    ///
    /// # Errors
    /// A file that cannot be evaluated, or a decision without a table.
    pub fn read(bytes: &[u8], imported: &[&[u8]], decision: &str) -> Result<Self, ExplainError> {
        compile::explainer(bytes, imported, decision)
    }

    /// The table as the file writes it.
    #[must_use]
    pub fn table(&self) -> &DecisionTable {
        &self.table
    }

    /// Explains the answer for these inputs at `now`. That there is no answer is explained too.
    ///
    /// # Errors
    /// An answer that could take too long, or a defect of the evaluator.
    pub fn explain(
        &self,
        variables: &dyn Variables,
        now: Timestamp,
    ) -> Result<Explanation, DecisionError> {
        let no_value =
            |reason: String| DecisionError::NoValue { decision: self.table.id.clone(), reason };
        let inputs = &self.model.inputs;
        let mut context = inputs.read(&self.table.id, variables)?;
        let refused = inputs.check_columns(&self.table.id, variables, &context).err();
        if self.is_timed {
            clock::set(&mut context, now);
        }
        let value = |name: &str| {
            let value = self.model.value(name, variables, context.clone(), now);
            value.map_err(|error| error.of(&self.table.id))
        };
        let answer = value(&self.table.name)?;
        let scope = self.scope(value(compile::PROBE)?);
        let rules = dsntk::call(STACK, || self.rules(&scope))
            .map_err(|defect| no_value(defect.to_string()))?;
        Ok(self.explanation(answer, &rules, refused))
    }

    /// What the table sees, for the evaluators of its expressions.
    fn scope(&self, seen: FeelValue) -> FeelScope {
        let scope = FeelScope::default();
        let values = match seen {
            FeelValue::List(values) => values,
            _ => Vec::new(),
        };
        let mut context = FeelContext::new();
        for (path, value) in self.names.iter().zip(values) {
            context.create_entries(path, value);
        }
        scope.push(context);
        scope
    }

    fn rules(&self, scope: &FeelScope) -> Rules {
        let mut rules = Rules::default();
        let mut open: BTreeSet<usize> = (0..self.table.rules.len()).collect();
        for (at, column) in self.inputs.iter().enumerate() {
            let value = (column.expression)(scope);
            let mut tested = FeelContext::new();
            tested.set_entry(&Name::from(TESTED), value.clone());
            scope.push(tested);
            let is_allowed = column.allowed.as_ref().is_none_or(|test| test(scope).is_true());
            if !is_allowed {
                rules.outside.push(at);
            }
            open.retain(|rule| {
                let matches =
                    is_allowed && column.cells.get(*rule).is_some_and(|test| test(scope).is_true());
                if !matches {
                    rules.missed.insert(*rule, (at, is_allowed));
                }
                matches
            });
            scope.pop();
            rules.inputs.push(value);
        }
        rules.outputs = open
            .into_iter()
            .map(|rule| {
                let cells = self.outputs.get(rule).into_iter().flatten();
                (rule, cells.map(|cell| cell(scope)).collect())
            })
            .collect();
        if self.table.hit_policy.needs_output_order() {
            rules.order = self.output_order.iter().flat_map(|list| items(list(scope))).collect();
        }
        rules
    }

    fn explanation(
        &self,
        answer: FeelValue,
        rules: &Rules,
        refused: Option<DecisionError>,
    ) -> Explanation {
        let gave = self.gave(&answer, rules).into_iter().map(|rule| rule + 1).collect();
        let refused = refused.map(|error| error.to_string());
        let no_value = refused.or_else(|| silent_error(&answer).map(str::to_owned));
        let (value, no_value) = match (no_value, feel::to_json(answer)) {
            (Some(reason), _) => (None, Some(reason)),
            (None, Ok(value)) => (Some(value), None),
            (None, Err(kind)) => (None, Some(format!("it gives {kind}"))),
        };
        let inputs = self.table.inputs.iter().zip(&rules.inputs);
        let missed = rules.missed.iter().take(MAX_MISSES);
        Explanation {
            gave: if value.is_some() { gave } else { Vec::new() },
            value,
            no_value,
            hit_policy: self.table.hit_policy,
            inputs: inputs
                .map(|(input, value)| InputValue {
                    input: input.expression.clone(),
                    value: literal(value),
                })
                .collect(),
            outside_allowed: rules.outside.iter().map(|at| self.outside(*at, rules)).collect(),
            matched: rules.outputs.keys().map(|rule| rule + 1).collect(),
            missed: missed.map(|(rule, miss)| self.miss(*rule, *miss, rules)).collect(),
            missed_count: rules.missed.len(),
        }
    }

    fn outside(&self, column: usize, rules: &Rules) -> OutsideAllowed {
        let input = self.table.inputs.get(column);
        OutsideAllowed {
            column: input.map_or_else(String::new, |input| input.heading().to_owned()),
            value: rules.inputs.get(column).map_or_else(String::new, literal),
            allowed: input.and_then(|input| input.allowed.clone()).unwrap_or_default(),
        }
    }

    fn miss(&self, rule: usize, (column, is_allowed): (usize, bool), rules: &Rules) -> Miss {
        let input = self.table.inputs.get(column);
        let cell = if is_allowed {
            self.table.rules.get(rule).and_then(|rule| rule.inputs.get(column))
        } else {
            input.and_then(|input| input.allowed.as_ref())
        };
        Miss {
            rule: rule + 1,
            column: input.map_or_else(String::new, |input| input.heading().to_owned()),
            cell: cell.cloned().unwrap_or_default(),
            value: rules.inputs.get(column).map_or_else(String::new, literal),
        }
    }

    /// The rules whose outputs are the answer, in its order (DMN 1.5 §8.2.8).
    fn gave(&self, answer: &FeelValue, rules: &Rules) -> Vec<usize> {
        let matched: Vec<usize> = rules.outputs.keys().copied().collect();
        match self.table.hit_policy {
            HitPolicy::First => matched.into_iter().take(1).collect(),
            HitPolicy::Priority => rules.by_output(matched).into_iter().take(1).collect(),
            HitPolicy::OutputOrder => rules.by_output(matched),
            HitPolicy::CollectMin | HitPolicy::CollectMax => {
                let is_answer = |rule: &usize| {
                    let output = rules.outputs.get(rule).and_then(|outputs| outputs.first());
                    output
                        .is_some_and(|output| dsntk_feel_evaluator::evaluate_equals(output, answer))
                };
                matched.into_iter().filter(is_answer).collect()
            }
            HitPolicy::Unique
            | HitPolicy::Any
            | HitPolicy::RuleOrder
            | HitPolicy::Collect
            | HitPolicy::CollectSum
            | HitPolicy::CollectCount => matched,
        }
    }
}

/// What became of the rules of a table, counted from 0.
#[derive(Default)]
struct Rules {
    /// The value of each input.
    inputs: Vec<FeelValue>,
    /// The columns that do not allow their value.
    outside: Vec<usize>,
    /// By rule that matches: its outputs.
    outputs: BTreeMap<usize, Vec<FeelValue>>,
    /// By other rule: the first column that it does not match, and whether the value is allowed there.
    missed: BTreeMap<usize, (usize, bool)>,
    /// The values of the outputs, the most important first.
    order: Vec<FeelValue>,
}

impl Rules {
    /// `matched` in the order of their outputs; the order of the table where they are as important.
    fn by_output(&self, mut matched: Vec<usize>) -> Vec<usize> {
        let place =
            |value: &FeelValue| self.order.iter().position(|it| it == value).unwrap_or(usize::MAX);
        matched.sort_by(|one, other| {
            let (Some(one), Some(other)) = (self.outputs.get(one), self.outputs.get(other)) else {
                return Ordering::Equal;
            };
            one.iter().map(place).cmp(other.iter().map(place))
        });
        matched
    }
}

fn items(value: FeelValue) -> Vec<FeelValue> {
    match value {
        FeelValue::ExpressionList(items) => items,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
