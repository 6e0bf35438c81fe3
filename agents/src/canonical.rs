//! One text for one value, whatever the order of its fields: what steps are recognised by.

use flowmaster_kernel::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// `value` as JSON with the fields of every object in alphabetical order (the ordering rule of RFC
/// 8785 for ASCII names).
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            text.push('{');
            for (place, name) in names.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(fields.get(name).unwrap_or(&Value::Null), text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// SHA-256 of `parts`, in hexadecimal. The parts cannot run into each other.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The idempotency key of a step. It never rests on the id that a provider gave the call, because
/// that one changes when the reply is generated again.
#[must_use]
pub fn step_key(run: &str, ordinal: u32, tool: &str, arguments: &Value) -> String {
    digest(&[run, &ordinal.to_string(), tool, &canonical(arguments)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_depends_on_content_and_not_on_order() {
        let one = json!({ "b": [1, { "y": null, "x": "\"" }], "a": 1.5 });
        let same = json!({ "a": 1.5, "b": [1, { "x": "\"", "y": null }] });
        assert_eq!(canonical(&one), r#"{"a":1.5,"b":[1,{"x":"\"","y":null}]}"#);
        assert_eq!(step_key("run", 1, "tool", &one), step_key("run", 1, "tool", &same));
        for other in [
            step_key("run", 2, "tool", &one),
            step_key("run1", 1, "tool", &one),
            step_key("run", 1, "tool", &json!({ "a": 1.5, "b": [{ "x": "\"", "y": null }, 1] })),
            digest(&["run", "1tool", &canonical(&one)]),
        ] {
            assert_ne!(step_key("run", 1, "tool", &one), other);
        }
    }
}
