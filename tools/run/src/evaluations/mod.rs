//! The log of evaluations: what decisions were asked by the processes, in which version, what they
//! answered and why, and what other rules would have answered.
//!
//! Owns the table `evaluations_evaluation` and the operations `evaluation_search`, `evaluation_get`,
//! `rule_simulate`. The execution room writes the rows.
//!
//! Invariants: an evaluation of a business rule task has a row if and only if its commit is durable; a
//! row is never changed; inputs over 64 kB are not kept, and their row says so; rows go to the archive
//! with their instance; simulations change nothing.
//!
//! What decisions answered to policies is in the runtime record.

mod append;
mod archive;
mod error;
mod service;
mod simulate;
mod store;
mod tools;
pub mod types;

pub use append::append;
pub use archive::EvaluationKeeper;
pub use service::Evaluations;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
