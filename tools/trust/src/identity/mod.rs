//! Tenants, principals (people, agents, service accounts) and their API keys.
//!
//! Owns the tables `identity_tenant`, `identity_principal`, `identity_key` and the operations
//! `key_create`, `key_list`, `key_revoke`, `user_save`, `user_search`, `me_get`.
//!
//! Invariants: a key is shown once and only its SHA-256 is stored (a key has 256 random bits, so a
//! slow hash adds nothing); the tenant of a call comes from here and from nowhere else; a revoked
//! or expired key, or one of a disabled principal, is refused like one that never existed; nobody
//! can make a key with a scope that they do not have themselves.

mod error;
mod key;
mod service;
mod store;
mod tools;
pub mod types;

pub use key::Secret;
pub use service::{Bootstrap, Identity, Verified};
pub use store::MIGRATIONS;
pub use tools::operations;

#[cfg(test)]
mod tests;
