//! The declarations of the organisation operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Entities;

const WRITERS: &[Role] = &[Role::Admin, Role::Designer];
/// The largest arguments of `organisation_save`, in bytes: the largest organisation with ids of
/// usual length.
const MAX_SAVE_BYTES: usize = 12 * 1024 * 1024;

/// The operations of the room.
pub fn operations(room: &Arc<Entities>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "organisation_save",
                title: "Replace the organisation",
                description: "Use this to change the units, positions, who holds them, or who \
                              stands in for whom while somebody is absent. It replaces the whole: \
                              read it with organisation_get, change it, and save it with its \
                              version. Mandates follow it from the next step of any process. What \
                              is wrong comes back as findings and nothing is saved.",
                effect: Effect::Write,
                area: "organisation",
                roles: WRITERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        )
        .with_arguments_up_to(MAX_SAVE_BYTES),
        Operation::new(
            Spec {
                name: "organisation_get",
                title: "Read the organisation",
                description: "Use this to see the units, positions, holders and substitutes; all \
                              of them page by page, or those of one unit or one person. Ask \
                              person_get for who somebody is now.",
                effect: Effect::Read,
                area: "organisation",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "person_get",
                title: "Who somebody is",
                description: "Use this to learn who somebody, or you, is in the organisation now: \
                              positions, units, roles, superiors, who stands in for them and for \
                              whom they stand in. What they may decide is answered by \
                              mandate_check.",
                effect: Effect::Read,
                area: "organisation",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.person(&ctx, params).await },
        ),
    ]
}
