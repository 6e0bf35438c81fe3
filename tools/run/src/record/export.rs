//! Exports, and the check of one that needs nothing but its lines.
//!
//! A file is a line that says what it is, the lines of the entries with each seal behind those that it
//! covers, and a line that says that nothing follows.

use std::io;

use flowmaster_kernel::{Ctx, Cursor, Error, Result};
use serde::{Deserialize, Serialize};

use super::chain::{Check, Fault, KnownSeal, Link, Seal, Verified, sha256};
use super::pages::{Size, StoredSeal, page};
use super::service::{Record, line};
use super::types::{ExportRecord, ExportedLines};

/// What one call looks at: few entries more than a seal has at most, because a part ends soon.
const SIZE: Size = Size { seals: 20, entries: 50 };
/// A part of an export that has so many characters is not added to.
const ENOUGH_CHARACTERS: usize = 24_000;
/// The longest line of an export, in bytes.
const MAX_LINE: usize = 1024 * 1024;

/// The form of an export that is written. Another one gets the next number.
const FORM: u32 = 1;

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    flowmaster_record: u32,
}

/// The last line of an export: the newest seal in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    end: i64,
    hash: String,
}

impl Record {
    pub(super) async fn export(&self, ctx: &Ctx, params: ExportRecord) -> Result<ExportedLines> {
        let mut session = self.db.read(ctx).await?;
        let mut lines = Vec::new();
        let mut last = match params.cursor {
            Some(cursor) => known(&cursor)?,
            None => {
                lines.push(line(&Head { flowmaster_record: FORM })?);
                KnownSeal::default()
            }
        };
        let page = page(&mut session, last.seal, SIZE).await?;
        let (mut is_last, mut characters) = (page.is_last, 0);
        for StoredSeal { body, seal, rows } in page.seals {
            if characters >= ENOUGH_CHARACTERS {
                is_last = false;
                break;
            }
            let seal = seal.ok_or_else(|| unreadable(&last))?;
            for row in &rows {
                lines.push(row.text(8)?);
            }
            lines.push(body);
            characters = lines.iter().map(String::len).sum();
            last = seal.known();
        }
        if is_last {
            lines.push(line(&End { end: last.seal, hash: last.hash.clone() })?);
        }
        Ok(ExportedLines { lines, next_cursor: (!is_last).then(|| cursor(&last)) })
    }
}

/// Checks the lines of an export, and that it has the seal `known`, if one was noted.
///
/// # Errors
/// Lines that cannot be read.
pub fn verify_export(
    lines: impl Iterator<Item = io::Result<String>>,
    known: Option<&KnownSeal>,
) -> io::Result<Verified> {
    let mut check = Check::behind(KnownSeal::default(), known);
    let found = follow(lines, &mut check)?;
    Ok(check.close(found))
}

/// Follows the lines up to the first fault.
fn follow(
    mut lines: impl Iterator<Item = io::Result<String>>,
    check: &mut Check<'_>,
) -> io::Result<Result<(), Fault>> {
    let fault = |seal: i64, what: &str| Fault { seal, entry: None, what: what.to_owned() };
    let head = lines.next().transpose()?.as_deref().and_then(exactly::<Head>);
    if head.is_none_or(|head| head.flowmaster_record != FORM) {
        return Ok(Err(fault(0, "the first line is not that of an export")));
    }
    let mut found = Vec::new();
    for text in lines.by_ref() {
        let text = text?;
        let next = check.last().seal + 1;
        if let Some(end) = exactly::<End>(&text) {
            let is_rest = lines.next().transpose()?.is_some() || !found.is_empty();
            let ended = KnownSeal { seal: end.end, hash: end.hash };
            return Ok(if is_rest {
                Err(fault(next, "something follows that no seal covers"))
            } else if ended != *check.last() {
                Err(fault(next, "seals are cut off before the end"))
            } else {
                check.end()
            });
        }
        let Some(seal) = exactly::<Seal>(&text) else {
            found.push(link(&text));
            continue;
        };
        if let Err(fault) = check.take(&seal, &found) {
            return Ok(Err(fault));
        }
        found.clear();
    }
    Ok(Err(fault(check.last().seal + 1, "the end is cut off")))
}

/// A line as a seal has it; without an id if it is no entry.
fn link(text: &str) -> Link {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let id = serde_json::from_str(text).map_or_else(|_| String::new(), |Named { id }| id);
    Link(id, sha256(text))
}

/// What `text` says, if that is all it says and in these letters.
fn exactly<T: Serialize + for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let value = read::<T>(text)?;
    (serde_json::to_string(&value).ok()? == text).then_some(value)
}

pub(super) fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// The lines of a file, none of which may be longer than an export has them.
pub fn export_lines(mut file: impl io::BufRead) -> impl Iterator<Item = io::Result<String>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut file, MAX_LINE as u64 + 1);
        match io::BufRead::read_until(&mut limited, b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) if line.pop() != Some(b'\n') => {
                Some(Err(io::Error::other("a line does not end, or is longer than 1 MiB")))
            }
            Ok(_) => Some(String::from_utf8(line).map_err(io::Error::other)),
            Err(problem) => Some(Err(problem)),
        }
    })
}

/// A place between seals.
pub(super) fn cursor(last: &KnownSeal) -> Cursor {
    Cursor(format!("{} {}", last.seal, last.hash))
}

pub(super) fn known(Cursor(text): &Cursor) -> Result<KnownSeal> {
    let place = text.split_once(' ').and_then(|(seal, hash)| {
        Some(KnownSeal { seal: seal.parse().ok()?, hash: hash.to_owned() })
    });
    place.ok_or_else(|| super::error::RecordError::Cursor.into())
}

fn unreadable(last: &KnownSeal) -> Error {
    super::error::RecordError::Damaged(format!("seal {}", last.seal + 1)).into()
}
