//! Compiling the tables of a file. It starts from what the evaluator starts from, so that both read the
//! same table.

use std::collections::BTreeMap;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelScope, Name};
use dsntk_feel_parser::{AstNode, parse_expression, parse_name, parse_unary_tests};
use dsntk_model::{
    BuiltinAggregator, Decision, DecisionTable, Definitions, DmnElement, DrgElement, Expression,
    ExpressionInstance, HitPolicy, InputClause, NamedElement, OutputClause, RequiredVariable,
};

use super::column::{Column, Source};
use super::types::{Type, of_answer};
use super::{Rule, Table};
use crate::dmn::analyze::{Accepts, CONSTRUCTORS, Kind, constant};
use crate::dmn::work::name_of;

pub(super) fn tables(definitions: &Definitions) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for element in definitions.drg_elements() {
        let DrgElement::Decision(decision) = element else { continue };
        let namesakes = definitions.drg_elements().filter_map(name_of);
        let is_only_one = namesakes.filter(|name| *name == decision.name()).count() == 1;
        let table =
            is_only_one.then(|| Reader::of(definitions, decision)?.table(decision)).flatten();
        tables.extend(table.map(|table| (decision.name().to_owned(), table)));
    }
    tables
}

/// What the table of one decision sees.
struct Reader<'a> {
    definitions: &'a Definitions,
    /// Its inputs with their types, where these are simple.
    inputs: BTreeMap<Name, Option<Type>>,
    scope: FeelScope,
}

/// An output column.
struct Output<'a> {
    clause: &'a OutputClause,
    /// The values that the column allows.
    allowed: Option<AstNode>,
}

impl<'a> Reader<'a> {
    /// Nothing when the decision requires more than inputs of its own file, or when a name means
    /// something else there than in the language.
    fn of(definitions: &'a Definitions, decision: &Decision) -> Option<Self> {
        let mut inputs = BTreeMap::new();
        if !decision.knowledge_requirements().is_empty() {
            return None;
        }
        for requirement in decision.information_requirements() {
            let required = requirement.required_input().as_ref()?;
            if requirement.required_decision().is_some() || required.namespace().is_some() {
                return None;
            }
            let input = definitions.drg_elements().find_map(|element| match element {
                DrgElement::InputData(input) if input.id() == required.id() => Some(input),
                _ => None,
            });
            let variable = input?.variable();
            let type_ = Type::of_input(variable.type_ref(), definitions);
            inputs.insert(variable.feel_name().clone(), type_);
        }
        let types = definitions.item_definitions().iter().map(NamedElement::name);
        let names = inputs.keys().map(ToString::to_string).chain(types.map(str::to_owned));
        if names.into_iter().any(|name| CONSTRUCTORS.contains(&name.as_str())) {
            return None;
        }
        let scope = FeelScope::default();
        inputs.keys().for_each(|name| scope.set_name(name.clone()));
        Some(Self { definitions, inputs, scope })
    }

    fn table(&self, decision: &Decision) -> Option<Table> {
        let Some(ExpressionInstance::DecisionTable(table)) = decision.decision_logic() else {
            return None;
        };
        let hit_policy = table.hit_policy();
        let outputs: Vec<Output<'_>> =
            table.output_clauses().map(|clause| self.output(clause)).collect::<Option<_>>()?;
        let is_number = matches!(
            hit_policy,
            HitPolicy::Collect(
                BuiltinAggregator::Sum | BuiltinAggregator::Min | BuiltinAggregator::Max
            )
        );
        if is_number && outputs.len() > 1 {
            return None;
        }
        let is_ordered = matches!(hit_policy, HitPolicy::Priority | HitPolicy::OutputOrder);
        let order = if is_ordered { order(&outputs)? } else { Vec::new() };
        let mut columns = Vec::new();
        let mut rules: Vec<Rule> = self.rules(table, &outputs, &order)?;
        for (at, clause) in table.input_clauses().enumerate() {
            let texts = table.rules().map(|rule| rule.input_entries.get(at).map(|it| &*it.text));
            let cells = cells(texts.collect::<Option<_>>()?)?;
            let Some(column) = self.column(clause, &cells)? else { continue };
            columns.push(column);
            rules.iter_mut().zip(cells).for_each(|(rule, cell)| rule.cells.push(cell));
        }
        let defaults = outputs.iter().map(|output| {
            let text = output.clause.default_output_entry.as_deref()?;
            constant(&parse_expression(&self.scope, text, false).ok()?)
        });
        let default = defaults.collect::<Option<_>>();
        let of_table = table.type_ref().as_deref();
        let types = of_table.into_iter().chain([decision.variable().type_ref().as_str()]);
        Some(Table {
            hit_policy,
            columns,
            rules,
            default: default.and_then(|values| self.together(&outputs, values)),
            types: types.map(|it| of_answer(it, self.definitions)).collect::<Option<_>>()?,
        })
    }

