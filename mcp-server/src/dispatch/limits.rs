//! How much one call may carry and how many calls one principal may make.
//!
//! Invariant: memory is bounded: at most [`MAX_BUCKETS`] principals are remembered, and a full
//! bucket is forgotten first because it carries no information.

use std::collections::HashMap;
use std::time::Duration;

use flowmaster_kernel::{Ctx, Error, ErrorKind, Result, TenantId};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::tool::Tool;

const MAX_BUCKETS: usize = 10_000;

/// What bounds a call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest arguments, counted as compact JSON text, in bytes, unless the operation takes
    /// more.
    pub max_argument_bytes: usize,
    /// The deepest nesting of the arguments.
    pub max_argument_depth: usize,
    /// How long a call may take when the caller does not say.
    pub deadline: Duration,
    /// How many calls a principal may make a second over time.
    pub calls_per_second: u32,
    /// How many calls a principal may make at once.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_argument_bytes: 4 * 1024 * 1024,
            max_argument_depth: 64,
            deadline: Duration::from_secs(30),
            calls_per_second: 500,
            burst: 2_000,
        }
    }
}

impl Limits {
    /// The limits of a call of `tool`: what it declares to take may be larger than usual.
    pub(super) fn of(&self, tool: &Tool) -> Self {
        let bytes = tool.max_argument_bytes.unwrap_or(0).max(self.max_argument_bytes);
        Self { max_argument_bytes: bytes, ..*self }
    }

    /// Refuses arguments that are too big or too deep.
    pub(super) fn check(&self, arguments: &Value) -> Result<()> {
        let mut bytes = 0;
        measure(arguments, self.max_argument_depth, &mut bytes)?;
        if bytes <= self.max_argument_bytes {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooLarge, "arguments_too_large", "the arguments are too large")
            .why(format!("{bytes} bytes; the limit is {}", self.max_argument_bytes))
            .fix("send less at once, or refer to a stored document by its id"))
    }
}

/// Adds the size of `value` to `bytes`; fails when it nests deeper than `depth`.
fn measure(value: &Value, depth: usize, bytes: &mut usize) -> Result<()> {
    let too_deep = || {
        Error::invalid("arguments_too_deep", "the arguments are nested too deeply")
            .fix("flatten the arguments")
    };
    match value {
        Value::Null | Value::Bool(_) => *bytes += 4,
        Value::Number(_) => *bytes += 8,
        Value::String(text) => *bytes += text.len() + 2,
        Value::Array(items) => {
            let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
            for item in items {
                *bytes += 1;
                measure(item, depth, bytes)?;
            }
        }
        Value::Object(fields) => {
            let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
            for (name, field) in fields {
                *bytes += name.len() + 4;
                measure(field, depth, bytes)?;
            }
        }
    }
    Ok(())
}

/// A token bucket for every principal.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<(TenantId, String), Bucket>>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: i64,
}

impl Bucket {
    fn refill(&mut self, limits: &Limits, now: i64) {
        let elapsed = now.saturating_sub(self.filled_at).max(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of uptime fit a mantissa")]
        let gained = elapsed as f64 / 1000.0 * f64::from(limits.calls_per_second);
        self.tokens = (self.tokens + gained).min(f64::from(limits.burst));
        self.filled_at = now;
    }
}

impl Buckets {
    /// Takes one token of the caller, or says when the next is there.
    pub(super) fn take(&self, limits: &Limits, ctx: &Ctx) -> Result<()> {
        let now = ctx.now().as_millis();
        let mut buckets = self.0.lock();
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| {
                bucket.refill(limits, now);
                bucket.tokens < f64::from(limits.burst)
            });
            if buckets.len() >= MAX_BUCKETS
                && let Some(any) = buckets.keys().next().cloned()
            {
                buckets.remove(&any);
            }
        }
        let bucket = buckets
            .entry((ctx.tenant.clone(), ctx.principal.id.clone()))
            .or_insert_with(|| Bucket { tokens: f64::from(limits.burst), filled_at: now });
        bucket.refill(limits, now);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.tokens) / f64::from(limits.calls_per_second.max(1)) * 1000.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let retry_after_ms = wait.ceil() as u64;
        Err(Error::new(ErrorKind::Exhausted, "rate_limited", "too many calls in a short time")
            .why(format!("the limit is {} calls a second", limits.calls_per_second))
            .fix("wait for retry_after_ms and call again")
            .details(json!({ "retry_after_ms": retry_after_ms })))
    }
}
