//! JUEL, the expression language of Camunda 7, Operaton and Flowable, translated to FEEL; so are the
//! C-like conditions of other tools (`amount >= 1000 && amount < 10000`), which it contains.
//!
//! Translated: paths, literals, comparisons, `&& || !` and their words, arithmetic, `? :`, `empty`,
//! fixed indexes. What calls something (a bean, a method, a function) or asks the engine that the
//! model was made for has no counterpart and is refused with what to write instead. What comes out
//! compiles as FEEL. JUEL takes a missing value for false or 0, FEEL does not.

mod parse;
mod token;
mod write;

use std::fmt::Write as _;

use crate::feel::{MAX_TEXT, Program};

/// An expression that has no counterpart in FEEL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expression:?} is not translated to FEEL: {why}")]
pub struct Untranslated {
    /// The expression, shortened.
    pub expression: String,
    /// What has no counterpart.
    pub why: String,
    /// What to write instead.
    pub fix: String,
}

/// Why a part is not translated, before it is known which expression it is part of.
#[derive(Debug)]
struct Refusal {
    why: String,
    fix: &'static str,
}

/// What to do about an expression that cannot be read.
const WRITE_FEEL: &str = "write it in FEEL (DMN 1.5 §10), for example =amount > 1000";

impl Refusal {
    fn syntax(why: impl Into<String>) -> Self {
        Self { why: why.into(), fix: WRITE_FEEL }
    }
}

/// The FEEL of `expression`, the inside of `${…}`.
///
/// # Errors
/// What has no counterpart, or is no expression.
pub fn to_feel(expression: &str) -> Result<String, Untranslated> {
    let translate = || {
        if expression.len() > MAX_TEXT {
            return Err(Refusal::syntax(format!("it has more than {MAX_TEXT} bytes")));
        }
        let tree = parse::parse(&token::tokens(expression)?)?;
        let feel = write::feel(&tree)?;
        Program::compile(&feel).map_err(|error| Refusal::syntax(error.to_string()))?;
        Ok(feel)
    };
    translate().map_err(|Refusal { why, fix }| Untranslated {
        expression: expression.trim().chars().take(120).collect(),
        why,
        fix: fix.to_owned(),
    })
}

/// Whether `text` has a `${…}` or `#{…}` in it.
#[must_use]
pub fn is_template(text: &str) -> bool {
    opening(text).is_some()
}

/// The FEEL of a text with `${…}` or `#{…}` in it: the expression where it is nothing else, else one
/// that joins its parts to a text. `None` where there is none in it.
///
/// # Errors
/// As [`to_feel`], and an opening without an end.
pub fn template_to_feel(text: &str) -> Result<Option<String>, Untranslated> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = text.trim();
    let mut literals = 0;
    let mut expressions = 0;
    while let Some(at) = opening(rest) {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            parts.push(quoted(before));
            literals += 1;
        }
        let inside = after.get(2..).unwrap_or_default();
        let Some(end) = closing(inside) else {
            return Err(Untranslated {
                expression: after.chars().take(120).collect(),
                why: "it has no end".to_owned(),
                fix: "close it with }".to_owned(),
            });
        };
        parts.push(to_feel(inside.get(..end).unwrap_or_default())?);
        expressions += 1;
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    if expressions == 0 {
        return Ok(None);
    }
    if expressions == 1 && literals == 0 && rest.is_empty() {
        return Ok(parts.pop());
    }
    if !rest.is_empty() {
        parts.push(quoted(rest));
    }
    let joined: Vec<String> = parts
        .into_iter()
        .map(|part| if part.starts_with('"') { part } else { format!("string({part})") })
        .collect();
    Ok(Some(joined.join(" + ")))
}

/// `text` as a FEEL string literal.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Where the first `${` or `#{` is that no backslash escapes.
fn opening(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.windows(2).enumerate().find_map(|(at, pair)| {
        let opens = matches!(pair, b"${" | b"#{");
        let is_escaped = at > 0 && bytes.get(at - 1) == Some(&b'\\');
        (opens && !is_escaped).then_some(at)
    })
}

/// Where the `}` is that ends the expression `text` begins with; quotes and inner braces are passed.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
