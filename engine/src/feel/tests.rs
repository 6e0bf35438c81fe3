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
        "a and ".repeat(99) + "a",
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
        "a and ".repeat(101) + "a",
        "a-".repeat(101) + "1",
        " ".repeat(MAX_TEXT + 1),
    ];
    for text in &refused {
        let error = Program::compile(text).unwrap_err();
        assert!(matches!(error, FeelError::TooLarge { .. }), "{error}");
    }
}

fn long_lists() -> Map<String, Value> {
    let many: Vec<i64> = (0..10_000).collect();
    let lines: Vec<Value> = (0..1_000).map(|n| json!({ "price": n, "tags": ["a", "b"] })).collect();
    let Value::Object(map) = json!({
        "many": many, "lines": lines, "n": 1_000_000_000, "few": [1, 2, 3], "text": "9999999999",
        "flag": true, "from": "2026-01-01", "to": "2026-01-31"
    }) else {
        unreachable!()
    };
    map
}

#[test]
fn what_could_take_too_long_is_not_evaluated() {
    let doubled: String =
        (1..60).map(|n| format!(", a{n}: concatenate(a{0}, a{0})", n - 1)).collect();
    let repeated: String = (1..60).map(|n| format!(", s{n}: s{0} + s{0}", n - 1)).collect();
    let nested: String =
        (1..14).map(|n| format!(", f{n}: function(x) f{0}(x) + f{0}(x)", n - 1)).collect();
    // Each subtraction that fails evaluates its sides twice.
    let minus = format!("null{}", " - 1".repeat(60));
    for text in [
        &minus,
        "for i in 1..1000000000 return i",
        "for i in 1..n return i",
        "for i in -n..0 return i",
        "for i in n..1 return 1",
        "for i in 1..number(text) return i",
        "for i in 1..10**10 return i",
        "for i in 1..few[1] * n return i",
        "for i in 1..1 / 0.000000001 return i",
        "for a in many, b in many return a * b",
        "for i in many return i",
        "for a in 1..200, b in 1..200, c in 1..200 return 1",
        "for a in 1..1000000000, b in [] return 1",
        "for a in (for b in 1..3000 return b), c in 1..3000 return c",
        "some a in many, b in many satisfies a = b + 100000",
        "every a in many, b in many satisfies a < 100000",
        "many[count(many[item > 3]) > 5]",
        "count(for i in lines, j in lines return i)",
        "for i in few return distinct values(many)",
        "for i in 1..100 return concatenate(partial, partial)",
        "for i in 1..3000 return partial",
        "sort(many, function(a, b) count(many) > a)",
        &format!("{{ a0: [1]{doubled} }}"),
        &format!("{{ s0: \"x\"{repeated} }}"),
        &format!("{{ f0: function(x) [x, x]{nested}, r: for i in 1..2000 return f13(i) }}"),
        "{ f: function(x) f(x), r: for i in 1..10 return [function(y) y] }",
        "for d in @\"0001-01-01\"..@\"9999-01-01\" return d",
    ] {
        let program = Program::compile(text).unwrap_or_else(|error| panic!("{error}"));
        let refused = program.evaluate(&long_lists(), Timestamp::from_millis(0));
        assert!(matches!(refused, Err(FeelError::TooMuchWork { .. })), "{text}: {refused:?}");
    }
}

#[test]
fn what_people_write_is_evaluated() {
    for (text, expected) in [
        ("sum(for line in lines return line.price * 2)", json!(999_000)),
        ("count(lines[price > 500])", json!(499)),
        ("some line in lines satisfies line.price > 998", json!(true)),
        ("every line in lines satisfies count(line.tags) = 2", json!(true)),
        ("count(many[item > 5000])", json!(4_999)),
        ("sum(many)", json!(49_995_000)),
        ("count(for i in 1..count(lines) return lines[1].price)", json!(1_000)),
        ("for i in 1..count(few) / 1 return few[i]", json!([1, 2, 3])),
        ("for a in few, b in few return a * b", json!([1, 2, 3, 2, 4, 6, 3, 6, 9])),
        ("for i in 1..5 return if i = 1 then 1 else partial[-1] * i", json!([1, 2, 6, 24, 120])),
        ("for i in 1..3 return count(partial) + i", json!([1, 3, 5])),
        ("{ double: function(x) x * 2, result: double(21) }.result", json!(42)),
        ("sort(few, function(a, b) a > b)", json!([3, 2, 1])),
        ("count(distinct values(lines.price))", json!(1_000)),
        ("count(for d in date(from)..date(to) return d)", json!(31)),
        ("{ a: { b: [1, 2] }, c: a.b[2] }.c", json!(2)),
        ("if flag then [1, 2, 3][item > 1] else []", json!([2, 3])),
    ] {
        let value = Program::compile(text)
            .and_then(|program| program.evaluate(&long_lists(), Timestamp::from_millis(0)));
        assert_eq!(value, Ok(expected), "{text}");
    }
}

#[test]
fn functions_that_call_functions_fit_the_stack() {
    for (depth, expected) in [(1, Some(442)), (3, Some(1_324)), (4, None), (14, None)] {
        let body = ["k(1)", &" + 1".repeat(441)].concat();
        let (open, close) = ("s(function(x) ".repeat(depth), ")".repeat(depth));
        let text = format!("{{ s: function(k) {body}, r: {open}1{close} }}.r");
        let value = Program::compile(&text)
            .and_then(|program| program.evaluate(&variables(), Timestamp::from_millis(0)));
        match expected {
            Some(expected) => assert_eq!(value, Ok(json!(expected)), "{depth}"),
            None => assert!(matches!(value, Err(FeelError::TooMuchWork { .. })), "{value:?}"),
        }
    }
}
