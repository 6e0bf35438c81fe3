//! What can go wrong with documents.

use flowmaster_kernel::{Error, ErrorKind};

use super::MAX_BYTES;
use super::pdf::PdfError;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("{0:?} is not a document name")]
    BadName(String),
    #[error("give either text or base64")]
    OneContent,
    #[error("a PDF is not text")]
    PdfAsText,
    #[error("the content is not base64")]
    NotBase64(#[source] base64::DecodeError),
    #[error("the document has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the content is not UTF-8: byte {0} is the first wrong one")]
    NotUtf8(usize),
    #[error("the content is not text: character {0} is NUL")]
    NotText(usize),
    #[error("the document holds no text")]
    NoText,
    #[error("the document is too complex: {0}")]
    TooComplex(String),
    #[error(transparent)]
    Pdf(#[from] PdfError),
    #[error("no document {0:?}")]
    Unknown(String),
    #[error("the document has {pages} pages and no page {page}")]
    NoSuchPage { page: u32, pages: u32 },
    #[error("the document has {characters} characters and none from {start}")]
    StartBeyondEnd { start: u64, characters: u64 },
    #[error("length {0} is out of range")]
    BadLength(u64),
    #[error("give either page or start")]
    PageAndStart,
}

impl From<DocumentError> for Error {
    fn from(error: DocumentError) -> Self {
        let what = error.to_string();
        match error {
            DocumentError::BadName(_) => Self::invalid("invalid_document_name", what)
                .fix("use 1 to 200 characters without line breaks or other control characters"),
            DocumentError::OneContent => Self::invalid("document_content", what)
                .fix("send text for text, Markdown and HTML, or base64 for any media type"),
            DocumentError::PdfAsText => {
                Self::invalid("document_content", what).fix("send the bytes of the PDF as base64")
            }
            DocumentError::NotBase64(source) => Self::invalid("invalid_base64", what)
                .why(source.to_string())
                .fix("encode the bytes of the file in standard base64 (RFC 4648 §4) with padding"),
            DocumentError::TooLarge => Self::new(ErrorKind::TooLarge, "document_too_large", what)
                .fix("split the document, or send its text alone"),
            DocumentError::NotUtf8(_) => Self::invalid("document_not_utf8", what)
                .fix("save the file as UTF-8, or name its real media type"),
            DocumentError::NotText(_) => Self::invalid("document_not_text", what)
                .fix("name the real media type of the file, or remove NUL characters"),
            DocumentError::NoText => Self::invalid("document_without_text", what)
                .why("it is empty, or its pages are images")
                .fix("recognise the text first (OCR) and add it as text/plain"),
            DocumentError::TooComplex(_) => {
                Self::new(ErrorKind::TooLarge, "document_too_complex", what)
                    .fix("split the document, or add its text as text/plain")
            }
            DocumentError::Pdf(problem) => problem.into(),
            DocumentError::Unknown(id) => Self::not_found("document", &id).next("document_search"),
            DocumentError::NoSuchPage { .. } => {
                Self::invalid("no_such_page", what).fix("ask for a page that the document has")
            }
            DocumentError::StartBeyondEnd { .. } => Self::invalid("document_range", what)
                .fix("use a start below the number of characters, and follow next_start"),
            DocumentError::BadLength(_) => Self::invalid("document_range", what)
                .fix("use a length from 1 to 50000 and follow next_start"),
            DocumentError::PageAndStart => Self::invalid("document_range", what)
                .fix("leave out start to read a page, or leave out page to read from start"),
        }
    }
}
