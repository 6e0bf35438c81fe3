//! The trust wing: who calls (identity) and what was called (audit).
//!
//! It depends on no other wing. It does not speak HTTP, does not read the environment, and does
//! not decide what an operation may do: that is the dispatcher's and the engine's work.

pub mod audit;
pub mod identity;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(identity: &Arc<identity::Identity>, audit: &Arc<audit::Audit>) -> Vec<Operation> {
    let mut operations = identity::operations(identity);
    operations.extend(audit::operations(audit));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 2] = [identity::MIGRATIONS, audit::MIGRATIONS];
