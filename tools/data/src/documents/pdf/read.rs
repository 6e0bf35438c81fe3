//! The reading itself, as the child process does it.

use std::io::{Read, Write};

use pdf_extract::encryption::DecryptionError;
use pdf_extract::{Document, OutputError, PlainTextOutput};
use serde::{Deserialize, Serialize};

use super::super::MAX_BYTES;
use super::super::parse::MAX_TEXT;

/// The most pages.
const MAX_PAGES: usize = 2_000;
/// What is kept of the parser's own message, in characters.
const MAX_REASON: usize = 200;

/// What the child process says, in one JSON text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Pages(Vec<String>),
    Problem(Problem),
}

/// Why there is no text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Problem {
    Unreadable(String),
    Encrypted,
    TooLarge(String),
}

/// Reads a PDF from `input` and writes the text of its pages, or what is wrong with it, to
/// `output` as JSON. This is all that the child process of [`PdfReader`](super::PdfReader) does;
/// its caller sets the limits.
///
/// # Errors
/// An input that cannot be read or an output that cannot be written. A broken PDF is an answer.
pub fn read_pdf(input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let answer = match pages(&bytes) {
        Ok(pages) => Answer::Pages(pages),
        Err(problem) => Answer::Problem(problem),
    };
    serde_json::to_writer(&mut output, &answer)?;
    output.flush()
}

/// The text of each page.
pub(super) fn pages(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::TooLarge(format!("it has more than {MAX_BYTES} bytes")));
    }
    let mut document = Document::load_mem(bytes).map_err(|error| problem(&error))?;
    if document.is_encrypted() {
        document.decrypt("").map_err(|error| problem(&error))?;
    }
    let numbers: Vec<u32> = document.get_pages().into_keys().collect();
    if numbers.is_empty() {
        return Err(Problem::Unreadable("it has no pages".to_owned()));
    }
    if numbers.len() > MAX_PAGES {
        return Err(Problem::TooLarge(format!("it has more than {MAX_PAGES} pages")));
    }
    let mut pages = Vec::with_capacity(numbers.len());
    let mut size = 0;
    for number in numbers {
        let mut page = String::new();
        let mut output = PlainTextOutput::new(&mut page);
        pdf_extract::output_doc_page(&document, &mut output, number)
            .map_err(|error| on_page(number, &error))?;
        let page = clean(&page);
        size += page.len();
        if size > MAX_TEXT {
            return Err(Problem::TooLarge(format!("its text has more than {MAX_TEXT} bytes")));
        }
        pages.push(page);
    }
    Ok(pages)
}

/// Text without control characters, which no store and no reader wants.
fn clean(page: &str) -> String {
    page.trim().chars().filter(|it| matches!(it, '\n' | '\t') || !it.is_control()).collect()
}

fn problem(error: &pdf_extract::Error) -> Problem {
    match error {
        pdf_extract::Error::Decryption(DecryptionError::IncorrectPassword) => Problem::Encrypted,
        other => Problem::Unreadable(shortened(&other.to_string())),
    }
}

fn on_page(number: u32, error: &OutputError) -> Problem {
    Problem::Unreadable(shortened(&format!("page {number}: {error}")))
}

fn shortened(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}
