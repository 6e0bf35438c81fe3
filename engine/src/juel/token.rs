//! Splits an expression into tokens.

use super::Refusal;

/// The most tokens of an expression.
const MAX_TOKENS: usize = 1_000;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name that is no word of the language.
    Name(String),
    /// A number as written.
    Number(String),
    /// A string without its quotes.
    Text(String),
    /// A sign, or the sign that a word such as `and` stands for.
    Sign(&'static str),
}

/// The signs, longest first.
const SIGNS: [&str; 27] = [
    "===", "!==", "==", "!=", "<>", "<=", ">=", "&&", "||", "+=", "->", "<", ">", "=", "!", "+",
    "-", "*", "/", "%", "?", ":", "(", ")", "[", "]", ".",
];

/// Words that stand for signs, and `empty`.
fn word(name: &str) -> Option<&'static str> {
    Some(match name {
        "and" => "&&",
        "or" => "||",
        "not" => "!",
        "eq" => "==",
        "ne" => "!=",
        "lt" => "<",
        "gt" => ">",
        "le" => "<=",
        "ge" => ">=",
        "div" => "/",
        "mod" => "%",
        "empty" => "empty",
        "instanceof" => "instanceof",
        _ => return None,
    })
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if tokens.len() == MAX_TOKENS {
            return Err(Refusal::syntax(format!("it has more than {MAX_TOKENS} parts")));
        }
        let length = if first.is_alphabetic() || matches!(first, '_' | '$') {
            let length =
                until(rest, |letter| !letter.is_alphanumeric() && !matches!(letter, '_' | '$'));
            let name = rest.get(..length).unwrap_or_default();
            // Behind a point a word is a name.
            let is_member = tokens.last() == Some(&Token::Sign("."));
            let sign = word(name).filter(|_| !is_member);
            tokens.push(sign.map_or_else(|| Token::Name(name.to_owned()), Token::Sign));
            length
        } else if first.is_ascii_digit() {
            let length = until(rest, |letter| !letter.is_ascii_alphanumeric() && letter != '.');
            let number = rest.get(..length).unwrap_or_default();
            if !is_number(number) {
                return Err(Refusal::syntax(format!("{number:?} is no number that FEEL knows")));
            }
            tokens.push(Token::Number(number.to_owned()));
            length
        } else if matches!(first, '\'' | '"') {
            let (text, length) = string(rest, first)?;
            tokens.push(Token::Text(text));
            length
        } else if let Some(sign) =
            SIGNS.into_iter().chain([",", "{", "}", ";"]).find(|sign| rest.starts_with(sign))
        {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(Refusal::syntax(format!("{first:?} is not understood")));
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn until(text: &str, ends: impl Fn(char) -> bool) -> usize {
    text.find(ends).unwrap_or(text.len())
}

fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        None => digits(text),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

/// The string that `text` begins with, and how long it is with its quotes.
fn string(text: &str, quote: char) -> Result<(String, usize), Refusal> {
    let mut value = String::new();
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if is_escaped {
            value.push(letter);
            is_escaped = false;
        } else if letter == '\\' {
            is_escaped = true;
        } else if letter == quote {
            return Ok((value, at + quote.len_utf8()));
        } else {
            value.push(letter);
        }
    }
    Err(Refusal::syntax("a string has no end"))
}
