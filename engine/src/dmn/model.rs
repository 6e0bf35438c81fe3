//! One DMN file, checked and compiled.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::Definitions;
use dsntk_model_evaluator::ModelEvaluator;
use flowmaster_kernel::Timestamp;

use super::compiled::CompiledTables;
use super::graph::Graph;
use super::inputs::Inputs;
use super::work::Work;
use super::{DecisionError, clock, collections, imports, label, requirements, type_names, types};
use crate::dsntk::{self, Defect};
use crate::feel::{self, TooMuch, Variables};
use crate::xml::{Element, XmlError};

/// The namespaces of DMN 1.2, 1.3, 1.4 and 1.5.
pub(super) const NAMESPACES: [&str; 4] = [
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// Stack for each level of elements, and for each requirement in a chain: measured with room to spare
/// on an unoptimised build.
const STACK_PER_LEVEL: usize = 32 * 1024;
/// Stack for reading XML, which is at most [`crate::xml::MAX_DEPTH`] deep.
const STACK_OF_XML: usize = 4 * 1024 * 1024;

pub(super) struct Model {
    namespace: String,
    name: String,
    pub(super) inputs: Inputs,
    /// Ids and names.
    pub(super) decisions: Vec<(String, String)>,
    evaluator: Arc<ModelEvaluator>,
    pub(super) tables: CompiledTables,
    work: Work,
    /// The stack in bytes that reading it, and evaluating it where no function is called, can take.
    stack: usize,
    /// Whether a decision reads the clock.
    is_timed: bool,
}

/// What is known of a file that became complete, and in the words of the evaluator.
struct Settled {
    /// What reads the clock.
    readers: BTreeSet<String>,
    /// Whether the file says something else.
    is_changed: bool,
    /// The stack in bytes that its deepest element can take.
    stack: usize,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoValue {
    /// It could take too long.
    #[error("it could take too long: {0} cannot be bounded, or are too large together")]
    TooMuch(&'static str),
    /// A defect of the evaluator.
    #[error(transparent)]
    Defect(Defect),
}

impl NoValue {
    /// As the error of a decision.
    pub(super) fn of(self, decision: &str) -> DecisionError {
        let decision = decision.to_owned();
        match self {
            Self::TooMuch(what) => DecisionError::TooMuchWork { decision, what },
            Self::Defect(defect) => DecisionError::NoValue { decision, reason: defect.to_string() },
        }
    }
}

impl Model {
    /// Reads the file `bytes`, whose root is `root`; of `others` those that it imports, directly or
    /// not.
    pub(super) fn read(
        root: &Element,
        bytes: &[u8],
        others: &[Element],
    ) -> Result<Self, DecisionError> {
        let mut roots = imports::link(root, others)?;
        let settled = roots.iter_mut().map(settle).collect::<Result<Vec<Settled>, _>>()?;
        clock::check_services(&roots, |file| settled.get(file).map(|it| &it.readers))?;
        let inputs = Inputs::of(&roots)?;
        let mut is_written = roots.len() == 1 && settled.iter().all(|it| !it.is_changed);
        for root in &mut roots {
            is_written &= !types::leave_out_asking(root);
        }
        let definitions = match is_written {
            true => {
                let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
                vec![definitions(text)?]
            }
            false => {
                let texts = roots.iter().map(|root| definitions(&root.to_document()));
                texts.collect::<Result<Vec<Definitions>, _>>()?
            }
        };
        let deepest = settled.iter().map(|it| it.stack).max().unwrap_or_default();
        let graph = Graph::of(&definitions)?;
        let stack = deepest + graph.depth() * STACK_PER_LEVEL;
        // It names the element where the evaluator would not.
        let work = dsntk::call(stack, || Work::of(&definitions, graph))
            .map_err(|defect| DecisionError::NotDmn(defect.to_string()))??;
        let evaluator = dsntk::call(stack, || ModelEvaluator::new(&definitions))
            .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
            .map_err(|error| DecisionError::NotDmn(error.to_string()))?;
        // A table that cannot be compiled is left to the evaluator.
        let tables = dsntk::call(stack, || definitions.last().map(CompiledTables::of));
        let named = |element: &Element, wanted: &str| {
            let name = element.attribute("name").filter(|_| &*element.name == wanted)?;
            Some((element.attribute("id").unwrap_or(name).to_owned(), name.to_owned()))
        };
        let attribute = |name: &str| root.attribute(name).unwrap_or_default().to_owned();
        Ok(Self {
            namespace: attribute("namespace"),
            name: attribute("name"),
            inputs,
            decisions: root.elements().filter_map(|it| named(it, "decision")).collect(),
            evaluator,
            tables: tables.ok().flatten().unwrap_or_default(),
            work,
            stack,
            is_timed: settled.iter().any(|it| !it.readers.is_empty()),
        })
    }

    /// The value at `now` of what has the name `invocable`: a decision, a decision service, a
    /// function. `variables` are the inputs as data.
    pub(super) fn value(
        &self,
        invocable: &str,
        variables: &dyn Variables,
        inputs: FeelContext,
        now: Timestamp,
    ) -> Result<FeelValue, NoValue> {
        match self.tables.answer(invocable, &inputs) {
            Some(value) => Ok(value),
            None => self.evaluated(invocable, variables, inputs, now),
        }
    }

    /// The same, by the evaluator.
    pub(super) fn evaluated(
        &self,
        invocable: &str,
        variables: &dyn Variables,
        mut inputs: FeelContext,
        now: Timestamp,
    ) -> Result<FeelValue, NoValue> {
        let depth = self
            .work
            .depth(invocable, variables)
            .map_err(|TooMuch(what)| NoValue::TooMuch(what))?;
        if self.is_timed {
            clock::set(&mut inputs, now);
        }
        dsntk::call(self.stack + feel::stack_of_depth(depth), || {
            self.evaluator.evaluate_invocable(&self.namespace, &self.name, invocable, &inputs)
        })
        .map_err(NoValue::Defect)
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Element, DecisionError> {
    let root = Element::parse(bytes)?;
    if &*root.name != "definitions" || !NAMESPACES.contains(&&*root.namespace) {
        return Err(DecisionError::NotDmn(format!("its root element is {}", root.name)));
    }
    Ok(root)
}

fn settle(root: &mut Element) -> Result<Settled, DecisionError> {
    let stack = check(root, root)?;
    let is_completed = requirements::complete(root);
    let readers = clock::replace(root)?;
    let is_renamed = type_names::settle(root);
    let is_split = collections::settle(root);
    let is_changed = is_completed || !readers.is_empty() || is_renamed || is_split;
    Ok(Settled { is_changed, readers, stack })
}

fn definitions(text: &str) -> Result<Definitions, DecisionError> {
    dsntk::call(STACK_OF_XML, || dsntk_model::parse(text))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
        .map_err(|error| DecisionError::NotDmn(error.to_string()))
}

/// Checks every expression below `element`, and gives the stack in bytes that evaluating it can take;
/// `owner` is the nearest element with a name or id.
fn check(element: &Element, owner: &Element) -> Result<usize, DecisionError> {
    let owner = if element.attribute("id").or(element.attribute("name")).is_some() {
        element
    } else {
        owner
    };
    if matches!(element.attribute("kind"), Some("Java" | "PMML")) {
        return Err(DecisionError::Refused {
            element: label(owner),
            what: "an external function",
            fix: "write the function in FEEL",
        });
    }
    let mut deepest = match &*element.name {
        "text" => feel::stack_of(&element.text())
            .map_err(|source| DecisionError::Expression { element: label(owner), source })?,
        _ => 0,
    };
    for child in element.elements() {
        deepest = deepest.max(check(child, owner)?);
    }
    Ok(STACK_PER_LEVEL + deepest)
}
