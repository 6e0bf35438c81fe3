//! The compact JSON form of a rule file: what models and programs write instead of DMN XML.
//!
//! One object is a whole file: inputs, and decisions that are tables or FEEL expressions. What a
//! decision requires is found by the names that it uses; ids and the diagram are made, always the
//! same for the same rules. A DMN file is given back in this form only where the form can say all that
//! it does.

mod diagram;
mod from_dmn;
mod to_dmn;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{DecisionTable, HitPolicy, Input, Output, Rule};

/// A rule file: inputs and the decisions made from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompactRules {
    /// Id of the file: a letter or `_`, then letters, digits or `. _ -`; at most 100, e.g.
    /// `shipping-rules`.
    pub id: String,
    /// Human name. Default: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the rules are for and where they come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What callers give. Every name that is used and is not a decision has to be here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<CompactInput>,
    /// The decisions, in any order. One may use the answer of another by its name.
    pub decisions: Vec<CompactDecision>,
}

/// A value that callers give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactInput {
    /// The name that expressions use, e.g. `amount`.
    pub name: String,
    /// `number`, `string`, `boolean`, `date`, `time`, `dateTime`, `dayTimeDuration`,
    /// `yearMonthDuration` or `Any`. Dates, times and durations are given as text, e.g.
    /// `2026-01-31`, `13:45:00`, `2026-01-31T13:45:00Z`, `P3DT4H`, `P1Y6M`. A value of another type
    /// is an error. Default: `Any`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// FEEL unary tests that the value must pass, e.g. `"EU", "US"` or `[0..100]`; others count as
    /// null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// What it means, and its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A decision: either `table` or `literal`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactDecision {
    /// Id, for `rule_evaluate` and business rule tasks; letters as in the id of the file.
    pub id: String,
    /// The name that other decisions use for its answer. Default: the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The question that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Type of the answer, as for inputs. A table with one output has the type there.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// A decision table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<CompactTable>,
    /// A FEEL expression, e.g. `amount * rate / 100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub literal: Option<String>,
}

/// A decision table. Every cell is FEEL text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactTable {
    /// What happens when several rows match. `UNIQUE` (the default): that is an error. `FIRST`: the
    /// upper row counts. `ANY`: they must agree. `PRIORITY`: the answer that is first in `allowed` of
    /// the outputs. `COLLECT`, `RULE ORDER` and `OUTPUT ORDER` answer a list, `COLLECT SUM`,
    /// `COLLECT MIN`, `COLLECT MAX` and `COLLECT COUNT` one number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hit: HitPolicy,
    /// The columns of conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<CompactWhen>,
    /// The columns of answers, at least one. With several the answer is an object with their names.
    pub then: Vec<CompactThen>,
    /// Headings of columns of remarks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The rows: the cells of `when`, then of `then`, then of `notes`, as texts. Conditions are unary
    /// tests: `< 1000`, `[10..20)`, `"EU", "US"`, `not("EU")`, `true`, and `-` for anything. Answers
    /// are FEEL values: texts need their own quotes, as in `"\"auto\""`; `5`, `true`, `amount * 2`.
    /// Remarks are plain text, and may be left out at the end of a row.
    pub rows: Vec<Vec<String>>,
}

/// A column of conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactWhen {
    /// The FEEL expression that its cells test: mostly the name of an input or a decision.
    pub input: String,
    /// Heading, when it is not the expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Type of its values. Not needed where the expression is the name of an input.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Unary tests that its values pass: rows match no others. Not needed where the input has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

/// A column of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompactThen {
    /// Name of the entry in the answer. Needed when there are several columns of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Heading, when it is not the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Type of its values.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The values there can be, e.g. `"high", "low"`; for PRIORITY and OUTPUT ORDER the most important
    /// first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The answer, in FEEL, when no row matches. Without one there is no answer then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

fn is_default(policy: &HitPolicy) -> bool {
    *policy == HitPolicy::default()
}

impl CompactTable {
    /// The table of the decision `id`, called `name`. A row that is too short or too long stays so.
    #[must_use]
    pub fn to_table(&self, id: &str, name: &str) -> DecisionTable {
        let inputs = self.when.iter().map(|column| Input {
            expression: column.input.trim().to_owned(),
            label: column.label.clone(),
            type_name: column.type_name.clone(),
            allowed: column.allowed.clone(),
        });
        let outputs = self.then.iter().map(|column| Output {
            name: column.name.clone(),
            label: column.label.clone(),
            type_name: column.type_name.clone(),
            allowed: column.allowed.clone(),
            default: column.default.clone(),
        });
        let (when, then) = (self.when.len(), self.then.len());
        let rules = self.rows.iter().map(|row| {
            let mut cells = row.iter().map(|cell| cell.trim().to_owned());
            let inputs = cells.by_ref().take(when).collect();
            let outputs = cells.by_ref().take(then).collect();
            let mut annotations: Vec<String> = cells.collect();
            if annotations.len() < self.notes.len() {
                annotations.resize(self.notes.len(), String::new());
            }
            Rule { id: None, inputs, outputs, annotations }
        });
        DecisionTable {
            id: id.to_owned(),
            name: name.to_owned(),
            hit_policy: self.hit,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            annotations: self.notes.clone(),
            rules: rules.collect(),
        }
    }
}

impl From<&DecisionTable> for CompactTable {
    /// The table without the ids of its rules.
    fn from(table: &DecisionTable) -> Self {
        let when = table.inputs.iter().map(|input| CompactWhen {
            input: input.expression.clone(),
            label: input.label.clone(),
            type_name: input.type_name.clone(),
            allowed: input.allowed.clone(),
        });
        let then = table.outputs.iter().map(|output| CompactThen {
            name: output.name.clone(),
            label: output.label.clone(),
            type_name: output.type_name.clone(),
            allowed: output.allowed.clone(),
            default: output.default.clone(),
        });
        let row = |rule: &Rule| {
            let mut cells = [&*rule.inputs, &*rule.outputs, &*rule.annotations].concat();
            let needed = rule.inputs.len() + rule.outputs.len();
            while cells.len() > needed && cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            cells
        };
        Self {
            hit: table.hit_policy,
            when: when.collect(),
            then: then.collect(),
            notes: table.annotations.clone(),
            rows: table.rules.iter().map(row).collect(),
        }
    }
}

impl CompactDecision {
    /// The name that expressions use.
    fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

#[cfg(test)]
mod tests;
