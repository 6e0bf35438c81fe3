use dsntk_feel::Name;
use flowmaster_kernel::Timestamp;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::*;
use crate::dmn::model::Model;
use crate::feel;

/// A column of a table: its expression, cells, and values of its input.
struct Kind {
    input: &'static str,
    type_name: &'static str,
    expression: &'static str,
    allowed: &'static str,
    cells: &'static [&'static str],
    values: &'static [&'static str],
}

const KINDS: [Kind; 6] = [
    Kind {
        input: "amount",
        type_name: "number",
        expression: "amount",
        allowed: "[-1..4]",
        cells: &[
            "-",
            "< 2",
            ">= 1.50",
            "[1..3]",
            "(0.1..2.5]",
            "not(2, > 3)",
            "1, 2.0",
            "-1",
            "number(\"3\")",
        ],
        values: &["1", "2", "2.50", "1.5", "0.1", "-1", "3", "99", "null", "\"2\"", "[2]", "true"],
    },
    Kind {
        input: "region",
        type_name: "string",
        expression: "region",
        allowed: "\"EU\", \"US\", \"JP\"",
        cells: &[
            "-",
            "\"EU\"",
            "\"EU\", \"US\"",
            "not(\"EU\")",
            "< \"M\"",
            "[\"A\"..\"N\")",
            "\"eu\"",
        ],
        values: &["\"EU\"", "\"US\"", "\"JP\"", "\"N\"", "\"\"", "null", "1", "[\"EU\"]"],
    },
    Kind {
        input: "day",
        type_name: "string",
        expression: "date(day)",
        allowed: ">= date(\"2026-01-01\")",
        cells: &[
            "-",
            "< date(\"2026-03-01\")",
            "[date(\"2026-02-01\")..@\"2026-12-31\"]",
            "@\"2026-02-28\"",
        ],
        values: &[
            "\"2026-02-28\"",
            "\"2026-03-01\"",
            "\"2025-12-31\"",
            "\"today\"",
            "null",
            "2026",
        ],
    },
    Kind {
        input: "is new",
        type_name: "boolean",
        expression: "is new",
        allowed: "true",
        cells: &["-", "true", "false", "not(true)", "true, false"],
        values: &["true", "false", "null", "\"true\""],
    },
    Kind {
        input: "other",
        type_name: "Any",
        expression: "other",
        allowed: "not(7)",
        cells: &["-", "1", "> 5", "not(1)", "null", "\"x\"", "amount"],
        values: &["1", "6", "7", "1.0", "null", "\"x\"", "{\"a\": 1}"],
    },
    Kind {
        input: "score",
        type_name: "tScore",
        expression: "score",
        allowed: "<= 9.5",
        cells: &["-", "< 5", "[5..10]", "11"],
        values: &["4", "7.50", "10", "11", "-1", "null", "\"4\""],
    },
];

const TYPES: &str = r#"<itemDefinition name="tScore"><typeRef>number</typeRef><allowedValues><text>[0..10]</text></allowedValues></itemDefinition>
    <itemDefinition name="tScores" isCollection="true"><typeRef>number</typeRef></itemDefinition>"#;

const POLICIES: [&str; 11] = [
    r#"hitPolicy="UNIQUE""#,
    r#"hitPolicy="ANY""#,
    r#"hitPolicy="FIRST""#,
    r#"hitPolicy="PRIORITY""#,
    r#"hitPolicy="RULE ORDER""#,
    r#"hitPolicy="OUTPUT ORDER""#,
    r#"hitPolicy="COLLECT""#,
    r#"hitPolicy="COLLECT" aggregation="SUM""#,
    r#"hitPolicy="COLLECT" aggregation="MIN""#,
    r#"hitPolicy="COLLECT" aggregation="MAX""#,
    r#"hitPolicy="COLLECT" aggregation="COUNT""#,
];

/// The texts of output columns, with the values that one may allow.
const OUTPUTS: [(&str, [&str; 4]); 4] = [
    ("3, 2.0, 1", ["1", "2.00", "3", "0.1"]),
    ("\"b\", \"a\"", ["\"a\"", "\"b\"", "\"c\"", "null"]),
    ("null, true", ["true", "false", "null", "@\"2026-01-01\""]),
    ("3, 5", ["amount", "3", "1 + 2", "-3"]),
];

/// A table over all inputs, as XML.
#[derive(Debug)]
struct Written {
    policy: &'static str,
    /// Places in [`KINDS`], and whether they have allowed values.
    columns: Vec<(usize, bool)>,
    /// Places in [`OUTPUTS`]; whether they have allowed values and a default.
    outputs: Vec<(usize, bool, bool)>,
    /// Places of cells and of outputs.
    rules: Vec<(Vec<usize>, Vec<usize>)>,
    /// The type of the decision.
    type_name: Option<&'static str>,
}

