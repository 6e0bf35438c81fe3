//! Arguments that a client repeats in headers, for what routes requests without reading them
//! (`x-mcp-header` in an input schema, `Mcp-Param-*` on the wire; MCP 2026-07-28, Streamable HTTP).
//!
//! rmcp checks the standard headers. It cannot check these: which tools there are depends on who asks.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowmaster_kernel::{Error, Result};
use serde_json::{Map, Value};

/// The code of the error.
pub(super) const MISMATCH: &str = "header_mismatch";
/// How deep annotated properties may lie.
const MAX_DEPTH: usize = 8;

/// Compares the headers with the arguments.
///
/// # Errors
/// [`MISMATCH`], when one is missing, too much, or says something else.
pub(super) fn check(
    headers: &HeaderMap,
    schema: &Map<String, Value>,
    arguments: &Value,
) -> Result<()> {
    compare(headers, schema.get("properties"), Some(arguments), MAX_DEPTH)
        .map_err(|what| Error::invalid(MISMATCH, what).fix("send each header as the schema says"))
}

fn compare(
    headers: &HeaderMap,
    properties: Option<&Value>,
    arguments: Option<&Value>,
    depth: usize,
) -> Result<(), String> {
    let properties = properties.and_then(Value::as_object).filter(|_| depth > 0);
    for (name, property) in properties.into_iter().flatten() {
        let argument = arguments.and_then(|it| it.get(name)).filter(|it| !it.is_null());
        let annotated = property.get("x-mcp-header").and_then(Value::as_str);
        if let Some(header) = annotated.filter(|header| !header.is_empty()) {
            compare_one(headers, &format!("Mcp-Param-{header}"), argument.and_then(plain))?;
        }
        compare(headers, property.get("properties"), argument, depth - 1)?;
    }
    Ok(())
}

fn compare_one(headers: &HeaderMap, name: &str, argument: Option<String>) -> Result<(), String> {
    let mut sent = headers.get_all(name).iter();
    let header = sent.next().map(|value| value.to_str().ok().and_then(decoded));
    if sent.next().is_some() {
        return Err(format!("the header {name} is there twice"));
    }
    match (header, argument) {
        (None, None) => Ok(()),
        (Some(Some(header)), Some(argument)) if header == argument => Ok(()),
        (Some(None), _) => Err(format!("the header {name} cannot be read")),
        (None, Some(_)) => Err(format!("the header {name} is missing")),
        (Some(Some(_)), _) => Err(format!("the header {name} does not say what the argument says")),
    }
}

fn plain(argument: &Value) -> Option<String> {
    match argument {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(argument.to_string()),
        _ => None,
    }
}

/// `=?base64?SGVsbG8=?=` is `Hello`; anything else stands for itself.
fn decoded(header: &str) -> Option<String> {
    let header = header.trim();
    match header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(coded) => String::from_utf8(STANDARD.decode(coded).ok()?).ok(),
        None => Some(header.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_say_what_the_arguments_say() {
        let schema = json!({ "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "order": { "properties": { "number": { "x-mcp-header": "Number" } } }
        }});
        let check = |sent: &[(&str, &str)], arguments: Value, passes: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            let result = check(&headers, schema.as_object().unwrap(), &arguments);
            assert_eq!(result.is_ok(), passes, "{sent:?} {arguments}: {result:?}");
        };
        let region = json!({ "region": "Hello" });
        check(&[("mcp-param-region", "Hello")], region.clone(), true);
        check(&[("Mcp-Param-Region", "=?base64?SGVsbG8=?=")], region.clone(), true);
        check(&[("Mcp-Param-Region", "=?base64?SGVsbG8?=")], region.clone(), false);
        check(&[("Mcp-Param-Region", "SGVsbG8=")], json!({ "region": "SGVsbG8=" }), true);
        check(&[("Mcp-Param-Region", "Bye")], region.clone(), false);
        check(
            &[("Mcp-Param-Region", "Hello"), ("Mcp-Param-Region", "Hello")],
            region.clone(),
            false,
        );
        check(&[], region, false);
        check(&[], json!({}), true);
        check(&[("Mcp-Param-Region", "Hello")], json!({ "region": null }), false);
        check(&[("Mcp-Param-Number", "7")], json!({ "order": { "number": 7 } }), true);
        check(&[("Mcp-Param-Number", "8")], json!({ "order": { "number": 7 } }), false);
        check(&[("Mcp-Param-Other", "8")], json!({}), true);
    }
}
