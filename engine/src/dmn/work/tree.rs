//! The logic of a decision as one expression, for the estimate alone: boxed expressions (DMN 1.5
//! §7.3, §8, §10.2) become the FEEL that takes no less work and gives no less.

use dsntk_feel::{FeelScope, FeelType, Name};
use dsntk_feel_parser::{AstNode, parse_expression, parse_unary_tests};
use dsntk_model::{
    DecisionTable, Definitions, ExpressionInstance, FunctionDefinition, HitPolicy, InformationItem,
    Invocation, NamedElement,
};

use super::names::names;
use crate::feel;

/// An expression, and whether it can take more work than it is long.
pub(super) struct Tree {
    pub(super) node: AstNode,
    pub(super) is_much: bool,
}

/// Reads the texts of some models.
pub(super) struct Translator {
    /// Every name that a model declares somewhere: names can have several words or signs, and the
    /// parser finds those that it knows.
    scope: FeelScope,
    /// Without those of one word, for texts in which such a one begins a name of the language.
    several: FeelScope,
}

impl Translator {
    pub(super) fn new(definitions: &[Definitions]) -> Self {
        let names = names(definitions);
        let several = names.iter().filter(|it| !it.to_string().chars().all(char::is_alphanumeric));
        Self { scope: scope(names.iter()), several: scope(several) }
    }
}

fn scope<'a>(names: impl Iterator<Item = &'a Name>) -> FeelScope {
    let scope = FeelScope::default();
    names.for_each(|name| scope.set_name(name.clone()));
    scope
}

impl Translator {
    /// The expression of a decision.
    ///
    /// # Errors
    /// The text of an expression that is not FEEL, and why.
    pub(super) fn expression(&self, instance: &ExpressionInstance) -> Result<Tree, NotFeel> {
        match instance {
            ExpressionInstance::LiteralExpression(it) => {
                self.text(it.text().as_deref().unwrap_or("null"))
            }
            ExpressionInstance::DecisionTable(table) => self.table(table),
            ExpressionInstance::Context(context) => {
                let mut all = Parts::default();
                for (place, entry) in context.context_entries().iter().enumerate() {
                    let name = entry.variable.as_ref().map(InformationItem::feel_name);
                    let name = name.cloned().unwrap_or_else(|| numbered(place));
                    let value = all.take(self.expression(&entry.value)?);
                    all.nodes.push(named(name, value));
                }
                Ok(all.tree(AstNode::Context))
            }
            ExpressionInstance::List(list) => self.list(list.elements()),
            ExpressionInstance::Relation(relation) => {
                let mut all = Parts::default();
                for row in relation.rows() {
                    let row = self.list(row.elements())?;
                    let row = all.take(row);
                    all.nodes.push(row);
                }
                Ok(all.tree(AstNode::List))
            }
            ExpressionInstance::Invocation(invocation) => self.invocation(invocation),
            ExpressionInstance::FunctionDefinition(function) => self.function(function),
            ExpressionInstance::Conditional(it) => {
                let mut parts = Parts::default();
                let [condition, yes, no] = [
                    it.if_expression().value(),
                    it.then_expression().value(),
                    it.else_expression().value(),
                ]
                .map(|it| self.expression(it));
                let [condition, yes, no] =
                    [parts.boxed(condition?), parts.boxed(yes?), parts.boxed(no?)];
                Ok(Tree { node: AstNode::If(condition, yes, no), is_much: parts.is_much })
            }
            ExpressionInstance::Filter(it) => {
                let base = self.expression(it.in_expression().value())?.node;
                let predicate = self.expression(it.match_expression().value())?.node;
                Ok(much(AstNode::Filter(Box::new(base), Box::new(predicate))))
            }
            ExpressionInstance::For(it) => {
                let over = self.expression(it.in_expression().value())?.node;
                let body = self.expression(it.return_expression().value())?.node;
                Ok(Self::repeated(it.iterator_variable(), over, body))
            }
            ExpressionInstance::Some(it) => {
                let over = self.expression(it.in_expression().value())?.node;
                let body = self.expression(it.satisfies_expression().value())?.node;
                Ok(Self::repeated(it.iterator_variable(), over, body))
            }
            ExpressionInstance::Every(it) => {
                let over = self.expression(it.in_expression().value())?.node;
                let body = self.expression(it.satisfies_expression().value())?.node;
                Ok(Self::repeated(it.iterator_variable(), over, body))
            }
        }
    }

