//! FEEL, the one expression language (DMN 1.5 §10): a facade over the `dsntk` crates.
//!
//! What the facade adds: programs are compiled once; errors are errors and never silent nulls;
//! text size, nesting and length are limited before anything is parsed, and the work is estimated
//! before anything is evaluated; `now()` and `today()` read the engine's clock, so that evaluation
//! is a pure function of variables and time.

mod cost;
mod from_ai;
mod json;
mod scan;

use std::fmt;
use std::sync::{Arc, OnceLock};

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;
use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value};

use crate::dsntk;
pub(crate) use cost::{Bound, MAX_WORK, Meaning, STACK, TooMuch, can_be_much, estimate};
pub use json::same;
pub(crate) use json::{from_json, to_json};
pub(crate) use scan::{NOW, TODAY, clock_value, stack_of_depth, token_length};

/// The longest expression, in bytes.
pub const MAX_TEXT: usize = 16 * 1024;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    text: String,
    names: Vec<String>,
    stack: usize,
    evaluator: Evaluator,
    /// What its work is estimated from, when that can be much.
    tree: Option<AstNode>,
    /// What it may read, once somebody asks.
    reads: OnceLock<Vec<String>>,
}

/// Where an expression finds its variables.
pub trait Variables {
    /// The value of the variable `name` as this scope sees it.
    fn variable(&self, name: &str) -> Option<&Value>;
}

impl Variables for Map<String, Value> {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeelError {
    /// Over a limit; it was not parsed.
    #[error("the expression is too large: {what} is limited to {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A function in another language (DMN 1.5 §10.3.2.13.3); it was not parsed.
    #[error("functions in other languages are not accepted: write the function in FEEL")]
    External,
    /// Not FEEL.
    #[error("{text:?} is not FEEL: {reason}")]
    Syntax {
        /// The expression.
        text: String,
        /// What the parser says.
        reason: String,
    },
    /// FEEL, but it has no value here.
    #[error("{text:?} has no value: {reason}")]
    NoValue {
        /// The expression.
        text: String,
        /// Why.
        reason: String,
    },
    /// It could take too long with these variables; it was not evaluated.
    #[error(
        "{text:?} could take too long: {what} cannot be bounded, or are too large together. Loop \
         over fewer items (about 4,000 for one `for`), filter before looping, or give a range an \
         end that is a number or a variable"
    )]
    TooMuchWork {
        /// The expression.
        text: String,
        /// What makes it so.
        what: &'static str,
    },
    /// A value that a variable cannot hold, such as a function.
    #[error("{text:?} gives {kind}, which a variable cannot hold")]
    NotData {
        /// The expression.
        text: String,
        /// The kind of value.
        kind: &'static str,
    },
    /// A value of another type than needed.
    #[error("{text:?} gives {value}, and {expected} is needed")]
    WrongType {
        /// The expression.
        text: String,
        /// What is needed.
        expected: &'static str,
        /// What it gave, shortened.
        value: String,
    },
}

impl Program {
    /// Compiles `text`; a leading `=` (the mark of an expression in `zeebe:` attributes) is dropped.
    ///
    /// # Errors
    /// Text over a limit, or text that is not FEEL.
    pub fn compile(text: &str) -> Result<Self, FeelError> {
        check_size(text)?;
        let text = text.trim();
        let text = text.strip_prefix('=').unwrap_or(text).trim();
        let scanned = scan::scan(text)?;
        let syntax = |reason: String| FeelError::Syntax { text: text.to_owned(), reason };
        if text.is_empty() {
            return Err(syntax("it is empty".to_owned()));
        }
        let scope = FeelScope::default();
        for name in &scanned.names {
            // FEEL names may contain operators: `a-b` is one name unless `a` and `b` are known.
            scope.set_name(Name::from(name));
        }
        let stack = scanned.stack();
        let (evaluator, tree) = dsntk::call(stack, || {
            dsntk_feel_parser::parse_expression(&scope, &scanned.text, false).map(|tree| {
                let evaluator = dsntk_feel_evaluator::prepare(&tree);
                (evaluator, cost::can_be_much(&tree).then_some(tree))
            })
        })
        .map_err(|defect| syntax(defect.to_string()))?
        .map_err(|error| syntax(error.to_string()))?;
        Ok(Self(Arc::new(Compiled {
            text: text.to_owned(),
            names: scanned.names,
            stack,
            evaluator,
            tree,
            reads: OnceLock::new(),
        })))
    }

