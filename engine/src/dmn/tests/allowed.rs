//! Inputs that are none of the values that are allowed (DMN 1.5 §7.3.3, §8.3.3).

use super::*;

const TYPES: &str = r#"
  <itemDefinition name="tRegion"><typeRef>string</typeRef><allowedValues><text>"EU", "US"</text></allowedValues></itemDefinition>
  <itemDefinition name="tHome"><typeRef>tRegion</typeRef><allowedValues><text>"EU"</text></allowedValues></itemDefinition>
  <itemDefinition name="tRegions" isCollection="true"><typeRef>string</typeRef><allowedValues><text>"EU", "US"</text></allowedValues></itemDefinition>
  <itemDefinition name="tDay"><typeRef>date</typeRef><allowedValues><text>&gt;= date("2026-01-01")</text></allowedValues></itemDefinition>
  <itemDefinition name="tCode"><typeRef>string</typeRef><allowedValues><text>"none", starts with(?, "A")</text></allowedValues></itemDefinition>
  <itemDefinition name="tEven"><typeRef>number</typeRef><allowedValues><text>modulo(?, 2) = 0</text></allowedValues></itemDefinition>
  <itemDefinition name="tAny"><typeRef>Any</typeRef><allowedValues><text>1, "one"</text></allowedValues></itemDefinition>
  <itemDefinition name="tSlow"><typeRef>number</typeRef><allowedValues><text>count(for i in 1..abs(?) return i) &gt; 5</text></allowedValues></itemDefinition>
  <itemDefinition name="tOrder">
    <itemComponent name="region"><typeRef>tRegion</typeRef></itemComponent>
    <itemComponent name="counts" isCollection="true"><typeRef>number</typeRef><allowedValues><text>[1..9]</text></allowedValues></itemComponent>
  </itemDefinition>"#;

fn given(type_ref: &str, value: &Value) -> Result<Value, DecisionError> {
    let xml = model(&format!(
        r##"{TYPES}<inputData id="a" name="a"><variable name="a" typeRef="{type_ref}"/></inputData>
        <decision id="d" name="d"><variable name="d"/>
        <informationRequirement><requiredInput href="#a"/></informationRequirement>
        <literalExpression><text>a</text></literalExpression></decision>"##
    ));
    evaluate(&xml, "d", json!({ "a": value }))
}

#[test]
fn what_is_allowed_is_taken() {
    for (type_ref, value) in [
        ("tRegion", json!("EU")),
        ("tRegion", json!(null)),
        ("tHome", json!("EU")),
        ("tRegions", json!(["US", "EU", "US"])),
        ("tRegions", json!([])),
        ("tDay", json!("2026-01-01")),
        ("tCode", json!("A7")),
        ("tCode", json!("none")),
        ("tEven", json!(4)),
        ("tAny", json!("one")),
        ("tSlow", json!(6)),
        ("tOrder", json!({ "region": "US", "counts": [1, 9] })),
        ("tOrder", json!({ "region": null, "counts": [] })),
    ] {
        assert_eq!(given(type_ref, &value), Ok(value.clone()), "{type_ref}");
    }
}

