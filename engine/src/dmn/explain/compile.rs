//! Compiling a table for explanations.

use std::collections::BTreeMap;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;

use super::required::{self, name_of};
use super::{Column, ExplainError, Explainer, STACK, TESTED};
use crate::dmn::imports::imports;
use crate::dmn::model::{self, Model};
use crate::dmn::table::{DecisionTable, as_written};
use crate::dmn::types::namespace;
use crate::dmn::{DecisionError, clock, requirements};
use crate::dsntk;
use crate::xml::{Element, Node};

/// Name and id of the decision that gives the values which the table sees.
pub(super) const PROBE: &str = "flowmaster_seen";

pub(super) fn explainer(
    bytes: &[u8],
    imported: &[&[u8]],
    decision: &str,
) -> Result<Explainer, ExplainError> {
    let written = Element::parse(bytes).map_err(DecisionError::from)?;
    let others: Result<Vec<Element>, _> = imported.iter().map(|it| model::parse(it)).collect();
    let others = others?;
    let shown = table_of(&written, decision)?;
    let mut root = written;
    requirements::complete(&mut root);
    let is_timed = !clock::replace(&mut root)?.is_empty();
    let table = table_of(&root, decision)?;
    let element = decision_in(&root, decision)?;
    let names = required_names(&root, &others, element);
    let probed = with_probe(&root, element, &names);
    let model = Model::read(&probed, probed.to_document().as_bytes(), &others)?;
    let names: Vec<Vec<Name>> = names.iter().map(Seen::path).collect();
    let compiled = dsntk::call(STACK, || compile(&table, &names))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?;
    let (inputs, outputs, output_order) = compiled.map_err(DecisionError::NotDmn)?;
    Ok(Explainer { table: shown, model, is_timed, names, inputs, outputs, output_order })
}

fn decision_in<'a>(root: &'a Element, decision: &str) -> Result<&'a Element, DecisionError> {
    let found = required::decision_in(root, decision);
    found.ok_or_else(|| DecisionError::Unknown(decision.to_owned()))
}

fn table_of(root: &Element, decision: &str) -> Result<DecisionTable, ExplainError> {
    let element = decision_in(root, decision)?;
    let table = element.elements().find(|child| &*child.name == "decisionTable");
    let table = table.ok_or_else(|| ExplainError::NoTable(decision.to_owned()))?;
    as_written(element, table).map_err(ExplainError::Misshapen)
}

/// What a decision sees under a name, or under that of an import.
struct Seen {
    import: Option<String>,
    name: String,
}

impl Seen {
    fn path(&self) -> Vec<Name> {
        let names = self.import.iter().chain([&self.name]);
        names.map(|name| Name::from(name.as_str())).collect()
    }

    fn text(&self) -> String {
        match &self.import {
            Some(import) => format!("{import}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The inputs, decisions and functions that a decision requires, of `root` and of `others`.
fn required_names(root: &Element, others: &[Element], decision: &Element) -> Vec<Seen> {
    let files = std::iter::once(root).chain(others);
    let elements = files.flat_map(|file| file.elements().map(move |it| (namespace(file), it)));
    let by_id: BTreeMap<(&str, &str), &Element> =
        elements.filter_map(|(base, it)| Some(((base, it.attribute("id")?), it))).collect();
    let targets = decision
        .elements()
        .filter(|child| ["informationRequirement", "knowledgeRequirement"].contains(&&*child.name))
        .flat_map(Element::elements);
    targets
        .filter_map(|target| {
            let (base, id) = target.attribute("href")?.rsplit_once('#')?;
            let base = if base.is_empty() { namespace(root) } else { base };
            let required = by_id.get(&(base, id))?;
            let import = imports(root).find(|it| it.namespace == base).map(|it| it.name);
            Some(Seen { import, name: name_of(required).to_owned() })
        })
        .collect()
}

/// The file with one more decision, which requires what `decision` does and answers with all of it.
fn with_probe(root: &Element, decision: &Element, names: &[Seen]) -> Element {
    let (prefix, namespace) = (decision.prefix.as_deref(), &*decision.namespace);
    let made = |name: &str| Element::new(prefix, namespace, name);
    let mut probe = made("decision").with("id", PROBE).with("name", PROBE);
    probe.push(made("variable").with("name", PROBE));
    for child in decision.elements().filter(|child| child.name.ends_with("Requirement")) {
        probe.push(child.clone());
    }
    let mut expression = made("literalExpression");
    // A list of one would be taken for its item.
    let nulls = ["null", "null"].map(str::to_owned);
    let list: Vec<String> = names.iter().map(Seen::text).chain(nulls).collect();
    expression.push(made("text").with_text(format!("[{}]", list.join(", "))));
    probe.push(expression);
    let mut probed = root.clone();
    let is_before = |node: &Node| !matches!(node, Node::Element(it) if it == decision);
    let place = probed.children.iter().take_while(|node| is_before(node)).count();
    probed.children.insert(place, Node::Element(probe));
    probed
}

type Compiled = (Vec<Column>, Vec<Vec<Evaluator>>, Vec<Evaluator>);

fn compile(table: &DecisionTable, names: &[Vec<Name>]) -> Result<Compiled, String> {
    let mut known = FeelContext::new();
    for path in names {
        known.create_entries(path, FeelValue::Null(None));
    }
    let scope = FeelScope::from(known);
    let expression = |text: &str| {
        dsntk_feel_parser::parse_expression(&scope, text, false).map_err(|error| error.to_string())
    };
    let tests = |text: &str| {
        dsntk_feel_parser::parse_unary_tests(&scope, text, false).map_err(|error| error.to_string())
    };
    let tested = || Box::new(AstNode::Name(Name::from(TESTED)));
    let test = |text: &str| -> Result<Evaluator, String> {
        let tree = AstNode::In(tested(), Box::new(tests(text)?));
        Ok(dsntk_feel_evaluator::prepare(&tree))
    };
    let mut inputs = Vec::with_capacity(table.inputs.len());
    for (at, input) in table.inputs.iter().enumerate() {
        let cells = table.rules.iter().filter_map(|rule| rule.inputs.get(at));
        inputs.push(Column {
            expression: dsntk_feel_evaluator::prepare(&expression(&input.expression)?),
            allowed: input.allowed.as_deref().map(test).transpose()?,
            cells: cells.map(|cell| test(cell)).collect::<Result<_, _>>()?,
        });
    }
    let allowed =
        table.outputs.iter().map(|output| output.allowed.as_deref().map(tests).transpose());
    let allowed: Vec<Option<AstNode>> = allowed.collect::<Result<_, _>>()?;
    let output = |(text, allowed): (&String, &Option<AstNode>)| -> Result<Evaluator, String> {
        let tree = expression(text)?;
        // An answer that is not allowed is null.
        Ok(dsntk_feel_evaluator::prepare(&match allowed {
            Some(allowed) => AstNode::Out(Box::new(tree), Box::new(allowed.clone())),
            None => tree,
        }))
    };
    let outputs = table
        .rules
        .iter()
        .map(|rule| rule.outputs.iter().zip(&allowed).map(output).collect())
        .collect::<Result<_, String>>()?;
    let order = allowed.iter().flatten().map(dsntk_feel_evaluator::prepare).collect();
    Ok((inputs, outputs, order))
}
