//! XPath, the expression language that BPMN has unless a file says another: conditions on data
//! objects (BPMN 2.0.2 §10.4.3), translated to FEEL.
//!
//! Translated: the data functions of BPMN with a fixed name (`getDataObject('approved')`), children of
//! what they give, literals, comparisons, `and or not`, arithmetic. Everything else is refused.

use crate::feel::{MAX_TEXT, Program};
use crate::juel::quoted;

/// The functions of BPMN that give data by its name, which is the last of their arguments.
const DATA: [&str; 6] = [
    "getDataObject",
    "getDataInput",
    "getDataOutput",
    "getProcessProperty",
    "getActivityProperty",
    "getEventProperty",
];

/// Whether `language` is the URI of XPath.
#[must_use]
pub(crate) fn is_language(language: &str) -> bool {
    language.to_ascii_lowercase().contains("/xpath")
}

/// Whether `text` asks for data as only XPath in BPMN does.
#[must_use]
pub(crate) fn is_expression(text: &str) -> bool {
    let is_called = |after: &str| after.trim_start().starts_with('(');
    DATA.iter().any(|function| text.split(function).skip(1).any(is_called))
}

/// The FEEL of `expression`; `None` where it has no counterpart or is no expression.
#[must_use]
pub(crate) fn to_feel(expression: &str) -> Option<String> {
    if expression.len() > MAX_TEXT {
        return None;
    }
    let mut rest = expression.trim();
    let mut feel = String::new();
    while !rest.is_empty() {
        let (part, after) = next(rest)?;
        let is_spaced = feel.is_empty() || feel.ends_with(' ');
        feel.push_str(if is_spaced { part.trim_start() } else { &part });
        rest = after.trim_start();
    }
    Program::compile(&feel).is_ok().then_some(feel)
}

/// The FEEL of what `text` begins with, and what follows.
fn next(text: &str) -> Option<(String, &str)> {
    let first = text.chars().next()?;
    if matches!(first, '\'' | '"') {
        let (literal, after) = literal(text)?;
        return Some((quoted(literal), after));
    }
    if first.is_ascii_digit() {
        let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
        return Some((text.get(..end)?.to_owned(), text.get(end..)?));
    }
    for sign in ["!=", "<=", ">=", "=", "<", ">", "+", "-", "*"] {
        if let Some(after) = text.strip_prefix(sign) {
            return Some((format!(" {sign} "), after));
        }
    }
    if let Some(after) = text.strip_prefix(['(', ')']) {
        return Some((first.to_string(), after));
    }
    word(text)
}

/// A word: an operator, a truth value, or data by its name with the path to a part of it.
fn word(text: &str) -> Option<(String, &str)> {
    let (name, after) = name(text)?;
    let arguments = after.trim_start().strip_prefix('(');
    match (name, arguments) {
        ("and" | "or", None) => Some((format!(" {name} "), after)),
        ("div", None) => Some((" / ".to_owned(), after)),
        ("not", Some(_)) => Some(("not".to_owned(), after)),
        ("true" | "false", Some(arguments)) => {
            Some((name.to_owned(), arguments.trim_start().strip_prefix(')')?))
        }
        (function, Some(arguments)) if DATA.contains(&local(function)) => data(arguments),
        _ => None,
    }
}

/// `'process', 'name')/child/child`.
fn data(arguments: &str) -> Option<(String, &str)> {
    let (mut named, mut rest) = literal(arguments.trim_start())?;
    while let Some(more) = rest.trim_start().strip_prefix(',') {
        (named, rest) = literal(more.trim_start())?;
    }
    let mut rest = rest.trim_start().strip_prefix(')')?;
    let mut path = named.to_owned();
    while let Some((child, after)) = rest.strip_prefix('/').and_then(name) {
        path.push('.');
        path.push_str(local(child));
        rest = after;
    }
    Some((path, rest))
}

fn literal(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|it| matches!(it, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

/// A name, perhaps with a prefix.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | ':');
    let end = text.find(|it| !is_part(it)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_data_become_feel() {
        for (xpath, feel) in [
            ("bpmn:getDataObject('approved')", "approved"),
            ("not(bpmn:getDataObject('approved'))", "not(approved)"),
            ("getDataObject('p', 'clarified') = 'yes'", "clarified = \"yes\""),
            (
                "getDataObject(\"order\")/net/total >= 1000.5 and getProcessProperty('vip') = true()",
                "order.net.total >= 1000.5 and vip = true",
            ),
            ("(getDataInput('a') + 2) * 3 div 4 != -1", "(a + 2) * 3 / 4 != - 1"),
            ("getDataObject('note') = 'say \"hi\"'", "note = \"say \\\"hi\\\"\""),
            ("true()", "true"),
        ] {
            assert_eq!(to_feel(xpath).as_deref(), Some(feel), "{xpath}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        for xpath in [
            "",
            "/order/total > 5",
            "count(getDataObject('items')) > 1",
            "getDataObject(name())",
            "getDataObject('a') =",
            "getDataObject('open",
            "getDataObject('a b')",
            "getDataObject('items')[1]",
            "'it",
            "a",
        ] {
            assert_eq!(to_feel(xpath), None, "{xpath}");
        }
        assert_eq!(to_feel(&"(".repeat(MAX_TEXT + 1)), None);
    }

    #[test]
    fn data_functions_are_told_from_names() {
        assert!(is_expression("not( bpmn:getDataObject ('x'))"));
        assert!(!is_expression("getDataObjects > 1") && !is_expression("data"));
        assert!(is_language("http://www.w3.org/1999/XPath") && !is_language("FEEL"));
    }
}
