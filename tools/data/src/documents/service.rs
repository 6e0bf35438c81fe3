//! The verbs of the documents room.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowmaster_kernel::{Ctx, Error, Page, ResponseFormat, Result, hex};
use flowmaster_store::Db;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::error::DocumentError;
use super::parse::{self, Parsed};
use super::pdf::PdfReader;
use super::types::{
    AddDocument, Added, DocumentInfo, DocumentText, FoundDocuments, GetDocument, MediaType,
    SearchDocuments, Span,
};
use super::{MAX_BYTES, store};

/// How many PDFs are read at once: each may take a gigabyte.
const PDFS_AT_ONCE: usize = 2;
/// How much text is answered unless asked otherwise, in characters.
const USUAL_LENGTH: u64 = 20_000;
/// The most text of one answer, in characters.
const MAX_LENGTH: u64 = 50_000;
/// The most spans of one answer.
const MAX_SPANS: usize = 1_000;

/// The documents room.
pub struct Documents {
    db: Db,
    pdf: PdfReader,
    pdf_places: Semaphore,
}

impl Documents {
    /// The room on `db`, which reads PDFs with `pdf`.
    #[must_use]
    pub fn new(db: Db, pdf: PdfReader) -> Self {
        Self { db, pdf, pdf_places: Semaphore::new(PDFS_AT_ONCE) }
    }

    #[cfg(test)]
    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// Adds a document, unless the tenant has the same content already.
    ///
    /// # Errors
    /// Content that cannot be read in full: `document_not_utf8`, `pdf_unreadable` and others.
    pub async fn add(&self, ctx: &Ctx, params: AddDocument) -> Result<Added> {
        let name = checked_name(&params.name)?;
        let media_type = params.media_type;
        let bytes = content(params)?;
        let size = bytes.len() as u64;
        let sha256: String = hex(&Sha256::digest(&bytes));
        // Reading is the dear part, so known content is not read again.
        let known = {
            let mut session = self.db.read(ctx).await?;
            store::find_by_content(&mut session, &sha256, media_type).await?
        };
        if let Some(document) = known {
            let tx = self.db.begin(ctx).await?;
            return tx.commit(Added { document, is_new: false }).await;
        }
        let parsed = self.parse(ctx, media_type, bytes).await?;
        let document = DocumentInfo {
            id: ctx.fresh_id(),
            name,
            media_type,
            size,
            sha256,
            characters: parsed.characters,
            pages: page_count(&parsed.spans),
            creator: ctx.principal.id.clone(),
            created_at: ctx.now(),
        };
        let mut tx = self.db.begin(ctx).await?;
        if store::add(&mut tx, &document, parsed).await? {
            return tx.commit(Added { document, is_new: true }).await;
        }
        // Somebody else added the same content while we read it.
        let (sha256, media_type) = (&document.sha256, document.media_type);
        let earlier = store::find_by_content(&mut tx, sha256, media_type).await?;
        let document = earlier.ok_or_else(|| {
            Error::internal("document_lost", "neither added nor found a document")
        })?;
        tx.commit(Added { document, is_new: false }).await
    }

    async fn parse(&self, ctx: &Ctx, media_type: MediaType, bytes: Vec<u8>) -> Result<Parsed> {
        let parsed = if media_type == MediaType::Pdf {
            let place = self.pdf_places.acquire().await;
            ctx.check_deadline()?;
            let pages = self.pdf.read(bytes).await.map_err(DocumentError::from)?;
            drop(place);
            parse::pages(&pages)
        } else {
            tokio::task::spawn_blocking(move || parse::text(media_type, bytes))
                .await
                .map_err(|source| Error::internal("document_parser", source))?
        };
        Ok(parsed?)
    }

    /// Reads a part of a document.
    ///
    /// # Errors
    /// `document_not_found`, or a place that it does not have.
    pub async fn get(&self, ctx: &Ctx, params: GetDocument) -> Result<DocumentText> {
        let length = params.length.unwrap_or(USUAL_LENGTH);
        if !(1..=MAX_LENGTH).contains(&length) {
            return Err(DocumentError::BadLength(length).into());
        }
        let mut session = self.db.read(ctx).await?;
        let (document, spans) = store::find(&mut session, &params.id)
            .await?
            .ok_or_else(|| DocumentError::Unknown(params.id.as_str().to_owned()))?;
        let (start, limit) = range(&params, &document, &spans)?;
        let end = limit.min(start.saturating_add(length));
        let text = store::text(&mut session, &params.id, start, end - start).await?;
        let span_count = spans.len() as u64;
        let mut spans = spans;
        if params.response_format == ResponseFormat::Concise {
            spans.retain(|span| span.start < end && start < span.end);
        }
        spans.truncate(MAX_SPANS);
        let next_start = (end < limit).then_some(end);
        Ok(DocumentText { document, text, start, end, next_start, spans, span_count })
    }

    /// Finds documents, the newest first.
    ///
    /// # Errors
    /// `invalid_limit`, or what the store reports.
    pub async fn search(&self, ctx: &Ctx, params: SearchDocuments) -> Result<FoundDocuments> {
        let limit = params.page().limit()?;
        let mut session = self.db.read(ctx).await?;
        let found = store::search(&mut session, &params, limit + 1).await?;
        Ok(Page::from_overfetched(found, limit, |found| found.document.id.to_string()))
    }
}

/// Where to read: the first character, and the one after the last that may be read.
fn range(
    params: &GetDocument,
    document: &DocumentInfo,
    spans: &[Span],
) -> Result<(u64, u64), DocumentError> {
    match (params.page, params.start) {
        (Some(_), Some(_)) => Err(DocumentError::PageAndStart),
        (Some(page), None) => spans
            .iter()
            .find(|span| span.page == Some(page))
            .map(|span| (span.start, span.end))
            .ok_or(DocumentError::NoSuchPage { page, pages: document.pages }),
        (None, start) => {
            let (start, characters) = (start.unwrap_or(0), document.characters);
            if start >= characters {
                return Err(DocumentError::StartBeyondEnd { start, characters });
            }
            Ok((start, characters))
        }
    }
}

fn page_count(spans: &[Span]) -> u32 {
    spans.iter().filter_map(|span| span.page).max().unwrap_or(0)
}

fn checked_name(name: &str) -> Result<String, DocumentError> {
    let name = name.trim();
    let well_formed =
        (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if well_formed {
        Ok(name.to_owned())
    } else {
        Err(DocumentError::BadName(name.chars().take(200).collect()))
    }
}

/// The bytes of the file.
fn content(params: AddDocument) -> Result<Vec<u8>, DocumentError> {
    let bytes = match (params.text, params.base64) {
        (Some(_), None) if params.media_type == MediaType::Pdf => {
            return Err(DocumentError::PdfAsText);
        }
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => decoded(&encoded)?,
        _ => return Err(DocumentError::OneContent),
    };
    if bytes.len() > MAX_BYTES { Err(DocumentError::TooLarge) } else { Ok(bytes) }
}

fn decoded(encoded: &str) -> Result<Vec<u8>, DocumentError> {
    // Lines are allowed, as in MIME (RFC 2045 §6.8), since many tools wrap what they encode.
    let encoded: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if encoded.len() / 4 * 3 > MAX_BYTES + 3 {
        return Err(DocumentError::TooLarge);
    }
    STANDARD.decode(encoded).map_err(DocumentError::NotBase64)
}
