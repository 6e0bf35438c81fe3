//! Files and values that are wrong, or meant to harm.

use std::time::{Duration, Instant};

use super::*;

/// Longer than anything that is refused or answered takes, on a slow machine.
const SOON: Duration = Duration::from_secs(60);

fn text(text: &str) -> String {
    literal(&text.replace('&', "&amp;").replace('<', "&lt;"))
}

#[test]
fn an_expression_of_a_megabyte_is_refused_by_its_element() {
    let began = Instant::now();
    for long in ["1+".repeat(512 * 1024) + "1", format!("\"{}\"", "x".repeat(1024 * 1024))] {
        let error = evaluate(&text(&long), "d", json!({ "amount": 1 })).unwrap_err();
        assert!(
            matches!(&error, DecisionError::Expression { element, source: FeelError::TooLarge { .. } } if element == "D"),
            "{error:?}"
        );
    }
    assert!(began.elapsed() < SOON);
}

#[test]
fn what_is_not_feel_is_named_with_its_element() {
    for wrong in ["1 +", "{ a: 1..2 }", "if amount then 1"] {
        let error = evaluate(&text(wrong), "d", json!({ "amount": 1 })).unwrap_err();
        assert!(error.to_string().starts_with("D: "), "{error:?}");
    }
}

#[test]
fn a_table_of_a_million_cells_is_refused() {
    let began = Instant::now();
    let cell = "<inputEntry><text>-</text></inputEntry>";
    let rule = |rule: usize| {
        format!(
            "<rule id='u{rule}'>{}<outputEntry><text>1</text></outputEntry></rule>",
            cell.repeat(10)
        )
    };
    let columns: String = (0..10)
        .map(|_| "<input><inputExpression><text>amount</text></inputExpression></input>")
        .collect();
    let rules: String = (0..100_000).map(rule).collect();
    let xml = model(&format!(
        r##"<decision id="d" name="D"><variable name="D"/><informationRequirement><requiredInput href="#i1"/>
        </informationRequirement><decisionTable hitPolicy="FIRST">{columns}<output/>{rules}</decisionTable></decision>"##
    ));
    let error = evaluate(&xml, "d", json!({ "amount": 1 })).unwrap_err();
    assert!(matches!(error, DecisionError::Xml(_)), "{error:?}");
    assert!(began.elapsed() < SOON);
}

#[test]
fn recursion_ends() {
    let began = Instant::now();
    let calls = |name: &str, body: &str| {
        let function = knowledge(name, "", "n", body);
        let decision = format!(
            r##"<decision id="d" name="d"><variable name="d"/><knowledgeRequirement><requiredKnowledge href="#{name}"/>
            </knowledgeRequirement><literalExpression><text>{name}(1)</text></literalExpression></decision>"##
        );
        unconnected(&[decision, function].concat())
    };
    for xml in [
        calls("f", "f(n + 1)"),
        calls("f", "{ g: f(n) }.g"),
        calls("f", "if n > 0 then f(n) else f(n - 1)"),
        text("{ f: function(g) g(g) , x: f(f) }.x"),
        text("{ f: function(n) f(n + 1) }.f(1)"),
        text("{ c: { f: function(n) for i in 1..n return i }, x: c.f(100000000) }.x"),
        text("{ f: function(n) for i in 1..n return i }.f(100000000)"),
    ] {
        let answer = evaluate(&xml, "d", json!({ "amount": 1 }));
        assert!(answer.is_err(), "{answer:?} {xml}");
    }
    let few = text(
        "{ xs: for i in 1..amount return i, f: function(n) count(for i in xs, j in xs return n) }.f(1)",
    );
    assert_eq!(evaluate(&few, "d", json!({ "amount": 10 })), Ok(json!(100)));
    let many = evaluate(&few, "d", json!({ "amount": 1000 }));
    assert!(matches!(many, Err(DecisionError::TooMuchWork { .. })), "{many:?}");
    assert!(began.elapsed() < SOON);
}

#[test]
fn numbers_that_are_none_are_errors_and_long_ones_are_read() {
    for number in ["1e999", "NaN", "-Infinity", "1_000", "0x10", "1.2.3"] {
        assert!(serde_json::from_str::<Value>(number).is_err(), "{number} is no JSON");
        let error = evaluate(&text("amount"), "d", json!({ "amount": number })).unwrap_err();
        assert!(matches!(error, DecisionError::Input { .. }), "{error:?}");
    }
    let long = "9".repeat(100);
    let read: Value = serde_json::from_str(&long).unwrap();
    assert_eq!(evaluate(&text("amount > 1e99"), "d", json!({ "amount": read })), Ok(json!(true)));
    for none in ["1/0", "10 ** 10000", "number(\"NaN\")", "sqrt(-1)", "1e7000"] {
        let answer = evaluate(&text(none), "d", json!({ "amount": 1 }));
        assert!(answer.is_err(), "{answer:?} {none}");
    }
}

#[test]
fn dates_that_are_none_have_no_value() {
    for none in [
        "date(\"2026-02-30\")",
        "@\"2026-02-30\"",
        "date(2026, 13, 1)",
        "time(\"24:00:01\")",
        "date and time(\"2026-02-30T00:00:00\")",
        "duration(\"P1X\")",
        "date(\"2026-02-30\").year",
    ] {
        let answer = evaluate(&text(none), "d", json!({ "amount": 1 }));
        assert!(answer.is_err(), "{answer:?} {none}");
    }
}
