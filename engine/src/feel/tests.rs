use serde_json::{Map, Value, json};

use super::*;

fn variables() -> Map<String, Value> {
    let Value::Object(map) = json!({
        "amount": 1200, "rate": 0.1, "name": "Anna", "items": [1, 2, 3],
        "order": { "id": "o-1", "lines": [{ "price": 10 }, { "price": 32 }] },
        "flag": true, "nothing": null
    }) else {
        unreachable!()
    };
    map
}

fn check(text: &str, expected: &Value) {
    let now = Timestamp::parse("2026-01-05T09:00:00Z").unwrap();
    let value = Program::compile(text).and_then(|program| program.evaluate(&variables(), now));
    assert_eq!(value.as_ref(), Ok(expected), "{text}");
}

#[test]
fn values() {
    for (text, expected) in [
        ("amount", json!(1200)),
        ("=amount * 2", json!(2400)),
        ("0.1 + 0.2", json!(0.3)),
        ("amount * rate", json!(120)),
        ("amount >= 1000 and amount < 10000", json!(true)),
        ("if amount > 1000 then \"big\" else \"small\"", json!("big")),
        ("order.id", json!("o-1")),
        ("sum(order.lines.price)", json!(42)),
        ("for i in items return i * i", json!([1, 4, 9])),
        ("items[item > 1]", json!([2, 3])),
        ("count(items)", json!(3)),
        ("name + \" now()\"", json!("Anna now()")),
        ("{ a: amount, b: { c: name } }", json!({ "a": 1200, "b": { "c": "Anna" } })),
        ("nothing = null", json!(true)),
        ("nothing", json!(null)),
        ("missing = null", json!(true)),
        ("string length(name)", json!(4)),
        ("date(\"2026-03-01\") + duration(\"P1D\")", json!("2026-03-02")),
        ("duration(\"PT2H\")", json!("PT2H")),
        ("now()", json!("2026-01-05T09:00:00Z")),
        ("today( )", json!("2026-01-05")),
        ("now() + duration(\"PT1H\")", json!("2026-01-05T10:00:00Z")),
        ("upper  case(name) + string(amount-1)", json!("ANNA1199")),
        ("contains(\"a (b\", \"(\")", json!(true)),
        ("date and time(\"2026-01-05T10:00:00Z\") > now()", json!(true)),
        ("some x in items satisfies x > 2", json!(true)),
        ("amount in [1000..5000]", json!(true)),
    ] {
        check(text, &expected);
    }
}

#[test]
fn errors_are_errors() {
    let evaluate = |text: &str| {
        Program::compile(text)
            .and_then(|program| program.evaluate(&variables(), Timestamp::from_millis(0)))
            .unwrap_err()
    };
    assert!(matches!(evaluate("amount >"), FeelError::Syntax { .. }));
    assert!(matches!(evaluate(""), FeelError::Syntax { .. }));
    assert!(matches!(evaluate("missing"), FeelError::NoValue { .. }));
    assert!(matches!(evaluate("missing > 3"), FeelError::NoValue { .. }));
    assert!(matches!(evaluate("name * 2"), FeelError::NoValue { .. }));
    assert!(matches!(evaluate("[1..3]"), FeelError::NotData { kind: "a range", .. }));
    let condition = Program::compile("amount").unwrap();
    let refused = condition.test(&variables(), Timestamp::from_millis(0)).unwrap_err();
    assert!(matches!(refused, FeelError::WrongType { .. }), "{refused}");
}

fn wrapped(open: &str, times: usize, inner: &str, close: &str) -> String {
    [&open.repeat(times), inner, &close.repeat(times)].concat()
}

#[test]
fn hostile_text_is_refused_or_survived() {
    let chains = [
        "1+".repeat(499) + "1",
        "-".repeat(900) + "1",
        wrapped("not(", 63, "true", ")"),
        wrapped("if true then ", 150, "1", " else 1"),
        "a.".repeat(31) + "a",
        wrapped("[", 64, "", "]"),
        wrapped("x[", 63, "1", "]"),
    ];
    for text in &chains {
        // Whatever the answer is, there is one: no abort, no endless loop.
        let outcome = Program::compile(text)
            .and_then(|program| program.evaluate(&variables(), Timestamp::from_millis(0)));
        assert!(outcome.is_ok() || outcome.is_err());
    }
    let refused = [
        "1+(".repeat(20_000),
        wrapped("(", 65, "1", ")"),
        "1+".repeat(600) + "1",
        "a.".repeat(33) + "a",
        " ".repeat(MAX_TEXT + 1),
    ];
    for text in &refused {
        let error = Program::compile(text).unwrap_err();
        assert!(matches!(error, FeelError::TooLarge { .. }), "{error}");
    }
}
