//! The declarations of the identity operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Identity;

const ADMINS: &[Role] = &[Role::Admin];

/// The operations of the room.
pub fn operations(room: &Arc<Identity>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "me_get",
                title: "Who am I",
                description: "Use this to learn who you are for this server: principal, roles, \
                              groups and scopes. Helps when a call was forbidden.",
                effect: Effect::Read,
                area: "me",
                roles: &Role::ALL,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.me(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "user_save",
                title: "Save a user",
                description: "Use this to create or change a person, an agent or a service \
                              account: roles, business groups, active or disabled.",
                effect: Effect::Write,
                area: "identity",
                roles: ADMINS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.save_user(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "user_search",
                title: "Find users",
                description: "Use this to find people, agents and service accounts, for example \
                              everyone in the group manager.",
                effect: Effect::Read,
                area: "identity",
                roles: &[Role::Admin, Role::Manager, Role::Auditor],
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.search_users(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "key_create",
                title: "Create an API key",
                description: "Use this to give a principal an API key. The secret is in the answer \
                              and is never shown again.",
                effect: Effect::Write,
                area: "identity",
                roles: ADMINS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.create_key(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "key_list",
                title: "List API keys",
                description: "Use this to see which API keys exist, for whom, with which scopes, \
                              and whether they are revoked.",
                effect: Effect::Read,
                area: "identity",
                roles: &[Role::Admin, Role::Auditor],
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.list_keys(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "key_revoke",
                title: "Revoke an API key",
                description: "Use this when a key is lost or no longer needed. It is refused from \
                              then on; this cannot be undone.",
                effect: Effect::Destroy,
                area: "identity",
                roles: ADMINS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.revoke_key(&ctx, params).await },
        ),
    ]
}
