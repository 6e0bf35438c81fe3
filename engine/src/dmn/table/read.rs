//! Reading the tables of a DMN file (DMN 1.5 §8.3).

use std::collections::BTreeMap;

use super::{DecisionTable, HitPolicy, Input, MAX_CELLS, MAX_COLUMNS, MAX_RULES, Output, Rule};
use crate::finding::Finding;
use crate::xml::Element;

/// The most types that a type may stand on.
const MAX_TYPE_CHAIN: usize = 16;
/// The heading of rule descriptions in a table without annotation columns, as older files write them.
const DESCRIPTION: &str = "Description";

/// What the tables of a file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The tables that could be read, in the order of the file.
    pub tables: Vec<DecisionTable>,
    /// Why others could not. `element` is the id of the decision.
    pub findings: Vec<Finding>,
}

/// Reads the tables of the decisions directly below `root`, a `definitions` element. Types and
/// allowed values that a column leaves to an item definition or to its input data are filled in.
#[must_use]
pub fn read(root: &Element) -> Read {
    let types = Types::of(root);
    let mut found = Read::default();
    for decision in named(root, "decision") {
        let Some(table) = first(decision, "decisionTable") else { continue };
        match as_written(decision, table) {
            Ok(mut table) => {
                types.resolve(&mut table);
                found.tables.push(table);
            }
            Err(findings) => found.findings.extend(findings),
        }
    }
    found
}

/// The simple types of a file, and the types of its input data.
pub(in crate::dmn) struct Types {
    /// By name: the type it stands on and the values allowed.
    simple: BTreeMap<String, (String, Option<String>)>,
    /// By name of the variable: its type.
    inputs: BTreeMap<String, String>,
}

impl Types {
    pub(in crate::dmn) fn of(root: &Element) -> Self {
        let simple = named(root, "itemDefinition").filter_map(|item| {
            let is_simple = item.attribute("isCollection") != Some("true")
                && first(item, "itemComponent").is_none();
            let base = first(item, "typeRef").filter(|_| is_simple)?.text();
            let allowed = first(item, "allowedValues").and_then(text_of);
            Some((item.attribute("name")?.to_owned(), (base, allowed)))
        });
        let inputs = named(root, "inputData").filter_map(|input| {
            let variable = first(input, "variable")?;
            let name = variable.attribute("name").or(input.attribute("name"))?;
            Some((name.to_owned(), variable.attribute("typeRef")?.to_owned()))
        });
        Self { simple: simple.collect(), inputs: inputs.collect() }
    }

    /// The built-in type that `name` stands on, and the values that the nearest type allows.
    pub(in crate::dmn) fn of_name(&self, name: &str) -> (String, Option<String>) {
        let (mut name, mut allowed) = (name.to_owned(), None);
        for _ in 0..MAX_TYPE_CHAIN {
            let Some((base, values)) = self.simple.get(&name) else { break };
            allowed = allowed.or_else(|| values.clone());
            name.clone_from(base);
        }
        (name, allowed)
    }

    fn resolve(&self, table: &mut DecisionTable) {
        for input in &mut table.inputs {
            let type_name =
                input.type_name.take().or_else(|| self.inputs.get(&input.expression).cloned());
            self.fill(type_name, &mut input.type_name, &mut input.allowed);
        }
        for output in &mut table.outputs {
            let type_name = output.type_name.take();
            self.fill(type_name, &mut output.type_name, &mut output.allowed);
        }
    }

    fn fill(
        &self,
        named: Option<String>,
        type_name: &mut Option<String>,
        allowed: &mut Option<String>,
    ) {
        let Some(named) = named else { return };
        let (base, values) = self.of_name(&named);
        *type_name = Some(base);
        if allowed.is_none() {
            *allowed = values;
        }
    }
}

/// The table of `decision`, with nothing filled in.
pub(in crate::dmn) fn as_written(
    decision: &Element,
    table: &Element,
) -> Result<DecisionTable, Vec<Finding>> {
    let name = decision.attribute("name").or(decision.attribute("id")).unwrap_or_default();
    let id = decision.attribute("id").unwrap_or(name);
    let mut findings = Vec::new();
    let hit_policy = hit_policy(table).unwrap_or_else(|what| {
        let fix = "use a hit policy of DMN: UNIQUE, ANY, PRIORITY, FIRST, RULE ORDER, OUTPUT ORDER \
                   or COLLECT with SUM, MIN, MAX or COUNT";
        findings.push(Finding::error("hit_policy", id, what, fix));
        HitPolicy::default()
    });
    let variable_type = first(decision, "variable").and_then(|it| it.attribute("typeRef"));
    let outputs: Vec<Output> = named(table, "output").map(output).collect();
    let mut read = DecisionTable {
        id: id.to_owned(),
        name: name.to_owned(),
        hit_policy,
        inputs: named(table, "input").map(input).collect(),
        annotations: named(table, "annotation")
            .map(|clause| clause.attribute("name").unwrap_or_default().to_owned())
            .collect(),
        rules: named(table, "rule").map(rule).collect(),
        outputs,
    };
    // The type of a single output may be said by the decision alone.
    if read.hit_policy.answers_as_output()
        && let [output] = read.outputs.as_mut_slice()
        && output.type_name.is_none()
    {
        output.type_name = variable_type.map(str::to_owned);
    }
    describe(&mut read, table);
    even_out(&mut read);
    findings.extend(misshapen(&read));
    if findings.is_empty() { Ok(read) } else { Err(findings) }
}

