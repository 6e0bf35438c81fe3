//! DMN decisions (DMN 1.2 to 1.5): a facade over the `dsntk` crates.
//!
//! What the facade adds: requirements that a file leaves out; files that import each other; inputs as
//! JSON, read as their types say; limits before anything is parsed; no external functions, and a clock
//! that is an input, so that a decision is a pure function of what it is given; errors are errors
//! and never silent nulls.

pub mod analyze;
mod clock;
mod collections;
pub mod compact;
mod compiled;
pub mod explain;
mod graph;
mod imports;
mod inputs;
mod model;
mod requirements;
pub mod sheet;
pub mod similar;
pub mod table;
pub mod tck;
mod type_names;
mod types;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dsntk_feel::values::Value as FeelValue;
use flowmaster_kernel::Timestamp;
use serde_json::Value;

use crate::feel::{self, FeelError, Variables};
use crate::xml::{Element, XmlError};
pub use imports::{Import, Outline};
use model::Model;

/// A set of decisions that can be evaluated by id.
#[derive(Clone, Default)]
pub struct Decisions {
    models: Vec<Arc<Model>>,
    by_id: BTreeMap<String, (usize, String)>,
}

/// Why there is no decision, or no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// Not XML, or over a limit.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// XML, but not a DMN model.
    #[error("it is not a DMN model: {0}")]
    NotDmn(String),
    /// An expression over a limit, or a mistake in one.
    #[error("{element}: {source}")]
    Expression {
        /// The element that holds it.
        element: String,
        /// What is wrong.
        source: FeelError,
    },
    /// Something that is refused in decisions.
    #[error("{element} uses {what}, which decisions may not: {fix}")]
    Refused {
        /// The element.
        element: String,
        /// What it uses.
        what: &'static str,
        /// What to do instead.
        fix: &'static str,
    },
    /// Something that does not fit the rest of the model.
    #[error("{element:?} {what}: {fix}")]
    Invalid {
        /// The element.
        element: String,
        /// What is the matter with it.
        what: String,
        /// What to do.
        fix: &'static str,
    },
    /// Two decisions with one id.
    #[error("the decision id {0:?} is used twice")]
    DuplicateId(String),
    /// No such decision.
    #[error("there is no decision {0:?}")]
    Unknown(String),
    /// An input that is not of its type; the decision was not evaluated.
    #[error(
        "the input {input:?} of the decision {decision:?} has to be {expected}, and {given} was \
         given: send something like {example}"
    )]
    Input {
        /// The decision.
        decision: String,
        /// The input, with the way to what is wrong in it, e.g. `order.items[2].due`.
        input: String,
        /// The declared type.
        expected: &'static str,
        /// What was given, in JSON, shortened.
        given: String,
        /// A value that would be right, in JSON.
        example: &'static str,
    },
    /// An input that is none of the values that are allowed; the decision was not evaluated.
    #[error(
        "the input {input:?} of the decision {decision:?} is {given}, which is not allowed: allowed \
         is {allowed}{}", by_table(table.as_deref())
    )]
    NotAllowed {
        /// The decision.
        decision: String,
        /// The input, with the way to what is wrong in it, e.g. `order.items[2].due`.
        input: String,
        /// What was given, in JSON, shortened.
        given: String,
        /// What is allowed: unary tests in FEEL, shortened.
        allowed: String,
        /// The decision whose table allows no more; none where the type of the input does not.
        table: Option<String>,
    },
    /// It could take too long with these inputs; it was not evaluated.
    #[error(
        "the decision {decision:?} could take too long: {what} cannot be bounded, or are too large \
         together. Loop over fewer items (about 4,000 for one `for`), filter before looping, or give \
         a range an end that is a number or an input"
    )]
    TooMuchWork {
        /// The decision.
        decision: String,
        /// What makes it so.
        what: &'static str,
    },
    /// The decision has no value for these inputs.
    #[error("the decision {decision:?} has no value: {reason}")]
    NoValue {
        /// The decision.
        decision: String,
        /// Why.
        reason: String,
    },
}

