//! The declarations of the audit operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Audit;

/// The operations of the room.
pub fn operations(room: &Arc<Audit>) -> Vec<Operation> {
    vec![Operation::new(
        Spec {
            name: "audit_search",
            title: "Search the audit log",
            description: "Use this to see who called which operation, when and with what outcome, \
                          the newest first; refused calls are there too.",
            effect: Effect::Read,
            area: "audit",
            roles: &[Role::Admin, Role::Auditor],
            toolset: Toolset::Admin,
        },
        room,
        |room, ctx, params| async move { room.search(&ctx, params).await },
    )]
}
