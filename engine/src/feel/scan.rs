//! A look at the text before it is parsed: limits, the names that may be variables, and the calls
//! of the clock and of `fromAi`.

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_temporal::{FeelDate, FeelDateTime};
use flowmaster_kernel::Timestamp;

use super::{FeelError, from_ai};

/// The deepest nesting of brackets.
const MAX_NESTING: usize = 64;
/// The most tokens. The parser builds a tree as deep as a chain of operators is long, and the
/// evaluator recurses over it: the bound limits the stack that both may take.
const MAX_TOKENS: usize = 1_000;
/// Stack that one token, or one level of the tree that is evaluated, can cost, measured with room to
/// spare on an unoptimised build.
const STACK_PER_TOKEN: usize = 16 * 1024;

/// The longest path `a.b.c…`: the parser's time grows with its cube.
const MAX_PATH: usize = 32;
/// The most words and signs in a row that could be one name, as `a and b - c` could: the parser looks
/// for the longest name that is known, in time that grows with the cube of what there is to try.
const MAX_RUN: usize = 200;
/// The signs that names may contain (DMN 1.5 §10.3.1.2, grammar rule 30).
const NAME_SIGNS: &str = "./-'+*";

/// The variable that stands for `now()`.
pub(crate) const NOW: &str = "flowmaster_now";
/// The variable that stands for `today()`.
pub(crate) const TODAY: &str = "flowmaster_today";

/// What the scan found.
pub(super) struct Scanned {
    /// The text with `now()` and `today()` replaced by variables, and `fromAi` by what it stands for.
    pub(super) text: String,
    /// Every name in the text that may be a variable, sorted, once each.
    pub(super) names: Vec<String>,
    tokens: usize,
}

impl Scanned {
    /// Whether the text calls `now()` or `today()`.
    pub(super) fn reads_clock(&self) -> bool {
        self.names.iter().any(|name| name == NOW || name == TODAY)
    }

    /// The stack in bytes that parsing or evaluating the text can take.
    pub(super) const fn stack(&self) -> usize {
        stack_of_depth(self.tokens)
    }
}

/// The stack in bytes that evaluating a tree of this depth can take.
pub(crate) const fn stack_of_depth(depth: usize) -> usize {
    64 * 1024 + depth * STACK_PER_TOKEN
}

/// Scans `text`.
pub(super) fn scan(text: &str) -> Result<Scanned, FeelError> {
    let mut scanned =
        Scanned { text: String::with_capacity(text.len()), names: Vec::new(), tokens: 0 };
    let (mut nesting, mut path, mut run) = (0_usize, 0_usize, 0_usize);
    // The calls of `fromAi` that are open: how deep they lie, and what closes them.
    let mut tagged: Vec<(usize, &'static str)> = Vec::new();
    let (mut rest, mut previous) = (text, ' ');
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at(length);
        rest = after;
        if first.is_whitespace() {
            scanned.text.push_str(token);
            continue;
        }
        if token == "external" && previous == ')' {
            return Err(FeelError::External);
        }
        previous = first;
        scanned.tokens += 1;
        let is_word = first.is_alphanumeric() || first == '_';
        path = match first {
            '.' => path + 1,
            _ if is_word => path,
            _ => 0,
        };
        let is_part = is_word || NAME_SIGNS.contains(first);
        let begins = first.is_alphabetic() || first == '_';
        run = if begins || (is_part && run > 0) { run + 1 } else { 0 };
        match first {
            '(' | '[' | '{' => nesting += 1,
            ')' | ']' | '}' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if scanned.tokens > MAX_TOKENS {
            return Err(FeelError::TooLarge {
                what: "its length in words and signs",
                limit: MAX_TOKENS,
            });
        }
        if path > MAX_PATH {
            return Err(FeelError::TooLarge { what: "the length of a path", limit: MAX_PATH });
        }
        if run > MAX_RUN {
            return Err(FeelError::TooLarge {
                what: "words and signs without a bracket or a comparison between them",
                limit: MAX_RUN,
            });
        }
        if nesting > MAX_NESTING {
            return Err(FeelError::TooLarge { what: "its nesting", limit: MAX_NESTING });
        }
        if let Some(call) = from_ai::call(token, rest) {
            tagged.push((nesting, call.closing));
            nesting += 1;
            scanned.text.push_str(call.opening);
            rest = call.inside;
            continue;
        }
        if let Some((_, closing)) = tagged.pop_if(|(depth, _)| first == ')' && *depth == nesting) {
            scanned.text.push_str(closing);
            continue;
        }
        if let Some((variable, call)) = clock_call(token, rest) {
            scanned.text.push_str(variable);
            scanned.names.push(variable.to_owned());
            rest = rest.get(call..).unwrap_or_default();
            continue;
        }
        if let Some(tail) = phrase_tail(token, rest) {
            let (words, after) = rest.split_at(tail);
            scanned.text.push_str(token);
            scanned.text.push_str(words);
            rest = after;
            continue;
        }
        if first.is_alphabetic() || first == '_' {
            scanned.names.push(token.to_owned());
        }
        scanned.text.push_str(token);
    }
    scanned.names.sort_unstable();
    scanned.names.dedup();
    scanned.names.retain(|name| !is_keyword(name));
    Ok(scanned)
}

/// The names in `text` that stand for variables: no functions, no parts of a path.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let (mut found, mut rest, mut previous) = (Vec::new(), text, ' ');
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_length(rest, first));
        rest = after;
        if first.is_whitespace() {
            continue;
        }
        let is_name = (first.is_alphabetic() || first == '_') && !is_keyword(token);
        if is_name && previous != '.' && !rest.trim_start().starts_with('(') {
            found.push(token);
        }
        previous = first;
    }
    found
}

