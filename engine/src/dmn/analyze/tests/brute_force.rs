//! The analysis against the evaluator: small random tables, evaluated at every point of a grid that
//! is finer than their cells.

use std::collections::BTreeSet;

use flowmaster_kernel::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;
use crate::dmn::Decisions;

const NUMBERS: [&str; 11] =
    ["-", "1", "2.5", "< 2", "<= 2", "> 3", ">= 1", "[1..3)", "(2..4]", "not(2, 3)", "1, [3..5]"];
const TEXTS: [&str; 8] = [
    "-",
    "\"a\"",
    "\"b\", \"c\"",
    "not(\"a\")",
    "not(\"b\", \"c\")",
    "!= \"c\"",
    "!= \"a\", != \"b\"",
    "null",
];

fn rules() -> impl Strategy<Value = Vec<[&'static str; 2]>> {
    let rule = (select(&NUMBERS[..]), select(&TEXTS[..])).prop_map(|(n, s)| [n, s]);
    prop::collection::vec(rule, 1..6)
}

fn points() -> Vec<Map<String, Value>> {
    // A point in each gap between the constants above, and on each of them.
    let numbers = (-4..28).map(|quarter| json!(f64::from(quarter) / 4.0));
    let texts = [json!("a"), json!("b"), json!("c"), json!("z"), Value::Null];
    let point =
        |n: Value, s: &Value| Map::from_iter([("n".to_owned(), n), ("s".to_owned(), s.clone())]);
    numbers.flat_map(|n| texts.iter().map(move |s| point(n.clone(), s))).collect()
}

/// The rules that the evaluator finds to match, at each point.
fn matches(rules: &[Vec<String>]) -> Vec<BTreeSet<u64>> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let rows: String = (1..)
        .zip(rules)
        .map(|(number, cells)| {
            let cells: String = cells
                .iter()
                .map(|cell| format!("<inputEntry><text>{}</text></inputEntry>", escaped(cell)))
                .collect();
            format!("<rule>{cells}<outputEntry><text>{number}</text></outputEntry></rule>")
        })
        .collect();
    let xml = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="urn:t" name="t">
        <inputData id="n" name="n"><variable name="n" typeRef="number"/></inputData>
        <inputData id="s" name="s"><variable name="s" typeRef="string"/></inputData>
        <decision id="d" name="D"><variable name="D"/><decisionTable hitPolicy="RULE ORDER">
        <input><inputExpression><text>n</text></inputExpression></input>
        <input><inputExpression><text>s</text></inputExpression></input>
        <output/>{rows}</decisionTable></decision></definitions>"#
    );
    let mut decisions = Decisions::default();
    decisions.add(xml.as_bytes()).unwrap();
    let numbers = |point: &Map<String, Value>| match decisions.evaluate(
        "d",
        point,
        Timestamp::from_millis(0),
    ) {
        Ok(Value::Array(rules)) => rules.iter().filter_map(Value::as_u64).collect(),
        // No rule, no value.
        _ => BTreeSet::new(),
    };
    points().iter().map(numbers).collect()
}

fn found(rules: &[[&str; 2]], policy: HitPolicy) -> Analysis {
    let rows: Vec<String> = rules.iter().map(|[n, s]| format!("{n} | {s} => 1")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    analyze(&table(policy, &["n: number", "s: string"], &rows))
}

fn listed<'a>(analysis: &'a Analysis, code: &'a str) -> impl Iterator<Item = &'a TableFinding> {
    analysis.findings.iter().filter(move |finding| finding.code == code)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_analysis_finds_what_the_evaluator_does(rules in rules()) {
        let rows: Vec<Vec<String>> = rules.iter().map(|it| it.map(str::to_owned).to_vec()).collect();
        let matched = matches(&rows);

        // A point that no rule matches lies in exactly one gap; what a rule matches lies in none.
        let unique = found(&rules, HitPolicy::Unique);
        let gaps: Vec<Vec<String>> = listed(&unique, "gap").map(|it| it.cells.clone()).collect();
        prop_assert_eq!(unique.counts.get("gap").copied().unwrap_or(0), gaps.len());
        let mentions_null = rules.iter().any(|[_, s]| *s == "null");
        for ((point, rules), gaps) in points().iter().zip(&matched).zip(matches(&gaps)) {
            // Null is a value like others where a cell mentions it.
            if point["s"].is_null() && !mentions_null {
                continue;
            }
            prop_assert_eq!(gaps.len(), usize::from(rules.is_empty()), "{:?}", point);
        }

        // Two rules overlap where a point matches both.
        let is_met = |one: u64, other: u64| {
            points().iter().zip(&matched).any(|(point, rules)| {
                (mentions_null || !point["s"].is_null())
                    && rules.contains(&one) && rules.contains(&other)
            })
        };
        let overlaps: BTreeSet<(usize, usize)> =
            listed(&unique, "overlap").map(|it| (it.rules[0], it.rules[1])).collect();
        for one in 1..=rules.len() {
            for other in one + 1..=rules.len() {
                prop_assert_eq!(overlaps.contains(&(one, other)), is_met(one as u64, other as u64));
            }
        }

        // A rule that is never the first to match is unreachable, or matches nothing at all.
        let first = found(&rules, HitPolicy::First);
        let mut reached: BTreeSet<u64> = BTreeSet::new();
        for (point, rules) in points().iter().zip(&matched) {
            if mentions_null || !point["s"].is_null() {
                reached.extend(rules.first());
            }
        }
        let dead: BTreeSet<usize> = listed(&first, "unreachable_rule")
            .chain(listed(&first, "never_matches"))
            .flat_map(|it| it.rules.clone())
            .collect();
        for rule in 1..=rules.len() {
            prop_assert_eq!(dead.contains(&rule), !reached.contains(&(rule as u64)), "rule {}", rule);
        }
    }
}
