//! Test cases of decisions, in the format of the DMN Technology Compatibility Kit
//! (<https://github.com/dmn-tck/tck>, `testCases.xsd`).

use std::collections::BTreeMap;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelNumber, Name};
use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value};

use super::{DecisionError, Model};
use crate::feel;
use crate::xml::{Element, Node};

const CASES: &str = "http://www.omg.org/spec/DMN/20160719/testcase";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Numbers that have no last digit are written with as many as the author liked.
const CLOSE: f64 = 1e-8;
/// What the clock says: the cases name no moment, so they hold at any.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How a test case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The id of the case.
    pub case: String,
    /// What was different from what is expected; none where it passed.
    pub failure: Option<String>,
}

/// Runs the test cases of the file `cases`. `files` are the models beside it, by file name: the
/// one that it names, and those that this one imports.
///
/// A model that cannot be evaluated fails each of its cases.
///
/// # Errors
/// A file that has no test cases, or whose model is not there.
pub fn run(cases: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Outcome>, DecisionError> {
    let root = Element::parse(cases)?;
    if !root.is(CASES, "testCases") {
        return Err(DecisionError::NotDmn("it holds no test cases".to_owned()));
    }
    let named = root.first(CASES, "modelName").map(Element::text).unwrap_or_default();
    let model = files.get(&named).ok_or_else(|| {
        DecisionError::NotDmn(format!(
            "the test cases are about {named:?}, which is not beside them"
        ))
    })?;
    let model = read(model, files, &named).map_err(|error| error.to_string());
    let outcome = |case: &Element| Outcome {
        case: case.attribute("id").unwrap_or_default().to_owned(),
        failure: model.as_ref().map_err(String::clone).and_then(|it| play(it, case)).err(),
    };
    Ok(root.named(CASES, "testCase").map(outcome).collect())
}

fn read(
    model: &[u8],
    files: &BTreeMap<String, Vec<u8>>,
    named: &str,
) -> Result<Model, DecisionError> {
    let others = files.iter().filter(|(name, _)| *name != named);
    // Not everything beside a model belongs to it.
    let others: Vec<Element> =
        others.filter_map(|(_, bytes)| super::model::parse(bytes).ok()).collect();
    Model::read(&super::model::parse(model)?, model, &others)
}

fn play(model: &Model, case: &Element) -> Result<(), String> {
    let inputs = inputs(case)?;
    let mut results = case.named(CASES, "resultNode");
    results.try_for_each(|wanted| check(model, case, wanted, &inputs))
}

fn inputs(case: &Element) -> Result<FeelContext, String> {
    let mut context = FeelContext::new();
    for input in case.named(CASES, "inputNode") {
        context.set_entry(&Name::from(input.attribute("name").unwrap_or_default()), value(input)?);
    }
    Ok(context)
}

/// The inputs as the estimate of the work takes them; those that are no data are of no size.
fn variables(inputs: &FeelContext) -> Map<String, Value> {
    let data = inputs
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), feel::to_json(value.clone()).ok()?)));
    data.collect()
}

fn check(
    model: &Model,
    case: &Element,
    wanted: &Element,
    inputs: &FeelContext,
) -> Result<(), String> {
    let result = wanted.attribute("name").unwrap_or_default();
    let invocable = match case.attribute("type") {
        Some("decisionService" | "bkm") => case.attribute("invocableName").unwrap_or_default(),
        _ => result,
    };
    let mut found = model
        .value(invocable, &variables(inputs), inputs.clone(), NOW)
        .map_err(|error| error.to_string())?;
    // A service with several output decisions gives them together.
    if case.named(CASES, "resultNode").count() > 1
        && invocable != result
        && let FeelValue::Context(outputs) = &found
        && let Some(output) = outputs.get_entry(&Name::from(result))
    {
        found = output.clone();
    }
    let expected = match wanted.first(CASES, "expected") {
        Some(expected) => value(expected)?,
        None => FeelValue::Null(None),
    };
    let is_error = wanted.attribute("errorResult") == Some("true");
    match is_error && matches!(found, FeelValue::Null(_)) || same(&found, &expected) {
        true => Ok(()),
        false => Err(format!("{result}: {found}, and {expected} is expected")),
    }
}

/// What a node of the schema's `valueType` says.
fn value(holder: &Element) -> Result<FeelValue, String> {
    if let Some(list) = holder.first(CASES, "list").filter(|list| !is_nil(list)) {
        let items = list.named(CASES, "item").map(value);
        return Ok(FeelValue::List(items.collect::<Result<_, _>>()?));
    }
    if let Some(simple) = holder.first(CASES, "value").filter(|simple| !is_nil(simple)) {
        return simple_value(simple);
    }
    let mut components = holder.named(CASES, "component").peekable();
    if components.peek().is_none() {
        return Ok(FeelValue::Null(None));
    }
    let mut context = FeelContext::new();
    for component in components {
        let name = Name::from(component.attribute("name").unwrap_or_default());
        context.set_entry(
            &name,
            if is_nil(component) { FeelValue::Null(None) } else { value(component)? },
        );
    }
    Ok(FeelValue::Context(context))
}

fn is_nil(element: &Element) -> bool {
    element.attribute_of(INSTANCE, "nil") == Some("true")
}