/// The value of the variable that stands for a call of the clock.
pub(crate) fn clock_value(name: &str, now: Timestamp) -> Option<FeelValue> {
    if name != NOW && name != TODAY {
        return None;
    }
    let utc = now.to_jiff().ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let (year, month, day) =
        (i32::from(utc.year()), u8::try_from(utc.month()).ok()?, u8::try_from(utc.day()).ok()?);
    if name == TODAY {
        return FeelDate::new(year, month.into(), day.into()).map(FeelValue::Date);
    }
    let (hour, minute, second) = (
        u8::try_from(utc.hour()).ok()?,
        u8::try_from(utc.minute()).ok()?,
        u8::try_from(utc.second()).ok()?,
    );
    let nanosecond = u64::try_from(utc.subsec_nanosecond()).ok()?;
    FeelDateTime::utc(year, month.into(), day.into(), hour, minute, second, nanosecond)
        .map(FeelValue::DateTime)
}

/// How long the text, the word, the space or the sign is that `rest` begins with, whose first letter is
/// `first`.
pub(crate) fn token_length(rest: &str, first: char) -> usize {
    let end_of = |inside: fn(char) -> bool| {
        rest.char_indices().find(|(_, letter)| !inside(*letter)).map_or(rest.len(), |(at, _)| at)
    };
    if first == '"' {
        let mut escaped = false;
        for (at, letter) in rest.char_indices().skip(1) {
            match letter {
                '"' if !escaped => return at + 1,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        return rest.len();
    }
    if first.is_whitespace() {
        return end_of(char::is_whitespace);
    }
    if first.is_alphanumeric() || first == '_' {
        return end_of(|letter| letter.is_alphanumeric() || letter == '_');
    }
    first.len_utf8()
}

/// For `now` or `today` followed by `()`: the variable, and how much of `rest` the call takes.
fn clock_call(token: &str, rest: &str) -> Option<(&'static str, usize)> {
    let variable = match token {
        "now" => NOW,
        "today" => TODAY,
        _ => return None,
    };
    let open = rest.trim_start().strip_prefix('(')?;
    let after = open.trim_start().strip_prefix(')')?;
    Some((variable, rest.len() - after.len()))
}

/// For the first word of a name that the language itself writes in several words: how much of
/// `rest` belongs to that name.
fn phrase_tail(token: &str, rest: &str) -> Option<usize> {
    PHRASES
        .iter()
        .filter_map(|phrase| {
            let mut words = phrase.split(' ');
            if words.next() != Some(token) {
                return None;
            }
            let mut left = rest;
            for word in words {
                let after = left.trim_start().strip_prefix(word)?;
                if left.len() == left.trim_start().len() || after.starts_with(char::is_alphanumeric)
                {
                    return None;
                }
                left = after;
            }
            Some(rest.len() - left.len())
        })
        .max()
}

/// Whether `text` begins with one of [`PHRASES`].
pub(super) fn begins_with_phrase(text: &str) -> bool {
    PHRASES.iter().any(|phrase| {
        let rest = text.strip_prefix(phrase);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// The names of built-in functions, properties and types with more than one word (DMN 1.5 §10.3).
const PHRASES: [&str; 38] = [
    "context merge",
    "context put",
    "date and time",
    "day of week",
    "day of year",
    "days and time duration",
    "distinct values",
    "end included",
    "ends with",
    "finished by",
    "get entries",
    "get value",
    "index of",
    "insert before",
    "list contains",
    "list replace",
    "lower case",
    "met by",
    "month of year",
    "overlaps after",
    "overlaps before",
    "round down",
    "round half down",
    "round half up",
    "round up",
    "start included",
    "started by",
    "starts with",
    "string join",
    "string length",
    "substring after",
    "substring before",
    "time offset",
    "upper case",
    "week of year",
    "years and months duration",
    "is defined",
    "instance of",
];

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "true"
            | "false"
            | "null"
            | "if"
            | "then"
            | "else"
            | "for"
            | "in"
            | "return"
            | "some"
            | "every"
            | "satisfies"
            | "and"
            | "or"
            | "not"
            | "between"
            | "instance"
            | "of"
            | "function"
            | "external"
    )
}
