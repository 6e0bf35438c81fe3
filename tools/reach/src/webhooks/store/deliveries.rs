//! Events on their way to a subscription. Those of one lane (an instance, a process) are sent one after
//! the other: only the first that waits is looked at.

use flowmaster_kernel::{Result, Timestamp};
use flowmaster_store::{Row, Session, Tx, WriteSet, params};

use super::super::types::{Delivery, DeliveryState};
use super::number;

/// An event for a subscription.
pub(in super::super) struct NewDelivery<'a> {
    pub(in super::super) subscription: &'a str,
    /// Id of the event.
    pub(in super::super) event: &'a str,
    /// What it is kept in order with.
    pub(in super::super) lane: &'a str,
    /// Its place in the lane, and among those of the same place.
    pub(in super::super) order: (i64, usize),
    pub(in super::super) event_type: &'a str,
    pub(in super::super) subject: &'a str,
    pub(in super::super) at: Timestamp,
    /// What is sent.
    pub(in super::super) body: &'a str,
}

/// A delivery with what is needed to send it.
#[derive(Clone, Debug)]
pub(in super::super) struct DeliveryRow {
    pub(in super::super) shown: Delivery,
    pub(in super::super) lane: String,
    pub(in super::super) body: String,
}

// What waits in the lane for its time makes this wait as well.
const ADD: &str = "INSERT INTO webhooks_delivery (tenant_id, subscription, event, lane, seq, place,
    event_type, subject, at, body, state, attempts, next_at)
    SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT), $7, $8, CAST($9 AS BIGINT), $10,
        'waiting', 0,
        COALESCE((SELECT MAX(next_at) FROM webhooks_delivery WHERE tenant_id = $1
            AND subscription = $2 AND lane = $4 AND state = 'waiting'), 0)
    WHERE EXISTS (SELECT 1 FROM webhooks_subscription WHERE tenant_id = $1 AND id = $2)
    ON CONFLICT DO NOTHING";
const DUE: &str = "SELECT subscription, event, event_type, subject, at, state, attempts, next_at,
    last_error, lane, body FROM webhooks_delivery AS d
    WHERE tenant_id = $1 AND subscription = $2 AND state = 'waiting' AND next_at <= $3
    AND NOT EXISTS (SELECT 1 FROM webhooks_delivery AS earlier
        WHERE earlier.tenant_id = d.tenant_id AND earlier.subscription = d.subscription
        AND earlier.lane = d.lane AND earlier.state = 'waiting'
        AND (earlier.seq < d.seq OR (earlier.seq = d.seq AND earlier.place < d.place)))
    ORDER BY next_at, at, event LIMIT $4";
const FIND: &str = "SELECT subscription, event, event_type, subject, at, state, attempts, next_at,
    last_error, lane, body FROM webhooks_delivery
    WHERE tenant_id = $1 AND subscription = $2 AND event = $3";
const LIST: &str = "SELECT subscription, event, event_type, subject, at, state, attempts, next_at,
    last_error, lane, '' FROM webhooks_delivery
    WHERE tenant_id = $1 AND state = $2 AND ($3 = '' OR subscription = $3)
    AND (subscription > $4 OR (subscription = $4 AND event > $5))
    ORDER BY subscription, event LIMIT $6";
const REMOVE: &str =
    "DELETE FROM webhooks_delivery WHERE tenant_id = $1 AND subscription = $2 AND event = $3";
const REMOVE_ALL: &str = "DELETE FROM webhooks_delivery WHERE tenant_id = $1 AND subscription = $2";
const FAIL: &str = "UPDATE webhooks_delivery SET attempts = attempts + 1, last_error = $5,
    state = CASE WHEN attempts + 1 >= $6 THEN 'dead' ELSE state END
    WHERE tenant_id = $1 AND subscription = $2 AND event = $3 AND attempts = $4
    AND state = 'waiting'";
const POSTPONE: &str = "UPDATE webhooks_delivery SET next_at = $4
    WHERE tenant_id = $1 AND subscription = $2 AND lane = $3 AND state = 'waiting'";
const RETRY: &str = "UPDATE webhooks_delivery SET state = 'waiting', attempts = 0, next_at = 0
    WHERE tenant_id = $1 AND subscription = $2 AND event = $3";
