//! Values that go into a statement.

use std::sync::Arc;

use flowmaster_kernel::{Id, Result, Timestamp};
use serde_json::Value;

use crate::error;

/// The largest text or bytes value, in bytes.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// A value bound to a placeholder. The same five types exist on both back ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// NULL, for a column of any type.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(Arc<str>),
    /// BYTEA.
    Bytes(Vec<u8>),
}

impl Param {
    /// Serializes `value` into a JSON text.
    ///
    /// # Errors
    /// A value that JSON cannot hold, such as a map whose keys are not strings.
    pub fn json(value: &impl serde::Serialize) -> Result<Self> {
        serde_json::to_string(value)
            .map(Self::from)
            .map_err(|source| flowmaster_kernel::Error::internal("not_json", source))
    }

    pub(crate) fn check_size(&self) -> Result<()> {
        let bytes = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Int(_) | Self::Real(_) => 0,
        };
        check_bytes(bytes)
    }
}

pub(crate) fn check_bytes(bytes: usize) -> Result<()> {
    if bytes <= MAX_VALUE_BYTES {
        return Ok(());
    }
    Err(error::too_large(format!("a value of {bytes} bytes is over {MAX_VALUE_BYTES} bytes")))
}

/// The parameters of a statement: `params![name, count, at]`. `$1` is the tenant, so the first of
/// these is `$2`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        ::std::vec::Vec::<$crate::Param>::from([$($crate::Param::from($value)),*])
    };
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(Arc::from(value))
    }
}

impl From<&String> for Param {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(Arc::from(value))
    }
}

impl From<Arc<str>> for Param {
    fn from(value: Arc<str>) -> Self {
        Self::Text(value)
    }
}

impl From<&Arc<str>> for Param {
    fn from(value: &Arc<str>) -> Self {
        Self::Text(Arc::clone(value))
    }
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Param {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u32> for Param {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<usize> for Param {
    /// Held at `i64::MAX`: no length or count of ours comes near it.
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Param {
    /// 1 or 0: the two back ends have no boolean type in common.
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Param {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Vec<u8>> for Param {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Param {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Value> for Param {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl From<&Value> for Param {
    /// TEXT that holds the JSON.
    fn from(value: &Value) -> Self {
        Self::from(value.to_string())
    }
}

impl From<Timestamp> for Param {
    /// Milliseconds since the Unix epoch.
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_millis())
    }
}

impl<K> From<&Id<K>> for Param {
    fn from(value: &Id<K>) -> Self {
        Self::from(value.as_str())
    }
}

impl<K> From<Id<K>> for Param {
    fn from(value: Id<K>) -> Self {
        Self::from(value.as_str())
    }
}

impl<T: Into<Self>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a statement is bound to: the tenant as `$1` where there is one, then the parameters.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub(crate) tenant: Option<&'a str>,
    pub(crate) params: &'a [Param],
}

impl Bound<'_> {
    pub(crate) fn len(&self) -> usize {
        self.params.len() + usize::from(self.tenant.is_some())
    }

    pub(crate) fn check_sizes(&self) -> Result<()> {
        self.params.iter().try_for_each(Param::check_size)
    }
}
