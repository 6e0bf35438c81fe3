//! One DMN file, checked and compiled.

use std::borrow::Cow;
use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::Definitions;
use dsntk_model_evaluator::ModelEvaluator;
use flowmaster_kernel::Timestamp;

use super::compiled::CompiledTables;
use super::graph::Graph;
use super::work::Work;
use super::{DecisionError, clock, label, requirements, type_names};
use crate::dsntk::{self, Defect};
use crate::feel::{self, TooMuch, Variables};
use crate::xml::{Element, XmlError};

/// The namespaces of DMN 1.2, 1.3, 1.4 and 1.5.
const NAMESPACES: [&str; 4] = [
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
    /// The names of its inputs.
    pub(super) inputs: Vec<String>,
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

/// A file as it is evaluated.
struct Compiled {
    definitions: Definitions,
    is_timed: bool,
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
    /// Reads a file; of `others` those that it imports, directly or not.
    pub(super) fn read(bytes: &[u8], others: &[&[u8]]) -> Result<Self, DecisionError> {
        let root = parse(bytes)?;
        let mut compiled = vec![compile(&root, bytes)?];
        let others = others.iter().map(|bytes| Ok((parse(bytes)?, *bytes)));
        let mut others = others.collect::<Result<Vec<_>, DecisionError>>()?;
        let mut wanted = imports(&root);
        while let Some(namespace) = wanted.pop() {
            let is_it =
                |(other, _): &(Element, _)| other.attribute("namespace") == Some(&namespace);
            let Some(at) = others.iter().position(is_it) else { continue };
            let (other, bytes) = others.remove(at);
            compiled.push(compile(&other, bytes)?);
            wanted.extend(imports(&other));
        }
        let is_timed = compiled.iter().any(|it| it.is_timed);
        let deepest = compiled.iter().map(|it| it.stack).max().unwrap_or_default();
        let definitions: Vec<Definitions> = compiled.into_iter().map(|it| it.definitions).collect();
        let graph = Graph::of(&definitions)?;
        let stack = deepest + graph.depth() * STACK_PER_LEVEL;
        let evaluator = dsntk::call(stack, || ModelEvaluator::new(&definitions))
            .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
            .map_err(|error| DecisionError::NotDmn(error.to_string()))?;
        let work = dsntk::call(stack, || Work::of(&definitions, graph))
            .map_err(|defect| DecisionError::NotDmn(defect.to_string()))??;
        // A table that cannot be compiled is left to the evaluator.
        let tables = dsntk::call(stack, || definitions.first().map(CompiledTables::of));
        let named = |element: &Element, wanted: &str| {
            let name = element.attribute("name").filter(|_| &*element.name == wanted)?;
            Some((element.attribute("id").unwrap_or(name).to_owned(), name.to_owned()))
        };
        let attribute = |name: &str| root.attribute(name).unwrap_or_default().to_owned();
        Ok(Self {
            namespace: attribute("namespace"),
            name: attribute("name"),
            inputs: root.elements().filter_map(|it| Some(named(it, "inputData")?.1)).collect(),
            decisions: root.elements().filter_map(|it| named(it, "decision")).collect(),
            evaluator,
            tables: tables.ok().flatten().unwrap_or_default(),
            work,
            stack,
            is_timed,
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

fn parse(bytes: &[u8]) -> Result<Element, DecisionError> {
    let root = Element::parse(bytes)?;
    if &*root.name != "definitions" || !NAMESPACES.contains(&&*root.namespace) {
        return Err(DecisionError::NotDmn(format!("its root element is {}", root.name)));
    }
    Ok(root)
}

/// The namespaces that a file imports.
fn imports(root: &Element) -> Vec<String> {
    let imports = root.elements().filter(|element| &*element.name == "import");
    imports.filter_map(|import| import.attribute("namespace").map(str::to_owned)).collect()
}

fn compile(root: &Element, bytes: &[u8]) -> Result<Compiled, DecisionError> {
    let stack = check(root, root)?;
    let mut settled = root.clone();
    let is_completed = requirements::complete(&mut settled);
    let is_timed = clock::replace(&mut settled)?;
    let is_renamed = type_names::settle(&mut settled);
    let text = match is_completed || is_timed || is_renamed {
        true => Cow::Owned(settled.to_document()),
        false => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?),
    };
    let definitions = dsntk::call(STACK_OF_XML, || dsntk_model::parse(&text))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
        .map_err(|error| DecisionError::NotDmn(error.to_string()))?;
    Ok(Compiled { definitions, is_timed, stack })
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
