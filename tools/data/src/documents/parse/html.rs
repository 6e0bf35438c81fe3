//! HTML: what a reader would see, read from the tokens of the HTML standard's tokenizer.
//!
//! No tree is built: a page of a million nested elements costs no more than its length. Scripts,
//! style sheets, templates, comments and attributes never reach the text.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::super::error::DocumentError;
use super::super::types::Span;
use super::push_heading;

/// How much is read between two looks at the time, in bytes.
const CHUNK: usize = 4 * 1024;
/// The longest reading. The tokenizer compares each attribute of an element with all before it,
/// so a hostile page could keep it busy for hours.
const MAX_TIME: Duration = Duration::from_secs(10);

/// The text of `source` and its headings.
pub(super) fn read(source: &str) -> Result<(String, Vec<Span>), DocumentError> {
    read_within(source, MAX_TIME)
}

fn read_within(source: &str, max_time: Duration) -> Result<(String, Vec<Span>), DocumentError> {
    let started = Instant::now();
    let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = source;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK.min(rest.len())));
        rest = after;
        input.push_back(StrTendril::from_slice(chunk));
        // The sink never pauses the tokenizer, so it always consumes what it is given.
        let _ = tokenizer.feed(&input);
        if started.elapsed() > max_time {
            let reason = format!("reading it takes more than {max_time:?}");
            return Err(DocumentError::TooComplex(reason));
        }
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().finish()
}

/// Where the tokens go.
#[derive(Default)]
struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.write(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return page.open(&tag),
            Token::TagToken(tag) => page.close(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The text so far, and what is known of the place reached in it.
#[derive(Default)]
struct Page {
    text: String,
    characters: u64,
    spans: Vec<Span>,
    problem: Option<DocumentError>,
    gap: Gap,
    /// Whether a list item has begun and has no text yet.
    bullet: bool,
    /// The element whose content is never text: `script` or `style`.
    unseen: Option<Unseen>,
    /// Open `template` elements.
    templates: u32,
    /// Open `pre` elements.
    preformatted: u32,
    heading: Option<OpenHeading>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unseen {
    Script,
    Style,
}

struct OpenHeading {
    level: u8,
    /// Where its text begins: bytes and characters.
    start: Option<(usize, u64)>,
}

/// What must stand before the next character.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Cell,
    Line,
    Paragraph,
}

impl Page {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        match name {
            "script" => {
                self.unseen = Some(Unseen::Script);
                return TokenSinkResult::RawData(RawKind::ScriptData);
            }
            "style" => {
                self.unseen = Some(Unseen::Style);
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            "title" | "textarea" => {
                self.widen(Gap::Line);
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "template" => self.templates += 1,
            "pre" => self.preformatted += 1,
            _ => {}
        }
        self.widen(gap_of(name));
        if name == "li" && self.is_seen() {
            self.bullet = true;
        }
        if let Some(level) = heading_level(name) {
            self.heading = Some(OpenHeading { level, start: None });
        }
        TokenSinkResult::Continue
    }

    fn close(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        match (name, self.unseen) {
            ("script", Some(Unseen::Script)) | ("style", Some(Unseen::Style)) => self.unseen = None,
            ("template", _) => self.templates = self.templates.saturating_sub(1),
            ("pre", _) => self.preformatted = self.preformatted.saturating_sub(1),
            ("title" | "textarea", _) => self.widen(Gap::Line),
            ("li", _) => self.bullet = false,
            _ => {}
        }
        if heading_level(name).is_some() {
            self.end_heading();
        }
        if name != "br" {
            self.widen(gap_of(name));
        }
    }

    const fn is_seen(&self) -> bool {
        self.unseen.is_none() && self.templates == 0
    }

    fn widen(&mut self, gap: Gap) {
        if self.is_seen() {
            self.gap = self.gap.max(gap);
        }
    }

    /// Writes text as a browser lays it out: white space collapses, except in `pre`.
    fn write(&mut self, text: &str) {
        if !self.is_seen() {
            return;
        }
        for character in text.chars() {
            match character {
                '\n' if self.preformatted > 0 => self.put_kept('\n'),
                ' ' | '\t' if self.preformatted > 0 => self.put_kept(character),
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.widen(Gap::Space),
                character if character.is_control() => {}
                character => self.put(character),
            }
        }
    }

    fn put(&mut self, character: char) {
        self.fill_gap();
        if let Some(heading) = &mut self.heading
            && heading.start.is_none()
        {
            heading.start = Some((self.text.len(), self.characters));
        }
        self.push(character);
    }

    /// White space that is part of the text; it never begins a document.
    fn put_kept(&mut self, character: char) {
        if !self.text.is_empty() {
            self.fill_gap();
            self.push(character);
        }
    }

    fn fill_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        let white = match gap {
            Gap::None => "",
            _ if self.text.is_empty() => "",
            Gap::Space | Gap::Cell if self.text.ends_with(char::is_whitespace) => "",
            Gap::Space => " ",
            Gap::Cell => "\t",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        };
        let bullet = if std::mem::take(&mut self.bullet) { "- " } else { "" };
        white.chars().chain(bullet.chars()).for_each(|character| self.push(character));
    }

    fn push(&mut self, character: char) {
        self.text.push(character);
        self.characters += 1;
    }

    fn end_heading(&mut self) {
        let Some(OpenHeading { level, start: Some((bytes, start)) }) = self.heading.take() else {
            return;
        };
        let title = self.text.get(bytes..).unwrap_or_default();
        let added = push_heading(&mut self.spans, level, title, start, self.characters);
        if let Err(problem) = added {
            self.problem.get_or_insert(problem);
        }
    }

    fn finish(mut self) -> Result<(String, Vec<Span>), DocumentError> {
        self.end_heading();
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok((self.text, self.spans)),
        }
    }
}

/// The level of a heading element.
fn heading_level(name: &str) -> Option<u8> {
    match name {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

/// What separates an element from the text around it (HTML, §15.3 rendering: block elements).
fn gap_of(name: &str) -> Gap {
    match name {
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p" | "ul" | "ol" | "dl" | "table"
        | "blockquote" | "pre" | "section" | "article" | "header" | "footer" | "main" | "aside"
        | "figure" | "hr" | "fieldset" | "form" | "details" => Gap::Paragraph,
        "br" | "div" | "li" | "tr" | "dt" | "dd" | "address" | "nav" | "caption" | "figcaption"
        | "legend" | "option" | "summary" | "body" | "head" | "html" | "thead" | "tbody"
        | "tfoot" => Gap::Line,
        "td" | "th" => Gap::Cell,
        _ => Gap::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_endless_attributes_is_given_up() {
        let attributes: String = (0..400_000).map(|number| format!(" a{number}")).collect();
        let given_up = read_within(&format!("<p{attributes}>x"), Duration::from_millis(50));
        assert!(matches!(given_up, Err(DocumentError::TooComplex(_))));
    }
}
