//! What is kept of a call: the hash of its arguments, counters, a span, an audit entry.
//!
//! Invariant: arguments and answers never reach the log or the metrics, only their hash does.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Ctx, Effect, Error, ErrorKind, Result, hex};
use metrics::{Counter, Histogram};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Offer;
use crate::ports::{AuditEntry, AuditLog};

/// Counts the calls of one operation that ended in one way.
pub(super) struct Meter {
    calls: Counter,
    seconds: Histogram,
}

impl Meter {
    pub(super) fn new(operation: &str, outcome: &str) -> Self {
        let labels = [("operation", operation.to_owned()), ("outcome", outcome.to_owned())];
        Self {
            calls: metrics::counter!("flowmaster_calls_total", &labels),
            seconds: metrics::histogram!("flowmaster_call_seconds", &labels),
        }
    }

    fn count(&self, duration: Duration) {
        self.calls.increment(1);
        self.seconds.record(duration.as_secs_f64());
    }
}

/// What is known about a call while it runs.
#[derive(Default)]
pub(super) struct Record {
    pub(super) offer: Option<Arc<Offer>>,
    pub(super) arguments: Option<Fingerprint>,
    pub(super) replayed: bool,
}

impl Record {
    /// Writes the call down, whatever became of it.
    pub(super) fn close(
        self,
        log: Option<&Arc<dyn AuditLog>>,
        ctx: &Ctx,
        operation: &str,
        result: &Result<Value>,
        duration: Duration,
    ) {
        let outcome = result.as_ref().map_or_else(Error::code, |_| "ok");
        match (&self.offer, result) {
            (Some(offer), Ok(_)) => offer.done.count(duration),
            (Some(offer), Err(_)) => Meter::new(&offer.tool.name, outcome).count(duration),
            // An unknown name is the caller's text: as a label it would grow without bound.
            (None, _) => Meter::new("unknown", outcome).count(duration),
        }
        match result {
            Err(error) if error.kind() == ErrorKind::Internal => report_defect(error),
            Err(error) => tracing::debug!(code = error.code(), "refused"),
            Ok(_) => tracing::debug!(replayed = self.replayed, "done"),
        }
        // A read that succeeded changed nothing: it is counted, and a row for each would cost more
        // than the read.
        let effect = self.offer.as_ref().map(|offer| offer.tool.effect);
        let is_kept = effect != Some(Effect::Read) || result.is_err();
        if let Some(log) = log.filter(|_| is_kept) {
            let entry = AuditEntry {
                operation: operation.chars().take(64).collect(),
                outcome: outcome.to_owned(),
                arguments_hash: self.arguments.map_or_else(String::new, |it| it.to_string()),
                duration,
            };
            log.record(ctx, entry);
        }
    }
}

/// The inside of an internal error goes to the log only.
fn report_defect(error: &Error) {
    let mut causes = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let _ = write!(causes, ": {inner}");
        cause = inner.source();
    }
    tracing::error!(code = error.code(), causes, "internal error");
}

/// SHA-256 of an operation and its arguments, independent of the order of object keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(operation: &str, arguments: &Value) -> Self {
        let mut digest = Sha256::new();
        digest.update(operation.as_bytes());
        digest.update([0]);
        feed(&mut digest, arguments);
        Self(digest.finalize().into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Feeds a canonical form: every value is tagged and counted, so that no two values look alike.
fn feed(digest: &mut Sha256, value: &Value) {
    match value {
        Value::Null => feed_leaf(digest, b'z', ""),
        Value::Bool(value) => feed_leaf(digest, b'b', if *value { "1" } else { "0" }),
        Value::Number(number) => feed_leaf(digest, b'n', &number.to_string()),
        Value::String(text) => feed_leaf(digest, b's', text),
        Value::Array(items) => {
            feed_leaf(digest, b'a', &items.len().to_string());
            for item in items {
                feed(digest, item);
            }
        }
        Value::Object(fields) => {
            feed_leaf(digest, b'o', &fields.len().to_string());
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            for (name, field) in sorted {
                feed_leaf(digest, b's', name);
                feed(digest, field);
            }
        }
    }
}

fn feed_leaf(digest: &mut Sha256, tag: u8, text: &str) {
    digest.update([tag]);
    digest.update(text.len().to_le_bytes());
    digest.update(text.as_bytes());
}
