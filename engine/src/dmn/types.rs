//! The types that models declare (DMN 1.5 §7.3.2), and JSON as values of them: process variables have
//! no dates, times or durations, so a text is read as the type of the input says (§10.3.2.3.4 to
//! §10.3.2.3.8). What is of another type, or none of the values that the type allows, is an error,
//! where the evaluator would take it for null.

mod allowed;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_temporal::{
    FeelDate, FeelDateTime, FeelDaysAndTimeDuration, FeelTime, FeelYearsAndMonthsDuration,
};
use serde_json::Value;

use super::model::NoValue;
use super::{DecisionError, label};
use crate::feel;
use crate::xml::{Element, Node};
pub(super) use allowed::Allowed;

/// The deepest nesting of a type, as of the values of variables.
const MAX_DEPTH: usize = 64;
/// The most parts that the types of some models have, where the parts of a type count wherever it is
/// used: the evaluator writes each out.
const MAX_PARTS: usize = 10_000;
/// The most of a value that an error shows, in characters.
const MAX_SHOWN: usize = 80;

/// A type, as far as it says how JSON is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Whatever JSON says.
    Any,
    Simple(Simple),
    List {
        item: Arc<Self>,
        /// Whether the evaluator accepts null among the items.
        has_nulls: bool,
    },
    Context(Vec<Component>),
    /// Some of the values of another type.
    Restricted {
        of: Arc<Self>,
        to: Arc<Allowed>,
    },
}

/// An entry of a context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Component {
    key: String,
    name: Name,
    of: Arc<Type>,
}

/// A type of the language (DMN 1.5 §10.3.2.3) that has a form in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Simple {
    Text,
    Number,
    Boolean,
    Date,
    Time,
    DateTime,
    DaysAndTime,
    YearsAndMonths,
}

/// A value that is not of the type.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Where in the value, e.g. `.items[2]`.
    pub(super) place: String,
    /// What is there.
    pub(super) given: String,
    pub(super) reason: Unfit,
}

/// Why a value is not of a type.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It is another kind of value.
    Kind {
        /// What belongs there.
        expected: &'static str,
        /// What would be right, in JSON.
        example: &'static str,
    },
    /// It is none of these.
    NotAllowed(String),
    /// Nobody knows.
    Untold(NoValue),
}

/// The types that some models declare, by the namespace of the model and their names.
pub(super) struct Types<'a> {
    items: BTreeMap<(&'a str, &'a str), &'a Element>,
    known: BTreeMap<(&'a str, &'a str), (Arc<Type>, Measure)>,
    /// Those that are being read.
    open: Vec<&'a str>,
}

/// How much a type is.
#[derive(Clone, Copy)]
struct Measure {
    parts: usize,
    depth: usize,
}

impl<'a> Types<'a> {
    /// Reads the types of `models`, whose names are those of the evaluator.
    ///
    /// # Errors
    /// A type that is not there, contains itself, or is too large.
    pub(super) fn of(models: &'a [Element]) -> Result<Self, DecisionError> {
        let mut types = Self { items: BTreeMap::new(), known: BTreeMap::new(), open: Vec::new() };
        for model in models {
            let items = model.elements().filter(|it| &*it.name == "itemDefinition");
            for item in items {
                let Some(name) = item.attribute("name") else { continue };
                types.items.insert((namespace(model), name), item);
            }
        }
        let names: Vec<(&str, &str)> = types.items.keys().copied().collect();
        let mut parts = 0;
        for (namespace, name) in names {
            let (_, measure) = types.find(namespace, name, name)?;
            parts += measure.parts;
            if parts > MAX_PARTS {
                return Err(too_large(name));
            }
        }
        Ok(types)
    }

    /// The type `name` of the model `namespace`, for `owner`.
    ///
    /// # Errors
    /// A type that is not there.
    pub(super) fn get(
        &mut self,
        namespace: &'a str,
        name: &str,
        owner: &str,
    ) -> Result<Arc<Type>, DecisionError> {
        self.find(namespace, name, owner).map(|(found, _)| found)
    }

