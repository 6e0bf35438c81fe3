//! What a cell accepts: its unary tests (DMN 1.5 §10.3.1.2, grammar rules 7 to 15), where they compare
//! with constants. Anything else is unknown, and never guessed.

use std::cmp::Ordering;

use dsntk_feel::FeelScope;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_parser::AstNode;

use super::value::compare;
use crate::dsntk;
use crate::feel;

/// The functions whose value is a constant when their arguments are.
pub(in crate::dmn) const CONSTRUCTORS: [&str; 5] =
    ["date", "time", "date and time", "duration", "number"];

/// What a cell accepts.
#[derive(Clone, Debug)]
pub(in crate::dmn) enum Accepts {
    /// `-`.
    Everything,
    /// What passes one of the tests.
    AnyOf(Vec<Test>),
    /// `not(…)`: what passes none of them.
    NoneOf(Vec<Test>),
    /// It depends on more than the value.
    Unknown,
}

/// One test.
#[derive(Clone, Debug)]
pub(in crate::dmn) enum Test {
    Equal(FeelValue),
    NotEqual(FeelValue),
    Range { low: Option<End>, high: Option<End> },
}

/// An end of a range.
#[derive(Clone, Debug)]
pub(in crate::dmn) struct End {
    pub(in crate::dmn) value: FeelValue,
    /// Whether the value itself belongs to the range.
    pub(in crate::dmn) is_closed: bool,
}

impl Accepts {
    /// Reads the text of a cell.
    pub(in crate::dmn) fn read(text: &str) -> Self {
        let text = text.trim();
        if text == "-" {
            return Self::Everything;
        }
        let Ok(stack) = feel::stack(text) else { return Self::Unknown };
        let read = dsntk::call(stack, || {
            let tree = dsntk_feel_parser::parse_unary_tests(&FeelScope::default(), text, false);
            tree.ok().and_then(|tree| Self::from_tree(&tree))
        });
        read.ok().flatten().unwrap_or(Self::Unknown)
    }

    /// The constants of its tests.
    pub(in crate::dmn) fn constants(&self) -> impl Iterator<Item = &FeelValue> {
        let tests = match self {
            Self::AnyOf(tests) | Self::NoneOf(tests) => tests.as_slice(),
            Self::Everything | Self::Unknown => &[],
        };
        tests.iter().flat_map(|test| {
            let (one, other) = match test {
                Test::Equal(value) | Test::NotEqual(value) => (Some(value), None),
                Test::Range { low, high } => {
                    (low.as_ref().map(|end| &end.value), high.as_ref().map(|end| &end.value))
                }
            };
            one.into_iter().chain(other)
        })
    }

    /// Whether `value` passes, which is of the type of the constants. Of several tests for what a value
    /// is not, all must pass: so the evaluator has it.
    pub(in crate::dmn) fn passes(&self, value: &FeelValue) -> bool {
        match self {
            Self::Everything => true,
            Self::AnyOf(tests) => any_passes(tests, value),
            Self::NoneOf(tests) => !any_passes(tests, value),
            Self::Unknown => false,
        }
    }

    fn from_tree(tree: &AstNode) -> Option<Self> {
        let tests =
            |items: &[AstNode]| items.iter().map(Test::from_tree).collect::<Option<Vec<Test>>>();
        Some(match tree {
            AstNode::Irrelevant => Self::Everything,
            AstNode::ExpressionList(items) => Self::AnyOf(tests(items)?),
            AstNode::NegatedList(items) => Self::NoneOf(tests(items)?),
            _ => return None,
        })
    }
}

fn any_passes(tests: &[Test], value: &FeelValue) -> bool {
    let is = |constant: &FeelValue| compare(value, constant) == Some(Ordering::Equal);
    let mut differs = None;
    for test in tests {
        match test {
            Test::NotEqual(constant) => differs = Some(differs.unwrap_or(true) && !is(constant)),
            Test::Equal(constant) if is(constant) => return true,
            Test::Range { low, high } if is_within(value, low.as_ref(), high.as_ref()) => {
                return true;
            }
            Test::Equal(_) | Test::Range { .. } => {}
        }
    }
    differs.unwrap_or(false)
}

fn is_within(value: &FeelValue, low: Option<&End>, high: Option<&End>) -> bool {
    let is_inside = |end: &End, inside: Ordering| match compare(value, &end.value) {
        Some(Ordering::Equal) => end.is_closed,
        order => order == Some(inside),
    };
    low.is_none_or(|end| is_inside(end, Ordering::Greater))
        && high.is_none_or(|end| is_inside(end, Ordering::Less))
}

impl Test {
    fn from_tree(tree: &AstNode) -> Option<Self> {
        let below = |end: &AstNode, is_closed| {
            Some(Self::Range { low: None, high: Some(End { value: ordered(end)?, is_closed }) })
        };
        let above = |end: &AstNode, is_closed| {
            Some(Self::Range { low: Some(End { value: ordered(end)?, is_closed }), high: None })
        };
        match tree {
            AstNode::UnaryEq(value) => Some(Self::Equal(constant(value)?)),
            AstNode::UnaryNe(value) => Some(Self::NotEqual(constant(value)?)),
            AstNode::UnaryLt(end) => below(end, false),
            AstNode::UnaryLe(end) => below(end, true),
            AstNode::UnaryGt(end) => above(end, false),
            AstNode::UnaryGe(end) => above(end, true),
            AstNode::Range(start, end) => {
                let (AstNode::IntervalStart(low, start), AstNode::IntervalEnd(high, end)) =
                    (&**start, &**end)
                else {
                    return None;
                };
                if start.undefined() || end.undefined() {
                    return None;
                }
                let low = End { value: ordered(low)?, is_closed: start.closed() };
                let high = End { value: ordered(high)?, is_closed: end.closed() };
                Some(Self::Range { low: Some(low), high: Some(high) })
            }
            other => Some(Self::Equal(constant(other)?)),
        }
    }
}

/// A constant that other values can be less than.
fn ordered(tree: &AstNode) -> Option<FeelValue> {
    constant(tree).filter(|value| !matches!(value, FeelValue::Null(_) | FeelValue::Boolean(_)))
}

/// The value of an expression that is the same whatever the inputs are.
pub(in crate::dmn) fn constant(tree: &AstNode) -> Option<FeelValue> {
    if !is_constant(tree) {
        return None;
    }
    match dsntk_feel_evaluator::evaluate(&FeelScope::default(), tree) {
        FeelValue::Null(Some(_)) => None,
        value => Some(value),
    }
}

fn is_constant(tree: &AstNode) -> bool {
    match tree {
        AstNode::Numeric(..)
        | AstNode::String(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::At(_) => true,
        AstNode::Neg(inner) => matches!(&**inner, AstNode::Numeric(..)),
        AstNode::FunctionInvocation(function, parameters) => {
            let (AstNode::Name(name), AstNode::PositionalParameters(parameters)) =
                (&**function, &**parameters)
            else {
                return false;
            };
            CONSTRUCTORS.contains(&name.as_str()) && parameters.iter().all(is_constant)
        }
        _ => false,
    }
}

/// The value of the cell of an output when it is a constant.
pub(in crate::dmn) fn constant_output(text: &str) -> Option<FeelValue> {
    let stack = feel::stack(text).ok()?;
    let value = dsntk::call(stack, || {
        let tree = dsntk_feel_parser::parse_expression(&FeelScope::default(), text, false).ok()?;
        constant(&tree)
    });
    value.ok().flatten()
}
