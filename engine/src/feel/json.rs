//! Process variables are JSON; FEEL has more types. Dates, times and durations leave as ISO 8601
//! text and come back through `date()`, `time()`, `date and time()` and `duration()`.

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelNumber, Name};
use serde_json::{Map, Number, Value};

/// A variable as FEEL sees it.
pub(crate) fn from_json(value: &Value) -> FeelValue {
    match value {
        Value::Null => FeelValue::Null(None),
        Value::Bool(flag) => FeelValue::Boolean(*flag),
        Value::Number(number) => number_from_json(number),
        Value::String(text) => FeelValue::String(text.clone()),
        Value::Array(items) => FeelValue::List(items.iter().map(from_json).collect()),
        Value::Object(entries) => {
            let mut context = FeelContext::new();
            for (key, entry) in entries {
                context.set_entry(&Name::from(key), from_json(entry));
            }
            FeelValue::Context(context)
        }
    }
}

fn number_from_json(number: &Number) -> FeelValue {
    if let Some(integer) = number.as_i64() {
        return FeelValue::Number(FeelNumber::from(integer));
    }
    // The decimal text of a JSON number is exact where binary floating point is not.
    match number.to_string().parse::<FeelNumber>() {
        Ok(decimal) => FeelValue::Number(decimal),
        Err(error) => FeelValue::Null(Some(error.to_string())),
    }
}

/// A FEEL value as a variable; the name of its kind where a variable cannot hold it.
pub(crate) fn to_json(value: FeelValue) -> Result<Value, &'static str> {
    Ok(match value {
        FeelValue::Null(_) => Value::Null,
        FeelValue::Boolean(flag) => Value::Bool(flag),
        FeelValue::Number(number) => number_to_json(&number)?,
        FeelValue::String(text) => Value::String(text),
        FeelValue::List(items) => {
            Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        FeelValue::Context(context) => {
            let mut entries = Map::new();
            for (name, entry) in context.iter() {
                entries.insert(name.to_string(), to_json(entry.clone())?);
            }
            Value::Object(entries)
        }
        FeelValue::Date(date) => Value::String(date.to_string()),
        FeelValue::Time(time) => Value::String(time.to_string()),
        FeelValue::DateTime(moment) => Value::String(moment.to_string()),
        FeelValue::DaysAndTimeDuration(duration) => Value::String(duration.to_string()),
        FeelValue::YearsAndMonthsDuration(duration) => Value::String(duration.to_string()),
        FeelValue::Transparent(inner) => to_json(*inner)?,
        FeelValue::Range(..) => return Err("a range"),
        FeelValue::FunctionDefinition(..)
        | FeelValue::BuiltInFunction(_)
        | FeelValue::ExternalJavaFunction(..)
        | FeelValue::ExternalPmmlFunction(..) => return Err("a function"),
        FeelValue::FeelType(_) => return Err("a type"),
        _ => return Err("an inner value of the expression language"),
    })
}

fn number_to_json(number: &FeelNumber) -> Result<Value, &'static str> {
    let text = number.to_string();
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Value::from(integer));
    }
    match text.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Ok(Value::Number(number)),
        None => Err("a number outside the range of JSON"),
    }
}

/// Whether two JSON values are one value: numbers count by their value, 1 is 1.0.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}
