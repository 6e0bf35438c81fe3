//! Rules as versioned objects: files of decisions (DMN), with drafts to work on and tests.
//!
//! Owns the tables `rules_file`, `rules_decision`, `rules_active` and the operations `rule_search`,
//! `rule_get`, `rule_save`, `rule_publish`, `rule_test`, `rule_analyze`, `rule_evaluate`, `rule_export`,
//! `rule_import`.
//!
//! Invariants: a draft can be saved as often as one likes and is no version; publishing makes the next
//! version, which never changes, so what was pinned once is found for ever; nothing is published with
//! an error among its findings or a test that fails; the newest version of a file is the active one; a
//! decision id belongs to one active file of the tenant; tests, evaluations and analyses change nothing.
//!
//! It does not attach rules to processes and does not record evaluations: a process pins versions when it
//! is published, and the run wing logs what they answered.

mod cases;
pub mod csv;
mod dmn;
mod error;
mod exchange;
mod service;
pub mod spreadsheet;
mod store;
mod tables;
mod tools;
pub mod types;

pub use service::{Rules, Source};
pub use store::MIGRATIONS;
pub use tools::operations;
pub use types::RulePin;

#[cfg(test)]
mod tests;
