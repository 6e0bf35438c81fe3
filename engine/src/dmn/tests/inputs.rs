//! Inputs as JSON, by their declared types.

use super::*;

const TYPES: &str = r#"
  <itemDefinition name="tDay"><typeRef>date</typeRef></itemDefinition>
  <itemDefinition name="tDays" isCollection="true"><typeRef>date</typeRef></itemDefinition>
  <itemDefinition name="tOrder">
    <itemComponent name="due"><typeRef>tDay</typeRef></itemComponent>
    <itemComponent name="items" isCollection="true">
      <itemComponent name="lead"><typeRef>days and time duration</typeRef></itemComponent>
      <itemComponent name="count"><typeRef>number</typeRef></itemComponent>
    </itemComponent>
  </itemDefinition>"#;

/// A decision on the input `a`, which is of this type.
fn typed(type_ref: &str, text: &str) -> String {
    model(&format!(
        r##"{TYPES}<inputData id="a" name="a"><variable name="a" typeRef="{type_ref}"/></inputData>
        <decision id="d" name="d"><variable name="d"/>
        <informationRequirement><requiredInput href="#a"/></informationRequirement>
        <literalExpression><text>{text}</text></literalExpression></decision>"##
    ))
}

fn given(type_ref: &str, text: &str, value: &Value) -> Result<Value, DecisionError> {
    evaluate(&typed(type_ref, text), "d", json!({ "a": value }))
}

#[test]
fn text_is_read_as_the_type_that_an_input_declares() {
    let order = json!({
        "due": "2026-02-01",
        "items": [{ "lead": "P2D", "count": 1 }, { "count": 2 }],
        "note": "not declared"
    });
    for (type_ref, text, value, expected) in [
        ("date", r#"a + duration("P1M")"#, json!("2026-01-31"), json!("2026-02-28")),
        ("date", "a.year", json!(["2026-01-31"]), json!(2026)),
        ("time", "a.hour", json!("13:45:00"), json!(13)),
        ("dateTime", "a.minute", json!("2026-01-31T13:45:00Z"), json!(45)),
        ("date and time", "a.hour", json!("2026-01-31"), json!(0)),
        ("days and time duration", "a.hours", json!("P3DT4H"), json!(4)),
        ("dayTimeDuration", r#"a &gt; duration("P3D")"#, json!("P3DT4H"), json!(true)),
        ("years and months duration", "a.months", json!("P1Y6M"), json!(6)),
        ("feel:date", "a.day", json!("2026-01-31"), json!(31)),
        ("tDay", "a.day", json!("2026-01-31"), json!(31)),
        ("tDays", "a[2].day", json!(["2026-01-31", "2026-02-01"]), json!(1)),
        ("tDays", "count(a)", json!("2026-01-31"), json!(1)),
        ("tOrder", "a.due + a.items[1].lead", order.clone(), json!("2026-02-03")),
        ("tOrder", "a.items[2].lead = null", order, json!(true)),
        ("tOrder", "a.due = null", json!({ "items": [] }), json!(true)),
        ("any", "a", json!("2026-01-31"), json!("2026-01-31")),
        ("Any", "date(a).day", json!("2026-01-31"), json!(31)),
    ] {
        assert_eq!(given(type_ref, text, &value), Ok(expected), "{type_ref} {text} {value}");
    }
    let missing = evaluate(&typed("date", "a = null"), "d", json!({}));
    assert_eq!(missing, Ok(json!(true)), "what is missing is null");
    assert_eq!(given("date", "a = null", &json!(null)), Ok(json!(true)));
}

#[test]
fn a_value_of_another_type_is_an_error_that_says_where() {
    let count = |count: Value| json!({ "items": [{ "count": 1 }, { "count": count }] });
    for (type_ref, value, input, expected) in [
        ("date", json!("tomorrow"), "a", "a date"),
        ("date", json!("2026-02-30"), "a", "a date"),
        ("date", json!("2026-01-31T13:45:00"), "a", "a date"),
        ("date", json!(20260131), "a", "a date"),
        ("time", json!("25:00:00"), "a", "a time"),
        ("dateTime", json!("2026-02-30T00:00:00"), "a", "a date and time"),
        ("dayTimeDuration", json!("P1M"), "a", "a days and time duration"),
        ("yearMonthDuration", json!("P1D"), "a", "a years and months duration"),
        ("string", json!(1), "a", "a string"),
        ("number", json!("1"), "a", "a number"),
        ("number", json!("NaN"), "a", "a number"),
        ("number", json!([1, 2]), "a", "a number"),
        ("boolean", json!("true"), "a", "true or false"),
        ("tDays", json!(["2026-01-31", "soon"]), "a[1]", "a date"),
        ("tDays", json!([null]), "a[0]", "a date"),
        ("tOrder", json!("x"), "a", "an object"),
        ("tOrder", count(json!("two")), "a.items[1].count", "a number"),
        ("tOrder", json!({ "due": false }), "a.due", "a date"),
    ] {
        let error = given(type_ref, "a", &value).unwrap_err();
        let DecisionError::Input { input: at, expected: what, .. } = &error else {
            panic!("{error:?} {type_ref} {value}")
        };
        assert_eq!((at.as_str(), *what), (input, expected), "{error} {value}");
    }
    let error = given("date", "a", &json!("x".repeat(200))).unwrap_err().to_string();
    assert!(error.contains("2026-01-31") && error.len() < 300, "{error}");
}

#[test]
fn a_type_has_to_be_there_and_to_end() {
    let of = |types: &str| {
        let xml = typed("t0", "1").replace(TYPES, types);
        evaluate(&xml, "d", json!({})).unwrap_err().to_string()
    };
    let component = |name: &str, of: &str| {
        format!(r#"<itemComponent name="{name}"><typeRef>{of}</typeRef></itemComponent>"#)
    };
    let type_of = |place: usize, inside: &str| {
        format!(r#"<itemDefinition name="t{place}">{inside}</itemDefinition>"#)
    };
    let refers = |to: usize| format!("<typeRef>t{to}</typeRef>");
    // Each has two of the next.
    let doubled: String = (0..40)
        .map(|it| {
            let next = format!("t{}", it + 1);
            type_of(it, &[component("x", &next), component("y", &next)].concat())
        })
        .chain([type_of(40, "<typeRef>string</typeRef>")])
        .collect();
    let chain: String = (0..5_000).map(|it| type_of(it, &refers(it + 1))).collect();
    for (types, expected) in [
        (String::new(), r#""a" has the type "t0", which is not there"#),
        (type_of(0, &refers(7)), r#""t0" has the type "t7", which is not there"#),
        (type_of(0, &component("x", "tNone")), r#""x" has the type "tNone""#),
        (type_of(0, &component("x", "t0")), "contains itself"),
        ([type_of(0, &refers(1)), type_of(1, &refers(0))].concat(), "contains itself"),
        (doubled, "too large"),
        (chain, "too large"),
    ] {
        let error = of(&types);
        assert!(error.contains(expected), "{error}");
    }
}
