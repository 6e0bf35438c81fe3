//! Compiling a table for explanations.

use std::collections::BTreeMap;

use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;

use super::{Column, ExplainError, Explainer, STACK, TESTED};
use crate::dmn::model::Model;
use crate::dmn::table::{DecisionTable, as_written};
use crate::dmn::{DecisionError, clock, requirements};
use crate::dsntk;
use crate::xml::{Element, Node};

/// Name and id of the decision that gives the values which the table sees.
pub(super) const PROBE: &str = "flowmaster_seen";

pub(super) fn explainer(bytes: &[u8], decision: &str) -> Result<Explainer, ExplainError> {
    let mut root = Element::parse(bytes).map_err(DecisionError::from)?;
    requirements::complete(&mut root);
    let is_timed = !clock::replace(&mut root)?.is_empty();
    let is_it = |element: &&Element| {
        let id = element.attribute("id").or(element.attribute("name"));
        &*element.name == "decision" && id == Some(decision)
    };
    let unknown = || DecisionError::Unknown(decision.to_owned());
    let element = root.elements().find(is_it).ok_or_else(unknown)?;
    let table = element.elements().find(|child| &*child.name == "decisionTable");
    let table = table.ok_or_else(|| ExplainError::NoTable(decision.to_owned()))?;
    let table = as_written(element, table).map_err(ExplainError::Misshapen)?;
    let names = required_names(&root, element);
    let probed = with_probe(&root, element, &names);
    let model = Model::read(&probed, probed.to_document().as_bytes(), &[])?;
    let names: Vec<Name> = names.iter().map(|name| Name::from(name.as_str())).collect();
    let compiled = dsntk::call(STACK, || compile(&table, &names))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?;
    let (inputs, outputs, output_order) = compiled.map_err(DecisionError::NotDmn)?;
    Ok(Explainer { table, model, is_timed, names, inputs, outputs, output_order })
}

/// The names of the inputs, decisions and functions that a decision requires.
fn required_names(root: &Element, decision: &Element) -> Vec<String> {
    let by_id: BTreeMap<&str, &Element> =
        root.elements().filter_map(|it| Some((it.attribute("id")?, it))).collect();
    let targets = decision
        .elements()
        .filter(|child| ["informationRequirement", "knowledgeRequirement"].contains(&&*child.name))
        .flat_map(Element::elements);
    targets
        .filter_map(|target| {
            let required = by_id.get(target.attribute("href")?.strip_prefix('#')?)?;
            let variable = required.elements().find(|child| &*child.name == "variable");
            let name = variable.and_then(|it| it.attribute("name")).or(required.attribute("name"));
            name.map(str::to_owned)
        })
        .collect()
}

/// The file with one more decision, which requires what `decision` does and answers with all of it.
fn with_probe(root: &Element, decision: &Element, names: &[String]) -> Element {
    let (prefix, namespace) = (decision.prefix.as_deref(), &*decision.namespace);
    let made = |name: &str| Element::new(prefix, namespace, name);
    let mut probe = made("decision").with("id", PROBE).with("name", PROBE);
    probe.push(made("variable").with("name", PROBE));
    for child in decision.elements().filter(|child| child.name.ends_with("Requirement")) {
        probe.push(child.clone());
    }
    let mut expression = made("literalExpression");
    // A list of one would be taken for its item.
    let list =
        format!("[{}]", [names, &["null".to_owned(), "null".to_owned()]].concat().join(", "));
    expression.push(made("text").with_text(list));
    probe.push(expression);
    let mut probed = root.clone();
    let is_before = |node: &Node| !matches!(node, Node::Element(it) if it == decision);
    let place = probed.children.iter().take_while(|node| is_before(node)).count();
    probed.children.insert(place, Node::Element(probe));
    probed
}

type Compiled = (Vec<Column>, Vec<Vec<Evaluator>>, Vec<Evaluator>);

fn compile(table: &DecisionTable, names: &[Name]) -> Result<Compiled, String> {
    let scope = FeelScope::default();
    for name in names {
        scope.set_name(name.clone());
    }
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
