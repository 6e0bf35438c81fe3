//! Evaluations a second of one decision table: 20 rules over a range of numbers, a list of texts, a
//! number and a flag. Each candidate is given the inputs as JSON text and gives the answer as text, on
//! one thread, with the table read before; every answer is checked.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use dsntk_feel::FeelScope;
use dsntk_feel::context::FeelContext;
use dsntk_model_evaluator::ModelEvaluator;
use flowmaster_engine::dmn::Decisions;
use flowmaster_engine::dmn::compact::{
    CompactDecision, CompactInput, CompactRules, CompactTable, CompactThen, CompactWhen,
};
use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value, json};

use crate::peers::Peers;
use crate::report::{Report, quantile};

/// How often each of those in this process is measured in turn.
const TURNS: usize = 5;
/// How long a turn takes, and the measurement of a peer.
const TURN: Duration = Duration::from_secs(1);
const ROWS: usize = 20;
const COLUMNS: [(&str, &str); 4] =
    [("amount", "number"), ("region", "string"), ("years", "number"), ("isNew", "boolean")];
const DECISION: &str = "rate";

/// Inputs that one rule matches, and what it answers.
struct Question {
    inputs: String,
    answer: String,
}

/// Measures the facade, the evaluator below it, and the engines of others.
pub(crate) async fn measure(peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let xml = rules().to_dmn().map_err(|findings| anyhow::anyhow!("{findings:?}"))?;
    let questions: Vec<Question> = (0..ROWS).map(question).collect();
    ours(&xml, &questions, report)?;
    let folder = tempfile::tempdir()?;
    let task = folder.path().join("task.json");
    std::fs::write(&task, serde_json::to_vec(&task_of_peers(&xml, &questions))?)?;
    for (name, script) in [("feelin", "feelin_table.mjs"), ("dmn_eval_js", "dmn_eval_js_table.mjs")]
    {
        add(name, peers.node(script, &task).await, report)?;
    }
    for (name, script) in [("spiff", "spiff_table.py"), ("bkflow", "bkflow_table.py")] {
        add(name, peers.python(script, &task).await, report)?;
    }
    Ok(())
}

