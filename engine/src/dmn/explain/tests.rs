use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, json};

use super::*;
use crate::dmn::Decisions;

const NOW: Timestamp = Timestamp::from_millis(0);

fn variables(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A file with the decision `d` over `amount` and the decision `Grade`, whose table has two columns,
/// the rules `cells => output`, and output values for PRIORITY.
fn file(policy: &str, rules: &[&str], default: &str) -> String {
    let rules: String = rules
        .iter()
        .map(|rule| {
            let (cells, output) = rule.split_once("=>").unwrap();
            let cells: String = cells
                .split('|')
                .map(|cell| {
                    format!("<inputEntry><text>{}</text></inputEntry>", escaped(cell.trim()))
                })
                .collect();
            let output = escaped(output.trim());
            format!("<rule>{cells}<outputEntry><text>{output}</text></outputEntry></rule>")
        })
        .collect();
    format!(
        r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">
        <inputData id="i1" name="amount"><variable name="amount" typeRef="number"/></inputData>
        <decision id="g" name="Grade of it"><variable name="Grade of it" typeRef="string"/>
          <literalExpression><text>if amount > 2 then "high" else "low"</text></literalExpression></decision>
        <decision id="d" name="D"><variable name="D"/><decisionTable {policy}>
          <input label="Amount"><inputExpression typeRef="number"><text>amount</text></inputExpression><inputValues><text>[0..100]</text></inputValues></input>
          <input><inputExpression typeRef="string"><text>Grade of it</text></inputExpression></input>
          <output><outputValues><text>3, 2, 1, 0</text></outputValues>{default}</output>{rules}
        </decisionTable></decision></definitions>"##
    )
}

#[test]
fn each_rule_says_why_it_does_not_match() {
    let rules = ["< 2 | - => 1", ">= 2 | \"low\" => 2", ">= 2 | \"high\" => 3", "> 50 | - => 0"];
    let xml = file(r#"hitPolicy="UNIQUE""#, &rules, "");
    let explainer = Explainer::read(xml.as_bytes(), &[], "d").unwrap();
    let input = |input: &str, value: &str| InputValue { input: input.into(), value: value.into() };
    let miss = |rule, column: &str, cell: &str, value: &str| Miss {
        rule,
        column: column.to_owned(),
        cell: cell.to_owned(),
        value: value.to_owned(),
    };
    let found = explainer.explain(&variables(json!({ "amount": 10.5 })), NOW).unwrap();
    let expected = Explanation {
        value: Some(json!(3)),
        no_value: None,
        hit_policy: HitPolicy::Unique,
        inputs: vec![input("amount", "10.5"), input("Grade of it", "\"high\"")],
        outside_allowed: Vec::new(),
        matched: vec![3],
        gave: vec![3],
        missed: vec![
            miss(1, "Amount", "< 2", "10.5"),
            miss(2, "Grade of it", "\"low\"", "\"high\""),
            miss(4, "Amount", "> 50", "10.5"),
        ],
        missed_count: 3,
    };
    assert_eq!(found, expected);
    let outside = explainer.explain(&variables(json!({ "amount": 101 })), NOW).unwrap();
    assert!(outside.matched.is_empty() && outside.value.is_none(), "{outside:?}");
    assert_eq!(outside.missed[3], miss(4, "Amount", "[0..100]", "101"));
    let because = outside.no_value.unwrap();
    assert!(because.contains("\"amount\"") && because.contains("[0..100]"), "{because}");
    let column = OutsideAllowed {
        column: "Amount".to_owned(),
        value: "101".to_owned(),
        allowed: "[0..100]".to_owned(),
    };
    assert_eq!(outside.outside_allowed, [column]);
    let both = explainer.explain(&variables(json!({ "amount": 60 })), NOW).unwrap();
    assert_eq!((both.matched, both.gave, both.value), (vec![3, 4], vec![], None));
    assert!(both.no_value.unwrap().contains("multiple_rules"));
}

#[test]
fn the_hit_policy_says_which_rules_gave_the_answer() {
    let rules = ["- | - => 1", "> 2 | - => 3", "> 100 | - => 2", "> 1 | - => 2", "- | - => 3"];
    let fallback = "<defaultOutputEntry><text>0</text></defaultOutputEntry>";
    for (policy, expected, value) in [
        (r#"hitPolicy="FIRST""#, &[1][..], json!(1)),
        (r#"hitPolicy="PRIORITY""#, &[2], json!(3)),
        (r#"hitPolicy="RULE ORDER""#, &[1, 2, 4, 5], json!([1, 3, 2, 3])),
        (r#"hitPolicy="OUTPUT ORDER""#, &[2, 5, 4, 1], json!([3, 3, 2, 1])),
        (r#"hitPolicy="COLLECT""#, &[1, 2, 4, 5], json!([1, 3, 2, 3])),
        (r#"hitPolicy="COLLECT" aggregation="SUM""#, &[1, 2, 4, 5], json!(9)),
        (r#"hitPolicy="COLLECT" aggregation="MIN""#, &[1], json!(1)),
        (r#"hitPolicy="COLLECT" aggregation="MAX""#, &[2, 5], json!(3)),
        (r#"hitPolicy="COLLECT" aggregation="COUNT""#, &[1, 2, 4, 5], json!(4)),
        (r#"hitPolicy="ANY""#, &[], Value::Null),
    ] {
        let xml = file(policy, &rules, fallback);
        let explainer = Explainer::read(xml.as_bytes(), &[], "d").unwrap();
        let found = explainer.explain(&variables(json!({ "amount": 10 })), NOW).unwrap();
        assert_eq!(found.gave, expected, "{policy}");
        assert_eq!(found.value.unwrap_or_default(), value, "{policy}");
    }
    let xml = file(r#"hitPolicy="UNIQUE""#, &["> 50 | - => 1"], fallback);
    let explainer = Explainer::read(xml.as_bytes(), &[], "d").unwrap();
    let found = explainer.explain(&variables(json!({ "amount": 10 })), NOW).unwrap();
    assert_eq!((found.value, found.gave, found.missed_count), (Some(json!(0)), vec![], 1));
}

#[test]
fn what_has_no_table_is_told() {
    let xml = file("", &["- | - => 1"], "");
    let error = |decision: &str| Explainer::read(xml.as_bytes(), &[], decision).err().unwrap();
    assert_eq!(error("g"), ExplainError::NoTable("g".to_owned()));
    assert!(matches!(error("x"), ExplainError::Decision(DecisionError::Unknown(_))));
    let misshapen = file("", &["- => 1"], "");
    // The evaluator is not asked about a table that has too few cells.
    let error = Explainer::read(misshapen.as_bytes(), &[], "d").err().unwrap();
    assert!(matches!(error, ExplainError::Misshapen(_)), "{error}");
}

const DMN: &str = "https://www.omg.org/spec/DMN/20230324/MODEL/";

/// A file with the table `Base rate` over `weight`, and a function.
fn rates() -> String {
    let rule = |cell: &str, output: &str| {
        let cell = escaped(cell);
        format!(
            "<rule><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>{output}</text></outputEntry></rule>"
        )
    };
    let rules = [rule("< 10", "1"), rule(">= 10", "2")].concat();
    format!(
        r##"<definitions xmlns="{DMN}" id="rates" name="rates" namespace="urn:rates">
        <inputData id="w" name="weight"><variable name="weight" typeRef="number"/></inputData>
        <decision id="b" name="Base rate"><variable name="Base rate"/>
          <informationRequirement><requiredInput href="#w"/></informationRequirement>
          <decisionTable><input><inputExpression><text>weight</text></inputExpression></input><output/>{rules}</decisionTable></decision>
        <businessKnowledgeModel id="k" name="twice"><variable name="twice"/><encapsulatedLogic>
          <formalParameter name="n"/><literalExpression><text>n * 2</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
        </definitions>"##
    )
}

/// A file that imports `urn:rates` as `r`, with the decision `p` that has a table, and `q` that asks it.
fn prices() -> String {
    format!(
        r##"<definitions xmlns="{DMN}" id="prices" name="prices" namespace="urn:prices">
        <import name="r" namespace="urn:rates" importType="{DMN}"/>
        <decision id="p" name="Price"><variable name="Price"/>
          <informationRequirement><requiredDecision href="urn:rates#b"/></informationRequirement>
          <informationRequirement><requiredInput href="urn:rates#w"/></informationRequirement>
          <knowledgeRequirement><requiredKnowledge href="urn:rates#k"/></knowledgeRequirement>
          <decisionTable hitPolicy="FIRST"><input label="Rate"><inputExpression><text>r.Base rate * 10</text></inputExpression></input>
          <input><inputExpression><text>r.weight</text></inputExpression></input><output/>
          <rule><inputEntry><text>r.twice(5)</text></inputEntry><inputEntry><text>[1..5]</text></inputEntry><outputEntry><text>"low"</text></outputEntry></rule>
          <rule><inputEntry><text>&gt; 5</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>"high"</text></outputEntry></rule>
          <rule><inputEntry><text>r.twice(now().year)</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>"none"</text></outputEntry></rule>
          </decisionTable></decision>
        <decision id="q" name="Quote"><variable name="Quote"/>
          <informationRequirement><requiredDecision href="#p"/></informationRequirement>
          <literalExpression><text>Price</text></literalExpression></decision>
        </definitions>"##
    )
}

#[test]
fn a_table_over_what_is_imported_is_explained_in_the_words_of_its_file() {
    let (prices, rates) = (prices(), rates());
    let imported = [rates.as_bytes()];
    let explainer = Explainer::read(prices.as_bytes(), &imported, "p").unwrap();
    let found = explainer.explain(&variables(json!({ "weight": 7 })), NOW).unwrap();
    assert_eq!((found.value, found.matched, found.gave), (Some(json!("high")), vec![2], vec![2]));
    let seen: Vec<(&str, &str)> =
        found.inputs.iter().map(|it| (it.input.as_str(), it.value.as_str())).collect();
    assert_eq!(seen, [("r.Base rate * 10", "10"), ("r.weight", "7")]);
    let missed: Vec<(usize, &str, &str, &str)> =
        found.missed.iter().map(|it| (it.rule, &*it.column, &*it.cell, &*it.value)).collect();
    assert_eq!(
        missed,
        [(1, "r.weight", "[1..5]", "7"), (3, "Rate", "r.twice(now().year)", "10")],
        "as the file writes them"
    );
    let alone = Explainer::read(prices.as_bytes(), &[], "p").err().unwrap();
    assert!(matches!(alone, ExplainError::Decision(DecisionError::Invalid { .. })), "{alone}");

    // The table of the import, as it was asked.
    let explainer = Explainer::read(rates.as_bytes(), &[prices.as_bytes()], "b").unwrap();
    let found = explainer.explain(&variables(json!({ "weight": 7 })), NOW).unwrap();
    assert_eq!((found.value, found.gave), (Some(json!(1)), vec![1]));
}

#[test]
fn the_tables_that_an_answer_goes_through_are_found() {
    let (prices, rates) = (prices(), rates());
    let required = |most: usize| {
        let tables = required_tables(prices.as_bytes(), &[rates.as_bytes()], "q", most).unwrap();
        tables.into_iter().map(|it| (it.name, it.decision, it.file)).collect::<Vec<_>>()
    };
    let own = ("Price".to_owned(), "p".to_owned(), None);
    let other = ("r.Base rate".to_owned(), "b".to_owned(), Some(0));
    assert_eq!(required(10), [own.clone(), other]);
    assert_eq!(required(1), [own]);
    // Requirements that a file leaves out count too.
    let silent = file("", &["- | - => 1"], "");
    let user = r#"<decision id="u" name="U"><variable name="U"/><literalExpression><text>D + 1</text></literalExpression></decision></definitions>"#;
    let silent = silent.replace("</definitions>", user);
    let tables = required_tables(silent.as_bytes(), &[], "u", 10).unwrap();
    assert_eq!(tables.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["D"]);
}

const CELLS: [&str; 6] = ["-", "< 2", ">= 1", "[1..3]", "not(2)", "amount"];
const GRADES: [&str; 4] = ["-", "\"low\"", "not(\"low\")", "\"high\", \"low\""];
const POLICIES: [&str; 8] = [
    r#"hitPolicy="UNIQUE""#,
    r#"hitPolicy="ANY""#,
    r#"hitPolicy="FIRST""#,
    r#"hitPolicy="PRIORITY""#,
    r#"hitPolicy="RULE ORDER""#,
    r#"hitPolicy="OUTPUT ORDER""#,
    r#"hitPolicy="COLLECT" aggregation="SUM""#,
    r#"hitPolicy="COLLECT" aggregation="COUNT""#,
];

fn rule() -> impl Strategy<Value = String> {
    (select(&CELLS[..]), select(&GRADES[..]), 0..4_u8)
        .prop_map(|(cell, grade, output)| format!("{cell} | {grade} => {output}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_give_the_answer_of_the_evaluator(
        rules in prop::collection::vec(rule(), 1..6),
        policy in select(&POLICIES[..]),
        amount in 0..5_i64,
    ) {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let xml = file(policy, &rules, "");
        let inputs = variables(json!({ "amount": amount }));
        let mut decisions = Decisions::default();
        decisions.add(xml.as_bytes()).unwrap();
        let found = Explainer::read(xml.as_bytes(), &[], "d").unwrap().explain(&inputs, NOW).unwrap();
        prop_assert_eq!(&found.value, &decisions.evaluate("d", &inputs, NOW).ok());
        let output = |rule: &usize| -> Value {
            let (_, output) = rules[rule - 1].split_once("=> ").unwrap();
            output.parse::<i64>().unwrap().into()
        };
        let outputs: Vec<Value> = found.gave.iter().map(output).collect();
        let answer = match found.value {
            None => return Ok(()),
            Some(Value::Array(answers)) => answers,
            Some(answer) if policy.contains("SUM") => {
                let sum: i64 = outputs.iter().filter_map(Value::as_i64).sum();
                prop_assert_eq!(answer, sum);
                return Ok(());
            }
            Some(answer) if policy.contains("COUNT") => {
                prop_assert_eq!(answer, found.gave.len());
                return Ok(());
            }
            // Under ANY several rules give the one answer.
            Some(answer) => vec![answer; found.gave.len()],
        };
        prop_assert!(!found.gave.is_empty());
        prop_assert_eq!(outputs, answer);
        prop_assert_eq!(found.matched.len() + found.missed_count, rules.len());
    }
}
