//! The organisation of a tenant: units in a tree, positions in units, who holds a position, and who
//! stands in for whom. Mandates are given to its roles and positions, and hold in its units.
//!
//! Owns the table `entities_organisation` and the operations `organisation_save`,
//! `organisation_get`, `person_get`.
//!
//! Invariants: the organisation is replaced as a whole, and a version of it never changes; the units
//! are a tree, and everything that is named in an organisation is in it; people are ids of
//! principals, whether or not somebody with that id ever called.
//!
//! It knows nothing of mandates, and does not decide who may do what.

mod error;
mod rules;
mod service;
mod store;
mod tools;
pub mod types;

pub use service::Entities;
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
