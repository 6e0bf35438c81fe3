use serde_json::{Map, json};

use super::*;
use crate::xml::Element;

mod allowed;
mod bad_input;
mod imports;
mod inputs;

fn model(decision: &str) -> String {
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="urn:limits" name="limits" id="limits">
  <inputData id="i1" name="amount"><variable name="amount" typeRef="number"/></inputData>
  {decision}
</definitions>"#
    )
}

const ROUTE: &str = r##"<decision id="route" name="Route"><variable name="Route" typeRef="string"/>
  <informationRequirement id="r1"><requiredInput href="#i1"/></informationRequirement>
  <decisionTable id="t1" hitPolicy="UNIQUE">
    <input id="in1"><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
    <output id="o1"/>
    <rule id="a"><inputEntry><text>&lt; 1000</text></inputEntry><outputEntry><text>"auto"</text></outputEntry></rule>
    <rule id="b"><inputEntry><text>[1000..10000)</text></inputEntry><outputEntry><text>"manager"</text></outputEntry></rule>
    <rule id="c"><inputEntry><text>&gt;= 10000</text></inputEntry><outputEntry><text>"director"</text></outputEntry></rule>
  </decisionTable></decision>"##;

fn literal(text: &str) -> String {
    model(&format!(
        r##"<decision id="d" name="D"><variable name="D"/>
        <informationRequirement id="r1"><requiredInput href="#i1"/></informationRequirement>
        <literalExpression><text>{text}</text></literalExpression></decision>"##
    ))
}

/// As DMN 1.5, which has iterators and filters in boxes.
fn newest(xml: &str) -> String {
    xml.replace("/20191111/", "/20230324/")
}

fn evaluate(xml: &str, decision: &str, variables: Value) -> Result<Value, DecisionError> {
    let mut decisions = Decisions::default();
    decisions.add(xml.as_bytes())?;
    let variables: Map<String, Value> = serde_json::from_value(variables).unwrap();
    decisions.evaluate(decision, &variables, Timestamp::from_millis(0))
}

#[test]
fn a_table_decides_at_its_bounds() {
    for (amount, expected) in [
        (json!(999.99), "auto"),
        (json!(1000), "manager"),
        (json!(9999.99), "manager"),
        (json!(10000), "director"),
    ] {
        assert_eq!(
            evaluate(&model(ROUTE), "route", json!({ "amount": amount })),
            Ok(json!(expected))
        );
    }
}

#[test]
fn what_has_no_value_is_an_error() {
    let missing = evaluate(&model(ROUTE), "route", json!({}));
    assert!(matches!(missing, Err(DecisionError::NoValue { .. })), "{missing:?}");
    let unknown = evaluate(&model(ROUTE), "other", json!({}));
    assert_eq!(unknown, Err(DecisionError::Unknown("other".to_owned())));
    let nested = evaluate(&literal("{ a: unknown_name }"), "d", json!({ "amount": 1 }));
    assert!(matches!(nested, Err(DecisionError::NoValue { .. })), "{nested:?}");
}

#[test]
fn hostile_or_impure_models_are_refused() {
    let java = model(
        r#"<businessKnowledgeModel id="b" name="B"><variable name="B"/><encapsulatedLogic kind="Java">
        <context/></encapsulatedLogic></businessKnowledgeModel>"#,
    );
    assert!(matches!(evaluate(&java, "b", json!({})), Err(DecisionError::Refused { .. })));
    let function = r#"function(x) external { java: { class: "java.lang.Math", method signature: "cos(double)" } }"#;
    let external = evaluate(&literal(function), "d", json!({}));
    assert!(
        matches!(external, Err(DecisionError::Expression { source: FeelError::External, .. })),
        "{external:?}"
    );
    let deep = literal(&["(".repeat(100), "1".to_owned(), ")".repeat(100)].concat());
    assert!(matches!(evaluate(&deep, "d", json!({})), Err(DecisionError::Expression { .. })));
    assert!(matches!(evaluate("<a/>", "d", json!({})), Err(DecisionError::NotDmn(_))));
    assert!(matches!(evaluate("<a>", "d", json!({})), Err(DecisionError::Xml(_))));
    let long = literal(&["1+".repeat(490), "amount".to_owned()].concat());
    assert_eq!(evaluate(&long, "d", json!({ "amount": 10 })), Ok(json!(500)));
}

/// A model whose decisions say nothing about what they need.
fn unconnected(elements: &str) -> String {
    model(&format!(
        r#"<inputData id="i2" name="Monthly Salary"><variable name="Monthly Salary" typeRef="number"/></inputData>
        {elements}"#
    ))
}

