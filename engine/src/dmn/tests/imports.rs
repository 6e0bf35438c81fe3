//! Files that import each other.

use super::*;
use crate::dmn::Outline;

const DMN: &str = "https://www.omg.org/spec/DMN/20230324/MODEL/";

/// A file that imports others by the names that it gives them.
fn file(name: &str, imports: &[(&str, &str)], elements: &str) -> String {
    let import = |(alias, other): &(&str, &str)| {
        format!(r#"<import name="{alias}" namespace="urn:{other}" importType="{DMN}"/>"#)
    };
    let imports: String = imports.iter().map(import).collect();
    format!(
        r#"<definitions xmlns="{DMN}" id="{name}" name="{name}" namespace="urn:{name}">{imports}{elements}</definitions>"#
    )
}

fn input(name: &str, type_ref: &str) -> String {
    format!(
        r#"<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{type_ref}"/></inputData>"#
    )
}

/// A decision with these requirements: their kinds, and what they refer to.
fn deciding(name: &str, requires: &[(&str, &str)], text: &str) -> String {
    let requires: String = requires.iter().map(requirement).collect();
    format!(
        r#"<decision id="{name}" name="{name}"><variable name="{name}"/>{requires}
        <literalExpression><text>{text}</text></literalExpression></decision>"#
    )
}

fn requirement((kind, href): &(&str, &str)) -> String {
    let of = if *kind == "Knowledge" { "knowledge" } else { "information" };
    format!(r#"<{of}Requirement><required{kind} href="{href}"/></{of}Requirement>"#)
}

fn function(name: &str, requires: &[&str], parameter: &str, text: &str) -> String {
    let requires: String = requires.iter().map(|href| requirement(&("Knowledge", href))).collect();
    format!(
        r#"<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"/><encapsulatedLogic>
        <formalParameter name="{parameter}"/><literalExpression><text>{text}</text></literalExpression>
        </encapsulatedLogic>{requires}</businessKnowledgeModel>"#
    )
}

fn decide(roots: &[&str], imported: &[&str], inputs: Value) -> Result<Value, DecisionError> {
    let [roots, imported] =
        [roots, imported].map(|files| files.iter().map(|it| it.as_bytes()).collect::<Vec<_>>());
    let mut decisions = Decisions::default();
    decisions.add_all(&roots, &imported)?;
    let inputs: Map<String, Value> = serde_json::from_value(inputs).unwrap();
    decisions.evaluate("d", &inputs, Timestamp::from_millis(0))
}

fn rates() -> String {
    let types = r#"<itemDefinition name="tRate"><itemComponent name="percent"><typeRef>tPercent</typeRef></itemComponent>
        <itemComponent name="from"><typeRef>date</typeRef></itemComponent></itemDefinition>
        <itemDefinition name="tPercent"><typeRef>number</typeRef></itemDefinition>"#;
    let service = r##"<decisionService id="s" name="s"><variable name="s"/><outputDecision href="#rate"/>
        <inputData href="#base"/></decisionService>"##;
    let elements = [
        types.to_owned(),
        input("base", "number"),
        deciding("double", &[("Input", "#base")], "base * 2"),
        deciding("rate", &[("Decision", "#double"), ("Input", "#base")], "double + base"),
        function("inner", &[], "n", "n + 1"),
        function("outer", &["#inner"], "n", "inner(n) * 10"),
        deciding("year", &[], "now().year"),
        service.to_owned(),
    ];
    file("rates", &[], &elements.concat())
}

#[test]
fn what_is_imported_is_used_by_the_name_of_the_import() {
    let rates = rates();
    let import = [("r", "rates")];
    let root = |elements: &[String]| file("root", &import, &elements.concat());
    let local = [deciding("double", &[], "7"), function("inner", &[], "n", "0")];
    let typed = |type_ref: &str| input("given", type_ref);
    for (elements, expected) in [
        (vec![deciding("d", &[("Decision", "urn:rates#rate")], "r.rate")], json!(15)),
        (vec![deciding("d", &[("Input", "urn:rates#base")], "r.base + 1")], json!(6)),
        (vec![deciding("d", &[("Knowledge", "urn:rates#outer")], "r.outer(1)")], json!(20)),
        (vec![deciding("d", &[("Knowledge", "urn:rates#s")], "r.s(100)")], json!(300)),
        (vec![deciding("d", &[("Decision", "urn:rates#year")], "r.year")], json!(1970)),
        // Names of this file and of the other do not meet.
        (
            vec![
                local.concat(),
                deciding(
                    "d",
                    &[
                        ("Decision", "#double"),
                        ("Decision", "urn:rates#double"),
                        ("Decision", "urn:rates#rate"),
                        ("Knowledge", "#inner"),
                        ("Knowledge", "urn:rates#outer"),
                    ],
                    "[double, r.double, r.rate, inner(1), r.outer(1)]",
                ),
            ],
            json!([7, 10, 15, 0, 20]),
        ),
        // Types.
        (
            vec![
                typed("r.tRate"),
                deciding("d", &[("Input", "#given")], "given.from.year + given.percent"),
            ],
            json!(2029),
        ),
        (
            vec![
                r#"<itemDefinition name="tRates" isCollection="true"><typeRef>r.tRate</typeRef></itemDefinition>"#.to_owned(),
                typed("tRates"),
                deciding("d", &[("Input", "#given")], "given[1].from.year"),
            ],
            json!(2026),
        ),
        // A function of this file that calls one of the other.
        (
            vec![
                function("f", &["urn:rates#outer"], "n", "r.outer(n) + 1"),
                deciding("d", &[("Knowledge", "#f")], "f(1)"),
            ],
            json!(21),
        ),
    ] {
        let root = root(&elements);
        let inputs = json!({ "base": 5, "given": { "percent": 3, "from": "2026-01-31" } });
        assert_eq!(decide(&[&root], &[&rates], inputs), Ok(expected), "{root}");
    }
}

#[test]
fn an_expression_asks_whether_a_value_is_of_an_imported_type() {
    let item = |name: &str, of: &str| {
        format!(r#"<itemDefinition name="{name}"><typeRef>{of}</typeRef></itemDefinition>"#)
    };
    let pair = r#"<itemDefinition name="tPair"><itemComponent name="x"><typeRef>tOne</typeRef></itemComponent></itemDefinition>"#;
    let list = r#"<itemDefinition name="tAll" isCollection="true"><typeRef>tOne</typeRef></itemDefinition>"#;
    let check = r#"if n instance of tOne then "one" else "other""#;
    let lowest = file("lowest", &[], &[item("tOne", "date"), item("tLow", "boolean")].concat());
    let elements = [
        item("tOne", "number"),
        pair.to_owned(),
        list.to_owned(),
        function("check", &[], "n", check),
        function("outer", &["#check"], "n", "check(n)"),
        deciding("isone", &[("Input", "#given")], "given instance of tOne"),
        input("given", "Any"),
    ];
    let types = file("types", &[("low", "lowest")], &elements.concat());
    for (text, expected) in [
        ("1 instance of t.tOne", json!(true)),
        (r#""a" instance of t.tOne"#, json!(false)),
        // The type of this file has the same name.
        (r#"["a" instance of tOne, 1 instance of tOne]"#, json!([true, false])),
        ("if 1 instance of t.tOne then 2 else 3", json!(2)),
        ("{ x: 1 } instance of t.tPair", json!(true)),
        (r#"{ x: "a" } instance of t.tPair"#, json!(false)),
        ("[1, 2] instance of t.tAll", json!(true)),
        ("[1, 2] instance of list&lt;t . tOne>", json!(true)),
        (r#"["a"] instance of list&lt;t.tOne>"#, json!(false)),
        ("true instance of t.low.tLow and not(1 instance of t.low.tOne)", json!(true)),
        (r#"[t.outer(1), t.outer("a")]"#, json!(["one", "other"])),
        (r#"[f(1), f("a")]"#, json!(["one", "other"])),
        ("t.isone", json!(true)),
        (r#"count(["instance of t.tOne"][item = "instance of t.tOne"])"#, json!(1)),
    ] {
        let requires = [
            ("Knowledge", "urn:types#outer"),
            ("Knowledge", "#f"),
            ("Decision", "urn:types#isone"),
        ];
        let calling = function("f", &["urn:types#outer"], "n", "t.outer(n)");
        let elements = [item("tOne", "string"), calling, deciding("d", &requires, text)];
        let root = file("root", &[("t", "types")], &elements.concat());
        let answer = decide(&[&root], &[&types, &lowest], json!({ "given": 7 }));
        assert_eq!(answer, Ok(expected), "{text}");
    }
}

#[test]
fn a_file_is_imported_under_several_names_and_over_several_files() {
    let rates = rates();
    let used = |alias: &str| format!("{alias}.rate");
    let middle = file(
        "middle",
        &[("inside", "rates")],
        &[
            deciding("m", &[("Decision", "urn:rates#rate")], &used("inside")),
            function("g", &["urn:rates#outer"], "n", "inside.outer(n)"),
        ]
        .concat(),
    );
    let root = file(
        "root",
        &[("mid", "middle"), ("r", "rates")],
        &deciding(
            "d",
            &[
                ("Decision", "urn:middle#m"),
                ("Decision", "urn:rates#rate"),
                ("Knowledge", "urn:middle#g"),
            ],
            "[mid.m, r.rate, mid.g(1)]",
        ),
    );
    let inputs = json!({ "base": 1 });
    let expected = Ok(json!([3, 3, 20]));
    assert_eq!(decide(&[&root], &[&rates, &middle], inputs), expected);
    let mut decisions = Decisions::default();
    let files: Vec<&[u8]> = [&rates, &root, &middle].map(String::as_bytes).to_vec();
    decisions.add_all(&files, &[]).unwrap();
    let places: Vec<_> = ["rate", "d", "m"].map(|it| decisions.file_of(it).unwrap()).to_vec();
    assert_eq!(places, [0, 1, 2]);
    assert_eq!(decisions.inputs("d").collect::<Vec<_>>(), ["base"]);
}

#[test]
fn a_decision_needs_inputs_of_other_files_and_says_what_they_allow() {
    let rates = rates();
    let few = r#"<itemDefinition name="tFew"><typeRef>number</typeRef><allowedValues><text>[0..9]</text></allowedValues></itemDefinition>"#;
    let limited = rates.replace("<inputData id=\"base\"", &format!("{few}<inputData id=\"base\""));
    let limited =
        limited.replace(r#"name="base" typeRef="number""#, r#"name="base" typeRef="tFew""#);
    let table = r#"<decision id="t" name="t"><variable name="t"/>
        <informationRequirement><requiredInput href="urn:rates#base"/></informationRequirement>
        <decisionTable><input><inputExpression><text>r.base</text></inputExpression>
        <inputValues><text>[0..5]</text></inputValues></input><output/>
        <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
        </decisionTable></decision>"#;
    let elements = [
        input("base", "number"),
        input("own", "number"),
        deciding("d", &[("Decision", "urn:rates#rate")], "r.rate"),
        deciding("o", &[("Input", "#own")], "own"),
        deciding("f", &[("Knowledge", "urn:rates#outer"), ("Knowledge", "urn:rates#s")], "r.s(1)"),
        table.to_owned(),
    ];
    let root = file("root", &[("r", "rates")], &elements.concat());
    let mut decisions = Decisions::default();
    decisions.add_all(&[root.as_bytes()], &[limited.as_bytes()]).unwrap();
    for (decision, expected) in
        [("d", &["base"][..]), ("o", &["own"]), ("f", &[]), ("t", &["base"])]
    {
        assert_eq!(decisions.inputs(decision).collect::<Vec<_>>(), expected, "{decision}");
    }
    let asked = |decision: &str, base: i64| {
        let inputs: Map<String, Value> = serde_json::from_value(json!({ "base": base })).unwrap();
        decisions.evaluate(decision, &inputs, Timestamp::from_millis(0))
    };
    assert_eq!((asked("d", 9), asked("t", 5)), (Ok(json!(27)), Ok(json!(1))));
    for (decision, base, shown) in [("d", 10, "[0..9]"), ("t", 6, "[0..5]"), ("t", 10, "[0..9]")] {
        let error = asked(decision, base).unwrap_err();
        assert!(
            matches!(&error, DecisionError::NotAllowed { input, allowed, .. } if input == "base" && allowed == shown),
            "{error}"
        );
    }
}

#[test]
fn a_file_says_what_it_imports() {
    let outline = Outline::read(file("root", &[("r", "rates")], "").as_bytes()).unwrap();
    assert_eq!((outline.namespace.as_str(), outline.name.as_str()), ("urn:root", "root"));
    let imports: Vec<_> = outline.imports.iter().map(|it| (&*it.name, &*it.namespace)).collect();
    assert_eq!(imports, [("r", "urn:rates")]);
    assert!(Outline::read(b"<a/>").is_err());
}

#[test]
fn an_import_that_cannot_be_used_is_refused_by_its_name() {
    let rates = rates();
    let uses = |href: &str| deciding("d", &[("Decision", href)], "1");
    let root = |imports: &[(&str, &str)], elements: &str| file("root", imports, elements);
    let good = root(&[("r", "rates")], &uses("urn:rates#rate"));
    let back = file("rates", &[("back", "root")], "");
    let reader = r#"<decisionService id="t" name="t"><variable name="t"/><outputDecision href="urn:rates#year"/></decisionService>"#;
    for (root, others, element, what) in [
        (good.clone(), vec![], "r", "no file with that namespace"),
        (good.clone(), vec![&rates, &rates], "r", "two files"),
        (
            good.clone(),
            vec![&back],
            "back",
            "circle: root, which imports rates, which imports root",
        ),
        (
            good.replace(&format!(r#"importType="{DMN}""#), r#"importType="PMML""#),
            vec![&rates],
            "r",
            "PMML",
        ),
        (good.replace(r#"name="r""#, r#"name="""#), vec![&rates], "root", "without a name"),
        (root(&[("d", "rates")], &uses("urn:rates#rate")), vec![&rates], "d", "something else"),
        (root(&[("r", "rates"), ("q", "rates")], ""), vec![&rates], "q", "another import"),
        (root(&[("r", "rates")], &uses("urn:rates#none")), vec![&rates], "d", "none"),
        (root(&[("r", "rates")], &uses("urn:rates#base")), vec![&rates], "d", "no such decision"),
        (root(&[("r", "rates")], &uses("urn:other#rate")), vec![&rates], "d", "not imported"),
        (
            root(&[("r", "rates")], &[uses("#x"), input("a", "r.tNone")].concat()),
            vec![&rates],
            "root",
            "r.tNone",
        ),
        (
            root(&[("r", "rates")], &[uses("#x"), input("rate", "Any")].concat()),
            vec![&rates],
            "rate",
            "name of an input",
        ),
        (
            root(&[("r", "rates")], &[uses("#x"), input("base", "string")].concat()),
            vec![&rates],
            "base",
            "two types",
        ),
        (
            root(&[("r", "rates")], &[uses("#x"), reader.to_owned()].concat()),
            vec![&rates],
            "t",
            "now()",
        ),
    ] {
        let others: Vec<&str> = others.iter().map(|it| it.as_str()).collect();
        let error = decide(&[&root], &others, json!({})).unwrap_err();
        let of = match &error {
            DecisionError::Invalid { element, .. } | DecisionError::Refused { element, .. } => {
                element.clone()
            }
            other => panic!("{other:?} {root}"),
        };
        assert_eq!(of, element, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn limits_see_through_imports() {
    let heavy = |text: &str| file("rates", &[], &function("f", &[], "n", text));
    let calls = |text: &str| {
        let elements = [
            function("f", &[], "n", "n"),
            deciding("d", &[("Knowledge", "urn:rates#f"), ("Knowledge", "#f")], text),
        ];
        file("root", &[("r", "rates")], &elements.concat())
    };
    let counts = heavy("count(for i in 1..n return i)");
    assert_eq!(decide(&[&calls("r.f(1000)")], &[&counts], json!({})), Ok(json!(1000)));
    let much = decide(&[&calls("r.f(100000000)")], &[&counts], json!({}));
    assert!(matches!(much, Err(DecisionError::TooMuchWork { .. })), "{much:?}");
    let java = counts.replace("<encapsulatedLogic>", r#"<encapsulatedLogic kind="Java">"#);
    let refused = decide(&[&calls("1")], &[&java], json!({}));
    assert!(matches!(refused, Err(DecisionError::Refused { .. })), "{refused:?}");
    let circle = file(
        "rates",
        &[],
        &[function("f", &["#g"], "n", "g(n)"), function("g", &["#f"], "n", "f(n)")].concat(),
    );
    let refused = decide(&[&calls("1")], &[&circle], json!({}));
    assert!(matches!(refused, Err(DecisionError::Refused { .. })), "{refused:?}");
}
