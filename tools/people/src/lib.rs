//! The people wing: human tasks.
//!
//! It depends on the run wing; nothing depends on it. Processes say through the outbox that a
//! person is needed, and this wing subscribes.

pub mod tasks;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(tasks: &Arc<tasks::Tasks>) -> Vec<Operation> {
    tasks::operations(tasks)
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 1] = [tasks::MIGRATIONS];
