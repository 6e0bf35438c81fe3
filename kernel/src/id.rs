//! Identifiers: a prefix that names the kind, and 26 characters that sort by creation time (ULID).

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What an [`Id`] identifies.
pub trait Kind {
    /// The letters before the underscore, e.g. `ten` in `ten_01J…`.
    const PREFIX: &'static str;
}

/// The id of a `K`. Text on the wire and in the database; a copy shares it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<K> {
    text: Arc<str>,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// A new id, made at `now` and unique through `ids`.
    pub fn fresh(ids: &dyn IdSource, now: Timestamp) -> Self {
        Self::from_text(format!("{}_{}", K::PREFIX, encode(now, ids.entropy())))
    }
}

impl<K> Id<K> {
    /// Takes an id as somebody sent it. Whether it exists is for the room to find out.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self::from_text(Arc::clone(&self.text))
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// Marks the id of a tenant.
#[derive(Debug)]
pub enum Tenant {}

impl Kind for Tenant {
    const PREFIX: &'static str = "ten";
}

/// The tenant a credential belongs to. It is never read from a parameter.
pub type TenantId = Id<Tenant>;

/// Where the unpredictable part of ids comes from.
pub trait IdSource: Send + Sync {
    /// 80 bits (the low ones) that no other call returned.
    fn entropy(&self) -> u128;
}

/// Counts instead of drawing, so that tests and golden files stay equal from run to run.
#[derive(Debug, Default)]
pub struct SequenceIds(AtomicU64);

impl IdSource for SequenceIds {
    fn entropy(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// ULID text: 48 bits of milliseconds and 80 bits of entropy in Crockford base 32, upper case.
fn encode(now: Timestamp, entropy: u128) -> String {
    const ALPHABET: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H',
        'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
    ];
    let millis = u128::from(now.as_millis().unsigned_abs()) & 0xFFFF_FFFF_FFFF;
    let bits = (millis << 80) | (entropy & 0xFFFF_FFFF_FFFF_FFFF_FFFF);
    (0..26)
        .rev()
        .filter_map(|place| {
            let digit = usize::try_from((bits >> (place * 5)) & 31).ok()?;
            ALPHABET.get(digit)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_then_by_entropy() {
        let ids = SequenceIds::default();
        let made: Vec<TenantId> = [1, 1, 2, 1_800_000_000_000]
            .into_iter()
            .map(|millis| TenantId::fresh(&ids, Timestamp::from_millis(millis)))
            .collect();
        assert!(made.is_sorted());
        assert_eq!(made[0].as_str(), "ten_00000000010000000000000000");
        assert!(made.iter().all(|id| id.as_str().len() == 30));
    }
}
