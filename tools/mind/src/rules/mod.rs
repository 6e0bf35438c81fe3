//! Decisions (DMN files).
//!
//! Owns the tables `rules_decision`, `rules_active` and the operations `rule_search`, `rule_get`,
//! `rule_save`, `rule_analyze`, `rule_evaluate`.
//!
//! Invariants: a version never changes, so what was pinned once is found for ever; the newest
//! version of a file is the active one; a decision id belongs to one active file of the tenant;
//! nothing is kept that cannot be evaluated; evaluations and analyses change nothing.
//!
//! It does not attach rules to processes and does not record evaluations: a running process pins
//! versions, and its journal tells what they answered.

pub mod csv;
mod dmn;
mod error;
mod service;
pub mod spreadsheet;
mod store;
mod tables;
mod tools;
pub mod types;

pub use service::Rules;
pub use store::MIGRATIONS;
pub use tools::operations;
pub use types::RulePin;

#[cfg(test)]
mod tests;
