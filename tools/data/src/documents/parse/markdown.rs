//! Markdown (CommonMark 0.31): the source stays the text, its headings become spans.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::super::error::DocumentError;
use super::super::types::Span;
use super::push_heading;

/// The headings of `source`, in order.
pub(super) fn headings(source: &str) -> Result<Vec<Span>, DocumentError> {
    let mut spans = Vec::new();
    let mut place = Place { source, bytes: 0, characters: 0 };
    let mut title = String::new();
    let mut inside = false;
    for (event, range) in Parser::new(source).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                title.clear();
                inside = true;
            }
            Event::Text(part) | Event::Code(part) if inside => title.push_str(&part),
            Event::SoftBreak | Event::HardBreak if inside => title.push(' '),
            Event::End(TagEnd::Heading(level)) => {
                inside = false;
                let written = source.get(range.clone()).unwrap_or_default().trim_end();
                let start = place.advance(range.start);
                let end = place.advance(range.start + written.len());
                push_heading(&mut spans, level as u8, &title, start, end)?;
            }
            _ => {}
        }
    }
    Ok(spans)
}

/// Turns byte offsets into character offsets, in one pass over the text.
struct Place<'a> {
    source: &'a str,
    bytes: usize,
    characters: u64,
}

impl Place<'_> {
    /// The number of characters before byte `to`, which is not before the last one asked for.
    fn advance(&mut self, to: usize) -> u64 {
        let passed = self.source.get(self.bytes..to).unwrap_or_default();
        self.characters += super::length(passed);
        self.bytes = to.max(self.bytes);
        self.characters
    }
}
