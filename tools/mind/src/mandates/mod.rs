//! Mandates: who may decide what, where in the organisation and up to which amount, who stands in for
//! whom, and which duties are segregated.
//!
//! Owns the table `mandates_set` and the operations `mandate_save`, `mandate_get`, `mandate_check`.
//!
//! Invariants: the set of a tenant is replaced as a whole, and a version of it never changes; nothing
//! is kept that makes no sense; a check changes nothing.
//!
//! It decides nothing about a process: the engine asks the same mandates, on the same organisation,
//! when somebody acts. Who is who is known by the entities room of the data wing.

mod error;
mod rules;
mod service;
mod store;
mod tools;
pub mod types;

pub use service::Mandates;
pub use store::MIGRATIONS;
pub use tools::operations;
pub use types::InForce;

#[cfg(test)]
mod tests;
