//! How much work an answer can be, before it is given: the evaluator has no limit of its own.
//!
//! The logic of each decision and function becomes one expression that takes no less work and gives
//! no less ([`tree`]), and that is estimated with the inputs as they are ([`feel::estimate`]).

mod names;
mod tree;

use std::collections::BTreeMap;

use dsntk_feel::Name;
use dsntk_feel_parser::AstNode;
use dsntk_model::{
    Definitions, DmnElement, DrgElement, InformationItem, NamedElement, RequiredVariable,
};

use super::DecisionError;
use super::graph::Graph;
use crate::feel::{self, Bound, FeelError, Meaning, TooMuch, Variables};
use tree::{NotFeel, Translator, Tree};

/// The most decisions that all services of a model evaluate together.
const MAX_SERVED: usize = 10_000;

/// What is known of the work of some models.
pub(super) struct Work {
    graph: Graph,
    /// What the elements of the graph do, by their places.
    logic: Vec<Option<Logic>>,
    /// Whether an element, or what it requires, can take more work than it is long.
    is_much: Vec<bool>,
    /// The elements of the last model, by name.
    by_name: BTreeMap<String, usize>,
    /// The names under which models import others, with the namespaces of those.
    imports: Vec<(Name, String)>,
}

struct Logic {
    name: Name,
    namespace: String,
    tree: Tree,
}

impl Work {
    /// The work of `definitions`, of which the last is asked.
    ///
    /// # Errors
    /// An expression that is not FEEL, or too many services.
    pub(super) fn of(definitions: &[Definitions], graph: Graph) -> Result<Self, DecisionError> {
        let translator = Translator::new(definitions);
        let elements = || definitions.iter().flat_map(Definitions::drg_elements);
        let mut logic = Vec::new();
        for element in elements() {
            let of_element = logic_of(&translator, element);
            logic.push(of_element.map_err(|error| error.of(name_of(element)))?);
        }
        let names: Vec<Name> = elements().map(variable_of).collect();
        let mut served = 0;
        for (place, element) in elements().enumerate() {
            let DrgElement::DecisionService(service) = element else { continue };
            let evaluated = graph.evaluations(place).filter_map(|(place, times)| {
                let logic: &Logic = logic.get(place)?.as_ref()?;
                Some((&logic.name, &logic.tree, times))
            });
            let evaluated: Vec<_> = evaluated.collect();
            served += evaluated.len();
            if served > MAX_SERVED {
                return Err(DecisionError::Refused {
                    element: service.name().to_owned(),
                    what: "with the services before it over 10,000 decisions",
                    fix: "split the services into several files",
                });
            }
            let inputs = service.input_data().iter().chain(service.input_decisions());
            let inputs = inputs.filter_map(|it| {
                let namespace = it.namespace().map_or(service.namespace(), |it| it);
                Some(names.get(graph.place(namespace, it.id())?)?.clone())
            });
            let tree = tree::service(inputs.collect(), &evaluated);
            logic[place] = Some(Logic::of(service.variable(), tree));
        }
        let imports = definitions.iter().flat_map(Definitions::imports);
        let imports = imports.map(|it| (it.feel_name().clone(), it.namespace().to_owned()));
        let own = definitions.last().map_or(0, |it| it.drg_elements().len());
        let by_name = elements()
            .enumerate()
            .skip(logic.len() - own)
            .filter_map(|(place, element)| Some((name_of(element)?.to_owned(), place)));
        let is_much = graph.reaching(|place| {
            logic.get(place).is_some_and(|it| it.as_ref().is_some_and(|it| it.tree.is_much))
        });
        Ok(Self { imports: imports.collect(), by_name: by_name.collect(), graph, logic, is_much })
    }

    /// How deep expressions are nested in an answer for the element `name`, if that is more than
    /// their texts are long.
    ///
    /// # Errors
    /// An answer that could take too long with these inputs.
    pub(super) fn depth(&self, name: &str, inputs: &dyn Variables) -> Result<usize, TooMuch> {
        let place = self.by_name.get(name).copied();
        match place.filter(|place| self.is_much.get(*place) == Some(&true)) {
            Some(place) => {
                stacker::maybe_grow(feel::STACK, feel::STACK, || self.estimate(place, inputs))
            }
            None => Ok(0),
        }
    }

