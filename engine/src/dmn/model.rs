//! One DMN file, checked and compiled.

use std::borrow::Cow;
use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::Definitions;
use dsntk_model_evaluator::ModelEvaluator;
use flowmaster_kernel::Timestamp;

use super::{DecisionError, clock, label, requirements, type_names};
use crate::dsntk::{self, Defect};
use crate::feel;
use crate::xml::{Element, XmlError};

/// The namespaces of DMN 1.2, 1.3, 1.4 and 1.5.
const NAMESPACES: [&str; 4] = [
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// Stack for reading and evaluating a model: both recurse over boxed expressions, each of which is
/// held inside the limits of [`feel`].
const STACK: usize = 16 * 1024 * 1024;

pub(super) struct Model {
    namespace: String,
    name: String,
    /// The names of its inputs.
    pub(super) inputs: Vec<String>,
    /// Ids and names.
    pub(super) decisions: Vec<(String, String)>,
    evaluator: Arc<ModelEvaluator>,
    /// Whether a decision reads the clock.
    is_timed: bool,
}

/// A file as it is evaluated.
struct Compiled {
    definitions: Definitions,
    is_timed: bool,
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
        let definitions: Vec<Definitions> = compiled.into_iter().map(|it| it.definitions).collect();
        let evaluator = dsntk::call(STACK, || ModelEvaluator::new(&definitions))
            .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
            .map_err(|error| DecisionError::NotDmn(error.to_string()))?;
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
            is_timed,
        })
    }

    /// The value at `now` of what has the name `invocable`: a decision, a decision service, a
    /// function.
    pub(super) fn value(
        &self,
        invocable: &str,
        mut inputs: FeelContext,
        now: Timestamp,
    ) -> Result<FeelValue, Defect> {
        if self.is_timed {
            clock::set(&mut inputs, now);
        }
        dsntk::call(STACK, || {
            self.evaluator.evaluate_invocable(&self.namespace, &self.name, invocable, &inputs)
        })
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
    check(root, root)?;
    let mut settled = root.clone();
    let is_completed = requirements::complete(&mut settled);
    let is_timed = clock::replace(&mut settled)?;
    let is_renamed = type_names::settle(&mut settled);
    let text = match is_completed || is_timed || is_renamed {
        true => Cow::Owned(settled.to_document()),
        false => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?),
    };
    let definitions = dsntk::call(STACK, || dsntk_model::parse(&text))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
        .map_err(|error| DecisionError::NotDmn(error.to_string()))?;
    Ok(Compiled { definitions, is_timed })
}

/// Checks every expression below `element`; `owner` is the nearest element with a name or id.
fn check(element: &Element, owner: &Element) -> Result<(), DecisionError> {
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
    if &*element.name == "text" {
        feel::check_limits(&element.text())
            .map_err(|source| DecisionError::Expression { element: label(owner), source })?;
    }
    element.elements().try_for_each(|child| check(child, owner))
}
