//! The types of inputs and of answers: those of the language, and those that a file makes of one of them
//! by listing the values that are allowed, or by making lists of it.

use dsntk_feel::FeelType;
use dsntk_feel::values::Value as FeelValue;
use dsntk_model::{Definitions, Expression, ItemDefinition, NamedElement};

use crate::dmn::analyze::{Accepts, Kind};

/// The type of one value.
#[derive(Clone)]
pub(super) struct Type {
    base: FeelType,
    allowed: Accepts,
}

impl Type {
    /// The type of inputs with this name.
    pub(super) fn of_input(name: &str, definitions: &Definitions) -> Option<Self> {
        if let Some(base) = built_in(name) {
            return Some(Self { base, allowed: Accepts::Everything });
        }
        let item = item(name, definitions).filter(|item| !item.is_collection())?;
        let base = item.type_ref().as_deref()?;
        let allowed = item.allowed_values().as_ref().and_then(|it| it.text().as_deref());
        let allowed = allowed.map_or(Accepts::Everything, Accepts::read);
        let is_of_base = allowed.constants().all(|it| Kind::of(it) == Kind::named(base));
        let is_known = is_of_base && !matches!(allowed, Accepts::Unknown);
        is_known.then(|| Some(Self { base: built_in(base)?, allowed })).flatten()
    }

    /// Whether the evaluator takes the value of an input as it is.
    pub(super) fn takes(&self, value: &FeelValue) -> bool {
        value.is_conformant(&self.base) && self.allowed.passes(value)
    }
}

/// The type of answers with this name.
pub(super) fn of_answer(name: &str, definitions: &Definitions) -> Option<FeelType> {
    built_in(name).or_else(|| {
        let item = item(name, definitions)?;
        let base = built_in(item.type_ref().as_deref()?)?;
        Some(if item.is_collection() { FeelType::list(&base) } else { base })
    })
}

/// The only type of the file with this name, when it stands on another.
fn item<'a>(name: &str, definitions: &'a Definitions) -> Option<&'a ItemDefinition> {
    let mut items = definitions.item_definitions().iter().filter(|item| item.name() == name);
    let item = items.next().filter(|_| items.next().is_none());
    item.filter(|it| it.item_components().is_empty() && it.function_item().is_none())
}

/// The type of the language with this name.
fn built_in(name: &str) -> Option<FeelType> {
    Some(match name {
        "Any" => FeelType::Any,
        "string" => FeelType::String,
        "number" => FeelType::Number,
        "boolean" => FeelType::Boolean,
        "date" => FeelType::Date,
        "time" => FeelType::Time,
        "dateTime" => FeelType::DateTime,
        "dayTimeDuration" => FeelType::DaysAndTimeDuration,
        "yearMonthDuration" => FeelType::YearsAndMonthsDuration,
        _ => return None,
    })
}
