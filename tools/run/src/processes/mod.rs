//! Process definitions: drafts to work on, published versions that never change.
//!
//! Owns the tables `processes_process`, `processes_version`, `processes_start` and the operations
//! `process_search`, `process_get`, `process_save`, `process_validate`, `process_publish`.
//!
//! Invariants: a draft can be saved as often as one likes and is no version; publishing makes the
//! next version, immutable and known by the hash of its content; nothing is published with an error
//! among its findings; a version pins the versions of the decisions it asks; a running instance
//! keeps its version.

mod error;
mod load;
mod service;
mod store;
mod tools;
pub mod types;

pub use load::Published;
pub use service::Processes;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