    fn find(
        &mut self,
        namespace: &'a str,
        name: &str,
        owner: &str,
    ) -> Result<(Arc<Type>, Measure), DecisionError> {
        if let Some(found) = of_language(name) {
            return Ok((Arc::new(found), Measure { parts: 1, depth: 1 }));
        }
        if let Some(known) = self.known.get(&(namespace, name)) {
            return Ok(known.clone());
        }
        let Some(item) = self.items.get(&(namespace, name)).copied() else {
            return Err(DecisionError::Invalid {
                element: owner.to_owned(),
                what: format!("has the type {name:?}, which is not there"),
                fix: "add an itemDefinition with that name, or use a type of FEEL such as number, \
                      string, boolean, date, time, dateTime or Any",
            });
        };
        let name = item.attribute("name").unwrap_or_default();
        if self.open.contains(&name) {
            return Err(DecisionError::Invalid {
                element: name.to_owned(),
                what: format!("is a type that contains itself, through {}", self.open.join(", ")),
                fix: "give one of its components the type Any",
            });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_large(name));
        }
        self.open.push(name);
        let found = self.read(namespace, item)?;
        self.open.pop();
        self.known.insert((namespace, name), found.clone());
        Ok(found)
    }

    /// The type that an item definition, or a component of one, says.
    fn read(
        &mut self,
        namespace: &'a str,
        item: &'a Element,
    ) -> Result<(Arc<Type>, Measure), DecisionError> {
        let of_name = |name: &'static str| item.elements().filter(move |it| &*it.name == name);
        let mut measure = Measure { parts: 1, depth: 1 };
        let mut has_nulls = true;
        let one = if let Some(name) = of_name("typeRef").next().map(Element::text) {
            let (found, inner) = self.find(namespace, &name, &label(item))?;
            has_nulls = !matches!(*found, Type::Simple(_)) || of_language(&name).is_none();
            measure = inner;
            found
        } else if of_name("itemComponent").next().is_none() {
            Arc::new(Type::Any)
        } else {
            has_nulls = false;
            let mut components = Vec::new();
            for component in of_name("itemComponent") {
                let (of, inner) = self.read(namespace, component)?;
                measure.parts = measure.parts.saturating_add(inner.parts);
                measure.depth = measure.depth.max(inner.depth + 1);
                let key = component.attribute("name").unwrap_or_default().to_owned();
                components.push(Component { name: feel_name(&key), key, of });
            }
            Arc::new(Type::Context(components))
        };
        if measure.depth > MAX_DEPTH || measure.parts > MAX_PARTS {
            return Err(too_large(&label(item)));
        }
        let found = match item.attribute("isCollection") == Some("true") {
            true => Arc::new(Type::List { item: one, has_nulls }),
            false => one,
        };
        let found = match of_name("allowedValues").next().and_then(text_in) {
            None => found,
            Some(text) => Arc::new(Type::Restricted { of: found, to: allowed_by(item, &text)? }),
        };
        Ok((found, measure))
    }
}

/// The text of an element that holds one in a `text` element.
pub(super) fn text_in(element: &Element) -> Option<String> {
    let text = element.elements().find(|it| &*it.name == "text").map(Element::text);
    text.filter(|text| !text.trim().is_empty())
}

/// Leaves out the allowed values in `element` that the evaluator does not understand, and says whether
/// there were any: inputs are checked before it is asked.
pub(super) fn leave_out_asking(element: &mut Element) -> bool {
    let mut is_changed = false;
    for item in element.elements_mut() {
        if ["itemDefinition", "itemComponent"].contains(&&*item.name) {
            is_changed |= leave_out_asking(item);
        }
    }
    let before = element.children.len();
    element.children.retain(|node| match node {
        Node::Element(it) if &*it.name == "allowedValues" => {
            let allowed = text_in(it).and_then(|text| Allowed::read(&text).ok());
            !allowed.is_some_and(|allowed| allowed.ask())
        }
        _ => true,
    });
    is_changed || element.children.len() < before
}

