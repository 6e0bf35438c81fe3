use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value, json};

use super::*;
use crate::dmn::Decisions;
use crate::dmn::analyze::analyze;
use crate::dmn::table;
use crate::finding::Finding;
use crate::xml::Element;

fn rules(value: Value) -> CompactRules {
    serde_json::from_value(value).unwrap()
}

fn read(xml: &str) -> Result<CompactRules, Vec<Finding>> {
    CompactRules::from_dmn(&Element::parse(xml.as_bytes()).unwrap())
}

fn shipping() -> Value {
    json!({
        "id": "shipping-rules", "name": "Shipping", "description": "Terms of 2026, page 3",
        "inputs": [
            { "name": "weight", "type": "number", "allowed": "[0..1000]", "description": "in kg" },
            { "name": "Customer Group", "type": "string", "allowed": "\"gold\", \"other\"" },
            { "name": "ordered", "type": "Any" },
            { "name": "note" }
        ],
        "decisions": [
            { "id": "total", "name": "Total", "type": "number", "literal": "Rate * weight + fee" },
            { "id": "rate", "name": "Rate", "description": "per kg", "table": {
                "when": [{ "input": "weight" }, { "input": "Customer Group", "label": "Group" }],
                "then": [{ "type": "number", "default": "9" }],
                "notes": ["Why", "Until"],
                "rows": [["< 10", "\"gold\"", "0.5", "", "2027"], ["< 10", "-", "1"], ["[10..1000]", "-", "2", "heavy"]]
            } },
            { "id": "fee", "table": {
                "hit": "COLLECT SUM", "when": [{ "input": "date(ordered)", "type": "date" }],
                "then": [{ "name": "fee", "type": "number", "default": "0" }],
                "rows": [["> date(\"2026-11-30\")", "3"], ["-", "1"]]
            } },
            { "id": "carrier", "table": {
                "hit": "OUTPUT ORDER", "when": [{ "input": "weight", "allowed": "> 0" }],
                "then": [
                    { "name": "who", "type": "string", "allowed": "\"post\", \"truck\"" },
                    { "name": "days", "label": "Days" }
                ],
                "rows": [["> 5", "\"truck\"", "3"], ["-", "\"post\"", "2"]]
            } }
        ]
    })
}

#[test]
fn rules_become_a_file_and_the_same_rules_again() {
    let wanted = rules(shipping());
    let xml = wanted.to_dmn().unwrap();
    let again = read(&xml).unwrap_or_else(|findings| panic!("{findings:?}\n{xml}"));
    assert_eq!(again, wanted, "{xml}");
    assert_eq!(again.to_dmn().unwrap(), xml, "the same rules are the same file");
    assert_eq!(rules(serde_json::to_value(&wanted).unwrap()), wanted);
}

#[test]
fn the_file_is_evaluated_and_drawn() {
    let xml = rules(shipping()).to_dmn().unwrap();
    let mut decisions = Decisions::default();
    decisions.add(xml.as_bytes()).unwrap();
    let inputs = json!({ "weight": 12, "Customer Group": "gold", "ordered": "2026-12-01" });
    let inputs: Map<String, Value> = serde_json::from_value(inputs).unwrap();
    for (decision, expected) in [
        ("rate", json!(2)),
        ("fee", json!(4)),
        ("total", json!(28)),
        ("carrier", json!([{ "who": "post", "days": 2 }, { "who": "truck", "days": 3 }])),
    ] {
        assert_eq!(
            decisions.evaluate(decision, &inputs, Timestamp::from_millis(0)),
            Ok(expected),
            "{decision}\n{xml}"
        );
    }
    let root = Element::parse(xml.as_bytes()).unwrap();
    let diagram = root.elements().last().unwrap().elements().next().unwrap();
    let drawn = |name: &str| diagram.elements().filter(|it| &*it.name == name).count();
    assert_eq!((drawn("DMNShape"), drawn("DMNEdge")), (8, 7));
    let ids: Vec<&str> =
        diagram.elements().filter_map(|it| it.attribute("dmnElementRef")).collect();
    for id in ids {
        assert!(xml.contains(&format!(" id=\"{id}\"")), "{id}");
    }
    let read = table::read(&root);
    assert_eq!((read.tables.len(), read.findings), (3, vec![]));
    assert_eq!(read.tables[0].inputs[0].allowed.as_deref(), Some("[0..1000]"));
    let found = analyze(&read.tables[0]);
    assert!(found.is_complete && found.counts.contains_key("overlap"), "{found:?}");
}

