//! An instance as it is stored, and how work in it is named.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use flowmaster_engine::{Instance, Key};
use flowmaster_kernel::{Kind, Timestamp};
use flowmaster_store::journal::Head;

/// Marks the id of an instance.
#[derive(Debug)]
pub enum InstanceKind {}

impl Kind for InstanceKind {
    const PREFIX: &'static str = "ins";
}

/// An instance with what the store knows about it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The state the engine works on.
    pub instance: Instance,
    /// BPMN id of its process.
    pub process: Arc<str>,
    /// The version of the process it runs on.
    pub process_version: i64,
    /// Grows by one with every transition.
    pub version: i64,
    /// The end of its journal.
    pub head: Head,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Names work that waits in an instance: a human task, a job, an agent's work. As text it is
/// `ins_…/12`, which is also the id of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkRef {
    /// The instance.
    pub instance: String,
    /// The wait in it.
    pub key: Key,
}

impl fmt::Display for WorkRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.key)
    }
}

impl FromStr for WorkRef {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (instance, key) = text.rsplit_once('/').ok_or(())?;
        let key = key.parse().map(Key).map_err(|_| ())?;
        Ok(Self { instance: instance.to_owned(), key })
    }
}