    /// The expression as written, without a leading `=`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The names that may be variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names.iter().map(String::as_str)
    }

    /// The names without those that are only parts of a path: what it may read.
    pub(crate) fn reads(&self) -> impl Iterator<Item = &str> {
        let reads = self.0.reads.get_or_init(|| {
            let variables = scan::variables(self.text());
            // A name of several words, or with an operator in it, is no part of a path.
            let is_plain = |name: &str| name.chars().all(|it| it.is_alphanumeric() || it == '_');
            let reads = |name: &&str| !is_plain(name) || variables.contains(name);
            self.names().filter(reads).map(str::to_owned).collect()
        });
        reads.iter().map(String::as_str)
    }

    /// What its calls of `fromAi` say about the parameters that an agent gives.
    pub(crate) fn agent_parameters(&self) -> Vec<Value> {
        from_ai::parameters(&self.0.text)
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// No value, or one that is not data.
    pub fn evaluate(&self, variables: &dyn Variables, now: Timestamp) -> Result<Value, FeelError> {
        let stack = self.stack_with(variables)?;
        let mut context = FeelContext::new();
        for name in &self.0.names {
            if let Some(value) = variables.variable(name) {
                context.set_entry(&Name::from(name), from_json(value));
            } else if let Some(value) = clock_value(name, now) {
                context.set_entry(&Name::from(name), value);
            }
        }
        let scope = FeelScope::default();
        scope.push(context);
        let no_value = |reason: String| FeelError::NoValue { text: self.0.text.clone(), reason };
        let value = dsntk::call(stack, || (self.0.evaluator)(&scope))
            .map_err(|defect| no_value(defect.to_string()))?;
        match value {
            FeelValue::Null(Some(reason)) => Err(no_value(reason)),
            value => to_json(value)
                .map_err(|kind| FeelError::NotData { text: self.0.text.clone(), kind }),
        }
    }

    /// The stack that evaluating it with these variables can take, if it does not take too long.
    fn stack_with(&self, variables: &dyn Variables) -> Result<usize, FeelError> {
        let Compiled { text, stack, tree, .. } = &*self.0;
        let Some(tree) = tree else { return Ok(*stack) };
        // Only functions are entered from somewhere else than where they are written.
        let of_estimate = if text.contains("function") { STACK } else { *stack };
        stacker::maybe_grow(of_estimate, of_estimate, || {
            estimate(tree, variables, Vec::new(), Vec::new())
        })
        .map(|estimated| scan::stack_of_depth(estimated.depth).max(*stack))
        .map_err(|TooMuch(what)| FeelError::TooMuchWork { text: text.clone(), what })
    }

    /// The value of a condition.
    ///
    /// # Errors
    /// As [`Self::evaluate`], or a value that is not a boolean.
    pub fn test(&self, variables: &dyn Variables, now: Timestamp) -> Result<bool, FeelError> {
        match self.evaluate(variables, now)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(self.wrong_type("true or false", &other)),
        }
    }

    /// Whether a condition that is waited for holds. It does not while it has no value because a
    /// variable that it uses is missing or null.
    ///
    /// # Errors
    /// As [`Self::test`], for any other reason.
    pub fn holds(&self, variables: &dyn Variables, now: Timestamp) -> Result<bool, FeelError> {
        match self.evaluate(variables, now) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(Value::Null) => Ok(false),
            Ok(other) => Err(self.wrong_type("true or false", &other)),
            Err(FeelError::NoValue { .. }) if self.lacks_one_of(variables) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn lacks_one_of(&self, variables: &dyn Variables) -> bool {
        let missing = |name: &str| variables.variable(name).is_none_or(Value::is_null);
        scan::variables(self.text()).into_iter().any(missing)
    }

    /// The error of a value that is not what was needed.
    #[must_use]
    pub fn wrong_type(&self, expected: &'static str, value: &Value) -> FeelError {
        let value = value.to_string().chars().take(80).collect();
        FeelError::WrongType { text: self.0.text.clone(), expected, value }
    }
}

/// The stack in bytes that reading or evaluating `text`, an expression or unary tests, can take.
///
/// # Errors
/// Text over a limit.
pub(crate) fn stack_of(text: &str) -> Result<usize, FeelError> {
    check_size(text)?;
    scan::scan(text).map(|scanned| scanned.stack())
}

/// `text`, an expression or unary tests, with [`NOW`] and [`TODAY`] in the place of the calls of the
/// clock; `None` where there are none.
pub(crate) fn without_clock(text: &str) -> Result<Option<String>, FeelError> {
    check_size(text)?;
    let scanned = scan::scan(text)?;
    Ok(scanned.reads_clock().then_some(scanned.text))
}

fn check_size(text: &str) -> Result<(), FeelError> {
    match text.len() > MAX_TEXT {
        true => Err(FeelError::TooLarge { what: "its text in bytes", limit: MAX_TEXT }),
        false => Ok(()),
    }
}

/// The stack in bytes that parsing or evaluating `text`, an expression or unary tests, can take.
/// Checks the limits too.
pub(crate) fn stack(text: &str) -> Result<usize, FeelError> {
    if text.len() > MAX_TEXT {
        return Err(FeelError::TooLarge { what: "its text in bytes", limit: MAX_TEXT });
    }
    Ok(scan::scan(text)?.stack())
}

/// Whether `text` begins with a name of the language that has several words.
pub(crate) fn begins_with_phrase(text: &str) -> bool {
    scan::begins_with_phrase(text)
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0.text)
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

#[cfg(test)]
mod tests;
