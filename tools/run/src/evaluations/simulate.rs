//! What was asked before is asked again, of other rules. A pure function.

use std::collections::HashMap;

use flowmaster_engine::dmn::Decisions;
use flowmaster_engine::feel::same;
use serde_json::Value;

use super::types::{Change, Difference, LoggedEvaluation, Simulation};

/// The most cases that differ that are listed, and the most kinds of change.
const MAX_LISTED: usize = 50;
/// The most kinds of change that are told apart.
const MAX_KINDS: usize = 5_000;

/// Asks `decisions` what `past` asked.
pub(super) fn simulate(decisions: &Decisions, past: Vec<LoggedEvaluation>) -> Simulation {
    let mut simulation = Simulation::default();
    let mut changes: HashMap<String, Change> = HashMap::new();
    for case in past {
        let Some(inputs) = case.inputs else {
            simulation.skipped += 1;
            continue;
        };
        // A value that was too large to be kept cannot be compared.
        if case.value.is_none() && case.error.is_none() {
            simulation.skipped += 1;
            continue;
        }
        simulation.cases += 1;
        let (would_be, error) = match decisions.evaluate(&case.decision, &inputs, case.at) {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let count = match (&case.value, &would_be) {
            (Some(was), Some(now)) if !same(was, now) => &mut simulation.different,
            (Some(_), None) => &mut simulation.lost,
            (None, Some(_)) => &mut simulation.gained,
            (Some(_), Some(_)) | (None, None) => {
                simulation.same += 1;
                continue;
            }
        };
        *count += 1;
        let kind = format!("{}\n{}", text(case.value.as_ref()), text(would_be.as_ref()));
        if changes.len() < MAX_KINDS || changes.contains_key(&kind) {
            let (was, would_be) = (case.value.clone(), would_be.clone());
            changes.entry(kind).or_insert(Change { was, would_be, cases: 0 }).cases += 1;
        }
        if simulation.differences.len() < MAX_LISTED {
            simulation.differences.push(Difference {
                evaluation: case.id,
                at: case.at,
                instance: case.instance,
                inputs,
                was: case.value,
                would_be,
                error,
            });
        }
    }
    let mut changes: Vec<(String, Change)> = changes.into_iter().collect();
    changes.sort_by(|(one, a), (other, b)| b.cases.cmp(&a.cases).then_with(|| one.cmp(other)));
    simulation.changes = changes.into_iter().take(MAX_LISTED).map(|(_, change)| change).collect();
    simulation
}

fn text(value: Option<&Value>) -> String {
    value.map(Value::to_string).unwrap_or_default()
}