/// Takes descriptions of rules for annotations where a table has none.
fn describe(read: &mut DecisionTable, table: &Element) {
    let descriptions: Vec<Option<String>> = named(table, "rule")
        .map(|rule| first(rule, "description").map(Element::text).filter(|it| !it.is_empty()))
        .collect();
    if !read.annotations.is_empty() || descriptions.iter().all(Option::is_none) {
        return;
    }
    read.annotations.push(DESCRIPTION.to_owned());
    for (rule, description) in read.rules.iter_mut().zip(descriptions) {
        rule.annotations = vec![description.unwrap_or_default()];
    }
}

/// Gives each rule one annotation a column: files may leave out the last ones, or the headings.
fn even_out(read: &mut DecisionTable) {
    let most = read.rules.iter().map(|rule| rule.annotations.len()).max().unwrap_or(0);
    let width = read.annotations.len().max(most);
    read.annotations.resize(width, String::new());
    for rule in &mut read.rules {
        rule.annotations.resize(width, String::new());
    }
}

/// What is wrong with the shape of a table: then its rules cannot be read.
pub(in crate::dmn) fn misshapen(table: &DecisionTable) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut error = |code: &str, what: String, fix: String| {
        findings.push(Finding::error(code, &table.id, what, fix));
    };
    let columns = table.inputs.len() + table.outputs.len() + table.annotations.len();
    let is_too_large = columns > MAX_COLUMNS
        || table.rules.len() > MAX_RULES
        || columns * table.rules.len() > MAX_CELLS;
    if is_too_large {
        let what = format!("the table has {} rules and {columns} columns", table.rules.len());
        let fix = format!(
            "split it into tables of at most {MAX_RULES} rules, {MAX_COLUMNS} columns and {MAX_CELLS} \
             cells, for example by the values of one input"
        );
        error("table_too_large", what, fix);
        return findings;
    }
    if table.outputs.is_empty() {
        let fix = "add an output column: what the decision answers".to_owned();
        error("no_output", "the table has no output".to_owned(), fix);
    }
    for (number, input) in (1..).zip(&table.inputs) {
        if input.expression.is_empty() {
            let what = format!("input {number} has no expression");
            error("no_expression", what, "say in FEEL which value its cells test".to_owned());
        }
    }
    if table.outputs.len() > 1 {
        for (number, _) in (1..).zip(&table.outputs).filter(|(_, output)| output.name.is_none()) {
            let what = format!("output {number} of {} has no name", table.outputs.len());
            error("no_output_name", what, "name each output of a table with several".to_owned());
        }
    }
    for (number, rule) in (1..).zip(&table.rules) {
        let expected = (table.inputs.len(), table.outputs.len());
        let found = (rule.inputs.len(), rule.outputs.len());
        if found != expected {
            let what = format!(
                "rule {number} has {} input and {} output entries, and the table {} and {}",
                found.0, found.1, expected.0, expected.1
            );
            error("rule_width", what, "write one entry a column; `-` for any input".to_owned());
        } else if let Some(at) = rule.inputs.iter().position(String::is_empty) {
            let column = table.inputs.get(at).map_or("", Input::heading);
            let what = format!("rule {number} has nothing in column {column:?}");
            error("empty_cell", what, "write `-` where any value will do".to_owned());
        } else if let Some(at) = rule.outputs.iter().position(String::is_empty) {
            let column = table.outputs.get(at).map_or("", Output::heading);
            let what = format!("rule {number} answers nothing in column {column:?}");
            error("empty_cell", what, "write a FEEL value, such as \"yes\", 5 or null".to_owned());
        }
    }
    findings
}

fn hit_policy(table: &Element) -> Result<HitPolicy, String> {
    let policy = table.attribute("hitPolicy").unwrap_or("UNIQUE");
    // The schema has the names with a blank; some tools write an underscore.
    let mut name = policy.replace('_', " ");
    if let Some(aggregation) = table.attribute("aggregation") {
        name = format!("{name} {aggregation}");
    }
    HitPolicy::parse(&name).ok_or_else(|| format!("the hit policy {name:?} is unknown"))
}

fn input(clause: &Element) -> Input {
    let expression = first(clause, "inputExpression");
    let type_name = expression.and_then(|it| it.attribute("typeRef")).map(built_in);
    Input {
        expression: expression.and_then(text_of).unwrap_or_default(),
        label: clause.attribute("label").filter(|label| !label.is_empty()).map(str::to_owned),
        type_name,
        allowed: first(clause, "inputValues").and_then(text_of),
    }
}

fn output(clause: &Element) -> Output {
    let attribute = |name: &str| clause.attribute(name).filter(|it| !it.is_empty());
    Output {
        name: attribute("name").map(str::to_owned),
        label: attribute("label").map(str::to_owned),
        type_name: attribute("typeRef").map(built_in),
        allowed: first(clause, "outputValues").and_then(text_of),
        default: first(clause, "defaultOutputEntry").and_then(text_of),
    }
}

fn rule(rule: &Element) -> Rule {
    let texts = |name: &'static str| {
        named(rule, name).map(|entry| text_of(entry).unwrap_or_default()).collect()
    };
    Rule {
        id: rule.attribute("id").map(str::to_owned),
        inputs: texts("inputEntry"),
        outputs: texts("outputEntry"),
        annotations: texts("annotationEntry"),
    }
}

/// The name of a type without the prefix of older files.
fn built_in(name: &str) -> String {
    name.strip_prefix("feel:").unwrap_or(name).to_owned()
}

/// The text of an element that holds one in a `text` element.
fn text_of(element: &Element) -> Option<String> {
    first(element, "text").map(Element::text).filter(|text| !text.is_empty())
}

fn named<'a>(element: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    element.elements().filter(move |child| &*child.name == name)
}

fn first<'a>(element: &'a Element, name: &'static str) -> Option<&'a Element> {
    named(element, name).next()
}
