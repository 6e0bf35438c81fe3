use serde_json::{Map, Value, json};

use super::*;

#[test]
fn expressions_become_feel() {
    for (juel, feel) in [
        ("amount >= 1000 && amount < 10000", "amount >= 1000 and amount < 10000"),
        ("a.b == 'x' && !done", "a.b = \"x\" and not(done)"),
        ("a eq 1 or b ne 2 and not c", "a = 1 or b != 2 and not(c)"),
        ("(a || b) && c", "(a or b) and c"),
        ("a lt 1 and b ge 2", "a < 1 and b >= 2"),
        ("total mod 2 == 0", "modulo(total, 2) = 0"),
        ("(a + b) * -c div 4", "(a + b) * -c / 4"),
        ("a - (b - c)", "a - (b - c)"),
        (
            "vip ? 'yes' : other ? 'maybe' : 'no'",
            "if vip then \"yes\" else (if other then \"maybe\" else \"no\")",
        ),
        ("items[0].name", "items[1].name"),
        ("order['net price'] > 1", "get value(order, \"net price\") > 1"),
        ("empty note", "list contains([null, \"\", [], {}], note)"),
        ("not empty note && a", "not(list contains([null, \"\", [], {}], note)) and a"),
        ("'it''s' == a", ""),
        ("\"say \\\"hi\\\"\" == a", "\"say \\\"hi\\\"\" = a"),
        (
            "nrOfCompletedInstances/nrOfInstances >= 0.6",
            "numberOfCompletedInstances / numberOfInstances >= 0.6",
        ),
        ("loopCounter == 0", "(loopCounter - 1) = 0"),
        ("execution.getVariable('amount') > 5", "amount > 5"),
        ("x === null", "x = null"),
    ] {
        match to_feel(juel) {
            Ok(found) => assert_eq!(found, feel, "{juel}"),
            Err(error) => assert_eq!("", feel, "{juel}: {error}"),
        }
    }
}

#[test]
fn what_comes_out_means_the_same() {
    let variables = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    for (juel, given, value) in [
        ("amount >= 1000 && amount < 10000", json!({ "amount": 9999.99 }), json!(true)),
        ("amount >= 1000 && amount < 10000", json!({ "amount": 10000 }), json!(false)),
        ("empty note", json!({ "note": "" }), json!(true)),
        ("empty note", json!({ "note": null }), json!(true)),
        ("empty note", json!({ "note": [] }), json!(true)),
        ("empty note", json!({ "note": {} }), json!(true)),
        ("empty note", json!({ "note": "x" }), json!(false)),
        ("empty note", json!({ "note": 5 }), json!(false)),
        ("empty note", json!({ "note": [1] }), json!(false)),
        ("!empty note.text", json!({ "note": { "text": "x" } }), json!(true)),
        ("items[1].name", json!({ "items": [{ "name": "a" }, { "name": "b" }] }), json!("b")),
        ("7 % 4 + 1", json!({}), json!(4)),
        ("a - b - 1", json!({ "a": 5, "b": 2 }), json!(2)),
        ("paid ? 'yes' : 'no'", json!({ "paid": false }), json!("no")),
        ("order['net price'] * 2", json!({ "order": { "net price": 4 } }), json!(8)),
    ] {
        let program = Program::compile(&to_feel(juel).unwrap()).unwrap();
        let now = flowmaster_kernel::Timestamp::from_millis(0);
        assert_eq!(
            program.evaluate(&variables(given.clone()), now),
            Ok(value),
            "{juel} of {given}"
        );
    }
}

#[test]
fn what_has_no_counterpart_says_what_to_write() {
    for (juel, why) in [
        ("bean.isValid(order)", "method isValid of bean"),
        ("execution.processInstanceId", "object of the engine"),
        ("now()", "calls a function"),
        ("list[i]", "number or a key"),
        ("a +", "not complete"),
        ("a b", "\"b\" is not expected"),
        ("1e5", "no number"),
        ("'open", "no end"),
        ("a; b", "\";\" is not expected"),
        ("fn:now()", "\":\" is not expected"),
        ("a instanceof b", "not expected"),
        ("", "not complete"),
        ("a # b", "not understood"),
    ] {
        let refused = to_feel(juel).unwrap_err();
        assert!(refused.why.contains(why), "{juel}: {refused}");
        assert!(!refused.fix.is_empty());
    }
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    assert!(to_feel(&deep).unwrap_err().why.contains("nested"));
    assert!(to_feel(&"a + ".repeat(600)).unwrap_err().why.contains("parts"));
}

#[test]
fn texts_with_expressions_in_them_are_joined() {
    for (text, feel) in [
        ("plain", None),
        ("${amount > 5}", Some("amount > 5")),
        (" #{ owner } ", Some("owner")),
        ("Order ${id}: ${a.b}!", Some("\"Order \" + string(id) + \": \" + string(a.b) + \"!\"")),
        ("${a == '}' ? 1 : 2}", Some("if a = \"}\" then 1 else 2")),
        ("\\${kept}", None),
        ("${'fixed'} text", Some("\"fixed\" + \" text\"")),
    ] {
        assert_eq!(template_to_feel(text).unwrap().as_deref(), feel, "{text}");
    }
    assert!(template_to_feel("${open").unwrap_err().why.contains("no end"));
    assert!(is_template("x ${y}") && !is_template("x {y}"));
}