    fn estimate(&self, root: usize, inputs: &dyn Variables) -> Result<usize, TooMuch> {
        let mut known: Vec<(&Name, Meaning<'_>)> = Vec::new();
        let mut entries = Vec::new();
        let (mut work, mut deepest) = (0.0, 0);
        for (place, times) in self.graph.evaluations(root) {
            let Some(logic) = self.logic.get(place).and_then(Option::as_ref) else { continue };
            let tree = match &logic.tree.node {
                AstNode::FunctionDefinition(_, body) if place == root => body,
                AstNode::FunctionDefinition(..) => {
                    known.push((&logic.name, Meaning::Function(&logic.tree.node)));
                    continue;
                }
                tree => tree,
            };
            let estimated = feel::estimate(tree, inputs, known.clone(), entries)?;
            entries = estimated.entries;
            let bound = estimated.bound;
            deepest = deepest.max(estimated.depth);
            work += estimated.work * times;
            if work > feel::MAX_WORK {
                return Err(TooMuch("its loops and lists"));
            }
            known.push((&logic.name, Meaning::Value(bound)));
            for (alias, _) in self.imports.iter().filter(|(_, it)| *it == logic.namespace) {
                let before = known.iter().rev().find_map(|(name, meaning)| match meaning {
                    Meaning::Value(bound) if *name == alias => Some(*bound),
                    Meaning::Value(_) | Meaning::Function(_) => None,
                });
                let given = || inputs.variable(&alias.to_string()).map(Bound::of);
                let before = before.or_else(given);
                known.push((alias, Meaning::Value(before.map_or(bound, |it| it.or(bound)))));
            }
        }
        Ok(deepest)
    }
}

impl Logic {
    fn of(variable: &InformationItem, tree: Tree) -> Self {
        let namespace = variable.namespace().to_owned();
        Self { name: variable.feel_name().clone(), namespace, tree }
    }
}

/// What an element does by itself; nothing for inputs, and for services, which are put together later.
fn logic_of(translator: &Translator, element: &DrgElement) -> Result<Option<Logic>, NotFeel> {
    let logic = match element {
        DrgElement::Decision(decision) => match decision.decision_logic() {
            Some(logic) => Logic::of(decision.variable(), translator.expression(logic)?),
            None => return Ok(None),
        },
        DrgElement::BusinessKnowledgeModel(model) => match model.encapsulated_logic() {
            Some(logic) => Logic::of(model.variable(), translator.function(logic)?),
            None => return Ok(None),
        },
        DrgElement::DecisionService(_)
        | DrgElement::InputData(_)
        | DrgElement::KnowledgeSource(_) => return Ok(None),
    };
    Ok(Some(logic))
}

/// The name under which an element is asked; nothing for what cannot be asked.
pub(super) fn name_of(element: &DrgElement) -> Option<&str> {
    match element {
        DrgElement::Decision(it) => Some(it.name()),
        DrgElement::BusinessKnowledgeModel(it) => Some(it.name()),
        DrgElement::DecisionService(it) => Some(it.name()),
        DrgElement::InputData(_) | DrgElement::KnowledgeSource(_) => None,
    }
}

/// The name of what an element gives.
fn variable_of(element: &DrgElement) -> Name {
    match element {
        DrgElement::Decision(it) => it.variable().feel_name().clone(),
        DrgElement::BusinessKnowledgeModel(it) => it.variable().feel_name().clone(),
        DrgElement::DecisionService(it) => it.variable().feel_name().clone(),
        DrgElement::InputData(it) => it.variable().feel_name().clone(),
        DrgElement::KnowledgeSource(it) => it.feel_name().clone(),
    }
}

impl NotFeel {
    fn of(self, element: Option<&str>) -> DecisionError {
        let Self { text, reason } = self;
        DecisionError::Expression {
            element: element.unwrap_or_default().to_owned(),
            source: FeelError::Syntax { text, reason },
        }
    }
}