#[test]
fn what_is_not_allowed_is_an_error_that_says_where_and_what_is() {
    for (type_ref, value, at, shown) in [
        ("tRegion", json!("JP"), "a", r#""EU", "US""#),
        ("tRegion", json!(["JP"]), "a", r#""EU", "US""#),
        ("tHome", json!("US"), "a", r#""EU""#),
        ("tHome", json!("JP"), "a", r#""EU", "US""#),
        ("tRegions", json!(["EU", "JP"]), "a[1]", r#""EU", "US""#),
        ("tDay", json!("2025-12-31"), "a", r#">= date("2026-01-01")"#),
        ("tCode", json!("B7"), "a", r#""none", starts with(?, "A")"#),
        ("tEven", json!(3), "a", "modulo(?, 2) = 0"),
        ("tAny", json!(2), "a", r#"1, "one""#),
        ("tSlow", json!(5), "a", "count(for i in 1..abs(?) return i) > 5"),
        ("tOrder", json!({ "region": "JP" }), "a.region", r#""EU", "US""#),
        ("tOrder", json!({ "counts": [1, 10] }), "a.counts[1]", "[1..9]"),
    ] {
        let error = given(type_ref, &value).unwrap_err();
        let DecisionError::NotAllowed { input, allowed, .. } = &error else {
            panic!("{error:?} {type_ref} {value}")
        };
        assert_eq!((input.as_str(), allowed.as_str()), (at, shown), "{value}");
    }
    let long = json!("x".repeat(10_000));
    let error = given("tRegion", &long).unwrap_err().to_string();
    assert!(error.contains(r#"the input "a" of the decision "d""#) && error.len() < 300, "{error}");
    let slow = given("tSlow", &json!(1_000_000_000));
    assert!(matches!(slow, Err(DecisionError::TooMuchWork { .. })), "{slow:?}");
    let wrong = TYPES.replace("modulo(?, 2) = 0", "modulo(");
    let error = evaluate(&model(&wrong), "d", json!({})).unwrap_err();
    assert!(
        matches!(&error, DecisionError::Expression { element, .. } if element == "tEven"),
        "{error:?}"
    );
}

/// A decision `d` that compares what `Fee`, which has a table, answers for `amount` and `region`.
fn tables(amount: &str, region: &str) -> String {
    let column = |expression: &str, allowed: &str| {
        format!(
            "<input><inputExpression><text>{expression}</text></inputExpression><inputValues><text>{allowed}</text></inputValues></input>"
        )
    };
    let columns = [column("amount", amount), column("region", region)].concat();
    model(&format!(
        r##"<inputData id="i2" name="region"><variable name="region"/></inputData>
        <inputData id="i3" name="other"><variable name="other" typeRef="number"/></inputData>
        <decision id="fee" name="Fee"><variable name="Fee"/>
          <informationRequirement><requiredInput href="#i1"/></informationRequirement>
          <informationRequirement><requiredInput href="#i2"/></informationRequirement>
          <decisionTable hitPolicy="FIRST">{columns}<output><defaultOutputEntry><text>0</text></defaultOutputEntry></output>
          <rule><inputEntry><text>&lt; 10</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
          </decisionTable></decision>
        <decision id="d" name="d"><variable name="d"/>
          <informationRequirement><requiredDecision href="#fee"/></informationRequirement>
          <literalExpression><text>if Fee = 1 then "small" else "large"</text></literalExpression></decision>
        <decision id="o" name="o"><variable name="o"/>
          <informationRequirement><requiredInput href="#i3"/></informationRequirement>
          <literalExpression><text>other</text></literalExpression></decision>"##
    ))
}

#[test]
fn a_column_says_what_its_input_may_be() {
    let xml = tables("[0..100]", r#""EU", "US""#);
    for (inputs, expected) in [
        (json!({ "amount": 5, "region": "EU" }), Ok("small")),
        (json!({ "amount": 50, "region": "EU" }), Ok("large")),
        // What is missing matches no rule: then the default answers.
        (json!({ "amount": 5 }), Ok("large")),
        (json!({ "amount": 101, "region": "EU" }), Err(("amount", "101", "[0..100]"))),
        (json!({ "amount": 5, "region": "JP" }), Err(("region", r#""JP""#, r#""EU", "US""#))),
        (json!({ "amount": 5, "region": 7 }), Err(("region", "7", r#""EU", "US""#))),
    ] {
        for (decision, expected) in [
            ("d", expected.map(|it| json!(it))),
            ("fee", expected.map(|it| json!(i32::from(it == "small")))),
        ] {
            let expected = expected.map_err(|(input, given, allowed)| DecisionError::NotAllowed {
                decision: decision.to_owned(),
                input: input.to_owned(),
                given: given.to_owned(),
                allowed: allowed.to_owned(),
                table: Some("Fee".to_owned()),
            });
            assert_eq!(evaluate(&xml, decision, inputs.clone()), expected, "{inputs}");
        }
    }
    let told = evaluate(&xml, "d", json!({ "amount": 101 })).unwrap_err().to_string();
    assert!(told.ends_with(r#"allowed is [0..100], by the table of "Fee""#), "{told}");
    // What depends on more than the value is left to the table.
    let open = tables("[0..100]", "[0..region]");
    assert_eq!(
        evaluate(&open, "fee", json!({ "amount": 50, "region": "JP" })),
        Ok(json!(0)),
        "no rule matches"
    );
}

#[test]
fn a_decision_needs_what_it_requires_and_nothing_else() {
    let mut decisions = Decisions::default();
    decisions.add(tables("[0..100]", "-").as_bytes()).unwrap();
    for (decision, expected) in
        [("fee", &["amount", "region"][..]), ("d", &["amount", "region"]), ("o", &["other"])]
    {
        assert_eq!(decisions.inputs(decision).collect::<Vec<_>>(), expected, "{decision}");
    }
    assert_eq!(decisions.inputs_of_file("o").collect::<Vec<_>>(), ["amount", "region", "other"]);
    // An input that it does not need may be anything.
    let variables: Map<String, Value> =
        serde_json::from_value(json!({ "amount": 500, "other": 7 })).unwrap();
    let value = decisions.evaluate("o", &variables, Timestamp::from_millis(0));
    assert_eq!(value, Ok(json!(7)));
}
