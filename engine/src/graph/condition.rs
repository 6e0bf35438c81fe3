//! Conditions of edges: expressions as text, and triples of field, operator and value.

use serde_json::Value;

use super::json::{at, text};
use crate::feel::Program;
use crate::juel::{self, quoted};

/// The deepest nesting of conditions.
const MAX_DEPTH: usize = 16;

/// What an edge says about when it is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// When no other is.
    Otherwise,
    /// When this FEEL holds.
    When(String),
}

/// Why a condition is not understood, and what to write.
#[derive(Debug)]
pub(super) struct Unclear {
    pub(super) what: String,
    pub(super) fix: String,
}

impl Unclear {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: "write an expression such as amount >= 1000, or {field, operator, value}"
                .to_owned(),
        }
    }
}

/// What `stored` means.
pub(super) fn read(stored: &Value) -> Result<Condition, Unclear> {
    match stored {
        Value::Null | Value::Bool(true) => Ok(Condition::None),
        Value::String(text) if text.trim().is_empty() => Ok(Condition::None),
        Value::String(text) if is_otherwise(text) => Ok(Condition::Otherwise),
        Value::Array(parts) if parts.is_empty() => Ok(Condition::None),
        Value::Object(fields) if fields.is_empty() => Ok(Condition::None),
        other => feel(other, 0).map(Condition::When),
    }
}

/// The condition that the label of an edge is, if it is one.
pub(super) fn of_label(label: &str) -> Condition {
    if is_otherwise(label) {
        return Condition::Otherwise;
    }
    let compares = ["<", ">", "=="].iter().any(|sign| label.contains(sign));
    match compares.then(|| expression(label)) {
        Some(Ok(feel)) => Condition::When(feel),
        _ => Condition::None,
    }
}

fn is_otherwise(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "default" | "else" | "otherwise")
}

fn feel(stored: &Value, depth: usize) -> Result<String, Unclear> {
    if depth > MAX_DEPTH {
        return Err(Unclear::new(format!("it is nested more than {MAX_DEPTH} deep")));
    }
    match stored {
        Value::String(text) => expression(text),
        Value::Array(parts) => joined(parts, " and ", depth),
        Value::Object(_) => {
            for (name, word) in
                [("all", " and "), ("and", " and "), ("any", " or "), ("or", " or ")]
            {
                if let Some(parts) = at(stored, name).and_then(Value::as_array) {
                    return joined(parts, word, depth);
                }
            }
            match text(stored, &["expression", "condition"]) {
                Some(text) => expression(text),
                None => triple(stored),
            }
        }
        other => Err(Unclear::new(format!("{other} is no condition"))),
    }
}

fn joined(parts: &[Value], word: &str, depth: usize) -> Result<String, Unclear> {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| feel(part, depth + 1).map(|feel| format!("({feel})")))
        .collect::<Result<_, _>>()?;
    match parts.is_empty() {
        true => Err(Unclear::new("it is a list of no conditions")),
        false => Ok(parts.join(word)),
    }
}

/// FEEL where it begins with `=`, else what C, JUEL and the like have in common.
pub(super) fn expression(text: &str) -> Result<String, Unclear> {
    if let Some(feel) = text.trim().strip_prefix('=') {
        return match Program::compile(feel) {
            Ok(program) => Ok(program.text().to_owned()),
            Err(error) => Err(Unclear::new(error.to_string())),
        };
    }
    let translated =
        juel::template_to_feel(text).and_then(|feel| feel.map_or_else(|| juel::to_feel(text), Ok));
    translated.map_err(|refused| Unclear { what: refused.to_string(), fix: refused.fix })
}

fn triple(stored: &Value) -> Result<String, Unclear> {
    let (Some(field), Some(operator)) =
        (text(stored, &["field", "variable"]), text(stored, &["operator", "op"]))
    else {
        return Err(Unclear::new("it names no field and operator"));
    };
    let field = juel::to_feel(field).map_err(|refused| Unclear::new(refused.to_string()))?;
    let value = at(stored, "value").unwrap_or(&Value::Null);
    let literal = || literal(value, 0);
    let compared = |sign: &str| Ok(format!("{field} {sign} {}", literal()?));
    match operator.to_ascii_lowercase().as_str() {
        "==" | "=" | "===" | "eq" | "equals" | "is" => compared("="),
        "!=" | "<>" | "!==" | "ne" | "neq" | "not_equals" | "is_not" => compared("!="),
        ">" | "gt" | "greater_than" => compared(">"),
        ">=" | "gte" | "ge" | "greater_than_or_equal" => compared(">="),
        "<" | "lt" | "less_than" => compared("<"),
        "<=" | "lte" | "le" | "less_than_or_equal" => compared("<="),
        "in" => Ok(format!("list contains({}, {field})", literal()?)),
        "not_in" | "nin" => Ok(format!("not(list contains({}, {field}))", literal()?)),
        "contains" => Ok(format!("contains({field}, {})", literal()?)),
        "starts_with" => Ok(format!("starts with({field}, {})", literal()?)),
        "ends_with" => Ok(format!("ends with({field}, {})", literal()?)),
        "exists" | "is_set" | "not_empty" => Ok(format!("{field} != null")),
        "not_exists" | "is_empty" | "empty" => Ok(format!("{field} = null")),
        other => Err(Unclear::new(format!("{other:?} is no operator"))),
    }
}

/// `value` as FEEL.
pub(super) fn literal(value: &Value, depth: usize) -> Result<String, Unclear> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) if depth < MAX_DEPTH => {
            let items: Vec<String> =
                items.iter().map(|item| literal(item, depth + 1)).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(", "))
        }
        other => return Err(Unclear::new(format!("{other} is no value to compare with"))),
    })
}
