//! The tables of the runtime record. An entry is written once, with its step, and never again; beside it
//! is a mark that no seal covers it, which goes when one does.

pub(super) mod tenants;

use flowmaster_kernel::{Error, Id, Result, Timestamp};
use flowmaster_store::{Migrations, Param, Row, Session, WriteSet, params};

use super::chain::{Link, Seal, sha256};
use super::error::RecordError;
use super::types::{Entry, Outcome, RecordEntry, SearchRecord};

/// The room's tables.
pub const MIGRATIONS: Migrations = Migrations {
    room: "record",
    steps: &[
        "
CREATE TABLE record_entry (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    instance TEXT NOT NULL,
    process TEXT NOT NULL,
    element TEXT,
    actor TEXT NOT NULL,
    outcome TEXT NOT NULL,
    policies TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    seal BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX record_entry_instance ON record_entry (tenant_id, instance, id);
CREATE INDEX record_entry_seal ON record_entry (tenant_id, seal, id) WHERE seal > 0;
CREATE INDEX record_entry_unsealed ON record_entry (tenant_id, id) WHERE seal = 0;
CREATE TABLE record_seal (
    tenant_id TEXT NOT NULL,
    seal BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, seal)
);
",
        "
CREATE TABLE record_unsealed (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    characters BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) /*sqlite:WITHOUT ROWID*/;
CREATE TABLE record_sealed (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seal BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) /*sqlite:WITHOUT ROWID*/;
CREATE INDEX record_sealed_seal ON record_sealed (tenant_id, seal, id);
INSERT INTO record_unsealed (tenant_id, id, hash, characters)
    SELECT tenant_id, id, hash, length(body) FROM record_entry WHERE seal = 0;
INSERT INTO record_sealed (tenant_id, id, seal)
    SELECT tenant_id, id, seal FROM record_entry WHERE seal > 0;
DROP INDEX record_entry_seal;
DROP INDEX record_entry_unsealed;
ALTER TABLE record_entry ADD COLUMN sum TEXT NOT NULL DEFAULT '';
UPDATE record_entry SET sum = substr(hash, 1, 16);
ALTER TABLE record_entry DROP COLUMN hash;
ALTER TABLE record_entry DROP COLUMN seal;
",
    ],
};

const ADD: &str = "INSERT INTO record_entry (tenant_id, id, at, instance, process, element, actor,
    outcome, policies, body, sum) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const MARK: &str =
    "INSERT INTO record_unsealed (tenant_id, id, hash, characters) VALUES ($1, $2, $3, $4)";
/// An entry `e` as it is stored, with its place `s` in a seal.
macro_rules! columns {
    () => {
        "e.at, e.instance, e.process, e.element, e.actor, e.outcome, e.policies, e.body, e.sum, s.seal"
    };
}
macro_rules! stored {
    () => {
        concat!(
            "SELECT e.id, ",
            columns!(),
            " FROM record_entry e
            LEFT JOIN record_sealed s ON s.tenant_id = e.tenant_id AND s.id = e.id "
        )
    };
}
const FIND: &str = concat!(stored!(), "WHERE e.tenant_id = $1 AND e.id = $2");
const OF_SEALS: &str = concat!(
    "SELECT e.id, ",
    columns!(),
    " FROM record_sealed s JOIN record_entry e ON e.tenant_id = s.tenant_id AND e.id = s.id
    WHERE s.tenant_id = $1 AND s.seal > $2 AND s.seal <= $3 ORDER BY s.seal, s.id LIMIT $4"
);
const OF_NONE: &str = concat!(
    "SELECT u.id, ",
    columns!(),
    ", u.hash FROM record_unsealed u
    LEFT JOIN record_entry e ON e.tenant_id = u.tenant_id AND e.id = u.id
    LEFT JOIN record_sealed s ON s.tenant_id = u.tenant_id AND s.id = u.id
    WHERE u.tenant_id = $1 ORDER BY u.id LIMIT $2"
);
const STRAY: &str = "SELECT e.id FROM record_entry e
    WHERE e.tenant_id = $1 AND e.id > $2 AND e.id <= $3
    AND NOT EXISTS (SELECT 1 FROM record_sealed s WHERE s.tenant_id = e.tenant_id AND s.id = e.id)
    AND NOT EXISTS (SELECT 1 FROM record_unsealed u WHERE u.tenant_id = e.tenant_id AND u.id = e.id)
    ORDER BY e.id LIMIT 1";
const UNSEALED: &str = "SELECT id, hash, characters FROM record_unsealed
    WHERE tenant_id = $1 ORDER BY id LIMIT $2";