    /// A function, also that of a business knowledge model.
    pub(super) fn function(&self, function: &FunctionDefinition) -> Result<Tree, NotFeel> {
        let parameters = function.formal_parameters().iter().map(InformationItem::feel_name);
        let body = match function.body() {
            Some(body) => self.expression(body)?.node,
            None => AstNode::Null,
        };
        Ok(much(defined(parameters.cloned(), body)))
    }

    fn text(&self, text: &str) -> Result<Tree, NotFeel> {
        self.read(text, |scope| parse_expression(scope, text, false))
    }

    fn tests(&self, text: &str) -> Result<Tree, NotFeel> {
        self.read(text, |scope| parse_unary_tests(scope, text, false))
    }

    fn read<E: std::fmt::Display>(
        &self,
        text: &str,
        parse: impl Fn(&FeelScope) -> Result<AstNode, E>,
    ) -> Result<Tree, NotFeel> {
        let node = parse(&self.scope).or_else(|_| parse(&self.several));
        let node =
            node.map_err(|error| NotFeel { text: text.to_owned(), reason: error.to_string() })?;
        let is_much = feel::can_be_much(&node);
        Ok(Tree { node, is_much })
    }

    fn list(&self, items: &[ExpressionInstance]) -> Result<Tree, NotFeel> {
        let mut all = Parts::default();
        for item in items {
            let item = all.take(self.expression(item)?);
            all.nodes.push(item);
        }
        Ok(all.tree(AstNode::List))
    }

    fn invocation(&self, invocation: &Invocation) -> Result<Tree, NotFeel> {
        let callee = self.expression(invocation.called_function())?.node;
        let mut arguments = Vec::new();
        for binding in invocation.bindings() {
            let Some(formula) = binding.binding_formula() else { continue };
            let name = AstNode::ParameterName(binding.parameter().feel_name().clone());
            let value = self.expression(formula)?.node;
            arguments.push(AstNode::NamedParameter(Box::new(name), Box::new(value)));
        }
        let arguments = Box::new(AstNode::NamedParameters(arguments));
        Ok(much(AstNode::FunctionInvocation(Box::new(callee), arguments)))
    }

    fn repeated(variable: &str, over: AstNode, body: AstNode) -> Tree {
        let name = Box::new(AstNode::Name(Name::from(variable)));
        much(for_each(AstNode::IterationContextSingle(name, Box::new(over)), body))
    }

    /// Every cell is evaluated, and the input of its column for it again. One rule answers, or a list
    /// of rules.
    fn table(&self, table: &DecisionTable) -> Result<Tree, NotFeel> {
        let (mut work, mut outputs) = (Parts::default(), Parts::default());
        for (column, input) in table.input_clauses().enumerate() {
            let tree = self.text(&input.input_expression)?;
            let value = work.take(tree);
            let cells = table.rules().filter_map(|rule| rule.input_entries.get(column));
            let cells =
                cells.map(|cell| cell.text.as_str()).chain(input.allowed_input_values.as_deref());
            let mut tests = Vec::new();
            for cell in cells {
                let cell = work.take(self.tests(cell)?);
                tests.push(AstNode::In(Box::new(value.clone()), Box::new(cell)));
            }
            let tests = named(numbered(column), AstNode::List(tests));
            work.nodes.push(AstNode::Context(vec![named(Name::from("?"), value), tests]));
        }
        for rule in table.rules() {
            let mut entries = Parts::default();
            for entry in &rule.output_entries {
                let entry = entries.take(self.text(&entry.text)?);
                entries.nodes.push(entry);
            }
            let entries = outputs.take(one_of(entries));
            outputs.nodes.push(entries);
        }
        for output in table.output_clauses() {
            for text in output.default_output_entry.iter() {
                let text = outputs.take(self.text(text)?);
                outputs.nodes.push(text);
            }
            for text in output.allowed_output_values.iter() {
                let text = work.take(self.tests(text)?);
                work.nodes.push(text);
            }
        }
        let is_list = matches!(
            table.hit_policy(),
            HitPolicy::Collect(_) | HitPolicy::OutputOrder | HitPolicy::RuleOrder
        );
        let Tree { node: answers, is_much } = outputs.tree(AstNode::List);
        let answer = match is_list {
            true => answers,
            false => AstNode::Filter(Box::new(answers), Box::new(number(1.0))),
        };
        let work = work.tree(AstNode::List);
        Ok(Tree {
            is_much: is_much || work.is_much,
            node: AstNode::If(Box::new(work.node), Box::new(answer), Box::new(AstNode::Null)),
        })
    }
}

