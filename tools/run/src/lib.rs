//! The run wing: process definitions and their execution.
//!
//! It depends on the mind wing (rules) and the data wing, never on people: what people have to do
//! goes to the outbox, and whoever serves people subscribes.

pub mod announced;
pub mod execution;
pub mod processes;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(
    processes: &Arc<processes::Processes>,
    execution: &Arc<execution::Execution>,
) -> Vec<Operation> {
    let mut operations = processes::operations(processes);
    operations.extend(execution::operations(execution));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 2] = [processes::MIGRATIONS, execution::MIGRATIONS];
