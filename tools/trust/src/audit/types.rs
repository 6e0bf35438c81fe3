//! Parameters and answers of the audit operations.

use flowmaster_kernel::{Cursor, Id, Kind, Page, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Marks the id of an entry.
#[derive(Debug)]
pub enum AuditEntry {}

impl Kind for AuditEntry {
    const PREFIX: &'static str = "aud";
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Id; sorts by time.
    pub id: Id<AuditEntry>,
    /// When the call ended.
    pub at: Timestamp,
    /// Who called.
    pub principal: String,
    /// The operation.
    pub operation: String,
    /// `ok`, or the code of the error.
    pub outcome: String,
    /// SHA-256 of the arguments, in hexadecimal.
    pub arguments_hash: String,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// W3C trace id of the call.
    pub trace: String,
}

/// Finds calls, the newest first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchAudit {
    /// Only calls by this principal.
    #[serde(default)]
    pub principal: Option<String>,
    /// Only calls of this operation.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only calls that ended so: `ok` or an error code such as `forbidden`.
    #[serde(default)]
    pub outcome: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

/// Calls, the newest first.
pub type Entries = Page<Entry>;
