//! Documents: files that people and systems hand in, and the text that was read from them.
//!
//! Owns the table `documents_document` and the operations `document_add`, `document_get`,
//! `document_search`.
//!
//! Invariants: a document never changes; the same content of the same media type is kept once per
//! tenant; positions are counted in characters of the kept text, so that a citation can be looked
//! up for ever; a file that cannot be read in full is refused, never kept in part; an untrusted PDF
//! is read in a process of its own, within limits.
//!
//! It keeps the text and the SHA-256 of a file, not the file itself. It does not read images
//! (scanned pages have no text) and does not render anything.

mod error;
mod parse;
mod pdf;
mod service;
mod store;
mod tools;
pub mod types;

pub use pdf::{PdfReader, read_pdf};
pub use service::Documents;
pub use store::MIGRATIONS;
pub use tools::operations;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The largest arguments of `document_add`: the largest document in base64, and its description.
pub const MAX_ADD_BYTES: usize = MAX_BYTES.div_ceil(3) * 4 + 64 * 1024;

#[cfg(test)]
mod tests;