const RETRY_DEAD: &str = "UPDATE webhooks_delivery SET state = 'waiting', attempts = 0, next_at = 0
    WHERE tenant_id = $1 AND subscription = $2 AND event IN (
        SELECT event FROM webhooks_delivery WHERE tenant_id = $1 AND subscription = $2
        AND state = 'dead' ORDER BY event LIMIT $3)";

/// Adds an event unless it is there, or the subscription is gone.
pub(in super::super) fn add(writes: &mut WriteSet, new: &NewDelivery<'_>) {
    let (seq, place) = new.order;
    let values = params![
        new.subscription,
        new.event,
        new.lane,
        seq,
        place,
        new.event_type,
        new.subject,
        new.at,
        new.body,
    ];
    writes.push(ADD, values);
}

/// What may be sent to a subscription now: the first of each lane.
pub(in super::super) async fn due(
    session: &mut Session,
    subscription: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<DeliveryRow>> {
    session.query(DUE, &params![subscription, now, limit]).await?.iter().map(delivery).collect()
}

pub(in super::super) async fn find(session: &mut Session, id: &str) -> Result<Option<DeliveryRow>> {
    let Some((subscription, event)) = id.split_once('/') else { return Ok(None) };
    session.query_opt(FIND, &params![subscription, event]).await?.as_ref().map(delivery).transpose()
}

/// Deliveries in a state, behind the id `after`.
pub(in super::super) async fn list(
    session: &mut Session,
    state: DeliveryState,
    subscription: Option<&str>,
    after: &str,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let (after, event) = after.split_once('/').unwrap_or_default();
    let only = subscription.unwrap_or_default();
    let rows = session.query(LIST, &params![state.as_str(), only, after, event, limit]).await?;
    rows.iter().map(|row| Ok(delivery(row)?.shown)).collect()
}

/// Removes what was accepted.
pub(in super::super) fn delivered(writes: &mut WriteSet, it: &Delivery) {
    writes.push(REMOVE, params![&it.subscription, &it.event]);
}

/// Removes everything of a subscription; says how many there were.
pub(in super::super) async fn remove_all(tx: &mut Tx, subscription: &str) -> Result<u64> {
    tx.execute(REMOVE_ALL, &params![subscription]).await
}

/// Notes that a sending failed, which the whole lane waits for unless it was the last.
pub(in super::super) fn failed(
    writes: &mut WriteSet,
    row: &DeliveryRow,
    reason: &str,
    next_at: Timestamp,
    max_attempts: u32,
) {
    let it = &row.shown;
    writes.push(FAIL, params![&it.subscription, &it.event, it.attempts, reason, max_attempts]);
    if it.attempts + 1 < max_attempts {
        writes.push(POSTPONE, params![&it.subscription, &row.lane, next_at]);
    }
}

/// Begins anew with one delivery; whether there is one.
pub(in super::super) async fn retry(tx: &mut Tx, id: &str) -> Result<bool> {
    let Some((subscription, event)) = id.split_once('/') else { return Ok(false) };
    Ok(tx.execute(RETRY, &params![subscription, event]).await? == 1)
}

/// Begins anew with dead letters of a subscription; says with how many.
pub(in super::super) async fn retry_dead(
    tx: &mut Tx,
    subscription: &str,
    limit: usize,
) -> Result<u64> {
    tx.execute(RETRY_DEAD, &params![subscription, limit]).await
}

fn delivery(row: &Row) -> Result<DeliveryRow> {
    let (subscription, event) = (row.text(0)?, row.text(1)?);
    let state = match row.str(5)? {
        "dead" => DeliveryState::Dead,
        _ => DeliveryState::Waiting,
    };
    let next_at = row.timestamp(7)?;
    let is_postponed = state == DeliveryState::Waiting && next_at.as_millis() > 0;
    Ok(DeliveryRow {
        shown: Delivery {
            id: format!("{subscription}/{event}"),
            subscription,
            event,
            event_type: row.text(2)?,
            subject: row.text(3)?,
            at: row.timestamp(4)?,
            state,
            attempts: number(row, 6)?,
            next_at: is_postponed.then_some(next_at),
            last_error: row.opt_text(8)?,
        },
        lane: row.text(9)?,
        body: row.text(10)?,
    })
}
