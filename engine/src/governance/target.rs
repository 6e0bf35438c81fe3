//! What a policy is attached to besides an element or the process: the calls of some tools, or the
//! changes of a data field.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// The longest pattern and the longest path, in bytes.
const MAX_TEXT: usize = 200;
/// The most parts of a path.
const MAX_PARTS: usize = 16;

/// The part of the guarded actions that a policy is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Calls of tools with such a name.
    Tool(ToolPattern),
    /// Whatever sets or changes this field.
    Field(FieldPath),
}

/// Names of tools: `payment_*` stands for all that begin so. `*` stands for any letters, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolPattern(String);

impl ToolPattern {
    /// Whether the pattern stands for `tool`.
    #[must_use]
    pub fn matches(&self, tool: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == tool };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(left) = tool.strip_prefix(start).and_then(|left| left.strip_suffix(end)) else {
            return false;
        };
        // The first place that fits leaves the most for the parts after it.
        let found = middle
            .split('*')
            .try_fold(left, |left, part| left.find(part).map(|at| &left[at + part.len()..]));
        found.is_some()
    }
}

impl FromStr for ToolPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(format!("a pattern of tools has 1 to {MAX_TEXT} letters"));
        }
        if text.chars().any(char::is_whitespace) {
            return Err(format!("{text:?} has a blank, and no name of a tool has one"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ToolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variable, or a field inside one: `invoice.supplier.iban`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    root: usize,
}

impl FieldPath {
    /// The variable that holds the field.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.text[..self.root]
    }

    /// The field in the value of that variable; null where there is none.
    #[must_use]
    pub fn of<'a>(&self, variable: Option<&'a Value>) -> &'a Value {
        let inside = self.text.split('.').skip(1);
        inside.fold(variable.unwrap_or(&Value::Null), |value, part| {
            value.get(part).unwrap_or(&Value::Null)
        })
    }
}

impl FromStr for FieldPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MAX_TEXT || text.split('.').count() > MAX_PARTS {
            return Err(format!("a field has {MAX_TEXT} letters and {MAX_PARTS} parts at most"));
        }
        if text.split('.').any(|part| part.trim().is_empty()) {
            return Err(format!("{text:?} is no field: name a variable, or variable.field"));
        }
        let root = text.find('.').unwrap_or(text.len());
        Ok(Self { text: text.to_owned(), root })
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, fits, does_not) in [
            ("pay", &["pay"][..], &["payment", "Pay", ""][..]),
            ("pay*", &["pay", "payment_start"], &["repay", "pa"]),
            ("*_delete", &["case_delete"], &["delete", "case_delete_all"]),
            ("a*b*c", &["abc", "a-b-c", "abbc"], &["ac", "abca", "acb"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*", &["", "x"], &[]),
            ("**x*", &["x", "axb"], &["y"]),
        ] {
            let parsed: ToolPattern = pattern.parse().unwrap();
            assert!(fits.iter().all(|tool| parsed.matches(tool)), "{pattern}");
            assert!(!does_not.iter().any(|tool| parsed.matches(tool)), "{pattern}");
        }
        for wrong in ["", " ", "a b", &"x".repeat(201)] {
            assert!(wrong.parse::<ToolPattern>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn fields() {
        let value = json!({ "supplier": { "iban": "DE1" } });
        for (path, root, found) in [
            ("invoice", "invoice", value.clone()),
            ("invoice.supplier.iban", "invoice", json!("DE1")),
            ("invoice.supplier.bic", "invoice", json!(null)),
            ("invoice.none.iban", "invoice", json!(null)),
        ] {
            let parsed: FieldPath = path.parse().unwrap();
            assert_eq!((parsed.root(), parsed.of(Some(&value))), (root, &found), "{path}");
            assert_eq!(parsed.of(None), &Value::Null);
        }
        for wrong in ["", ".", "a.", "a..b", &"x.".repeat(20), &"x".repeat(201)] {
            assert!(wrong.parse::<FieldPath>().is_err(), "{wrong:?}");
        }
    }
}
