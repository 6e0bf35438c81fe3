//! Process definitions: drafts to work on, published versions that never change.
//!
//! Owns the tables `processes_process`, `processes_version`, `processes_start` and the operations
//! `process_search`, `process_get`, `process_save`, `process_validate`, `process_publish`,
//! `scenario_run`, `rule_usage`. Sets store timers for processes that begin by a timer.
//!
//! Invariants: a draft can be saved as often as one likes and is no version; publishing makes the
//! next version, immutable and known by the hash of its content; nothing is published with an error
//! among its findings; a version pins the versions of the decisions it asks; a running instance
//! keeps its version.

mod error;
mod load;
mod published;
mod scenario;
mod service;
mod start_timer;
mod store;
mod tools;
pub mod types;
mod usage;

pub use published::Published;
pub use service::Processes;
pub(crate) use start_timer::StartTimer;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
