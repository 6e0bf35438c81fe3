//! The reach wing: what happens is told to systems outside, and what they began is theirs to follow.
//!
//! It depends on the run wing, whose announcements it passes on; nothing depends on it. Not here: what
//! comes in from outside (messages are an operation of the run wing), and calls that a process makes.

pub mod handles;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod webhooks;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(webhooks: &Arc<webhooks::Webhooks>) -> Vec<Operation> {
    webhooks::operations(webhooks)
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 2] = [webhooks::MIGRATIONS, handles::MIGRATIONS];