fn decision(id: &str, name: &str, text: &str) -> String {
    format!(
        r#"<decision id="{id}" name="{name}"><variable name="{name}"/>
        <literalExpression><text>{text}</text></literalExpression></decision>"#
    )
}

#[test]
fn what_a_decision_uses_it_requires() {
    let inputs = json!({ "amount": 100, "Monthly Salary": 1000 });
    let table = ROUTE.replace(
        r##"<informationRequirement id="r1"><requiredInput href="#i1"/></informationRequirement>"##,
        "",
    );
    let knowledge = r#"<businessKnowledgeModel id="k" name="twice"><variable name="twice"/>
        <encapsulatedLogic><formalParameter name="n"/><literalExpression><text>n * 2</text>
        </literalExpression></encapsulatedLogic></businessKnowledgeModel>"#;
    let chain = [
        decision("third", "Third", "Second + 1"),
        decision("second", "Second", "First * 10"),
        decision("first", "First", "amount + 1"),
    ];
    for (elements, id, expected) in [
        (table, "route", json!("auto")),
        (decision("d", "D", "amount * 2"), "d", json!(200)),
        (decision("d", "D", "Monthly  Salary / amount"), "d", json!(10)),
        (chain.concat(), "third", json!(1011)),
        ([decision("d", "D", "twice(amount)"), knowledge.to_owned()].concat(), "d", json!(200)),
        (decision("d", "D", "{ x: amount, y: x + 1 }.y"), "d", json!(101)),
        // Names in texts, in longer names and of entries are not used.
        (
            [
                decision("d", "D", r#""Other amounts" + string(amount)"#),
                decision("o", "Other", "D"),
            ]
            .concat(),
            "d",
            json!("Other amounts100"),
        ),
        (
            [decision("d", "D", "overlaps before([1..3], [2..4])"), decision("o", "overlaps", "1")]
                .concat(),
            "d",
            json!(true),
        ),
        ([decision("d", "D", "{ O: 1 }.O"), decision("o", "O", "D + 1")].concat(), "o", json!(2)),
    ] {
        let xml = unconnected(&elements);
        assert_eq!(evaluate(&xml, id, inputs.clone()), Ok(expected), "{elements}");
    }
}

#[test]
fn decisions_that_use_each_other_do_not_go_round_in_circles() {
    let elements = [decision("a", "A", "B + amount"), decision("b", "B", "A + amount")].concat();
    let answer = evaluate(&unconnected(&elements), "a", json!({ "amount": 1 }));
    assert!(matches!(answer, Err(DecisionError::NoValue { .. })), "{answer:?}");
}

#[test]
fn a_model_that_says_what_it_needs_is_taken_as_it_is() {
    let root = |xml: &str| Element::parse(xml.as_bytes()).unwrap();
    for said in [model(ROUTE), literal("amount")] {
        assert!(!requirements::complete(&mut root(&said)), "{said}");
    }
    let mut silent = root(&unconnected(&decision("d", "D", "amount")));
    assert!(requirements::complete(&mut silent));
    let mut again = Element::parse(silent.to_document().as_bytes()).unwrap();
    assert!(!requirements::complete(&mut again), "nothing is missing any more");
}

#[test]
fn decisions_read_the_clock_that_they_are_given() {
    let service =
        r##"<decisionService id="s" name="S"><outputDecision href="#d"/></decisionService>"##;
    let knowledge = r#"<businessKnowledgeModel id="k" name="age"><variable name="age"/>
        <encapsulatedLogic><literalExpression><text>today()</text></literalExpression>
        </encapsulatedLogic></businessKnowledgeModel>"#;
    let year = decision("d", "D", "now().year + amount");
    let inputs = json!({ "amount": 1 });
    let read = |elements: &str| evaluate(&unconnected(elements), "d", inputs.clone());
    assert_eq!(read(&year), Ok(json!(1971)));
    assert_eq!(read(&decision("d", "D", "string(today())")), Ok(json!("1970-01-01")));
    for elements in [[&year, service].concat(), [&year, knowledge].concat()] {
        let refused = read(&elements);
        assert!(matches!(refused, Err(DecisionError::Refused { .. })), "{refused:?}");
    }
}

/// A decision that requires others.
fn requiring(id: &str, others: &[String], text: &str) -> String {
    let requirement = |other: &String| {
        format!(
            r##"<informationRequirement><requiredDecision href="#{other}"/></informationRequirement>"##
        )
    };
    let requirements: String = others.iter().map(requirement).collect();
    format!(
        r#"<decision id="{id}" name="{id}"><variable name="{id}"/>{requirements}
        <literalExpression><text>{text}</text></literalExpression></decision>"#
    )
}

fn knowledge(id: &str, requires: &str, parameter: &str, text: &str) -> String {
    let requirement = match requires {
        "" => String::new(),
        other => format!(
            r##"<knowledgeRequirement><requiredKnowledge href="#{other}"/></knowledgeRequirement>"##
        ),
    };
    format!(
        r#"<businessKnowledgeModel id="{id}" name="{id}"><variable name="{id}"/><encapsulatedLogic>
        <formalParameter name="{parameter}"/><literalExpression><text>{text}</text></literalExpression>
        </encapsulatedLogic>{requirement}</businessKnowledgeModel>"#
    )
}

#[test]
fn what_requires_itself_or_too_much_is_refused() {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let circle =
        [requiring("d", &owned(&["e"]), "e"), requiring("e", &owned(&["d"]), "d")].concat();
    let functions = [knowledge("f", "g", "x", "g(x)"), knowledge("g", "f", "x", "f(x)")].concat();
    let chain: String = (1..100)
        .map(|it| requiring(&format!("d{it}"), &[format!("d{}", it - 1)], "1"))
        .chain([requiring("d0", &[], "1")])
        .collect();
    // Each is required twice by the next, which is required twice by the next.
    let ways: String = (1..20)
        .flat_map(|it| {
            let below = [format!("a{}", it - 1), format!("b{}", it - 1)];
            [format!("a{it}"), format!("b{it}")].map(|id| requiring(&id, &below, "1"))
        })
        .chain(["a0", "b0"].map(|id| requiring(id, &[], "1")))
        .collect();
    for (elements, expected) in [
        (circle, "itself"),
        (functions, "itself"),
        (chain, "a chain of over 64"),
        (ways, "over 10,000 evaluations"),
    ] {
        let answer = evaluate(&unconnected(&elements), "d", json!({})).unwrap_err();
        assert!(matches!(answer, DecisionError::Refused { .. }), "{answer:?}");
        assert!(answer.to_string().contains(expected), "{answer}");
    }
}

#[test]
fn what_could_take_too_long_is_not_evaluated() {
    let literal = |text: &str| requiring("d", &[], text);
    let boxed = |logic: &str| {
        format!(r#"<decision id="d" name="d"><variable name="d"/>{logic}</decision>"#)
    };
    let text = |text: &str| format!("<literalExpression><text>{text}</text></literalExpression>");
    let all = "for i in 1..10000000 return i";
    let over = |range: &str| {
        boxed(&format!(
            r#"<for iteratorVariable="i"><in>{}</in><return>{}</return></for>"#,
            text(range),
            text("i * 2")
        ))
    };
    let table = format!(
        r#"<decisionTable hitPolicy="FIRST"><input><inputExpression><text>{all}</text></inputExpression></input>
        <output/><rule><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
        </decisionTable>"#
    );
    let called = |text: &str| {
        format!(
            r##"<decision id="d" name="d"><variable name="d"/><knowledgeRequirement>
            <requiredKnowledge href="#f"/></knowledgeRequirement><literalExpression><text>{text}</text>
            </literalExpression></decision>{}"##,
            knowledge("f", "", "n", "count(for i in 1..n return i)")
        )
    };
    let chained = |turns: usize| {
        let first = requiring("a", &[], &format!("for i in 1..{turns} return i"));
        let second = requiring("d", &["a".to_owned()], "count(for i in a, j in a return i + j)");
        [first, second].concat()
    };
    for (elements, expected) in [
        (literal("count(for i in 1..100 return i)"), Some(100)),
        (literal(all), None),
        (over("[1..1000000000]"), None),
        (boxed(&table), None),
        (called("f(1000)"), Some(1_000)),
        (called("f(100000000)"), None),
        (called("f(f(f(1000)))"), Some(1_000)),
        (chained(30), Some(900)),
        (chained(2_000), None),
    ] {
        let answer = evaluate(&newest(&unconnected(&elements)), "d", json!({}));
        match expected {
            Some(expected) => assert_eq!(answer, Ok(json!(expected)), "{elements}"),
            None => assert!(
                matches!(answer, Err(DecisionError::TooMuchWork { .. })),
                "{answer:?} {elements}"
            ),
        }
    }
}
