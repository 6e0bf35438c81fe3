//! What happened to each instance, one row a transition, chained by hashes.
//!
//! The hash of a row covers its content and the hash before it, so a row that was changed, taken
//! out or put in is found by [`verify`]; rows cut off at the end are found when the caller passes
//! the head it keeps with the instance.

use std::sync::Arc;

use flowmaster_kernel::{Ctx, Error, Result, TenantId, Timestamp, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::listeners::Audience;
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

/// One transition to the letter: what its hash covers, and so what an archive keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sealed {
    /// Its number within the instance, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The principal who caused it.
    pub actor: String,
    /// What happened, as it was written.
    pub events: Box<RawValue>,
    /// The hash of the row before.
    pub prev_hash: String,
    /// The hash of this row.
    pub hash: String,
}

impl Sealed {
    /// Checks that this is the row behind `head` in the chain of an instance; answers the head then.
    ///
    /// # Errors
    /// `journal_tampered`.
    pub fn behind(&self, head: &Head, tenant: &str, instance: &str) -> Result<Head> {
        let Self { seq, at, .. } = *self;
        let row =
            Hashed { tenant, instance, seq, at, actor: &self.actor, events: self.events.get() };
        let hash = row.hash(&head.hash);
        if seq != head.seq + 1 || self.prev_hash != head.hash || self.hash != hash {
            return Err(tampered(instance, seq));
        }
        Ok(Head { seq, hash })
    }

    /// The transition, read.
    ///
    /// # Errors
    /// `stored_json_unreadable`.
    pub fn entry(self) -> Result<Entry> {
        let Self { seq, at, actor, events, prev_hash, hash } = self;
        let events = serde_json::from_str(events.get())
            .map_err(|source| Error::internal("stored_json_unreadable", source))?;
        Ok(Entry { seq, at, actor, events, prev_hash, hash })
    }
}

/// A row that is written only if nobody listens, or only if somebody does: without a hash it is refused.
/// The look at the listeners is part of a statement that there is in any case (see
/// [`crate::listeners`]); as `INSERT … SELECT … WHERE` it would cost SQLite a journal of the statement.
macro_rules! append_if {
    ($listened:literal) => {
        concat!(
            "INSERT INTO store_journal
                (tenant_id, instance, seq, at, actor, events, prev_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN ",
            $listened,
            " (SELECT 1 FROM store_listeners WHERE tenant_id = $1) THEN $8 END)
             ON CONFLICT DO NOTHING"
        )
    };
}

/// Appends a transition behind `head`, as of now and by the caller of `ctx`. Answers the new head.
///
/// If somebody else appended meanwhile, the whole set is refused with `stale_instance`; if `audience`
/// is not what it is at the commit, with `constraint_failed`.
///
/// # Errors
/// Events that JSON cannot hold.
pub fn append(
    writes: &mut WriteSet,
    ctx: &Ctx,
    instance: &str,
    head: &Head,
    events: &impl Serialize,
    audience: Audience,
) -> Result<Head> {
    let events =
        serde_json::to_string(events).map_err(|source| Error::internal("not_json", source))?;
    let (seq, at, actor) = (head.seq + 1, ctx.now(), ctx.principal.id.as_str());
    let row = Hashed { tenant: ctx.tenant.as_str(), instance, seq, at, actor, events: &events };
    let hash = row.hash(&head.hash);
    writes.push_expecting(
        match audience {
            Audience::Nobody => append_if!("NOT EXISTS"),
            Audience::Somebody => append_if!("EXISTS"),
        },
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
    let tenant = Arc::clone(&session.tenant);
    let rows = read_sealed(session, instance, after, limit).await?;
    let hash = rows.first().map(|row| row.prev_hash.clone()).unwrap_or_default();
    let mut head = Head { seq: after, hash };
    let entry = |row: Sealed| {
        head = row.behind(&head, &tenant, instance)?;
        row.entry()
    };
    rows.into_iter().map(entry).collect()
}

/// Checks that `rows`, which were read to the end of a journal behind number `after`, go as far as
/// `expected`: a row that cannot be found any more leaves no gap at the end.
///
/// # Errors
/// `journal_tampered` names the first row that is missing.
pub fn check_end(instance: &str, after: i64, rows: &[Entry], expected: &Head) -> Result<()> {
    let last = rows.last().map_or(after, |row| row.seq);
    if last < expected.seq { Err(tampered(instance, last + 1)) } else { Ok(()) }
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
        let batch = read_sealed(session, instance, head.seq, MAX_BATCH).await?;
        for row in &batch {
            head = row.behind(&head, tenant.as_str(), instance)?;
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

/// Transitions of an instance to the letter, behind number `after`, in order.
///
/// # Errors
/// `journal_tampered` if what stands there is not even JSON.
pub async fn read_sealed(
    session: &mut Session,
    instance: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Sealed>> {
    let rows = session
        .query(
            "SELECT seq, at, actor, events, prev_hash, hash FROM store_journal
             WHERE tenant_id = $1 AND instance = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            &params![instance, after, limit.min(MAX_BATCH)],
        )
        .await?;
    rows.iter().map(|row| sealed(instance, row)).collect()
}

/// Removes the journal of an instance, which ends at `head`; if it has another number of rows, the
/// whole set is refused.
pub fn remove(writes: &mut WriteSet, instance: &str, head: &Head) {
    let rows = u64::try_from(head.seq).unwrap_or(0);
    writes.push_expecting(
        "DELETE FROM store_journal WHERE tenant_id = $1 AND instance = $2",
        params![instance],
        rows,
        stale_instance(instance),
    );
}

fn sealed(instance: &str, row: &Row) -> Result<Sealed> {
    let seq = row.int(0)?;
    Ok(Sealed {
        seq,
        at: row.timestamp(1)?,
        actor: row.text(2)?,
        events: RawValue::from_string(row.text(3)?).map_err(|_| tampered(instance, seq))?,
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
