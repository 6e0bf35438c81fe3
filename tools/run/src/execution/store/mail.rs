//! Who waits for messages and signals, what was kept for whom, and what was taken already.

use std::collections::BTreeSet;

use flowmaster_engine::Key;
use flowmaster_engine::event::Subscription;
use flowmaster_kernel::{Result, TenantId, Timestamp};
use flowmaster_store::{Db, Param, Session, Tx, WriteSet, params};
use serde_json::Value;

use super::super::error::ExecutionError;
use super::super::held::Held;
use super::super::types::Delivered;

const SUBSCRIBE: &str = "INSERT INTO execution_subscription
    (tenant_id, instance, wait, process, kind, name, correlation, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const UNSUBSCRIBE: &str =
    "DELETE FROM execution_subscription WHERE tenant_id = $1 AND instance = $2 AND wait = $3";
const FIRST_SUBSCRIBERS: &str = "SELECT process, instance, wait FROM (
        SELECT process, instance, wait, ROW_NUMBER() OVER (
            PARTITION BY process ORDER BY opened_at, instance, wait) AS place
        FROM execution_subscription
        WHERE tenant_id = $1 AND kind = 'message' AND name = $2 AND correlation IN ($3, '')
    ) AS waiting WHERE place = 1 ORDER BY process";
const LISTENERS: &str = "SELECT DISTINCT instance FROM execution_subscription
    WHERE tenant_id = $1 AND kind = 'signal' AND name = $2 AND correlation = '' AND instance > $3
    ORDER BY instance LIMIT 500";
const BUFFER: &str = "INSERT INTO execution_message
    (tenant_id, id, name, correlation, variables, received_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const BUFFERED: &str = "SELECT id, variables FROM execution_message
    WHERE tenant_id = $1 AND name = $2 AND ($3 = '' OR correlation = $3) AND expires_at > $4
    ORDER BY received_at, id LIMIT 1";
const UNBUFFER: &str = "DELETE FROM execution_message WHERE tenant_id = $1 AND id = $2";
const MISSED: &str = "SELECT s.tenant_id, s.instance, s.wait
    FROM execution_message m JOIN execution_subscription s
    ON s.tenant_id = m.tenant_id AND s.kind = 'message' AND s.name = m.name
        AND (s.correlation = m.correlation OR s.correlation = '')
    WHERE m.expires_at > $1 ORDER BY m.received_at, m.id, s.opened_at LIMIT 100";
const PURGE_EXPIRED: &str = "DELETE FROM execution_message WHERE expires_at <= $1";
const TAKE: &str = "INSERT INTO execution_taken (tenant_id, message, target, at, instance, began)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const TAKEN: &str = "SELECT target, instance, began FROM execution_taken
    WHERE tenant_id = $1 AND message = $2 ORDER BY target";
const PURGE_TAKEN: &str = "DELETE FROM execution_taken WHERE at <= $1";
const STILL_PAUSED: &str = "UPDATE execution_instance SET state = state
    WHERE tenant_id = $1 AND id = $2 AND state = 'paused'";
const HOLD: &str = "INSERT INTO execution_held (tenant_id, instance, id, held_at, command)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const HELD: &str = "SELECT id, command FROM execution_held WHERE tenant_id = $1 AND instance = $2
    ORDER BY held_at, id LIMIT 1";
const LET_GO: &str =
    "DELETE FROM execution_held WHERE tenant_id = $1 AND instance = $2 AND id = $3";

/// Somebody who waits for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::execution) struct Subscriber {
    pub(in crate::execution) process: String,
    pub(in crate::execution) instance: String,
    pub(in crate::execution) key: Key,
}

/// A message that waits for somebody who waits for it.
pub(in crate::execution) struct Buffered {
    pub(in crate::execution) id: String,
    pub(in crate::execution) variables: Value,
}

/// A message to be kept.
pub(in crate::execution) struct ToBuffer<'a> {
    pub(in crate::execution) id: &'a str,
    pub(in crate::execution) name: &'a str,
    pub(in crate::execution) correlation: &'a str,
    pub(in crate::execution) variables: Value,
    pub(in crate::execution) received_at: Timestamp,
    pub(in crate::execution) expires_at: Timestamp,
}

pub(in crate::execution) fn subscribe(
    writes: &mut WriteSet,
    process: &str,
    instance: &str,
    wait: Key,
    to: &Subscription,
    at: Timestamp,
) {
    let (kind, name, correlation) = match to {
        Subscription::Message { name, correlation } => ("message", name, correlation.as_deref()),
        Subscription::Signal { name } => ("signal", name, None),
    };
    let correlation = correlation.unwrap_or_default();
    let values = params![instance, key_param(wait), process, kind, name, correlation, at];
    writes.push(SUBSCRIBE, values);
}

pub(in crate::execution) fn unsubscribe(writes: &mut WriteSet, instance: &str, wait: Key) {
    writes.push(UNSUBSCRIBE, params![instance, key_param(wait)]);
}

