//! `fromAi(value, description, type, schema, options)`, a function of Camunda 8 that says of a value that
//! an agent gives it: it is the value, and the rest describes a parameter of the tool.
//!
//! FEEL has no functions of so many optional arguments, so a call is read as the first item of a list
//! or, where the arguments are named, as the entry `value` of a context.

use flowmaster_kernel::Timestamp;
use serde_json::{Map, Value};

use super::Program;
use super::scan::token_length;

const NAME: &str = "fromAi";
const ARGUMENTS: [&str; 5] = ["value", "description", "type", "schema", "options"];

/// A call as it is read: what stands for its brackets.
pub(super) struct Call<'a> {
    pub(super) opening: &'static str,
    pub(super) closing: &'static str,
    /// The text behind its opening bracket.
    pub(super) inside: &'a str,
}

/// The call that `token` begins, with the text behind it.
pub(super) fn call<'a>(token: &str, rest: &'a str) -> Option<Call<'a>> {
    let inside = rest.trim_start().strip_prefix('(').filter(|_| token == NAME)?;
    let (opening, closing) = match named(inside) {
        Some(_) => ("{", "}.value"),
        None => ("[", "][1]"),
    };
    Some(Call { opening, closing, inside })
}

/// Name and text of an argument that is named.
fn named(argument: &str) -> Option<(&str, &str)> {
    let (name, text) = argument.split_once(':')?;
    ARGUMENTS.contains(&name.trim()).then(|| (name.trim(), text))
}

/// The parameters that the calls in `text` describe: name, description, type, schema and options.
pub(super) fn parameters(text: &str) -> Vec<Value> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_length(rest, first));
        rest = after;
        if let Some(call) = call(token, rest) {
            found.extend(parameter(call.inside));
        }
    }
    found
}

fn parameter(inside: &str) -> Option<Value> {
    let mut described = Map::new();
    for (argument, place) in arguments(inside).into_iter().zip(ARGUMENTS) {
        let (key, text) = named(argument).unwrap_or((place, argument));
        if key == "value" {
            described.insert("name".to_owned(), text.trim().into());
        } else if let Some(value) = literal(text) {
            described.insert(key.to_owned(), value);
        }
    }
    described.contains_key("name").then_some(Value::Object(described))
}

fn literal(text: &str) -> Option<Value> {
    let value = Program::compile(text).ok()?.evaluate(&Map::new(), Timestamp::from_millis(0)).ok();
    value.filter(|value| !value.is_null())
}

/// The arguments of a call, from its opening bracket to its closing one.
fn arguments(inside: &str) -> Vec<&str> {
    let (mut found, mut depth, mut begin, mut at) = (Vec::new(), 0_usize, 0, 0);
    while let Some(first) = inside.get(at..).and_then(|rest| rest.chars().next()) {
        let is_end = depth == 0 && matches!(first, ',' | ')');
        if is_end {
            found.extend(inside.get(begin..at).filter(|text| !text.trim().is_empty()));
            begin = at + 1;
            if first == ')' {
                break;
            }
        }
        match first {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += token_length(inside.get(at..).unwrap_or_default(), first);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, variables: &Value, value: &Value, described: &Value) {
        let variables = variables.as_object().unwrap();
        let program = Program::compile(text).unwrap();
        let found = program.evaluate(variables, Timestamp::from_millis(0)).unwrap();
        assert_eq!(found, *value, "{text}");
        assert_eq!(Value::from(parameters(text)), *described, "{text}");
    }

    #[test]
    fn a_call_is_its_value_and_describes_a_parameter() {
        let url = || json!({ "toolCall": { "url": "http://a" } });
        check(
            "fromAi(toolCall.url)",
            &url(),
            &json!("http://a"),
            &json!([{ "name": "toolCall.url" }]),
        );
        check(
            "=fromAi(toolCall.url, \"The (web) page, please\", \"string\", { enum: [\"a\", \"b\"] })",
            &url(),
            &json!("http://a"),
            &json!([{ "name": "toolCall.url", "description": "The (web) page, please", "type": "string",
                "schema": { "enum": ["a", "b"] } }]),
        );
        check(
            "fromAi(value: toolCall.url, type: \"string\", options: { required: false })",
            &url(),
            &json!("http://a"),
            &json!([{ "name": "toolCall.url", "type": "string", "options": { "required": false } }]),
        );
        check(
            "\"GET \" + string(fromAi(toolCall.url, \"page\")) + fromAi(b, null)",
            &json!({ "toolCall": { "url": 7 }, "b": "!" }),
            &json!("GET 7!"),
            &json!([{ "name": "toolCall.url", "description": "page" }, { "name": "b" }]),
        );
    }

    #[test]
    fn other_texts_describe_nothing() {
        for text in ["fromAi", "\"fromAi(a)\"", "fromAi()", "fromAi(", "fromAi(,)"] {
            assert_eq!(parameters(text), Vec::<Value>::new(), "{text}");
        }
    }
}
