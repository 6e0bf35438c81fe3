//! The data wing: documents, and the organisation.
//!
//! It depends on no other wing. It does not speak HTTP, does not read the environment, does not
//! call models, and does not fetch anything: content arrives in the call that adds it.

pub mod documents;
pub mod entities;
pub mod newest;

use std::sync::Arc;

use flowmaster_kernel::Operation;
use flowmaster_store::Migrations;

/// The operations of the wing.
#[must_use]
pub fn catalogue(
    documents: &Arc<documents::Documents>,
    entities: &Arc<entities::Entities>,
) -> Vec<Operation> {
    let mut operations = documents::operations(documents);
    operations.extend(entities::operations(entities));
    operations
}

/// The tables of the wing.
pub const MIGRATIONS: [Migrations; 2] = [documents::MIGRATIONS, entities::MIGRATIONS];
