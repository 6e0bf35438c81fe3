//! Values that a model gives as text or as FEEL.

pub mod timer;

use flowmaster_kernel::Timestamp;
use serde_json::Value;

use crate::feel::{FeelError, Variables};
use crate::model::Text;

/// The value of `text`.
pub(crate) fn value_of(
    text: &Text,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<Value, FeelError> {
    match text {
        Text::Literal(text) => Ok(Value::String(text.clone())),
        Text::Feel(program) => program.evaluate(variables, now),
    }
}

/// The value of `text`, which must be text or a number.
pub(crate) fn string_of(
    text: &Text,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<String, FeelError> {
    match text {
        Text::Literal(text) => Ok(text.clone()),
        Text::Feel(program) => match program.evaluate(variables, now)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(program.wrong_type("text", &other)),
        },
    }
}

/// The value of `text`; nothing where it is null or empty.
pub(crate) fn optional_string_of(
    text: Option<&Text>,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<Option<String>, FeelError> {
    let value = match text {
        None => return Ok(None),
        Some(Text::Literal(text)) => text.clone(),
        Some(Text::Feel(program)) => match program.evaluate(variables, now)? {
            Value::Null => return Ok(None),
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => return Err(program.wrong_type("text", &other)),
        },
    };
    Ok(Some(value).filter(|value| !value.trim().is_empty()))
}

/// The names in `text`: separated by commas, or a list.
pub(crate) fn names_of(
    text: Option<&Text>,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<Vec<String>, FeelError> {
    let split = |text: &str| {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    match text {
        None => Ok(Vec::new()),
        Some(Text::Literal(text)) => Ok(split(text)),
        Some(Text::Feel(program)) => match program.evaluate(variables, now)? {
            Value::Null => Ok(Vec::new()),
            Value::String(text) => Ok(split(&text)),
            Value::Array(names) => names
                .into_iter()
                .map(|name| match name {
                    Value::String(name) => Ok(name),
                    other => Err(program.wrong_type("a list of names", &other)),
                })
                .collect(),
            other => Err(program.wrong_type("a list of names", &other)),
        },
    }
}

/// The value of `text`, which must be a whole number; nothing where there is no text.
pub(crate) fn integer_of(
    text: Option<&Text>,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let value = value_of(text, variables, now).map_err(|error| error.to_string())?;
    let number = match &value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.map(Some).ok_or_else(|| format!("{value} is not a whole number"))
}

/// The text by which a correlation key is compared: text as it is, numbers by value.
#[must_use]
pub fn correlation_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