fn ours(xml: &str, questions: &[Question], report: &mut Report) -> anyhow::Result<()> {
    let mut decisions = Decisions::default();
    decisions.add(xml.as_bytes())?;
    let definitions = dsntk_model::parse(xml).map_err(|error| anyhow::anyhow!("{error}"))?;
    let evaluator =
        ModelEvaluator::new(&[definitions]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let root = flowmaster_engine::xml::Element::parse(xml.as_bytes())?;
    let namespace = root.attribute("namespace").unwrap_or_default().to_owned();
    let model = root.attribute("name").unwrap_or_default().to_owned();
    let read = |inputs: &str| {
        dsntk_feel_evaluator::evaluate_context(&FeelScope::default(), inputs)
            .map_err(|error| anyhow::anyhow!("{error}"))
    };
    let by_dsntk = |inputs: &FeelContext| {
        evaluator.evaluate_invocable(&namespace, &model, DECISION, inputs).to_string()
    };
    let contexts = questions.iter().map(|question| read(&question.inputs));
    let contexts: Vec<FeelContext> = contexts.collect::<anyhow::Result<_>>()?;

    let mut facade = Vec::new();
    let mut raw = Vec::new();
    let mut prepared = Vec::new();
    for _ in 0..TURNS {
        facade.push(turn(questions, |_, question| {
            let inputs: Map<String, Value> = serde_json::from_str(&question.inputs)?;
            let answer = decisions.evaluate(DECISION, &inputs, Timestamp::from_millis(0))?;
            Ok(answer.to_string())
        })?);
        raw.push(turn(questions, |_, question| Ok(by_dsntk(&read(&question.inputs)?)))?);
        prepared.push(turn(questions, |at, _| Ok(by_dsntk(contexts.get(at).context("inputs")?)))?);
    }
    for (name, mut turns) in
        [("flowmaster", facade), ("dsntk", raw), ("dsntk_inputs_ready", prepared)]
    {
        turns.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (per_second, p50) = turns.get(turns.len() / 2).copied().unwrap_or_default();
        report.add(&format!("table_{name}_evaluations_per_s"), per_second)?;
        report.add(&format!("table_{name}_p50_us"), p50)?;
    }
    Ok(())
}

/// Evaluations a second, and the middle time of one in microseconds.
fn turn(
    questions: &[Question],
    mut answer: impl FnMut(usize, &Question) -> anyhow::Result<String>,
) -> anyhow::Result<(f64, f64)> {
    let mut micros = Vec::new();
    let started = Instant::now();
    while started.elapsed() < TURN {
        for (at, question) in questions.iter().enumerate() {
            let asked = Instant::now();
            let given = answer(at, question)?;
            micros.push(asked.elapsed().as_secs_f64() * 1_000_000.0);
            ensure!(given == question.answer, "{}: {given}", question.inputs);
        }
    }
    let per_second = micros.len() as f64 / started.elapsed().as_secs_f64();
    micros.sort_by(f64::total_cmp);
    Ok((per_second, quantile(&micros, 0.5)))
}

fn add(peer: &str, said: anyhow::Result<Value>, report: &mut Report) -> anyhow::Result<()> {
    match said {
        Err(error) => writeln!(std::io::stderr(), "{peer} could not be measured: {error:#}")?,
        Ok(said) => {
            for (figure, name) in [("per_s", "evaluations_per_s"), ("p50_us", "p50_us")] {
                let value = said.get(figure).and_then(Value::as_f64);
                let value = value.with_context(|| format!("{peer} says nothing of {figure}"))?;
                report.add(&format!("table_{peer}_{name}"), value)?;
            }
        }
    }
    Ok(())
}

/// Bands of an amount, two lists of regions in each, and in each of those two groups of customers.
fn cells(row: usize) -> [String; 4] {
    let band = row / 4;
    let amount = match band {
        0 => "< 100.5".to_owned(),
        4 => ">= 400.5".to_owned(),
        _ => format!("[{band}00.5..{}00.5)", band + 1),
    };
    let region = if (row / 2).is_multiple_of(2) { r#""DE", "FR""# } else { r#""US", "JP""# };
    let (years, is_new) = if row.is_multiple_of(2) { ("< 5", "true") } else { (">= 5", "-") };
    [amount, region.to_owned(), years.to_owned(), is_new.to_owned()]
}

fn question(row: usize) -> Question {
    let region = if (row / 2).is_multiple_of(2) { "FR" } else { "US" };
    let inputs = json!({
        "amount": (row / 4 * 100) as f64 + 50.25,
        "region": region,
        "years": if row.is_multiple_of(2) { 2 } else { 8 },
        "isNew": row.is_multiple_of(2) || row.is_multiple_of(3),
    });
    Question { inputs: inputs.to_string(), answer: output(row) }
}

fn output(row: usize) -> String {
    format!("\"rate {row}\"")
}

fn rules() -> CompactRules {
    let rows = (0..ROWS).map(|row| {
        let mut texts = cells(row).to_vec();
        texts.push(output(row));
        texts
    });
    let table = CompactTable {
        when: COLUMNS
            .iter()
            .map(|(name, _)| CompactWhen { input: (*name).to_owned(), ..CompactWhen::default() })
            .collect(),
        then: vec![CompactThen::default()],
        rows: rows.collect(),
        ..CompactTable::default()
    };
    let input = |(name, type_name): &(&str, &str)| CompactInput {
        name: (*name).to_owned(),
        type_name: Some((*type_name).to_owned()),
        ..CompactInput::default()
    };
    CompactRules {
        id: "bench".to_owned(),
        inputs: COLUMNS.iter().map(input).collect(),
        decisions: vec![CompactDecision {
            id: DECISION.to_owned(),
            table: Some(table),
            ..CompactDecision::default()
        }],
        ..CompactRules::default()
    }
}

fn task_of_peers(xml: &str, questions: &[Question]) -> Value {
    let rows = (0..ROWS).map(|row| json!({ "cells": cells(row), "output": output(row) }));
    let questions = questions
        .iter()
        .map(|question| json!({ "inputs": question.inputs, "answer": question.answer }));
    json!({
        "xml": xml,
        "columns": COLUMNS.map(|(name, _)| name),
        "rows": rows.collect::<Vec<_>>(),
        "questions": questions.collect::<Vec<_>>(),
        "seconds": TURN.as_secs(),
    })
}

impl Peers {
    async fn node(&self, script: &str, task: &Path) -> anyhow::Result<Value> {
        let arguments = [self.modules.as_os_str(), task.as_os_str()];
        crate::peers::script(&self.node, script, &arguments).await
    }

    async fn python(&self, script: &str, task: &Path) -> anyhow::Result<Value> {
        crate::peers::script(&self.python, script, &[task.as_os_str()]).await
    }
}
