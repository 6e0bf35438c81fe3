//! Durable storage: transactions, group commit, and the tables every driver works from, on SQLite
//! and on PostgreSQL.
//!
//! One [`Db`] speaks to either back end with one SQL text. A room writes through a [`Tx`] or hands
//! over a [`WriteSet`]; both are acknowledged only when they are durable. Every handle is bound to
//! the tenant of a `Ctx`, and binds it as `$1` of every statement.
//!
//! What it does not do: it knows no business rules and no other crate's tables; it has no query
//! builder and no object mapping; it does not replicate (PostgreSQL does); it does not encrypt
//! what it stores. `store_leases` alone has no tenant: it belongs to processes.

pub mod archive;
pub mod backup;
mod config;
mod db;
mod dialect;
mod error;
#[cfg(any(test, feature = "testing"))]
mod fate;
pub mod idempotency;
pub mod intact;
pub mod jobs;
pub mod journal;
pub mod lease;
pub mod listeners;
mod migrate;
pub mod outbox;
mod param;
mod postgres;
mod row;
mod session;
mod sqlite;
mod status;
pub mod timers;
mod turns;
mod tx;
mod write_set;

#[cfg(test)]
mod conformance;

pub use config::{DbConfig, Durability, OpenError};
pub use db::Db;
pub use dialect::Dialect;
pub use error::{
    CONSTRAINT_FAILED, DUPLICATE, IDEMPOTENCY_CONFLICT, IDEMPOTENCY_RECORDED, OUTCOME_UNKNOWN,
    STALE_LEASE, TRANSACTION_EXPIRED, TRANSACTION_LOST,
};
#[cfg(any(test, feature = "testing"))]
pub use fate::{Fate, Fates};
pub use migrate::{AppliedStep, Migrations};
pub use param::{MAX_VALUE_BYTES, Param};
pub use row::Row;
pub use session::{MAX_ROWS, Session, Snapshot, SystemSnapshot};
pub use status::{Commits, Health, Status};
pub use turns::{Turn, Turns};
pub use tx::{SystemTx, Tx};
pub use write_set::{MAX_STATEMENTS, WriteSet};
