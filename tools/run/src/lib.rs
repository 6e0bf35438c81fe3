//! The run wing: process definitions, their execution, the log of what decisions answered them, and
//! the record of what the policies said.
//!
//! It depends on the mind wing (rules) and the data wing, never on people: what people have to do
//! goes to the outbox, and whoever serves people subscribes.

pub mod announced;
pub mod evaluations;
pub mod execution;
pub mod processes;
pub mod record;
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
    evaluations: &Arc<evaluations::Evaluations>,
    record: &Arc<record::Record>,
) -> Vec<Operation> {
    let mut operations = processes::operations(processes);
    operations.extend(execution::operations(execution));
    operations.extend(evaluations::operations(evaluations));
    operations.extend(record::operations(record));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 4] =
    [processes::MIGRATIONS, execution::MIGRATIONS, evaluations::MIGRATIONS, record::MIGRATIONS];
