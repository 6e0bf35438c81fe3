//! The values that a type or a column of a table allows (DMN 1.5 §7.3.3, §8.3.3): unary tests that a
//! value passes or not.
//!
//! Invariant: what passes here passes in the evaluator too. It does not know tests that ask for the
//! value themselves, such as `starts with(?, "A")`; those are left out of what it reads.

use std::fmt;

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;
use serde_json::{Map, Value};

use super::shortened;
use crate::dmn::analyze::{Accepts, Kind};
use crate::dmn::model::NoValue;
use crate::dsntk;
use crate::feel::{self, Bound, FeelError, Meaning, TooMuch};

/// The name of the value that is tested.
const TESTED: &str = "?";
/// The most of the tests that an error shows, in characters.
const MAX_SHOWN: usize = 200;

/// Values that are allowed.
pub(in crate::dmn) struct Allowed {
    text: String,
    /// What they are where they are constants, which is quicker than to evaluate the tests.
    known: Accepts,
    evaluator: Evaluator,
    tested: Name,
    /// What the work is estimated from, when that can be much.
    tree: Option<AstNode>,
    stack: usize,
    /// Whether some tests ask for the value themselves.
    ask: bool,
}

impl Allowed {
    /// Reads unary tests, which know nothing but the value.
    ///
    /// # Errors
    /// Tests over a limit, or what are none.
    pub(in crate::dmn) fn read(text: &str) -> Result<Self, FeelError> {
        let text = text.trim();
        let stack = feel::stack_of(text)?;
        let syntax = |reason: String| FeelError::Syntax { text: text.to_owned(), reason };
        let tested = Name::from(TESTED);
        let compiled = dsntk::call(stack, || {
            let tests = dsntk_feel_parser::parse_unary_tests(&FeelScope::default(), text, false);
            tests.map(|tests| {
                let (tree, ask) = condition(tests, &tested);
                let evaluator = dsntk_feel_evaluator::prepare(&tree);
                (evaluator, feel::can_be_much(&tree).then_some(tree), ask)
            })
        });
        let compiled = compiled.map_err(|defect| syntax(defect.to_string()))?;
        let (evaluator, tree, ask) = compiled.map_err(|error| syntax(error.to_string()))?;
        let known = Accepts::read(text);
        Ok(Self { text: text.to_owned(), known, evaluator, tested, tree, stack, ask })
    }

    /// Whether some tests ask for the value themselves, which the evaluator does not know.
    pub(in crate::dmn) const fn ask(&self) -> bool {
        self.ask
    }

    /// Whether they are compared with constants alone.
    pub(in crate::dmn) const fn are_constant(&self) -> bool {
        !matches!(self.known, Accepts::Unknown)
    }

    /// Whether `value`, which was given as `given`, is one of them.
    ///
    /// # Errors
    /// Tests that could take too long with this value.
    pub(in crate::dmn) fn contain(
        &self,
        value: &FeelValue,
        given: &Value,
    ) -> Result<bool, NoValue> {
        if self.are_constant() && self.is_comparable(value) {
            return Ok(self.known.passes(value));
        }
        let mut stack = self.stack;
        if let Some(tree) = &self.tree {
            let no_others = Map::new();
            let known = vec![(&self.tested, Meaning::Value(Bound::of(given)))];
            let estimated = stacker::maybe_grow(feel::STACK, feel::STACK, || {
                feel::estimate(tree, &no_others, known, Vec::new()).map(|it| it.depth)
            });
            let depth = estimated.map_err(|TooMuch(what)| NoValue::TooMuch(what))?;
            stack += feel::stack_of_depth(depth);
        }
        let scope = FeelScope::default();
        scope.set_value(&self.tested, value.clone());
        dsntk::call(stack, || (self.evaluator)(&scope).is_true()).map_err(NoValue::Defect)
    }

    /// Whether the constants are of the type of `value`, and compared as the evaluator does.
    fn is_comparable(&self, value: &FeelValue) -> bool {
        let kind = Kind::of(value);
        let is_plain = matches!(kind, Some(Kind::Number | Kind::Text | Kind::Boolean | Kind::Date));
        is_plain && self.known.constants().all(|constant| Kind::of(constant) == kind)
    }

    /// As an error shows them.
    pub(in crate::dmn) fn shown(&self) -> String {
        shortened(&self.text, MAX_SHOWN)
    }
}

/// The tests as a condition on the value named `tested`, and whether some ask for it themselves.
fn condition(tests: AstNode, tested: &Name) -> (AstNode, bool) {
    let name = || AstNode::Name(tested.clone());
    let within = |tests: AstNode| AstNode::In(Box::new(name()), Box::new(tests));
    let asked = format!("{:?}", name());
    let asks = |test: &AstNode| format!("{test:?}").contains(&asked);
    let AstNode::ExpressionList(tests) = tests else { return (within(tests), false) };
    let (asking, others): (Vec<AstNode>, Vec<AstNode>) = tests.into_iter().partition(asks);
    let ask = !asking.is_empty();
    let conditions = asking.into_iter().chain([within(AstNode::ExpressionList(others))]);
    let any = conditions.reduce(|one, other| AstNode::Or(Box::new(one), Box::new(other)));
    (any.unwrap_or(AstNode::Boolean(false)), ask)
}

impl PartialEq for Allowed {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Allowed {}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