fn text(element: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<{element}><text>{text}</text></{element}>")
}

impl Written {
    fn xml(&self) -> String {
        let data: String = KINDS
            .iter()
            .enumerate()
            .map(|(at, Kind { input, type_name, .. })| {
                format!(r#"<inputData id="i{at}" name="{input}"><variable name="{input}" typeRef="{type_name}"/></inputData>"#)
            })
            .collect();
        let required: String = (0..KINDS.len())
            .map(|at| format!(r##"<informationRequirement><requiredInput href="#i{at}"/></informationRequirement>"##))
            .collect();
        let inputs: String = self
            .columns
            .iter()
            .map(|(kind, is_limited)| {
                let Kind { expression, allowed, .. } = &KINDS[*kind];
                let allowed =
                    if *is_limited { text("inputValues", allowed) } else { String::new() };
                format!("<input>{}{allowed}</input>", text("inputExpression", expression))
            })
            .collect();
        let outputs: String = self
            .outputs
            .iter()
            .enumerate()
            .map(|(at, (kind, is_limited, has_default))| {
                let (allowed, entries) = OUTPUTS[*kind];
                let allowed =
                    if *is_limited { text("outputValues", allowed) } else { String::new() };
                let default = if *has_default {
                    text("defaultOutputEntry", entries[0])
                } else {
                    String::new()
                };
                format!(r#"<output name="out {at}">{allowed}{default}</output>"#)
            })
            .collect();
        let rules: String = self
            .rules
            .iter()
            .map(|(cells, entries)| {
                let cells = self.columns.iter().zip(cells).map(|((kind, _), cell)| {
                    let cells = KINDS[*kind].cells;
                    text("inputEntry", cells[cell % cells.len()])
                });
                let entries = self.outputs.iter().zip(entries);
                let entries = entries
                    .map(|((kind, ..), entry)| text("outputEntry", OUTPUTS[*kind].1[entry % 4]));
                format!("<rule>{}</rule>", cells.chain(entries).collect::<String>())
            })
            .collect();
        let type_name = self.type_name.map(|it| format!(r#" typeRef="{it}""#)).unwrap_or_default();
        format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="urn:t" name="t" id="t">
            {TYPES}{data}<decision id="d" name="D"><variable name="D"{type_name}/>{required}
            <decisionTable {}>{inputs}{outputs}{rules}</decisionTable></decision></definitions>"#,
            self.policy
        )
    }
}

/// What is answered without the evaluator, and what the evaluator answers.
fn both(xml: &str, inputs: &Map<String, Value>) -> (Option<FeelValue>, FeelValue) {
    let root = crate::dmn::model::parse(xml.as_bytes()).unwrap();
    let model = Model::read(&root, xml.as_bytes(), &[]).unwrap();
    let mut context = FeelContext::new();
    for (name, value) in inputs {
        context.set_entry(&Name::from(name), feel::from_json(value));
    }
    let known = model.tables.answer("D", &context);
    let evaluated = model.evaluated("D", inputs, context, Timestamp::from_millis(0)).unwrap();
    (known, evaluated)
}

fn written() -> impl Strategy<Value = Written> {
    let columns = subsequence((0..KINDS.len()).collect::<Vec<_>>(), 1..=4);
    let columns = columns.prop_flat_map(|kinds| {
        let flags = prop::collection::vec(prop::bool::weighted(0.2), kinds.len());
        flags.prop_map(move |flags| kinds.iter().copied().zip(flags).collect())
    });
    let output = (0..OUTPUTS.len(), any::<bool>(), any::<bool>());
    let rule = (prop::collection::vec(0..40_usize, 4), prop::collection::vec(0..4_usize, 2));
    (
        select(&POLICIES[..]),
        columns,
        prop::collection::vec(output, 1..=2),
        prop::collection::vec(rule, 0..6),
        select(
            &[
                None,
                None,
                Some("Any"),
                Some("number"),
                Some("string"),
                Some("tScore"),
                Some("tScores"),
            ][..],
        ),
    )
        .prop_map(|(policy, columns, outputs, rules, type_name)| Written {
            policy,
            columns,
            outputs,
            rules,
            type_name,
        })
}

fn inputs() -> impl Strategy<Value = Map<String, Value>> {
    let values = prop::collection::vec(prop::option::weighted(0.95, 0..40_usize), KINDS.len());
    values.prop_map(|places| {
        let given = KINDS.iter().zip(places).filter_map(|(kind, place)| {
            // Usual values come first, and more often.
            let place = place? % 20;
            let place = if place < kind.values.len() { place } else { place % 3 };
            Some((kind.input.to_owned(), serde_json::from_str(kind.values[place]).unwrap()))
        });
        given.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(400),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_compiled_table_answers_what_the_evaluator_answers(
        table in written(),
        inputs in prop::collection::vec(inputs(), 4),
    ) {
        let xml = table.xml();
        for inputs in inputs {
            let (known, evaluated) = both(&xml, &inputs);
            if let Some(known) = known {
                prop_assert_eq!(&known, &evaluated, "{:?}", &inputs);
                // Numbers that are equal are also written with as many decimals.
                prop_assert_eq!(known.to_string(), evaluated.to_string());
            }
        }
    }
}

fn simple(policy: &'static str, rules: &[(usize, usize)]) -> Written {
    Written {
        policy,
        columns: vec![(0, false), (1, false), (2, false), (3, false)],
        outputs: vec![(0, true, false)],
        rules: rules.iter().map(|(cell, output)| (vec![*cell, 0, 1, 1], vec![*output])).collect(),
        type_name: None,
    }
}

#[test]
fn tables_of_constants_are_answered_without_the_evaluator() {
    let inputs = json!({ "amount": 2, "region": "EU", "day": "2026-02-28", "is new": true });
    let inputs: Map<String, Value> = serde_json::from_value(inputs).unwrap();
    // Rules 1 and 2 match: `< 2` does not, `>= 1.50` and `[1..3]` do.
    let rules = [(1, 0), (2, 1), (3, 2)];
    for (policy, expected) in POLICIES.into_iter().zip([
        None,
        None,
        Some("2.00"),
        Some("3"),
        Some("[2.00, 3]"),
        Some("[3, 2.00]"),
        Some("[2.00, 3]"),
        Some("5"),
        Some("2.00"),
        Some("3"),
        Some("2"),
    ]) {
        let (known, evaluated) = both(&simple(policy, &rules).xml(), &inputs);
        assert_eq!(known.as_ref().map(ToString::to_string).as_deref(), expected, "{policy}");
        assert_eq!(known.is_none(), matches!(evaluated, FeelValue::Null(Some(_))), "{policy}");
    }
    let (known, _) = both(&simple(POLICIES[0], &rules[..2]).xml(), &inputs);
    assert_eq!(known.map(|it| it.to_string()).as_deref(), Some("2.00"));
}

#[test]
fn what_is_not_a_constant_is_left_to_the_evaluator() {
    let given =
        json!({ "amount": 2, "region": "EU", "day": "2026-02-28", "is new": true, "other": 1 });
    let given: Map<String, Value> = serde_json::from_value(given).unwrap();
    let table = || simple(POLICIES[2], &[(2, 1)]);
    let is_known = |xml: &str, inputs: &Map<String, Value>| both(xml, inputs).0.is_some();
    assert!(is_known(&table().xml(), &given));
    for (input, value) in [("amount", json!("2")), ("region", Value::Null), ("day", json!("now"))] {
        let mut inputs = given.clone();
        inputs.insert(input.to_owned(), value);
        // A column of hyphens is not looked at.
        assert_eq!(is_known(&table().xml(), &inputs), input == "region", "{input}");
    }
    for (from, to) in [
        ("&gt;= 1.50".to_owned().replace("&gt;", ">"), "amount".to_owned()),
        ("<text>2.00".to_owned(), "<text>amount".to_owned()),
        ("<text>amount<".to_owned(), "<text>amount + 1<".to_owned()),
        (r#"<variable name="D"/>"#.to_owned(), r#"<variable name="D" typeRef="tOwn"/>"#.to_owned()),
        (r##"requiredInput href="#i4""##.to_owned(), r##"requiredDecision href="#e""##.to_owned()),
        (
            "</definitions>".to_owned(),
            r#"<itemDefinition name="date"><typeRef>Any</typeRef></itemDefinition></definitions>"#
                .to_owned(),
        ),
    ] {
        let xml = table().xml();
        assert!(xml.contains(&from), "{from}");
        let mut xml = xml.replace(&from, &to);
        if to.contains("#e") {
            let other = r##"<decision id="e" name="E"><variable name="E"/><literalExpression><text>1</text></literalExpression></decision></definitions>"##;
            xml = xml.replace("</definitions>", other);
        }
        assert!(!is_known(&xml, &given), "{to}");
    }
}
