//! How long it takes to analyse a decision table, and to save it with its analysis: 1,000 rules over four
//! inputs, which cover everything but one part and overlap once.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use flowmaster_engine::dmn::analyze::analyze;
use flowmaster_engine::dmn::compact::{
    CompactDecision, CompactInput, CompactRules, CompactTable, CompactThen, CompactWhen,
};
use flowmaster_engine::dmn::table::{DecisionTable, Input, Output, Rule};
use flowmaster_kernel::{Clock, Ctx, IdSource, TenantId};
use flowmaster_mcp_server::system::{RandomIds, SystemClock};
use flowmaster_mind::rules::types::SaveRule;
use flowmaster_mind::rules::{self, Rules};
use flowmaster_store::{Db, DbConfig};

use crate::report::{Report, quantile};

const ROUNDS: usize = 20;
const RULES: usize = 1_000;
const REGIONS: [&str; 5] = ["\"DE\"", "\"FR\"", "\"US\"", "\"JP\", \"KR\"", "-"];

/// Measures both.
pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let table = table();
    analysis(&table, report)?;
    saving(&table, report).await
}

fn analysis(table: &DecisionTable, report: &mut Report) -> anyhow::Result<()> {
    let mut seconds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let found = analyze(table);
        seconds.push(start.elapsed().as_secs_f64());
        let is_found = ["gap", "overlap"].iter().all(|code| found.counts.contains_key(*code));
        ensure!(found.is_complete && is_found, "the analysis missed something: {:?}", found.counts);
    }
    add("rules_analysis", seconds, report)
}

/// Saves another draft a round, on the embedded database.
async fn saving(table: &DecisionTable, report: &mut Report) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().display());
    let db = Db::open(&DbConfig::new(url), Arc::clone(&clock)).await?;
    db.migrate(&[rules::MIGRATIONS]).await?;
    let room = Rules::new(db.clone());
    let ctx = Ctx::system(TenantId::fresh(&*ids, clock.now()), &clock, &ids);
    let mut seconds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let rules = compact(table, round);
        let start = Instant::now();
        let params = SaveRule { rules: Some(rules), ..SaveRule::default() };
        let saved = room.save(&ctx, params).await?;
        seconds.push(start.elapsed().as_secs_f64());
        ensure!(!saved.findings.is_empty(), "it was not analysed");
    }
    db.close().await;
    add("rules_save", seconds, report)
}

fn add(name: &str, mut seconds: Vec<f64>, report: &mut Report) -> anyhow::Result<()> {
    seconds.sort_by(f64::total_cmp);
    report.add(&format!("{name}_ms_p50"), quantile(&seconds, 0.5) * 1_000.0)?;
    report.add(&format!("{name}_ms_max"), quantile(&seconds, 1.0) * 1_000.0)
}

/// The table as it is saved; its first answer is `answer`.
fn compact(table: &DecisionTable, answer: usize) -> CompactRules {
    let row = |rule: &Rule| rule.inputs.iter().chain(&rule.outputs).cloned().collect();
    let mut rows: Vec<Vec<String>> = table.rules.iter().map(row).collect();
    if let Some(first) = rows.first_mut().and_then(|row| row.last_mut()) {
        *first = format!("{answer}.5");
    }
    let when =
        |input: &Input| CompactWhen { input: input.expression.clone(), ..CompactWhen::default() };
    let input = |input: &Input| CompactInput {
        name: input.expression.clone(),
        type_name: input.type_name.clone(),
        ..CompactInput::default()
    };
    let compact = CompactTable {
        when: table.inputs.iter().map(when).collect(),
        then: vec![CompactThen::default()],
        rows,
        ..CompactTable::default()
    };
    CompactRules {
        id: table.id.clone(),
        inputs: table.inputs.iter().map(input).collect(),
        decisions: vec![CompactDecision {
            id: "decision".to_owned(),
            table: Some(compact),
            ..CompactDecision::default()
        }],
        ..CompactRules::default()
    }
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
