//! Types that expressions name themselves: `x instance of prefix.type` (DMN 1.5 §10.3.2.9.1, grammar
//! rules 51 and 52). The evaluator knows no prefixes there, and takes types of one name in several
//! files for each other.

use crate::feel;
use crate::xml::{Element, Node};

/// The most words and dots of a name that are looked at.
const MAX_WORDS: usize = 20;

/// Puts other names of types into the texts below `element` where `other` gives some.
pub(super) fn replace(element: &mut Element, other: &mut dyn FnMut(&str) -> Option<String>) {
    if &*element.name == "text" {
        if let Some(text) = replaced(&element.text(), other) {
            element.children = vec![Node::Text(text)];
        }
        return;
    }
    element.elements_mut().for_each(|child| replace(child, other));
}

/// `text` with other names; nothing where it stays as it is.
fn replaced(text: &str, other: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_changed) = (text, false);
    // Whether the word before is `instance`, and how many brackets of a type are open.
    let (mut is_instance, mut is_type, mut depth) = (false, false, 0_usize);
    while let Some(first) = rest.chars().next() {
        if is_type
            && is_of_word(first)
            && let Some((length, name)) = named(rest, other)
        {
            out.push_str(&name);
            rest = rest.get(length..).unwrap_or_default();
            (is_changed, is_type) = (true, false);
            // The evaluator would take a word that follows for a part of the name.
            if depth == 0 && rest.trim_start().starts_with(is_of_word) {
                out.push_str(" = true");
            }
            continue;
        }
        let is_arrow = rest.starts_with("->");
        let length = if is_arrow { 2 } else { feel::token_length(rest, first) };
        let (word, after) = rest.split_at(length);
        out.push_str(word);
        rest = after;
        if first.is_whitespace() {
            continue;
        }
        let is_after_instance = std::mem::replace(&mut is_instance, word == "instance");
        // What is between the brackets of a type is types, and names before colons.
        (is_type, depth) = match word {
            "of" if is_after_instance => (true, 0),
            "<" if is_type || depth > 0 => (true, depth + 1),
            "," | ":" if depth > 0 => (true, depth),
            ">" => (false, depth.saturating_sub(1)),
            "->" => (true, depth),
            // What follows them in brackets is types too.
            "list" | "range" | "context" | "function" => (is_type, depth),
            _ => (false, depth),
        };
    }
    is_changed.then_some(out)
}

/// The longest name of a type that `text` begins with: its length, and what stands for it.
fn named(text: &str, other: &mut dyn FnMut(&str) -> Option<String>) -> Option<(usize, String)> {
    let (mut name, mut ends, mut at) = (String::new(), Vec::new(), 0);
    for _ in 0..MAX_WORDS {
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.len() - rest.trim_start_matches(is_of_word).len();
        if word == 0 {
            break;
        }
        name.push_str(rest.get(..word).unwrap_or_default());
        at += word;
        ends.push((name.len(), at));
        let rest = text.get(at..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start().len();
        let has_dot = rest.trim_start().starts_with('.');
        let after = rest.get(gap + usize::from(has_dot)..).unwrap_or_default();
        name.push(if has_dot { '.' } else { ' ' });
        at = text.len() - after.trim_start().len();
    }
    let is_entry = |at: &usize| text.get(*at..).is_some_and(|it| it.trim_start().starts_with(':'));
    let longest_first = ends.into_iter().rev().filter(|(_, at)| !is_entry(at));
    longest_first.filter_map(|(end, at)| Some((at, other(name.get(..end)?)?))).next()
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_replaced_and_nothing_else() {
        let mut other = |name: &str| {
            let known = ["r.tAge", "tAge", "r.q.tax rate"].contains(&name);
            known.then(|| format!("[{name}]"))
        };
        for (text, expected) in [
            ("a instance of r.tAge", Some("a instance of [r.tAge]")),
            ("a instance  of\n r . tAge and b", Some("a instance  of\n [r.tAge] = true and b")),
            (
                "a instance of r.q.tax rate or tAge",
                Some("a instance of [r.q.tax rate] = true or tAge"),
            ),
            ("a instance of list<r.tAge>", Some("a instance of list<[r.tAge]>")),
            (
                "a instance of context<tAge: r.tAge, b: list<tAge>> and tAge < r.tAge",
                Some("a instance of context<tAge: [r.tAge], b: list<[tAge]>> and tAge < r.tAge"),
            ),
            (
                "a instance of function<r.tAge, tAge>->tAge",
                Some("a instance of function<[r.tAge], [tAge]>->[tAge]"),
            ),
            ("a instance of tAgeless", None),
            ("r.tAge + tAge", None),
            ("\"instance of r.tAge \\\" instance of tAge\"", None),
            ("a instance of number and b < tAge", None),
            ("instances of tAge", None),
        ] {
            assert_eq!(replaced(text, &mut other).as_deref(), expected, "{text}");
        }
    }
}
