//! The mind wing: decisions and mandates (rules), and prompts.
//!
//! It does not decide whether a command of a process may be applied: that is a step of the engine,
//! which is given the rules and mandates kept here. It does not call models, does not speak HTTP
//! and does not read the environment.

pub mod prompts;
pub mod rules;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(rules: &Arc<rules::Rules>, prompts: &Arc<prompts::Prompts>) -> Vec<Operation> {
    let mut operations = rules::operations(rules);
    operations.extend(prompts::operations(prompts));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 2] = [rules::MIGRATIONS, flowmaster_prompts::MIGRATIONS];
