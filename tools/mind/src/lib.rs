//! The mind wing: decisions (rules), mandates, prompts, and agents.
//!
//! It does not decide whether a command of a process may be applied: that is a step of the engine,
//! which is given the rules and mandates kept here. Agents call models through the
//! `agents` crate and operations through the dispatcher. It does not speak HTTP and does not read the
//! environment.

pub mod agents;
pub mod mandates;
pub mod prompts;
pub mod rules;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(
    rules: &Arc<rules::Rules>,
    mandates: &Arc<mandates::Mandates>,
    prompts: &Arc<prompts::Prompts>,
    agents: &Arc<agents::Agents>,
) -> Vec<Operation> {
    let mut operations = rules::operations(rules);
    operations.extend(mandates::operations(mandates));
    operations.extend(prompts::operations(prompts));
    operations.extend(agents::operations(agents));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 4] =
    [rules::MIGRATIONS, mandates::MIGRATIONS, flowmaster_prompts::MIGRATIONS, agents::MIGRATIONS];