const NEWEST: &str = "SELECT body FROM record_seal WHERE tenant_id = $1 ORDER BY seal DESC LIMIT 1";
const HIGHEST: &str =
    "SELECT seal FROM record_sealed WHERE tenant_id = $1 ORDER BY seal DESC LIMIT 1";
const SEALS: &str = "SELECT body FROM record_seal WHERE tenant_id = $1 AND seal > $2
    ORDER BY seal LIMIT $3";
const ADD_SEAL: &str = "INSERT INTO record_seal (tenant_id, seal, body) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const COVER: &str = "INSERT INTO record_sealed (tenant_id, id, seal)
    SELECT tenant_id, id, $2 FROM record_unsealed WHERE tenant_id = $1 AND id >= $3 AND id <= $4";
const UNMARK: &str = "DELETE FROM record_unsealed WHERE tenant_id = $1 AND id >= $2 AND id <= $3";

/// How many digits of its hash are stored with an entry: enough to tell what a disk changed. The whole
/// hash is in its mark, and then in its seal.
const SUM: usize = 16;

/// An entry that is about to be written.
pub(super) struct NewEntry<'a, P> {
    pub(super) id: &'a Id<RecordEntry>,
    pub(super) at: Timestamp,
    pub(super) instance: &'a str,
    pub(super) process: &'a str,
    pub(super) element: Option<&'a str>,
    pub(super) actor: &'a str,
    pub(super) outcome: Outcome,
    pub(super) policies: P,
    pub(super) body: String,
    pub(super) hash: String,
}

/// An entry as it is stored.
pub(super) struct Kept {
    pub(super) entry: Entry,
    /// SHA-256 of its line, in hexadecimal.
    pub(super) hash: String,
    /// The seal that covers it.
    pub(super) seal: Option<i64>,
}

impl Kept {
    /// The entry as a seal has it.
    pub(super) fn link(&self) -> Link {
        Link(self.entry.id.to_string(), self.hash.clone())
    }
}

pub(super) fn add<'a>(
    writes: &mut WriteSet,
    entry: &NewEntry<'_, impl Iterator<Item = &'a str> + Clone>,
) {
    let values = params![
        entry.id,
        entry.at,
        entry.instance,
        entry.process,
        entry.element,
        entry.actor,
        entry.outcome.as_str(),
        listed(entry.policies.clone()),
        &entry.body,
        sum(&entry.hash),
    ];
    writes.push(ADD, values);
    writes.push(MARK, params![entry.id, &entry.hash, entry.body.chars().count()]);
}

fn sum(hash: &str) -> &str {
    hash.get(..SUM).unwrap_or(hash)
}

/// Names as they are looked for: each between line feeds.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.fold("\n".to_owned(), |list, name| list + name + "\n")
}

pub(super) async fn find(session: &mut Session, id: &str) -> Result<Option<Kept>> {
    session.query_opt(FIND, &params![id]).await?.map(|row| kept(&row)).transpose()
}

/// Up to `limit` entries of the `count` seals behind number `after`, in order.
pub(super) async fn of_seals(
    session: &mut Session,
    after: i64,
    count: usize,
    limit: usize,
) -> Result<Vec<Row>> {
    let last = after.saturating_add_unsigned(count as u64);
    session.query(OF_SEALS, &params![after, last, limit]).await
}

/// Up to `limit` marks of entries that no seal covers, in order, each with its entry if that is there.
pub(super) async fn of_none(session: &mut Session, limit: usize) -> Result<Vec<Row>> {
    session.query(OF_NONE, &params![limit]).await
}

/// The first entry behind `after`, up to `last`, that no seal covers and that has no mark either.
pub(super) async fn stray(
    session: &mut Session,
    after: &str,
    last: &str,
) -> Result<Option<String>> {
    let row = session.query_opt(STRAY, &params![after, last]).await?;
    row.map(|row| row.text(0)).transpose()
}

