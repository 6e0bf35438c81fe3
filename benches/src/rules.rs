//! How long it takes to analyse a decision table: 1,000 rules over four inputs, which cover everything
//! but one part and overlap once.

use std::time::Instant;

use anyhow::ensure;
use flowmaster_engine::dmn::analyze::analyze;
use flowmaster_engine::dmn::table::{DecisionTable, Input, Output, Rule};

use crate::report::Report;

const ROUNDS: usize = 20;
const RULES: usize = 1_000;
const REGIONS: [&str; 5] = ["\"DE\"", "\"FR\"", "\"US\"", "\"JP\", \"KR\"", "-"];

/// Measures the analysis.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let table = table();
    let mut seconds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let found = analyze(&table);
        seconds.push(start.elapsed().as_secs_f64());
        let is_found = ["gap", "overlap"].iter().all(|code| found.counts.contains_key(*code));
        ensure!(found.is_complete && is_found, "the analysis missed something: {:?}", found.counts);
    }
    seconds.sort_by(f64::total_cmp);
    report.add("rules_analysis_ms_p50", crate::report::quantile(&seconds, 0.5) * 1_000.0)?;
    report.add("rules_analysis_ms_max", crate::report::quantile(&seconds, 1.0) * 1_000.0)
}

/// Steps of an amount, of a day and of a region, half of them also by a flag.
fn table() -> DecisionTable {
    let input = |expression: &str, type_name: &str| Input {
        expression: expression.to_owned(),
        type_name: Some(type_name.to_owned()),
        ..Input::default()
    };
    let rule = |number: usize| {
        let (amount, day) = (number / 20, number / 5 % 4);
        let region = REGIONS.get(number % 5).copied().unwrap_or("-");
        // The last region is all others.
        let region =
            if region == "-" { "not(\"DE\", \"FR\", \"US\", \"JP\", \"KR\")" } else { region };
        let amount = match amount {
            0 => "< 100.5".to_owned(),
            49 => ">= 4900.5".to_owned(),
            _ => format!("[{}.5..{}.5)", amount * 100, (amount + 1) * 100),
        };
        let day = match day {
            0 => "< date(\"2026-01-01\")".to_owned(),
            3 => ">= date(\"2026-03-01\")".to_owned(),
            _ => format!("[date(\"2026-0{day}-01\")..date(\"2026-0{}-01\"))", day + 1),
        };
        // One rule lacks a value of the flag, and one takes more than its part.
        let flag = if number == 500 { "true" } else { "-" };
        let region = if number == 700 { "\"DE\", \"FR\"" } else { region };
        Rule {
            inputs: [&amount, &day, region, flag].map(str::to_owned).to_vec(),
            outputs: vec![number.to_string()],
            ..Rule::default()
        }
    };
    DecisionTable {
        id: "bench".to_owned(),
        name: "bench".to_owned(),
        inputs: vec![
            input("amount", "number"),
            input("day", "date"),
            input("region", "string"),
            input("flag", "boolean"),
        ],
        outputs: vec![Output::default()],
        rules: (0..RULES).map(rule).collect(),
        ..DecisionTable::default()
    }
}