fn simple_value(simple: &Element) -> Result<FeelValue, String> {
    let text: String = simple
        .children
        .iter()
        .map(|child| match child {
            Node::Text(text) => text.as_str(),
            Node::Element(_) | Node::Comment(_) => "",
        })
        .collect();
    let kind = simple.attribute_of(INSTANCE, "type").unwrap_or("string");
    let trimmed = text.trim();
    let read = match kind.rsplit_once(':').map_or(kind, |(_, kind)| kind) {
        "boolean" => FeelValue::try_from_xsd_boolean(trimmed),
        "decimal" | "double" | "float" | "integer" | "int" | "long" => {
            FeelValue::try_from_xsd_decimal(trimmed)
        }
        "date" => FeelValue::try_from_xsd_date(trimmed),
        "time" => FeelValue::try_from_xsd_time(trimmed),
        "dateTime" => FeelValue::try_from_xsd_date_time(trimmed),
        "duration" => FeelValue::try_from_xsd_duration(trimmed),
        _ => return Ok(FeelValue::String(text)),
    };
    read.map_err(|error| error.to_string())
}

/// Whether two values are the same to a test case.
fn same(found: &FeelValue, expected: &FeelValue) -> bool {
    match (found, expected) {
        (FeelValue::Transparent(found), expected) => same(found, expected),
        (FeelValue::Null(_), FeelValue::Null(_)) => true,
        (FeelValue::Number(found), FeelValue::Number(expected)) => close(found, expected),
        (FeelValue::List(found), FeelValue::List(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| same(found, expected))
        }
        (FeelValue::Context(found), FeelValue::Context(expected)) => {
            found.iter().count() == expected.iter().count()
                && found.iter().all(|(name, found)| {
                    expected.get_entry(name).is_some_and(|expected| same(found, expected))
                })
        }
        _ => found == expected,
    }
}

fn close(found: &FeelNumber, expected: &FeelNumber) -> bool {
    let number = |number: &FeelNumber| number.to_string().parse::<f64>();
    found == expected
        || matches!((number(found), number(expected)), (Ok(one), Ok(other)) if (one - other).abs() < CLOSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="urn:m">
        <import name="rates" namespace="urn:rates" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>
        <inputData id="net" name="net"><variable name="net" typeRef="number"/></inputData>
        <decision id="gross" name="gross"><variable name="gross"/><informationRequirement><requiredInput href="#net"/></informationRequirement>
          <informationRequirement><requiredDecision href="urn:rates#rate"/></informationRequirement>
          <literalExpression><text>{ total: net * (1 + rates.rate), days: [duration("P1D")], third: net / 3 }</text></literalExpression></decision>
      </definitions>"##;
    const RATES: &str = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="r" namespace="urn:rates">
        <decision id="rate" name="rate"><variable name="rate"/><literalExpression><text>0.19</text></literalExpression></decision>
      </definitions>"#;

    fn cases(expected: &str) -> String {
        format!(
            "<testCases xmlns='{CASES}' xmlns:xsi='{INSTANCE}' xmlns:xsd='http://www.w3.org/2001/XMLSchema'>\
             <modelName>m.dmn</modelName><testCase id='1'><inputNode name='net'><value xsi:type='xsd:decimal'>100</value></inputNode>\
             <resultNode name='gross'><expected>{expected}</expected></resultNode></testCase></testCases>"
        )
    }

    fn files() -> BTreeMap<String, Vec<u8>> {
        [("m.dmn", MODEL), ("rates.dmn", RATES)]
            .map(|(name, model)| (name.to_owned(), model.as_bytes().to_vec()))
            .into()
    }

    fn component(name: &str, value: &str) -> String {
        format!("<component name='{name}'>{value}</component>")
    }

    #[test]
    fn a_case_passes_where_the_decision_gives_what_is_expected() {
        let days = "<list><item><value xsi:type='xsd:duration'>P1D</value></item></list>";
        let third = component("third", "<value xsi:type='xsd:double'>33.3333333333</value>");
        let run = |total: &str| {
            let total = format!("<value xsi:type='xsd:decimal'>{total}</value>");
            let expected = [component("total", &total), component("days", days), third.clone()];
            let outcomes = run(cases(&expected.concat()).as_bytes(), &files()).unwrap();
            outcomes[0].failure.clone()
        };
        assert_eq!(run("119.00"), None);
        let failure = run("120").unwrap();
        assert!(failure.starts_with("gross: {") && failure.contains("120"), "{failure}");
    }

    #[test]
    fn an_error_is_null_and_a_model_has_to_be_there() {
        let fails =
            cases("").replace("<value xsi:type='xsd:decimal'>100</value>", "<value>ten</value>");
        let outcomes = run(fails.as_bytes(), &files()).unwrap();
        assert!(outcomes[0].failure.is_some(), "{outcomes:?}");
        let is_error = fails.replace("name='gross'>", "name='nothing' errorResult='true'>");
        assert_eq!(run(is_error.as_bytes(), &files()).unwrap()[0].failure, None);
        assert!(run(fails.as_bytes(), &BTreeMap::new()).is_err());
        assert!(run(b"<a/>", &files()).is_err());
    }
}
