//! What happened to each instance, one row a transition, chained by hashes.
//!
//! The hash of a row covers its content and the hash before it, so a row that was changed, taken
//! out or put in is found by [`verify`]; rows cut off at the end are found when the caller passes
//! the head it keeps with the instance.

use flowmaster_kernel::{Ctx, Error, Result, TenantId, Timestamp, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::row::Row;
use crate::{Param, Session, WriteSet, params};

pub(crate) const TABLES: &str = "
CREATE TABLE store_journal (
    tenant_id TEXT NOT NULL,
    instance TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    events TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, instance, seq)
) /*sqlite:WITHOUT ROWID*/;
";

/// The most rows one read gives.
pub const MAX_BATCH: usize = 1_000;

/// The end of an instance's chain. Keep it with the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last row; 0 before the first.
    pub seq: i64,
    /// Its hash; empty before the first.
    pub hash: String,
}

/// One transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number within the instance, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The principal who caused it.
    pub actor: String,
    /// What happened.
    pub events: Value,
    /// The hash of the row before.
    pub prev_hash: String,
    /// The hash of this row.
    pub hash: String,
}

/// Appends a transition behind `head`, as of now and by the caller of `ctx`. Answers the new head.
///
/// If somebody else appended meanwhile, the whole set is refused with `stale_instance`.
///
/// # Errors
/// Events that JSON cannot hold.
pub fn append(
    writes: &mut WriteSet,
    ctx: &Ctx,
    instance: &str,
    head: &Head,
    events: &impl Serialize,
) -> Result<Head> {
    let events =
        serde_json::to_string(events).map_err(|source| Error::internal("not_json", source))?;
    let (seq, at, actor) = (head.seq + 1, ctx.now(), ctx.principal.id.as_str());
    let row = Hashed { tenant: ctx.tenant.as_str(), instance, seq, at, actor, events: &events };
    let hash = row.hash(&head.hash);
    writes.push_expecting(
        "INSERT INTO store_journal
            (tenant_id, instance, seq, at, actor, events, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        params![instance, seq, at, actor, Param::from(events), &head.hash, &hash],
        1,
        stale_instance(instance),
    );
    Ok(Head { seq, hash })
}

/// The end of an instance's chain as it is stored.
///
/// # Errors
/// What the database refuses.
pub async fn head(session: &mut Session, instance: &str) -> Result<Head> {
    let row = session
        .query_opt(
            "SELECT seq, hash FROM store_journal WHERE tenant_id = $1 AND instance = $2
             ORDER BY seq DESC LIMIT 1",
            &params![instance],
        )
        .await?;
    row.map_or(Ok(Head::default()), |row| Ok(Head { seq: row.int(0)?, hash: row.text(1)? }))
}

/// Transitions of an instance behind number `after`, in order.
///
/// # Errors
/// What the database refuses; `journal_tampered` for a row that is not as it was written, or does
/// not follow the one before it.
pub async fn read(
    session: &mut Session,
    instance: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Entry>> {
    let rows = rows(session, instance, after, limit).await?;
    let tenant = &session.tenant;
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in &rows {
        let read = entry(row)?;
        let (seq, at, actor, events) = (read.seq, read.at, read.actor.as_str(), row.str(3)?);
        let hash = Hashed { tenant, instance, seq, at, actor, events }.hash(&read.prev_hash);
        let follows = entries.last().is_none_or(|last| last.hash == read.prev_hash);
        if hash != read.hash || seq != after + 1 + rows_before(&entries) || !follows {
            return Err(tampered(instance, seq));
        }
        entries.push(read);
    }
    Ok(entries)
}

fn rows_before(entries: &[Entry]) -> i64 {
    i64::try_from(entries.len()).unwrap_or(i64::MAX)
}

/// Checks the whole chain of an instance, and that it ends at `expected` if that is given.
/// Answers its head.
///
/// # Errors
/// `journal_tampered` names the first row that does not fit.
pub async fn verify(
    session: &mut Session,
    tenant: &TenantId,
    instance: &str,
    expected: Option<&Head>,
) -> Result<Head> {
    let mut head = Head::default();
    loop {
        let batch = rows(session, instance, head.seq, MAX_BATCH).await?;
        for row in &batch {
            let (seq, at, actor, events) =
                (row.int(0)?, row.timestamp(1)?, row.str(2)?, row.str(3)?);
            let hash = Hashed { tenant: tenant.as_str(), instance, seq, at, actor, events }
                .hash(&head.hash);
            let fits = seq == head.seq + 1 && row.str(4)? == head.hash && row.str(5)? == hash;
            if !fits {
                return Err(tampered(instance, seq));
            }
            head = Head { seq, hash };
        }
        if batch.len() < MAX_BATCH {
            break;
        }
    }
    match expected {
        Some(expected) if *expected != head => Err(tampered(instance, head.seq + 1)),
        _ => Ok(head),
    }
}

async fn rows(session: &mut Session, instance: &str, after: i64, limit: usize) -> Result<Vec<Row>> {
    session
        .query(
            "SELECT seq, at, actor, events, prev_hash, hash FROM store_journal
             WHERE tenant_id = $1 AND instance = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            &params![instance, after, limit.min(MAX_BATCH)],
        )
        .await
}

fn entry(row: &Row) -> Result<Entry> {
    Ok(Entry {
        seq: row.int(0)?,
        at: row.timestamp(1)?,
        actor: row.text(2)?,
        events: row.json(3)?,
        prev_hash: row.text(4)?,
        hash: row.text(5)?,
    })
}

/// What the hash of a row covers.
struct Hashed<'a> {
    tenant: &'a str,
    instance: &'a str,
    seq: i64,
    at: Timestamp,
    actor: &'a str,
    events: &'a str,
}

impl Hashed<'_> {
    /// Each part goes in behind its length, so that nothing can move from one part to the next.
    fn hash(&self, prev_hash: &str) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.as_millis().to_string());
        let parts = [prev_hash, self.tenant, self.instance, &seq, &at, self.actor, self.events];
        let digest = parts.iter().fold(Sha256::new(), |digest, part| {
            digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part.as_bytes())
        });
        hex(&digest.finalize())
    }
}

fn stale_instance(instance: &str) -> Error {
    Error::conflict("stale_instance", format!("instance {instance} has moved on"))
        .why("somebody else changed it in the meantime")
        .fix("read it again and decide on its present state")
        .retryable()
}

fn tampered(instance: &str, seq: i64) -> Error {
    Error::conflict("journal_tampered", format!("row {seq} of {instance} does not fit the chain"))
        .why("a row was changed, removed or inserted outside of FlowMaster")
        .fix("compare with a backup; keep the database as evidence")
        .details(serde_json::json!({ "instance": instance, "seq": seq }))
}