/// For every process, the instance that has waited for the message longest.
pub(in crate::execution) async fn first_subscribers(
    session: &mut Session,
    name: &str,
    correlation: &str,
) -> Result<Vec<Subscriber>> {
    let rows = session.query(FIRST_SUBSCRIBERS, &params![name, correlation]).await?;
    rows.iter()
        .map(|row| {
            let (process, instance) = (row.text(0)?, row.text(1)?);
            Ok(Subscriber { process, instance, key: Key(row.count(2)?) })
        })
        .collect()
}

/// Some of the instances that wait for the signal, by id, behind `after`.
pub(in crate::execution) async fn listeners(
    session: &mut Session,
    name: &str,
    after: &str,
) -> Result<Vec<String>> {
    let rows = session.query(LISTENERS, &params![name, after]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

pub(in crate::execution) async fn buffer(tx: &mut Tx, message: ToBuffer<'_>) -> Result<()> {
    let ToBuffer { id, name, correlation, variables, received_at, expires_at } = message;
    let values = params![id, name, correlation, variables, received_at, expires_at];
    tx.execute(BUFFER, &values).await.map(drop)
}

/// The oldest message that is kept for a subscription.
pub(in crate::execution) async fn buffered(
    session: &mut Session,
    name: &str,
    correlation: &str,
    now: Timestamp,
) -> Result<Option<Buffered>> {
    let row = session.query_opt(BUFFERED, &params![name, correlation, now]).await?;
    row.map(|row| Ok(Buffered { id: row.text(0)?, variables: row.json(1)? })).transpose()
}

/// Takes a buffered message; refused when somebody else took it.
pub(in crate::execution) fn unbuffer(writes: &mut WriteSet, id: &str) {
    writes.push_expecting(UNBUFFER, params![id], 1, ExecutionError::Taken.into());
}

/// Subscriptions of all tenants for which a message is kept: whoever opened them went away before
/// looking.
pub(in crate::execution) async fn missed(
    db: &Db,
    now: Timestamp,
) -> Result<Vec<(TenantId, String, Key)>> {
    let rows = db.read_system().await?.query(MISSED, &params![now]).await?;
    rows.iter().map(|row| Ok((row.id(0)?, row.text(1)?, Key(row.count(2)?)))).collect()
}

/// Forgets messages that expired by `now`, and before `taken_before` which ones were taken.
pub(in crate::execution) async fn purge(
    db: &Db,
    now: Timestamp,
    taken_before: Timestamp,
) -> Result<u64> {
    let mut tx = db.begin_system().await?;
    let expired = tx.execute(PURGE_EXPIRED, &params![now]).await?;
    let forgotten = tx.execute(PURGE_TAKEN, &params![taken_before]).await?;
    tx.commit().await?;
    Ok(expired + forgotten)
}

/// Who took a message or signal.
#[derive(Clone, Copy, Debug)]
pub(in crate::execution) struct Taker<'a> {
    /// The process, of which one instance takes a message; of a signal the instance that heard it.
    pub(in crate::execution) target: &'a str,
    pub(in crate::execution) instance: &'a str,
    /// Whether the instance began by it.
    pub(in crate::execution) began: bool,
}

/// Who took a message or signal already.
#[derive(Clone, Debug, Default)]
pub(in crate::execution) struct Taken {
    /// See [`Taker::target`].
    pub(in crate::execution) targets: BTreeSet<String>,
    /// The instances that went on, and those that began.
    pub(in crate::execution) delivered: Delivered,
}

/// Notes who took a message; refused when the target did before.
pub(in crate::execution) fn take(
    writes: &mut WriteSet,
    message: &str,
    taker: Taker<'_>,
    at: Timestamp,
) {
    let values = params![message, taker.target, at, taker.instance, taker.began];
    writes.push_expecting(TAKE, values, 1, ExecutionError::Taken.into());
}

/// Who took a message already.
pub(in crate::execution) async fn taken(session: &mut Session, message: &str) -> Result<Taken> {
    let mut taken = Taken::default();
    for row in session.query(TAKEN, &params![message]).await? {
        taken.targets.insert(row.text(0)?);
        match row.int(2)? {
            0 => taken.delivered.correlated.push(row.text(1)?),
            _ => taken.delivered.started.push(row.text(1)?),
        }
    }
    Ok(taken)
}

/// Keeps a command for a paused instance; refused when it is not paused any more.
pub(in crate::execution) fn hold(
    writes: &mut WriteSet,
    instance: &str,
    id: &str,
    held: &Held,
    at: Timestamp,
) -> Result<()> {
    writes.push_expecting(STILL_PAUSED, params![instance], 1, ExecutionError::Changed.into());
    writes.push(HOLD, params![instance, id, at, Param::json(held)?]);
    Ok(())
}

/// The oldest command that is kept for an instance.
pub(in crate::execution) async fn held(
    session: &mut Session,
    instance: &str,
) -> Result<Option<(String, Held)>> {
    let row = session.query_opt(HELD, &params![instance]).await?;
    row.map(|row| Ok((row.text(0)?, row.json(1)?))).transpose()
}

/// Takes a command that was kept; refused when somebody else took it.
pub(in crate::execution) fn let_go(writes: &mut WriteSet, instance: &str, id: &str) {
    writes.push_expecting(LET_GO, params![instance, id], 1, ExecutionError::Taken.into());
}

fn key_param(key: Key) -> i64 {
    i64::try_from(key.0).unwrap_or(i64::MAX)
}
