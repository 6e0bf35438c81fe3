//! Decision tables as data (DMN 1.5 §8): what a table says, apart from how a file writes it.
//!
//! Rules are counted from 1, as people and findings do. A table that was read has as many entries in
//! each rule as it has columns; nothing here is evaluated.

mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use read::{Read, read};
pub(super) use read::{Types, as_written, misshapen};

/// The most rules of a table.
pub const MAX_RULES: usize = 10_000;
/// The most inputs, outputs and annotations of a table together.
pub const MAX_COLUMNS: usize = 200;
/// The most cells of a table.
pub const MAX_CELLS: usize = 200_000;

/// A decision whose logic is a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionTable {
    /// Id of the decision.
    pub id: String,
    /// Its name: what other expressions call it.
    pub name: String,
    /// Which of the rules that match give the output.
    pub hit_policy: HitPolicy,
    /// What is looked at.
    pub inputs: Vec<Input>,
    /// What is answered.
    pub outputs: Vec<Output>,
    /// Headings of the columns of remarks.
    pub annotations: Vec<String>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// A column of conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The FEEL expression whose value the cells test.
    pub expression: String,
    /// Its heading, where that is not the expression.
    pub label: Option<String>,
    /// The type of its values, as `typeRef` names it.
    pub type_name: Option<String>,
    /// Unary tests that its values pass, such as `"EU", "US"` or `[0..100]`.
    pub allowed: Option<String>,
}

/// A column of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The name of the entry in the answer. A table with one output needs none.
    pub name: Option<String>,
    /// Its heading, where that is not the name.
    pub label: Option<String>,
    /// The type of its values, as `typeRef` names it.
    pub type_name: Option<String>,
    /// The values there can be; for PRIORITY and OUTPUT ORDER the most important first.
    pub allowed: Option<String>,
    /// The FEEL expression of the answer when no rule matches.
    pub default: Option<String>,
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its id in the file.
    pub id: Option<String>,
    /// Unary tests, one a column; `-` passes everything.
    pub inputs: Vec<String>,
    /// FEEL expressions, one a column.
    pub outputs: Vec<String>,
    /// Remarks, one a column; empty where there is none.
    pub annotations: Vec<String>,
}

/// Which of the rules that match give the output (DMN 1.5 §8.2.8).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
pub enum HitPolicy {
    /// At most one rule matches.
    #[default]
    #[serde(rename = "UNIQUE")]
    Unique,
    /// Several may match, all with the same output.
    #[serde(rename = "ANY")]
    Any,
    /// The one whose outputs come first in the allowed values of the outputs.
    #[serde(rename = "PRIORITY")]
    Priority,
    /// The first in the order of the table.
    #[serde(rename = "FIRST")]
    First,
    /// All, as a list in the order of the table.
    #[serde(rename = "RULE ORDER")]
    RuleOrder,
    /// All, as a list in the order of the allowed values of the outputs.
    #[serde(rename = "OUTPUT ORDER")]
    OutputOrder,
    /// All, as a list.
    #[serde(rename = "COLLECT")]
    Collect,
    /// The sum of all.
    #[serde(rename = "COLLECT SUM")]
    CollectSum,
    /// The smallest of all.
    #[serde(rename = "COLLECT MIN")]
    CollectMin,
    /// The largest of all.
    #[serde(rename = "COLLECT MAX")]
    CollectMax,
    /// How many match.
    #[serde(rename = "COLLECT COUNT")]
    CollectCount,
}

impl HitPolicy {
    /// Each with its name and its letter in the corner of a table (DMN 1.5 §8.2.8).
    const ALL: [(Self, &str, &str); 11] = [
        (Self::Unique, "UNIQUE", "U"),
        (Self::Any, "ANY", "A"),
        (Self::Priority, "PRIORITY", "P"),
        (Self::First, "FIRST", "F"),
        (Self::RuleOrder, "RULE ORDER", "R"),
        (Self::OutputOrder, "OUTPUT ORDER", "O"),
        (Self::Collect, "COLLECT", "C"),
        (Self::CollectSum, "COLLECT SUM", "C+"),
        (Self::CollectMin, "COLLECT MIN", "C<"),
        (Self::CollectMax, "COLLECT MAX", "C>"),
        (Self::CollectCount, "COLLECT COUNT", "C#"),
    ];

    /// The policy with this name or letter, upper or lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_uppercase();
        let found = Self::ALL.iter().find(|(_, name, letter)| *name == text || *letter == text);
        found.map(|(policy, ..)| *policy)
    }

    /// The name, such as `COLLECT SUM`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(policy, ..)| *policy == self).map_or("UNIQUE", |(_, name, _)| name)
    }

    /// Whether the answer is that of one rule.
    #[must_use]
    pub fn is_single(self) -> bool {
        matches!(self, Self::Unique | Self::Any | Self::Priority | Self::First)
    }

    /// Whether the answer is of the type of an output: not a list of them, and not their number.
    pub(super) fn answers_as_output(self) -> bool {
        self.is_single() || matches!(self, Self::CollectSum | Self::CollectMin | Self::CollectMax)
    }

    /// Whether the answer depends on the order of the allowed values of the outputs.
    #[must_use]
    pub fn needs_output_order(self) -> bool {
        matches!(self, Self::Priority | Self::OutputOrder)
    }
}

impl Input {
    /// What people call it.
    #[must_use]
    pub fn heading(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.expression)
    }
}

impl Output {
    /// What people call it.
    #[must_use]
    pub fn heading(&self) -> &str {
        self.label.as_deref().or(self.name.as_deref()).unwrap_or("output")
    }
}

impl DecisionTable {
    /// The name under which an output is known: its own, or that of the decision where there is one.
    #[must_use]
    pub fn output_name<'a>(&'a self, output: &'a Output) -> &'a str {
        output.name.as_deref().unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests;