fn allowed_by(item: &Element, text: &str) -> Result<Arc<Allowed>, DecisionError> {
    let read = Allowed::read(text);
    read.map(Arc::new).map_err(|source| DecisionError::Expression { element: label(item), source })
}

/// A name as the evaluator knows it.
pub(super) fn feel_name(name: &str) -> Name {
    dsntk_feel_parser::parse_longest_name(name).unwrap_or_else(|_| Name::from(name))
}

/// The namespace of the elements of a model.
pub(super) fn namespace(model: &Element) -> &str {
    model.attribute("namespace").unwrap_or_default()
}

fn too_large(name: &str) -> DecisionError {
    DecisionError::Invalid {
        element: name.to_owned(),
        what: format!(
            "is a type that is too large: types are nested at most {MAX_DEPTH} deep and have at \
             most {MAX_PARTS} parts together, counted wherever they are used"
        ),
        fix: "give some of the components the type Any",
    }
}

/// The type of the language that has the name `name`, as the evaluator writes it.
fn of_language(name: &str) -> Option<Type> {
    Some(Type::Simple(match name.trim() {
        "Any" | "Null" => return Some(Type::Any),
        "string" => Simple::Text,
        "number" => Simple::Number,
        "boolean" => Simple::Boolean,
        "date" => Simple::Date,
        "time" => Simple::Time,
        "dateTime" => Simple::DateTime,
        "dayTimeDuration" => Simple::DaysAndTime,
        "yearMonthDuration" => Simple::YearsAndMonths,
        _ => return None,
    }))
}

impl Type {
    /// `value` as a value of this type. Null is of every type, and so is what is missing.
    pub(super) fn read(&self, value: &Value) -> Result<FeelValue, Misfit> {
        match (self, value) {
            (Self::Restricted { of, to }, value) => {
                let read = of.read(value)?;
                to.check(&read, value)?;
                Ok(read)
            }
            (Self::Any, value) => Ok(feel::from_json(value)),
            (_, Value::Null) => Ok(FeelValue::Null(None)),
            (Self::List { item, has_nulls }, Value::Array(items)) => {
                let read = |(place, value): (usize, &Value)| {
                    match value {
                        Value::Null if !has_nulls => Err(item.misfit(value)),
                        value => item.read(value),
                    }
                    .map_err(|misfit| misfit.inside(&format!("[{place}]")))
                };
                items.iter().enumerate().map(read).collect::<Result<_, _>>().map(FeelValue::List)
            }
            // To and from a list of one (DMN 1.5 §10.3.2.9.4).
            (Self::List { item, .. }, value) => Ok(FeelValue::List(vec![item.read(value)?])),
            (_, Value::Array(items)) => match items.as_slice() {
                [item] => self.read(item),
                _ => Err(self.misfit(value)),
            },
            (Self::Context(components), Value::Object(entries)) => {
                let mut context = FeelContext::new();
                for Component { key, name, of } in components {
                    let entry = match entries.get(key) {
                        Some(entry) => {
                            of.read(entry).map_err(|misfit| misfit.inside(&format!(".{key}")))?
                        }
                        // Without the entry the evaluator would take the whole for null.
                        None => FeelValue::Null(None),
                    };
                    context.set_entry(name, entry);
                }
                Ok(FeelValue::Context(context))
            }
            (Self::Simple(simple), value) => simple.read(value).ok_or_else(|| self.misfit(value)),
            (Self::Context(_), value) => Err(self.misfit(value)),
        }
    }

    fn misfit(&self, value: &Value) -> Misfit {
        let (expected, example) = match self {
            Self::Simple(simple) => simple.described(),
            Self::List { .. } => ("a list", "[]"),
            Self::Context(_) => ("an object", "{}"),
            Self::Any => ("a value", "1"),
            Self::Restricted { of, .. } => return of.misfit(value),
        };
        Misfit::of(value, Unfit::Kind { expected, example })
    }

