//! The declarations of the mandate operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Mandates;

const WRITERS: &[Role] = &[Role::Admin, Role::Designer];

/// The operations of the room.
pub fn operations(room: &Arc<Mandates>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "mandate_save",
                title: "Replace the mandates",
                description: "Use this to change who may decide what, in which unit and up to which \
                              amount, who stands in for whom, and which duties are segregated. It \
                              replaces the whole set: read it with \
                              mandate_get, change it, and save it with its version. Agents and \
                              people are held to it from the next step of any process. What is \
                              wrong comes back as findings and nothing is saved.",
                effect: Effect::Write,
                area: "rules",
                roles: WRITERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "mandate_get",
                title: "Read the mandates",
                description: "Use this to see who may decide what, up to which amount, and who \
                              stands in for whom; all of it, or one domain or holder.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "mandate_check",
                title: "Check a mandate",
                description: "Use this to ask before acting whether you, or somebody else, may \
                              decide something: allow, deny, escalate or second_person (four \
                              eyes, segregation of duties), with who could decide instead, level \
                              by level. Give the unit of the case. Nothing is changed. The same \
                              check is made when you act, so asking is never required.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.check(&ctx, params).await },
        ),
    ]
}
