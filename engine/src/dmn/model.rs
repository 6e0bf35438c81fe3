//! One DMN file, checked and compiled.

use std::borrow::Cow;
use std::sync::Arc;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::Definitions;
use dsntk_model_evaluator::ModelEvaluator;

use super::{DecisionError, requirements};
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
}

impl Model {
    /// Reads a file; of `others` those that it imports, directly or not.
    pub(super) fn read(bytes: &[u8], others: &[&[u8]]) -> Result<Self, DecisionError> {
        let root = parse(bytes)?;
        let mut definitions = vec![compile(&root, bytes)?];
        let others = others.iter().map(|bytes| Ok((parse(bytes)?, *bytes)));
        let mut others = others.collect::<Result<Vec<_>, DecisionError>>()?;
        let mut wanted = imports(&root);
        while let Some(namespace) = wanted.pop() {
            let is_it =
                |(other, _): &(Element, _)| other.attribute("namespace") == Some(&namespace);
            let Some(at) = others.iter().position(is_it) else { continue };
            let (other, bytes) = others.remove(at);
            definitions.push(compile(&other, bytes)?);
            wanted.extend(imports(&other));
        }
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
        })
    }

    /// The value of what has the name `invocable`: a decision, a decision service, a function.
    pub(super) fn value(&self, invocable: &str, inputs: &FeelContext) -> Result<FeelValue, Defect> {
        dsntk::call(STACK, || {
            self.evaluator.evaluate_invocable(&self.namespace, &self.name, invocable, inputs)
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

fn compile(root: &Element, bytes: &[u8]) -> Result<Definitions, DecisionError> {
    check(root, root)?;
    let text = match requirements::completed(root) {
        Some(completed) => Cow::Owned(completed.to_document()),
        None => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?),
    };
    dsntk::call(STACK, || dsntk_model::parse(&text))
        .map_err(|defect| DecisionError::NotDmn(defect.to_string()))?
        .map_err(|error| DecisionError::NotDmn(error.to_string()))
}

/// Checks every expression below `element`; `owner` is the nearest element with a name or id.
fn check(element: &Element, owner: &Element) -> Result<(), DecisionError> {
    let owner = if element.attribute("id").or(element.attribute("name")).is_some() {
        element
    } else {
        owner
    };
    let label = || owner.attribute("name").or(owner.attribute("id")).unwrap_or_default().to_owned();
    if matches!(element.attribute("kind"), Some("Java" | "PMML")) {
        return Err(DecisionError::Refused {
            element: label(),
            what: "an external function",
            fix: "write the function in FEEL",
        });
    }
    if &*element.name == "text" {
        match feel::reads_clock(&element.text()) {
            Ok(false) => {}
            Ok(true) => {
                return Err(DecisionError::Refused {
                    element: label(),
                    what: "now() or today()",
                    fix: "pass the moment in as an input",
                });
            }
            Err(source) => return Err(DecisionError::Expression { element: label(), source }),
        }
    }
    element.elements().try_for_each(|child| check(child, owner))
}
