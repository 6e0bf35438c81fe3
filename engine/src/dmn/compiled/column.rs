//! A column of conditions: the input that it reads, and the values that its cells can be compared with.

use std::borrow::Cow;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;

use super::types::Type;
use crate::dmn::analyze::{Accepts, Kind};

pub(super) struct Column {
    pub(super) source: Source,
    /// The type of the constants in its cells.
    pub(super) kind: Kind,
    /// The values that its input may have.
    pub(super) allowed: Accepts,
}

/// Where the value of a column comes from.
pub(super) struct Source {
    /// The input.
    pub(super) name: Name,
    pub(super) type_: Type,
    /// Whether `date()` is called with it.
    pub(super) is_made_a_date: bool,
}

impl Column {
    /// The value of this column; nothing where the evaluator would first make another value of it.
    pub(super) fn value<'a>(&self, inputs: &'a FeelContext) -> Option<Cow<'a, FeelValue>> {
        let Source { name, type_, is_made_a_date } = &self.source;
        let given = inputs.get_entry(name).filter(|value| type_.takes(value))?;
        let value = match given {
            FeelValue::String(text) if *is_made_a_date => {
                Cow::Owned(FeelValue::Date(text.parse().ok()?))
            }
            given => Cow::Borrowed(given),
        };
        (Kind::of(&value) == Some(self.kind)).then_some(value)
    }

    pub(super) fn allows(&self, value: &FeelValue) -> bool {
        self.allowed.passes(value)
    }
}
