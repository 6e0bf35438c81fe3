//! DMN decisions (DMN 1.2 to 1.5): a facade over the `dsntk` crates.
//!
//! What the facade adds: requirements that a file leaves out; limits before anything is parsed; no external functions, and a clock
//! that is an input, so that a decision is a pure function of what it is given; errors are errors
//! and never silent nulls.

pub mod analyze;
mod clock;
pub mod compact;
mod compiled;
pub mod explain;
mod graph;
mod model;
mod requirements;
pub mod sheet;
pub mod similar;
pub mod table;
pub mod tck;
mod type_names;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use flowmaster_kernel::Timestamp;
use serde_json::Value;

use crate::feel::{self, FeelError, Variables};
use crate::xml::{Element, XmlError};
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
    /// Two decisions with one id.
    #[error("the decision id {0:?} is used twice")]
    DuplicateId(String),
    /// No such decision.
    #[error("there is no decision {0:?}")]
    Unknown(String),
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
    /// Reads one DMN file and adds its decisions.
    ///
    /// # Errors
    /// Anything that is not a model that can be evaluated.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), DecisionError> {
        let model = Model::read(bytes, &[])?;
        for (id, name) in &model.decisions {
            if self.by_id.insert(id.clone(), (self.models.len(), name.clone())).is_some() {
                return Err(DecisionError::DuplicateId(id.clone()));
            }
        }
        self.models.push(Arc::new(model));
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

    /// The names of the inputs of the model that holds `decision`.
    pub fn inputs(&self, decision: &str) -> impl Iterator<Item = &str> {
        let model = self.by_id.get(decision).and_then(|(model, _)| self.models.get(*model));
        model.into_iter().flat_map(|model| model.inputs.iter().map(String::as_str))
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
        let mut context = FeelContext::new();
        for input in &model.inputs {
            if let Some(value) = variables.variable(input) {
                context.set_entry(&Name::from(input), feel::from_json(value));
            }
        }
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
