use serde_json::{Map, json};

use super::*;

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

fn evaluate(xml: &str, decision: &str, variables: Value) -> Result<Value, DecisionError> {
    let mut decisions = Decisions::default();
    decisions.add(xml.as_bytes())?;
    let variables: Map<String, Value> = serde_json::from_value(variables).unwrap();
    decisions.evaluate(decision, &variables)
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
    assert!(matches!(
        evaluate(&literal("now()"), "d", json!({})),
        Err(DecisionError::Refused { .. })
    ));
    let deep = literal(&["(".repeat(100), "1".to_owned(), ")".repeat(100)].concat());
    assert!(matches!(evaluate(&deep, "d", json!({})), Err(DecisionError::Expression { .. })));
    assert!(matches!(evaluate("<a/>", "d", json!({})), Err(DecisionError::NotDmn(_))));
    assert!(matches!(evaluate("<a>", "d", json!({})), Err(DecisionError::Xml(_))));
    let long = literal(&["1+".repeat(490), "amount".to_owned()].concat());
    assert_eq!(evaluate(&long, "d", json!({ "amount": 10 })), Ok(json!(500)));
}
