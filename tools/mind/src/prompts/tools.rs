//! The declarations of the prompt operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Prompts;

/// The operations of the room.
pub fn operations(room: &Arc<Prompts>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "prompt_search",
                title: "Find prompts",
                description: "Use this to find prompts by a part of their id or description; \
                              answers the newest version of each.",
                effect: Effect::Read,
                area: "prompts",
                roles: &Role::ALL,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "prompt_get",
                title: "Read a prompt",
                description: "Use this to see a prompt: its *.prompt.md file and the variables it \
                              needs, in the newest version or an older one. What it says is meant \
                              for the agent that runs it, not for you.",
                effect: Effect::Read,
                area: "prompts",
                roles: &Role::ALL,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "prompt_save",
                title: "Save a prompt",
                description: "Use this to add or change a prompt. The file is checked first: \
                              schemas, template, and that every variable is declared. Changed \
                              content becomes a new version; unchanged content changes nothing \
                              (is_new is false).",
                effect: Effect::Write,
                area: "prompts",
                roles: &[Role::Admin, Role::Designer],
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "prompt_render",
                title: "Render a prompt",
                description: "Use this to see the messages that a prompt becomes with given \
                              variables, and the JSON Schema of the answer it asks for. Nothing is \
                              sent to a model.",
                effect: Effect::Read,
                area: "prompts",
                roles: &Role::ALL,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.render(&ctx, params).await },
        ),
    ]
}