/// The place in the list, newest first, of the last of the `window` entries behind `behind`.
pub(super) async fn end_of_window(
    session: &mut Session,
    search: &SearchRecord,
    behind: &str,
    window: usize,
) -> Result<Option<String>> {
    let (mut sql, mut values) = (
        "SELECT id FROM record_entry WHERE tenant_id = $1 AND id < $2".to_owned(),
        params![behind],
    );
    if let Some(instance) = &search.instance {
        values.push(instance.into());
        sql.push_str(" AND instance = $3");
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT 1 OFFSET {}", window.saturating_sub(1)));
    let rows = session.query_dynamic(&sql, &values).await?;
    rows.first().map(|row| row.text(0)).transpose()
}

/// Up to `limit` entries that match, older than `behind` and not older than `floor`, the newest first.
pub(super) async fn search(
    session: &mut Session,
    search: &SearchRecord,
    behind: &str,
    floor: &str,
    limit: usize,
) -> Result<Vec<Kept>> {
    let mut sql =
        concat!(stored!(), "WHERE e.tenant_id = $1 AND e.id < $2 AND e.id >= $3").to_owned();
    let mut values = params![behind, floor];
    let mut also = |condition: &str, value: Option<Param>| {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(
                " AND {}",
                condition.replace('?', &format!("${}", values.len() + 1))
            ));
        }
    };
    also("e.instance = ?", search.instance.as_ref().map(Into::into));
    also("e.process = ?", search.process.as_ref().map(Into::into));
    also("e.element = ?", search.element.as_ref().map(Into::into));
    also("e.actor = ?", search.actor.as_ref().map(Into::into));
    also("e.outcome = ?", search.outcome.map(|outcome| outcome.as_str().into()));
    let policy = search.policy.as_ref().map(|policy| format!("\n{policy}\n"));
    also("replace(e.policies, ?, '') <> e.policies", policy.map(Into::into));
    also("e.at >= ?", search.from.map(Into::into));
    also("e.at < ?", search.before.map(Into::into));
    sql.push_str(&format!(" ORDER BY e.id DESC LIMIT {limit}"));
    session.query_dynamic(&sql, &values).await?.iter().map(kept).collect()
}

/// Up to `limit` entries that no seal covers, in order, each with its length.
pub(super) async fn unsealed(session: &mut Session, limit: usize) -> Result<Vec<(Link, usize)>> {
    let rows = session.query(UNSEALED, &params![limit]).await?;
    let read = |row: &Row| {
        let characters = usize::try_from(row.int(2)?).unwrap_or(usize::MAX);
        Ok((Link(row.text(0)?, row.text(1)?), characters))
    };
    rows.iter().map(read).collect()
}

/// The newest seal.
pub(super) async fn newest(session: &mut Session) -> Result<Option<Seal>> {
    session.query_opt(NEWEST, &[]).await?.map(|row| row.json(0)).transpose()
}

/// The highest number of a seal that some entry names.
pub(super) async fn highest(session: &mut Session) -> Result<i64> {
    session.query_opt(HIGHEST, &[]).await?.map_or(Ok(0), |row| row.int(0))
}

/// Up to `limit` seals behind number `after`, as they are written.
pub(super) async fn seals(session: &mut Session, after: i64, limit: usize) -> Result<Vec<String>> {
    session.query(SEALS, &params![after, limit]).await?.iter().map(|row| row.text(0)).collect()
}

/// Adds a seal; refused when there is one of that number, or other entries are there by now.
pub(super) fn cover(writes: &mut WriteSet, seal: &Seal, line: String) {
    let number = seal.seal;
    let raced = || RecordError::Raced.into();
    writes.push_expecting(ADD_SEAL, params![number, line], 1, raced());
    let range = params![number, &seal.first, &seal.last];
    writes.push_expecting(COVER, range, seal.count as u64, raced());
    let range = params![&seal.first, &seal.last];
    writes.push_expecting(UNMARK, range, seal.count as u64, raced());
}

/// Reads an entry that no seal covers, and checks that its mark says the same; what is wrong with it
/// otherwise.
pub(super) fn check_unsealed(row: &Row) -> Result<(), &'static str> {
    let Ok(Some(_)) = row.opt_text(8) else { return Err("the entry is missing") };
    let is_marked = |kept: &Kept| row.str(11).is_ok_and(|hash| hash == kept.hash);
    match kept(row) {
        Ok(kept) if kept.seal.is_some() => Err("the entry is sealed and was marked as unsealed"),
        Ok(kept) if is_marked(&kept) => Ok(()),
        _ => Err("the entry was changed"),
    }
}

/// Reads an entry, and checks that it is as it was written, in what lists filter by too.
pub(super) fn kept(row: &Row) -> Result<Kept> {
    let damaged = || Error::from(RecordError::Damaged(row.text(0).unwrap_or_default()));
    let body = row.text(8)?;
    let entry: Entry = serde_json::from_str(&body).map_err(|_| damaged())?;
    let hash = sha256(&body);
    let policies = listed(entry.policies.iter().map(|policy| policy.id.as_str()));
    let is_as_written = row.str(9)? == sum(&hash)
        && row.str(0)? == entry.id.as_str()
        && row.timestamp(1)? == entry.at
        && row.str(2)? == entry.instance
        && row.str(3)? == entry.process
        && row.opt_text(4)? == entry.element
        && row.str(5)? == entry.actor.id
        && row.str(6)? == entry.outcome.as_str()
        && row.str(7)? == policies;
    if !is_as_written {
        return Err(damaged());
    }
    Ok(Kept { entry, hash, seal: row.opt_int(10)? })
}
