//! Who called what, when, and how it ended: every call that changes something, and every one that
//! was refused. Reads that succeed are counted in the metrics instead. Append-only.
//!
//! Owns the table `audit_entry` and the operation `audit_search`. Entries are queued by the
//! dispatcher and written in batches, so that writing them down never delays a call; what an
//! instance did and what was refused to it is in the journal of that instance, in the same
//! transaction as the effect.
//!
//! Invariants: arguments are kept as a hash only, because they may hold secrets; an entry is never
//! changed; when the queue is full the loss is counted and told, never silent.

mod service;
mod store;
mod tools;
pub mod types;

pub use service::Audit;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
