//! Test tables: cases that the decisions of a rule file have to answer rightly. Pure functions.

use std::collections::{BTreeMap, BTreeSet};

use flowmaster_engine::dmn::explain::{Explainer, Explanation};
use flowmaster_engine::dmn::{DecisionError, Decisions};
use flowmaster_engine::feel::same;
use flowmaster_kernel::Timestamp;

use super::dmn::Linked;
use super::error::RuleError;
use super::types::{RuleTest, RuleTestCase, RuleTestReport, Uncovered};

/// The most tests of a file.
pub(super) const MAX_TESTS: usize = 1_000;
/// The most bytes that the tests of a file have as JSON.
const MAX_BYTES: usize = 1024 * 1024;
/// The most failures that a report lists.
const MAX_FAILURES: usize = 50;

/// Whether so many and so large tests can be kept.
pub(super) fn check(tests: &[RuleTest]) -> Result<(), RuleError> {
    let bytes = serde_json::to_string(tests).map_or(usize::MAX, |text| text.len());
    match tests.len() > MAX_TESTS || bytes > MAX_BYTES {
        true => Err(RuleError::TooManyTests),
        false => Ok(()),
    }
}

/// Runs `tests` on a rule file.
///
/// # Errors
/// A file that cannot be evaluated.
pub(super) fn run(
    file: &Linked,
    tests: &[RuleTest],
    now: Timestamp,
) -> Result<RuleTestReport, DecisionError> {
    let decisions = file.compile()?;
    let mut coverage = Coverage::of(file, tests);
    let mut report = RuleTestReport::default();
    for test in tests {
        let matched = coverage.add(test, now);
        match failure(&decisions, test, now, matched) {
            None => report.passed += 1,
            Some(failure) => {
                report.failed += 1;
                if report.failures.len() < MAX_FAILURES {
                    report.failures.push(failure);
                }
            }
        }
    }
    report.uncovered = coverage.uncovered();
    Ok(report)
}

fn failure(
    decisions: &Decisions,
    test: &RuleTest,
    now: Timestamp,
    matched: Vec<usize>,
) -> Option<RuleTestCase> {
    let found = decisions.evaluate(&test.decision, &test.variables, test.at.unwrap_or(now));
    let (actual, error) = match found {
        Ok(value) if same(&value, &test.expected) => return None,
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let RuleTest { name, decision, expected, .. } = test.clone();
    Some(RuleTestCase { name, decision, expected, actual, error, matched })
}

/// Which rules of the tables that are tested gave no answer yet.
struct Coverage {
    tables: BTreeMap<String, (Explainer, BTreeSet<usize>)>,
}

impl Coverage {
    fn of(file: &Linked, tests: &[RuleTest]) -> Self {
        let tested: BTreeSet<&str> = tests.iter().map(|test| &*test.decision).collect();
        let table = |id: &str| {
            let explainer = file.explainer(id).ok()?;
            let rules = (1..=explainer.table().rules.len()).collect();
            Some((id.to_owned(), (explainer, rules)))
        };
        Self { tables: tested.into_iter().filter_map(table).collect() }
    }

    /// Notes the rules that give the answer of a test; says which match.
    fn add(&mut self, test: &RuleTest, now: Timestamp) -> Vec<usize> {
        let Some((explainer, left)) = self.tables.get_mut(&test.decision) else {
            return Vec::new();
        };
        let explained = explainer.explain(&test.variables, test.at.unwrap_or(now));
        let Ok(Explanation { matched, gave, .. }) = explained else { return Vec::new() };
        left.retain(|rule| !gave.contains(rule));
        matched
    }

    fn uncovered(self) -> Vec<Uncovered> {
        let left = self.tables.into_iter().filter(|(_, (_, left))| !left.is_empty());
        left.map(|(decision, (_, left))| Uncovered { decision, rules: left.into_iter().collect() })
            .collect()
    }
}
