//! Reading stored documents, whose fields have more than one name.

use serde_json::Value;

/// The first of the fields `names` that is a text with something in it.
pub(super) fn text<'a>(document: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| {
        let text = at(document, name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    })
}

/// The field at `path`, names separated by points.
pub(super) fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| value.get(name))
}

/// The list in the first of the fields `names` that has one.
pub(super) fn list<'a>(document: &'a Value, names: &[&str]) -> Option<&'a [Value]> {
    names.iter().find_map(|name| at(document, name)?.as_array()).map(Vec::as_slice)
}

/// The key in the first of the fields `names` that has one: a text or a number, without the name of
/// its collection.
pub(super) fn key(document: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let key = match at(document, name)? {
            Value::String(text) => text.rsplit('/').next().unwrap_or_default().trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!key.is_empty()).then_some(key)
    })
}

/// The number in the first of the fields `names` that has one.
pub(super) fn number(document: &Value, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| at(document, name)?.as_i64())
}

pub(super) fn is_true(document: &Value, name: &str) -> bool {
    at(document, name).and_then(Value::as_bool) == Some(true)
}

/// `key` as an id that XML takes: letters, digits, `-`, `_` and `.`, a letter first.
pub(super) fn id(key: &str) -> String {
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut id: String =
        key.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if !id.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        id.insert_str(0, "n_");
    }
    id
}

/// The id of the process whose key is `key`; what calls it makes the same one.
pub(super) fn process_id(key: &str) -> String {
    match key.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => id(key),
        false => id(&format!("p_{key}")),
    }
}