    /// Whether values are read alike as both, whichever they allow.
    pub(super) fn reads_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Restricted { of, .. }, other) => of.reads_like(other),
            (one, Self::Restricted { of, .. }) => one.reads_like(of),
            (Self::Any, Self::Any) => true,
            (Self::Simple(one), Self::Simple(other)) => one == other,
            (Self::List { item, has_nulls }, Self::List { item: other, has_nulls: has_too }) => {
                has_nulls == has_too && item.reads_like(other)
            }
            (Self::Context(ones), Self::Context(others)) => {
                let is_like = |(one, other): (&Component, &Component)| {
                    one.key == other.key && one.of.reads_like(&other.of)
                };
                ones.len() == others.len() && ones.iter().zip(others).all(is_like)
            }
            _ => false,
        }
    }
}

impl Allowed {
    /// Whether `value`, which was given as `given`, is one of them. Null is of every type.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check(&self, value: &FeelValue, given: &Value) -> Result<(), Misfit> {
        if matches!(value, FeelValue::Null(_)) {
            return Ok(());
        }
        match self.contain(value, given) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Misfit::of(given, Unfit::NotAllowed(self.shown()))),
            Err(reason) => Err(Misfit::of(given, Unfit::Untold(reason))),
        }
    }
}

impl Simple {
    fn read(self, value: &Value) -> Option<FeelValue> {
        match (self, value) {
            (Self::Text, Value::String(text)) => Some(FeelValue::String(text.clone())),
            (Self::Boolean, Value::Bool(flag)) => Some(FeelValue::Boolean(*flag)),
            (Self::Number, Value::Number(_)) => {
                Some(feel::from_json(value)).filter(|it| matches!(it, FeelValue::Number(_)))
            }
            (_, Value::String(text)) => self.parse(text),
            _ => None,
        }
    }

    fn parse(self, text: &str) -> Option<FeelValue> {
        let date = || FeelDate::from_str(text).ok();
        match self {
            Self::Date => date().map(FeelValue::Date),
            Self::Time => FeelTime::from_str(text).ok().map(FeelValue::Time),
            Self::DateTime => {
                let at_midnight =
                    || date().map(|date| FeelDateTime::new(date, FeelTime::local(0, 0, 0, 0)));
                FeelDateTime::try_from(text).ok().or_else(at_midnight).map(FeelValue::DateTime)
            }
            Self::DaysAndTime => {
                let read = FeelDaysAndTimeDuration::try_from(text).ok();
                read.map(FeelValue::DaysAndTimeDuration)
            }
            Self::YearsAndMonths => {
                let read = FeelYearsAndMonthsDuration::try_from(text).ok();
                read.map(FeelValue::YearsAndMonthsDuration)
            }
            Self::Text | Self::Number | Self::Boolean => None,
        }
    }

    /// What it is called, and one in JSON.
    const fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("a string", r#""some text""#),
            Self::Number => ("a number", "12.5"),
            Self::Boolean => ("true or false", "true"),
            Self::Date => ("a date", r#""2026-01-31""#),
            Self::Time => ("a time", r#""13:45:00""#),
            Self::DateTime => ("a date and time", r#""2026-01-31T13:45:00Z""#),
            Self::DaysAndTime => ("a days and time duration", r#""P3DT4H""#),
            Self::YearsAndMonths => ("a years and months duration", r#""P1Y6M""#),
        }
    }
}

impl Misfit {
    pub(super) fn of(value: &Value, reason: Unfit) -> Self {
        let given = shortened(&value.to_string(), MAX_SHOWN);
        Self { place: String::new(), given, reason }
    }

    fn inside(mut self, step: &str) -> Self {
        self.place.insert_str(0, step);
        self
    }
}

/// The first `most` characters of `text`.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
