//! Tests of rule files: what decisions have to answer.

use flowmaster_kernel::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A row of a test table: what a decision has to answer for some inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// What it shows, e.g. `exactly 1,000 goes to the manager`.
    pub name: String,
    /// Id of the decision.
    pub decision: String,
    /// The inputs by name, e.g. `{"amount": 1000}`.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// The value that it has to answer; null where it has to answer null.
    #[serde(default)]
    pub expected: Value,
    /// The moment that now() and today() read. Default: that of the test run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Runs the tests of a rule file, without changing anything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestRule {
    /// Id of the file.
    pub id: String,
    /// Number of the version. Default: the active one, or the draft while nothing is published.
    #[serde(default)]
    pub version: Option<i64>,
    /// Set to test the draft.
    #[serde(default)]
    pub draft: bool,
    /// Tests to run instead of those of the file, at most 1,000.
    #[serde(default)]
    pub tests: Option<Vec<RuleTest>>,
}

/// What became of tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct RuleTestReport {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// The first of those that failed, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<RuleTestCase>,
    /// Rules of tables that gave the answer of no test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncovered: Vec<Uncovered>,
}

/// A test that failed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleTestCase {
    /// Its name.
    pub name: String,
    /// Id of the decision.
    pub decision: String,
    /// What it has to answer.
    pub expected: Value,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// Why it answers nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Numbers of the rules of its table that matched, from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<usize>,
}

/// Rules of a table that gave the answer of no test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Uncovered {
    /// Id of the decision.
    pub decision: String,
    /// Their numbers, from 1.
    pub rules: Vec<usize>,
}
