//! How much data an instance takes, from outside and from its own expressions. Without limits a
//! loop such as `x = [x, x]` would take all memory, or all stack where values are read by recursion.

use serde_json::Value;

use crate::scope::VariableMap;

/// The most data that one command may bring or one element may make, in bytes of JSON, roughly.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of a value.
const MAX_DEPTH: usize = 64;

/// Data over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverLimit {
    /// What was measured.
    pub(crate) what: &'static str,
    /// The limit.
    pub(crate) limit: usize,
}

/// The size of `variables` in bytes, roughly.
pub(crate) fn measure(variables: &VariableMap) -> Result<usize, OverLimit> {
    let mut names = 0;
    let values = variables.iter().map(|(name, value)| {
        names += name.len();
        value
    });
    measure_values(values).map(|bytes| bytes + names)
}

/// The size of `values` in bytes, roughly.
pub(crate) fn measure_values<'a>(
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<usize, OverLimit> {
    let mut bytes = 0_usize;
    let mut open: Vec<(usize, &Value)> = values.into_iter().map(|value| (1, value)).collect();
    while let Some((depth, value)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(OverLimit { what: "their nesting", limit: MAX_DEPTH });
        }
        bytes += 8;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => open.extend(items.iter().map(|item| (depth + 1, item))),
            Value::Object(entries) => {
                for (name, entry) in entries {
                    bytes += name.len();
                    open.push((depth + 1, entry));
                }
            }
        }
        if bytes > MAX_BYTES {
            return Err(OverLimit { what: "their size in bytes", limit: MAX_BYTES });
        }
    }
    Ok(bytes)
}