    /// The column, if its value makes a difference.
    fn column(&self, clause: &InputClause, cells: &[Accepts]) -> Option<Option<Column>> {
        let allowed =
            clause.allowed_input_values.as_deref().map_or(Accepts::Everything, Accepts::read);
        if matches!(allowed, Accepts::Unknown) {
            return None;
        }
        let source = self.source(&clause.input_expression)?;
        let is_open = |it: &Accepts| matches!(it, Accepts::Everything);
        if is_open(&allowed) && cells.iter().all(is_open) {
            return Some(None);
        }
        let kind = only_kind(std::iter::once(&allowed).chain(cells))?;
        Some(Some(Column { source, kind, allowed }))
    }

    fn source(&self, expression: &str) -> Option<Source> {
        let tree = parse_expression(&self.scope, expression, false).ok()?;
        let (name, is_made_a_date) = match &tree {
            AstNode::Name(name) => (name, false),
            AstNode::FunctionInvocation(function, parameters) => {
                match (&**function, &**parameters) {
                    (AstNode::Name(function), AstNode::PositionalParameters(parameters))
                        if function.to_string() == "date" =>
                    {
                        let [AstNode::Name(name)] = parameters.as_slice() else { return None };
                        (name, true)
                    }
                    _ => return None,
                }
            }
            _ => return None,
        };
        let type_ = self.inputs.get(name)?.clone()?;
        Some(Source { name: name.clone(), type_, is_made_a_date })
    }

    fn output<'b>(&self, clause: &'b OutputClause) -> Option<Output<'b>> {
        let allowed = match clause.allowed_output_values.as_deref() {
            None => None,
            Some(text) if matches!(Accepts::read(text), Accepts::Unknown) => return None,
            Some(text) => Some(parse_unary_tests(&self.scope, text, false).ok()?),
        };
        Some(Output { clause, allowed })
    }

    /// The rules with their outputs, and without cells.
    fn rules(
        &self,
        table: &DecisionTable,
        outputs: &[Output<'_>],
        order: &[FeelValue],
    ) -> Option<Vec<Rule>> {
        let rule = |texts: Vec<&str>| {
            let mut values = Vec::with_capacity(texts.len());
            for (output, text) in outputs.iter().zip(texts) {
                values.push(output.value(parse_expression(&self.scope, text, false).ok()?)?);
            }
            let rank = |value| order.iter().position(|it| it == value).unwrap_or(usize::MAX);
            let ranks = values.iter().map(rank).collect();
            let output = self.together(outputs, values)?;
            Some(Rule { cells: Vec::new(), output, ranks })
        };
        let texts = table.rules().map(|it| it.output_entries.iter().map(|it| &*it.text).collect());
        texts.map(rule).collect()
    }

    /// The values of all outputs as one: a context where there are several.
    fn together(&self, outputs: &[Output<'_>], mut values: Vec<FeelValue>) -> Option<FeelValue> {
        if outputs.len() != values.len() {
            return None;
        }
        if outputs.len() == 1 {
            return values.pop();
        }
        let mut context = FeelContext::new();
        for (output, value) in outputs.iter().zip(values) {
            let name = parse_name(&self.scope, output.clause.name.as_deref()?, false).ok()?;
            context.set_entry(&name, value);
        }
        Some(FeelValue::Context(context))
    }
}

impl Output<'_> {
    /// The value of an entry, which is null where the column does not allow it.
    fn value(&self, entry: AstNode) -> Option<FeelValue> {
        let value = constant(&entry)?;
        let Some(allowed) = &self.allowed else { return Some(value) };
        let checked = AstNode::Out(Box::new(entry), Box::new(allowed.clone()));
        match dsntk_feel_evaluator::evaluate(&FeelScope::default(), &checked) {
            FeelValue::Null(Some(_)) => None,
            value => Some(value),
        }
    }
}

/// The values that the outputs allow, the most important first.
fn order(outputs: &[Output<'_>]) -> Option<Vec<FeelValue>> {
    let mut order = Vec::new();
    for allowed in outputs.iter().filter_map(|output| output.allowed.as_ref()) {
        let AstNode::ExpressionList(values) = allowed else { return None };
        for value in values {
            order.push(constant(value)?);
        }
    }
    Some(order)
}

/// The type of all constants in the cells of a column.
fn only_kind<'a>(cells: impl Iterator<Item = &'a Accepts>) -> Option<Kind> {
    let mut kinds = cells.flat_map(Accepts::constants).map(Kind::of);
    let kind = kinds.next()??;
    let is_plain = matches!(kind, Kind::Number | Kind::Text | Kind::Boolean | Kind::Date);
    (is_plain && kinds.all(|other| other == Some(kind))).then_some(kind)
}

/// What the cells of a column accept. Most columns have few distinct ones.
fn cells(texts: Vec<&str>) -> Option<Vec<Accepts>> {
    let mut distinct = BTreeMap::new();
    let accepts = texts.into_iter().map(|text| {
        let accepts = distinct.entry(text).or_insert_with(|| Accepts::read(text));
        (!matches!(accepts, Accepts::Unknown)).then(|| accepts.clone())
    });
    accepts.collect()
}