impl Decisions {
    /// Reads one DMN file, which imports none, and adds its decisions.
    ///
    /// # Errors
    /// Anything that is not a model that can be evaluated.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), DecisionError> {
        self.add_all(&[bytes], &[])
    }

    /// Reads the DMN files `roots`, in order, and adds their decisions. They may import each other and
    /// the files `imported`, and these each other; decisions of `imported` are not added. Each file
    /// that is imported has a namespace of its own ([`Outline`] says which one imports).
    ///
    /// # Errors
    /// Anything that is not a model that can be evaluated; nothing is added then.
    pub fn add_all(&mut self, roots: &[&[u8]], imported: &[&[u8]]) -> Result<(), DecisionError> {
        let files = roots.iter().chain(imported).map(|bytes| model::parse(bytes));
        let mut files = files.collect::<Result<Vec<Element>, _>>()?;
        let mut added = self.clone();
        for bytes in roots {
            // The file itself comes first: it is taken out while it is read, and put back last.
            let root = files.remove(0);
            let model = Model::read(&root, bytes, &files)?;
            files.push(root);
            for (id, name) in &model.decisions {
                let place = (added.models.len(), name.clone());
                if added.by_id.insert(id.clone(), place).is_some() {
                    return Err(DecisionError::DuplicateId(id.clone()));
                }
            }
            added.models.push(Arc::new(model));
        }
        *self = added;
        Ok(())
    }

    /// The ids of the decisions, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// The 0-based place of the file that holds `decision`, in the order in which files were added.
    #[must_use]
    pub fn file_of(&self, decision: &str) -> Option<usize> {
        self.by_id.get(decision).map(|(file, _)| *file)
    }

    /// The names of the inputs that `decision` needs, itself or through the decisions that it requires.
    pub fn inputs(&self, decision: &str) -> impl Iterator<Item = &str> {
        self.model_of(decision).into_iter().flat_map(move |model| model.inputs.needed_by(decision))
    }

    /// The names of all inputs of the model that holds `decision`.
    pub fn inputs_of_file(&self, decision: &str) -> impl Iterator<Item = &str> {
        self.model_of(decision).into_iter().flat_map(|model| model.inputs.names())
    }

    fn model_of(&self, decision: &str) -> Option<&Arc<Model>> {
        self.by_id.get(decision).and_then(|(model, _)| self.models.get(*model))
    }

    /// The value of the decision with id `decision` at `now`, which is what now() and today() read.
    ///
    /// # Errors
    /// An unknown decision, or one that has no value for these inputs.
    pub fn evaluate(
        &self,
        decision: &str,
        variables: &dyn Variables,
        now: Timestamp,
    ) -> Result<Value, DecisionError> {
        let found = self.by_id.get(decision);
        let Some((model, name)) =
            found.and_then(|(model, name)| Some((self.models.get(*model)?, name)))
        else {
            return Err(DecisionError::Unknown(decision.to_owned()));
        };
        let context = model.inputs.read(decision, variables)?;
        model.inputs.check_columns(decision, variables, &context)?;
        let no_value =
            |reason: String| DecisionError::NoValue { decision: decision.to_owned(), reason };
        let value =
            model.value(name, variables, context, now).map_err(|error| error.of(decision))?;
        if let Some(reason) = silent_error(&value) {
            return Err(no_value(reason.to_owned()));
        }
        feel::to_json(value).map_err(|kind| no_value(format!("it gives {kind}")))
    }
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_id.keys()).finish()
    }
}

fn by_table(table: Option<&str>) -> String {
    table.map_or_else(String::new, |table| format!(", by the table of {table:?}"))
}

/// What an element is called in errors.
fn label(element: &Element) -> String {
    element.attribute("name").or(element.attribute("id")).unwrap_or_default().to_owned()
}

/// The message of an error that hides in a null, at any depth.
fn silent_error(value: &FeelValue) -> Option<&str> {
    match value {
        FeelValue::Null(reason) => reason.as_deref(),
        FeelValue::List(items) => items.iter().find_map(silent_error),
        FeelValue::Context(context) => context.iter().find_map(|(_, entry)| silent_error(entry)),
        FeelValue::Transparent(inner) => silent_error(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
