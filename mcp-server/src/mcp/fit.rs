//! Keeps a result within what a model can take: 80,000 characters.
//!
//! A read that is too large is refused with the way to ask for less, because half an answer reads
//! like a whole one. A write has happened, so its answer is shortened instead and says where.

use flowmaster_kernel::{Effect, Error, ErrorKind, Result};
use serde_json::{Value, json};

/// The largest text of a result, in characters.
pub(super) const MAX_CHARACTERS: usize = 80_000;
/// What is left of a long text in the shortened answer of a write.
const KEPT_TEXT: usize = 2_000;
/// What is left of a long list in the shortened answer of a write.
const KEPT_ITEMS: usize = 10;

/// A result with its text mirror, within the limit.
pub(super) fn fit(answer: Value, effect: Effect, input: &Value) -> Result<(Value, String)> {
    let text = answer.to_string();
    let characters = length(&text);
    if characters <= MAX_CHARACTERS {
        return Ok((answer, text));
    }
    if effect == Effect::Read {
        return Err(too_large(&answer, characters, input));
    }
    let mut cut = Vec::new();
    let mut answer = answer;
    shorten(&mut answer, "", &mut cut);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("truncated".to_owned(), json!(cut));
    }
    let text = answer.to_string();
    if length(&text) <= MAX_CHARACTERS {
        return Ok((answer, text));
    }
    let answer = json!({ "truncated": ["/"], "note": "done; the answer is too large to show" });
    let text = answer.to_string();
    Ok((answer, text))
}

fn length(text: &str) -> usize {
    if text.len() <= MAX_CHARACTERS { text.len() } else { text.chars().count() }
}

fn too_large(answer: &Value, characters: usize, input: &Value) -> Error {
    let takes = |name: &str| input.pointer(&format!("/properties/{name}")).is_some();
    let mut largest: Vec<(usize, String)> = answer
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (value.to_string().len(), format!("/{name}")))
        .collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let largest: Vec<_> = largest
        .into_iter()
        .take(3)
        .map(|(bytes, path)| json!({ "path": path, "bytes": bytes }))
        .collect();
    let items = answer.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    let mut ways = Vec::new();
    if takes("limit") && items > 1 {
        let fitting = (items * MAX_CHARACTERS * 9 / 10 / characters).max(1);
        ways.push(format!("limit {fitting} and follow next_cursor"));
    }
    if takes("response_format") {
        ways.push("response_format concise".to_owned());
    }
    if takes("fields") {
        ways.push("only the fields that you need".to_owned());
    }
    let fix = if ways.is_empty() {
        "ask for a smaller part of it".to_owned()
    } else {
        format!("ask again with {}", ways.join(", or "))
    };
    Error::new(ErrorKind::TooLarge, "result_too_large", "the result is too large to be shown")
        .why(format!("{characters} characters; the limit is {MAX_CHARACTERS}"))
        .fix(fix)
        .details(json!({ "characters": characters, "limit": MAX_CHARACTERS, "largest": largest }))
}

/// Cuts long lists and texts and notes where.
fn shorten(value: &mut Value, path: &str, cut: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > KEPT_TEXT => {
            *text = text.chars().take(KEPT_TEXT).collect();
            cut.push(path.to_owned());
        }
        Value::Array(items) => {
            if items.len() > KEPT_ITEMS {
                items.truncate(KEPT_ITEMS);
                cut.push(path.to_owned());
            }
            for (index, item) in items.iter_mut().enumerate() {
                shorten(item, &format!("{path}/{index}"), cut);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                shorten(field, &format!("{path}/{name}"), cut);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: usize) -> Value {
        json!({ "items": vec!["x".repeat(1_000); items], "next_cursor": "c" })
    }

    #[test]
    fn a_read_that_is_too_large_says_how_to_ask_for_less() {
        let check = |input: Value, expected: &str| {
            let error = fit(list(100), Effect::Read, &input).unwrap_err();
            assert_eq!(error.code(), "result_too_large");
            assert_eq!(error.body().fix.as_deref(), Some(expected), "{input}");
        };
        check(json!({}), "ask for a smaller part of it");
        check(
            json!({ "properties": { "limit": {}, "response_format": {} } }),
            "ask again with limit 71 and follow next_cursor, or response_format concise",
        );
    }

    #[test]
    fn what_fits_is_left_alone_and_the_answer_of_a_write_is_shortened() {
        let (answer, text) = fit(list(10), Effect::Read, &json!({})).unwrap();
        assert_eq!((answer.clone(), text), (list(10), answer.to_string()));
        let (answer, text) = fit(list(100), Effect::Write, &json!({})).unwrap();
        assert!(text.len() < MAX_CHARACTERS);
        assert_eq!(answer["truncated"], json!(["/items"]));
        assert_eq!(answer["items"].as_array().map(Vec::len), Some(KEPT_ITEMS));
    }
}