/// A text that cannot be read, and why.
pub(super) struct NotFeel {
    pub(super) text: String,
    pub(super) reason: String,
}

/// What a larger expression is made of.
#[derive(Default)]
struct Parts {
    nodes: Vec<AstNode>,
    is_much: bool,
}

impl Parts {
    fn take(&mut self, tree: Tree) -> AstNode {
        self.is_much |= tree.is_much;
        tree.node
    }

    fn boxed(&mut self, tree: Tree) -> Box<AstNode> {
        Box::new(self.take(tree))
    }

    fn tree(self, whole: fn(Vec<AstNode>) -> AstNode) -> Tree {
        Tree { node: whole(self.nodes), is_much: self.is_much }
    }
}

/// The entries of a rule: one is the answer itself, more are a context.
fn one_of(mut entries: Parts) -> Tree {
    match entries.nodes.len() {
        1 => Tree { node: entries.nodes.remove(0), is_much: entries.is_much },
        _ => {
            let nodes = entries.nodes.into_iter().enumerate();
            let nodes = nodes.map(|(place, node)| named(numbered(place), node)).collect();
            Tree { node: AstNode::Context(nodes), is_much: entries.is_much }
        }
    }
}

const fn much(node: AstNode) -> Tree {
    Tree { node, is_much: true }
}

/// The definition of a function.
fn defined(parameters: impl Iterator<Item = Name>, body: AstNode) -> AstNode {
    let parameter = |name| {
        let name = Box::new(AstNode::ParameterName(name));
        AstNode::FormalParameter(name, Box::new(AstNode::FeelType(FeelType::Any)))
    };
    let parameters = Box::new(AstNode::FormalParameters(parameters.map(parameter).collect()));
    let body = Box::new(AstNode::FunctionBody(Box::new(body), false));
    AstNode::FunctionDefinition(parameters, body)
}

fn named(name: Name, value: AstNode) -> AstNode {
    AstNode::ContextEntry(Box::new(AstNode::ContextEntryKey(name)), Box::new(value))
}

/// A name that nothing else has.
fn numbered(place: usize) -> Name {
    Name::from(format!("flowmaster part {place}").as_str())
}

fn number(number: f64) -> AstNode {
    AstNode::Numeric(format!("{number:.0}"), String::new(), '+', String::new())
}

/// A decision service as a function of its inputs: it does what its decisions do, so many times.
pub(super) fn service(inputs: Vec<Name>, evaluated: &[(&Name, &Tree, f64)]) -> Tree {
    let mut entries = Vec::new();
    for (place, (name, tree, times)) in evaluated.iter().enumerate() {
        entries.push(named(Name::clone(name), tree.node.clone()));
        if *times > 1.0 {
            let variable = Box::new(AstNode::Name(numbered(place)));
            let turns = AstNode::IterationContextInterval(
                variable,
                Box::new(number(1.0)),
                Box::new(number(*times)),
            );
            entries.push(named(numbered(place), for_each(turns, tree.node.clone())));
        }
    }
    much(defined(inputs.into_iter(), AstNode::Context(entries)))
}

fn for_each(turns: AstNode, body: AstNode) -> AstNode {
    let turns = Box::new(AstNode::IterationContexts(vec![turns]));
    AstNode::For(turns, Box::new(AstNode::EvaluatedExpression(Box::new(body))))
}
