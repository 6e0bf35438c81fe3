//! The table of the documents room.

use flowmaster_kernel::{Error, Id, Result};
use flowmaster_store::{Migrations, Param, Row, Session, Tx, params};

use super::parse::Parsed;
use super::types::{Document, DocumentInfo, Excerpt, Found, MediaType, SearchDocuments, Span};

/// The room's table.
pub const MIGRATIONS: Migrations = Migrations {
    room: "documents",
    steps: &["
CREATE TABLE documents_document (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    characters BIGINT NOT NULL,
    pages BIGINT NOT NULL,
    creator TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    spans TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha256, media_type)
);
"],
};

/// How much of the text around a find is shown: characters before it, and in all.
const EXCERPT: (u64, u64) = (80, 240);

const ADD: &str = "INSERT INTO documents_document (tenant_id, id, name, media_type, size, sha256,
    characters, pages, creator, created_at, spans, text)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
const BY_CONTENT: &str = "SELECT id, name, media_type, size, sha256, characters, pages, creator,
    created_at FROM documents_document WHERE tenant_id = $1 AND sha256 = $2 AND media_type = $3";
const ONE: &str = "SELECT id, name, media_type, size, sha256, characters, pages, creator,
    created_at, spans FROM documents_document WHERE tenant_id = $1 AND id = $2";
const TEXT: &str = "SELECT SUBSTR(text, CAST($3 AS INTEGER), CAST($4 AS INTEGER))
    FROM documents_document WHERE tenant_id = $1 AND id = $2";

/// Whether it was added: not if the same content is there.
pub(super) async fn add(tx: &mut Tx, document: &DocumentInfo, parsed: Parsed) -> Result<bool> {
    let values = params![
        &document.id,
        &document.name,
        document.media_type.as_str(),
        count(document.size),
        &document.sha256,
        count(document.characters),
        document.pages,
        &document.creator,
        document.created_at,
        Param::json(&parsed.spans)?,
        parsed.text,
    ];
    Ok(tx.execute(ADD, &values).await? == 1)
}

pub(super) async fn find_by_content(
    session: &mut Session,
    sha256: &str,
    media_type: MediaType,
) -> Result<Option<DocumentInfo>> {
    let row = session.query_opt(BY_CONTENT, &params![sha256, media_type.as_str()]).await?;
    row.map(|row| document(&row)).transpose()
}

/// A document and its spans.
pub(super) async fn find(
    session: &mut Session,
    id: &Id<Document>,
) -> Result<Option<(DocumentInfo, Vec<Span>)>> {
    let row = session.query_opt(ONE, &params![id]).await?;
    row.map(|row| Ok((document(&row)?, row.json(9)?))).transpose()
}

/// Up to `length` characters of the text from character `start`, counted from 0.
pub(super) async fn text(
    session: &mut Session,
    id: &Id<Document>,
    start: u64,
    length: u64,
) -> Result<String> {
    session.query_one(TEXT, &params![id, count(start + 1), count(length)]).await?.text(0)
}

/// Up to `limit` documents that match, the newest first.
pub(super) async fn search(
    session: &mut Session,
    filter: &SearchDocuments,
    limit: usize,
) -> Result<Vec<Found>> {
    let mut values: Vec<Param> = Vec::new();
    let mut conditions = String::new();
    let mut bind = |value: &str| {
        values.push(value.into());
        values.len() + 1
    };
    let mut place = "0".to_owned();
    if let Some(text) = &filter.text {
        place = position("text", bind(text));
        conditions.push_str(&format!(" AND {place} > 0"));
    }
    if let Some(name) = &filter.name {
        conditions.push_str(&format!(" AND {} > 0", position("name", bind(name))));
    }
    let cursor = filter.cursor.as_ref().map(|cursor| &cursor.0);
    for (column, comparison, value) in [
        ("sha256", "=", filter.sha256.as_ref()),
        ("creator", "=", filter.creator.as_ref()),
        ("id", "<", cursor),
    ] {
        if let Some(value) = value {
            conditions.push_str(&format!(" AND {column} {comparison} ${}", bind(value)));
        }
    }
    let (before, length) = EXCERPT;
    let sql = format!(
        "SELECT id, name, media_type, size, sha256, characters, pages, creator, created_at,
            CASE WHEN place > {before} THEN place - {before} ELSE 1 END AS first,
            CASE WHEN place = 0 THEN NULL
                WHEN place > {before} THEN SUBSTR(text, place - {before}, {length})
                ELSE SUBSTR(text, 1, {length}) END AS words
        FROM (SELECT id, name, media_type, size, sha256, characters, pages, creator, created_at,
                text, {place} AS place
            FROM documents_document WHERE tenant_id = $1{conditions}
            ORDER BY id DESC LIMIT {limit}) AS found
        ORDER BY id DESC"
    );
    session.query_dynamic(&sql, &values).await?.iter().map(found).collect()
}

/// Where the parameter `number` begins in `column`, from 1; 0 if it is not there.
fn position(column: &str, number: usize) -> String {
    format!("/*sqlite:INSTR*//*postgres:STRPOS*/(LOWER({column}), LOWER(CAST(${number} AS TEXT)))")
}

fn found(row: &Row) -> Result<Found> {
    let excerpt = match row.opt_text(10)? {
        Some(text) => Some(Excerpt { text, start: row.count(9)?.saturating_sub(1) }),
        None => None,
    };
    Ok(Found { document: document(row)?, excerpt })
}

fn document(row: &Row) -> Result<DocumentInfo> {
    let media_type = MediaType::from_name(row.str(2)?)
        .ok_or_else(|| Error::internal("stored_media_type", "an unknown media type is stored"))?;
    Ok(DocumentInfo {
        id: row.id(0)?,
        name: row.text(1)?,
        media_type,
        size: row.count(3)?,
        sha256: row.text(4)?,
        characters: row.count(5)?,
        pages: u32::try_from(row.count(6)?)
            .map_err(|source| Error::internal("stored_pages", source))?,
        creator: row.text(7)?,
        created_at: row.timestamp(8)?,
    })
}

/// Held at `i64::MAX`: no document of ours comes near it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