#[test]
fn a_mistake_in_the_rules_is_told() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = shipping();
        change(&mut value);
        value
    };
    let table = |value: &mut Value, key: &str, to: Value| value["decisions"][1]["table"][key] = to;
    for (value, code) in [
        (with(&|it| it["id"] = json!("1 file")), "id"),
        (with(&|it| it["decisions"] = json!([])), "no_decision"),
        (with(&|it| it["decisions"][1]["id"] = json!("total")), "duplicate_id"),
        (with(&|it| it["decisions"][1]["name"] = json!("weight")), "duplicate_name"),
        (with(&|it| it["inputs"][0]["name"] = json!("a(b)")), "name"),
        (with(&|it| it["decisions"][0]["literal"] = json!(" ")), "no_logic"),
        (with(&|it| it["decisions"][1]["literal"] = json!("1")), "no_logic"),
        (with(&|it| it["description"] = json!("a\u{1}")), "character"),
        (with(&|it| table(it, "then", json!([]))), "no_output"),
        (with(&|it| table(it, "rows", json!([["-", "-"]]))), "rule_width"),
        (with(&|it| table(it, "rows", json!([["-", "-", "1", "a", "b", "c"]]))), "rule_width"),
        (with(&|it| table(it, "rows", json!([["-", "", "1"]]))), "empty_cell"),
        (
            with(&|it| table(it, "when", json!([{ "input": "x" }, { "input": "note" }]))),
            "unknown_input",
        ),
        (with(&|it| table(it, "then", json!([{}, {}]))), "no_output_name"),
        (with(&|it| it["inputs"][0]["type"] = json!("tWeight")), "type"),
        (with(&|it| it["decisions"][0]["type"] = json!("money")), "type"),
        (with(&|it| table(it, "then", json!([{ "type": "text" }]))), "type"),
    ] {
        let findings = rules(value.clone()).to_dmn().unwrap_err();
        assert_eq!(findings[0].code, code, "{findings:?} {value}");
        assert!(!findings[0].fix.is_empty());
    }
    let unknown_field = json!({ "id": "a", "decisions": [], "rules": [] });
    assert!(serde_json::from_value::<CompactRules>(unknown_field).is_err());
}

#[test]
fn decisions_that_need_each_other_are_named_in_order() {
    let file = |literals: &[(&str, &str)]| {
        let decisions: Vec<Value> =
            literals.iter().map(|(id, literal)| json!({ "id": id, "literal": literal })).collect();
        rules(json!({ "id": "f", "inputs": [{ "name": "n" }], "decisions": decisions })).to_dmn()
    };
    for (literals, expected) in [
        (
            &[("a", "b + 1"), ("b", "c + n"), ("c", "a")][..],
            r#""a" uses "b", "b" uses "c", "c" uses "a""#,
        ),
        (
            &[("z", "a"), ("a", "b"), ("b", "if n > 1 then a else 0")],
            r#""a" uses "b", "b" uses "a""#,
        ),
        (&[("a", "a + 1")], r#""a" uses "a""#),
    ] {
        let findings = file(literals).unwrap_err();
        assert_eq!((findings.len(), findings[0].code.as_str()), (1, "circle"));
        assert!(findings[0].what.ends_with(expected), "{findings:?}");
    }
    // Names that a text gives a meaning of its own are no use of a decision.
    for literals in [
        &[("a", "{ b: n, c: b + 1 }.c"), ("b", "a")][..],
        &[("a", "for b in [n] return b"), ("b", "a")],
        &[("a", "{ f: function(b) b + 1 }.f(n)"), ("b", "a")],
        &[("a", "n.b"), ("b", "a")],
        &[("a", "n"), ("b", "a"), ("c", "a + b")],
    ] {
        assert!(file(literals).is_ok(), "{literals:?}");
    }
}

/// A file with the input `a`, and the decision `d` with this logic.
fn file(before: &str, logic: &str) -> String {
    format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">{before}
        <inputData id="i" name="a"><variable name="a"/></inputData>
        <decision id="d" name="d"><variable name="d"/>{logic}</decision></definitions>"#
    )
}

#[test]
fn what_the_form_cannot_say_is_named() {
    let literal = "<literalExpression><text>a + 1</text></literalExpression>";
    let table = |rest: &str| {
        format!(
            "<decisionTable><output/>{rest}<rule><outputEntry><text>1</text></outputEntry></rule></decisionTable>"
        )
    };
    assert!(read(&file("", literal)).is_ok());
    assert!(read(&file("", &table(""))).is_ok());
    for (xml, what) in [
        (file("<import name='x' namespace='urn:x' importType='y'/>", literal), "import"),
        (file("<businessKnowledgeModel id='b' name='b'/>", literal), "businessKnowledgeModel"),
        (
            file("<itemDefinition name='t'><itemComponent name='x'/></itemDefinition>", literal),
            "itemComponent",
        ),
        (
            file(
                "<itemDefinition name='t' isCollection='true'><typeRef>number</typeRef></itemDefinition>",
                literal,
            ),
            "collection",
        ),
        (file("", "<context/>"), "context"),
        (file("", ""), "without logic"),
        (file("", "<question>Why?</question>"), "question"),
        (
            file(
                "",
                "<literalExpression expressionLanguage='juel'><text>1</text></literalExpression>",
            ),
            "juel",
        ),
        (
            file("", &table("<annotation name='x'/><rule><description>y</description></rule>")),
            "description",
        ),
        (file("", "<decisionTable hitPolicy='LAST'/>"), "LAST"),
        (
            file(
                "<decision id='e' name='e'><informationRequirement><requiredInput href='#i'/></informationRequirement>\
                 <literalExpression><text>a</text></literalExpression></decision>",
                literal,
            ),
            "does not require",
        ),
    ] {
        let findings = read(&xml).unwrap_err();
        assert!(findings.iter().any(|it| it.what.contains(what)), "{what}: {findings:?}");
    }
}
