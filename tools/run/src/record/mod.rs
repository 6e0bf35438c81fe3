//! The runtime record: what the policies were asked about what was tried, what they read and what they
//! said, for allowed and refused attempts alike, in the commit of the step.
//!
//! Owns the tables `record_entry`, `record_unsealed`, `record_sealed` and `record_seal` and the operations
//! `record_search`, `record_get`, `record_verify` and `record_export`. The execution room writes entries;
//! the upkeep of a node seals them. The format of an export is `docs/runtime-record.md`.
//!
//! Invariants: an attempt that a policy was asked about has an entry if and only if its commit is
//! durable, and one that no policy is about has none; an entry is never changed; no commit waits for
//! another's: what commits together is put in order afterwards, by seals, each of which covers the one
//! before it; values over 2 kB, and all that was attempted, are kept as hashes only; entries stay when
//! their instance goes to the archive, because the chain is of the tenant and not of the instance.

mod append;
mod chain;
mod error;
mod export;
mod pages;
mod seal;
mod service;
mod store;
mod tools;
pub mod types;

pub use append::{Committed, append};
pub use chain::{KnownSeal, Verified};
pub use export::{export_lines, verify_export};
pub use service::Record;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
