use super::*;
use crate::finding::Finding;
use crate::xml::Element;

fn tables(decisions: &str) -> Read {
    let xml = format!(
        r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">
        <itemDefinition name="tRegion"><typeRef>tText</typeRef><allowedValues><text>"EU", "US"</text></allowedValues></itemDefinition>
        <itemDefinition name="tText"><typeRef>string</typeRef></itemDefinition>
        <inputData id="i1" name="region"><variable name="region" typeRef="tRegion"/></inputData>
        {decisions}</definitions>"#
    );
    read(&Element::parse(xml.as_bytes()).unwrap())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_table_is_read_with_the_types_of_its_columns() {
    let found = tables(
        r#"<decision id="d" name="Discount"><variable name="Discount" typeRef="number"/>
        <decisionTable hitPolicy="COLLECT" aggregation="SUM">
          <input label="Region"><inputExpression><text> region </text></inputExpression></input>
          <input><inputExpression typeRef="number"><text>amount</text></inputExpression><inputValues><text>[0..100]</text></inputValues></input>
          <output><defaultOutputEntry><text>0</text></defaultOutputEntry></output>
          <annotation name="Why"/>
          <rule id="r1"><inputEntry><text>"EU"</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>5</text></outputEntry><annotationEntry><text>law</text></annotationEntry></rule>
          <rule><inputEntry><text>-</text></inputEntry><inputEntry><text>&gt; 10</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
        </decisionTable></decision>
        <decision id="l" name="L"><literalExpression><text>1</text></literalExpression></decision>"#,
    );
    let some = |text: &str| Some(text.to_owned());
    let expected = DecisionTable {
        id: "d".to_owned(),
        name: "Discount".to_owned(),
        hit_policy: HitPolicy::CollectSum,
        inputs: vec![
            Input {
                expression: "region".to_owned(),
                label: some("Region"),
                type_name: some("string"),
                allowed: some("\"EU\", \"US\""),
            },
            Input {
                expression: "amount".to_owned(),
                label: None,
                type_name: some("number"),
                allowed: some("[0..100]"),
            },
        ],
        outputs: vec![Output {
            type_name: some("number"),
            default: some("0"),
            ..Output::default()
        }],
        annotations: texts(&["Why"]),
        rules: vec![
            Rule {
                id: some("r1"),
                inputs: texts(&["\"EU\"", "-"]),
                outputs: texts(&["5"]),
                annotations: texts(&["law"]),
            },
            Rule {
                id: None,
                inputs: texts(&["-", "> 10"]),
                outputs: texts(&["1"]),
                annotations: texts(&[""]),
            },
        ],
    };
    assert_eq!(found, Read { tables: vec![expected], findings: Vec::new() });
}

#[test]
fn a_table_that_cannot_be_read_says_where() {
    let table = |attributes: &str, rules: &str| {
        tables(&format!(
            r#"<decision id="d" name="D"><decisionTable {attributes}>
            <input label="Region"><inputExpression><text>region</text></inputExpression></input>
            <output/>{rules}</decisionTable></decision>"#
        ))
    };
    let entry = |name: &str, text: &str| format!("<{name}><text>{text}</text></{name}>");
    let rule = |inputs: &[&str], outputs: &[&str]| {
        let inputs: String = inputs.iter().map(|text| entry("inputEntry", text)).collect();
        let outputs: String = outputs.iter().map(|text| entry("outputEntry", text)).collect();
        format!("<rule>{inputs}{outputs}</rule>")
    };
    let many = rule(&["-"], &["1"]).repeat(MAX_RULES + 1);
    for (found, code, what) in [
        (table("hitPolicy='LAST'", ""), "hit_policy", "LAST"),
        (table("hitPolicy='COLLECT' aggregation='MEAN'", ""), "hit_policy", "COLLECT MEAN"),
        (table("", &rule(&["-", "-"], &["1"])), "rule_width", "rule 1 has 2 input"),
        (table("", &[rule(&["-"], &["1"]), rule(&[""], &["1"])].concat()), "empty_cell", "rule 2"),
        (table("", &rule(&["-"], &[""])), "empty_cell", "column \"output\""),
        (table("", &many), "table_too_large", "10001 rules"),
    ] {
        assert!(found.tables.is_empty());
        let Finding { code: found_code, what: found_what, element, .. } = &found.findings[0];
        assert_eq!((found_code.as_str(), element.as_deref()), (code, Some("d")));
        assert!(found_what.contains(what), "{found_what}");
    }
}

#[test]
fn a_hit_policy_has_a_name_and_a_letter() {
    for (policy, name, letter) in HitPolicy::ALL {
        assert_eq!(policy.name(), name);
        assert_eq!(HitPolicy::parse(&name.to_lowercase()), Some(policy));
        assert_eq!(HitPolicy::parse(letter), Some(policy));
        assert_eq!(serde_json::to_value(policy).unwrap(), name);
    }
    assert_eq!(HitPolicy::parse("LAST"), None);
}

#[test]
fn descriptions_of_rules_are_annotations_where_there_are_none() {
    let found = tables(
        r#"<decision id="d" name="D"><decisionTable><output/>
        <rule><description>as agreed</description><outputEntry><text>1</text></outputEntry></rule>
        <rule><outputEntry><text>2</text></outputEntry></rule></decisionTable></decision>"#,
    );
    let table = &found.tables[0];
    assert_eq!(table.annotations, texts(&["Description"]));
    assert_eq!(table.rules[0].annotations, texts(&["as agreed"]));
    assert_eq!(table.rules[1].annotations, texts(&[""]));
}
