//! The declarations of the record operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Record;

const AUDITORS: &[Role] = &[Role::Admin, Role::Manager, Role::Auditor];

/// The operations of the room.
pub fn operations(room: &Arc<Record>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "record_search",
                title: "Search the runtime record",
                description: "Use this to see what the policies were asked, by whom and with what \
                              outcome (allow, refuse, escalate, second_person), the newest first: by \
                              instance, process, element, actor, policy, outcome and time.",
                effect: Effect::Read,
                area: "record",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "record_get",
                title: "Read an entry of the record",
                description: "Use this to see why something was allowed or refused: the versions of \
                              process, mandates and decisions, each policy that was asked, and the \
                              values that it read with their hashes.",
                effect: Effect::Read,
                area: "record",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "record_verify",
                title: "Verify the runtime record",
                description: "Use this to prove that no entry of the runtime record was changed, \
                              removed, added or moved. Note the newest seal of the answer outside, and \
                              pass it as known next time: then nothing can be cut off at the end.",
                effect: Effect::Read,
                area: "record",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.verify(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "record_export",
                title: "Export the runtime record",
                description: "Use this to take the sealed entries out as lines of JSON, the oldest \
                              first, page by page. Write the lines of all pages into one file: anybody \
                              can verify it without the server.",
                effect: Effect::Read,
                area: "record",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.export(&ctx, params).await },
        ),
    ]
}
