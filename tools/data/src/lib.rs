//! The data wing: documents.
//!
//! It depends on no other wing. It does not speak HTTP, does not read the environment, does not
//! call models, and does not fetch anything: content arrives in the call that adds it.

pub mod documents;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(documents: &Arc<documents::Documents>) -> Vec<Operation> {
    documents::operations(documents)
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 1] = [documents::MIGRATIONS];
