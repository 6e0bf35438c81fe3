//! From bytes to text and the places in it. Pure functions; nothing here trusts its input.

mod html;
mod markdown;

use super::error::DocumentError;
use super::types::{Heading, MediaType, Span};

/// The largest text, in bytes: what one value of the store holds, with room to spare.
pub(super) const MAX_TEXT: usize = 10 * 1024 * 1024;
/// The most headings of one document.
const MAX_HEADINGS: usize = 10_000;
/// What is kept of a heading's text, in characters.
const MAX_TITLE: usize = 200;
/// What stands between two pages.
const BETWEEN_PAGES: &str = "\n\n";

/// What was read from a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The text.
    pub(super) text: String,
    /// Its length in characters.
    pub(super) characters: u64,
    /// Pages or headings, in order.
    pub(super) spans: Vec<Span>,
}

/// Reads a file of text in one of its forms.
pub(super) fn text(media_type: MediaType, bytes: Vec<u8>) -> Result<Parsed, DocumentError> {
    let text = String::from_utf8(bytes)
        .map_err(|error| DocumentError::NotUtf8(error.utf8_error().valid_up_to()))?;
    if let Some(at) = text.find('\0') {
        let before = text.get(..at).unwrap_or_default();
        return Err(DocumentError::NotText(before.chars().count()));
    }
    let (text, spans) = match media_type {
        MediaType::Html => html::read(&text)?,
        MediaType::Markdown => {
            let headings = markdown::headings(&text)?;
            (text, headings)
        }
        MediaType::Text | MediaType::Pdf => (text, Vec::new()),
    };
    finish(text, spans)
}

/// Puts the pages of a file together.
pub(super) fn pages(pages: &[String]) -> Result<Parsed, DocumentError> {
    let mut text = String::with_capacity(pages.iter().map(|page| page.len() + 2).sum());
    let mut spans = Vec::with_capacity(pages.len());
    let mut at = 0;
    for (number, page) in (1..).zip(pages) {
        if number > 1 {
            text.push_str(BETWEEN_PAGES);
            at += length(BETWEEN_PAGES);
        }
        let end = at + length(page);
        text.push_str(page);
        spans.push(Span { page: Some(number), heading: None, start: at, end });
        at = end;
    }
    finish(text, spans)
}

fn finish(text: String, spans: Vec<Span>) -> Result<Parsed, DocumentError> {
    if text.len() > MAX_TEXT {
        return Err(DocumentError::TooLarge);
    }
    if text.trim().is_empty() {
        return Err(DocumentError::NoText);
    }
    Ok(Parsed { characters: length(&text), text, spans })
}

fn length(text: &str) -> u64 {
    text.chars().fold(0, |count, _| count + 1)
}

/// Adds a heading unless there are too many.
fn push_heading(
    spans: &mut Vec<Span>,
    level: u8,
    title: &str,
    start: u64,
    end: u64,
) -> Result<(), DocumentError> {
    if spans.len() >= MAX_HEADINGS {
        return Err(DocumentError::TooComplex(format!("it has more than {MAX_HEADINGS} headings")));
    }
    let title = title.trim().chars().take(MAX_TITLE).collect();
    spans.push(Span { page: None, heading: Some(Heading { level, title }), start, end });
    Ok(())
}

#[cfg(test)]
mod tests;
