//! The declarations of the evaluation operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Evaluations;

/// Who may see the data of all instances.
const READERS: &[Role] =
    &[Role::Admin, Role::Designer, Role::Manager, Role::Developer, Role::Auditor];

/// The operations of the room.
pub fn operations(room: &Arc<Evaluations>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "evaluation_search",
                title: "Find evaluations",
                description: "Use this to see what decisions answered in processes, the newest \
                              first: with the inputs, the answer, and the version of the rules, by \
                              decision, process, instance and time.",
                effect: Effect::Read,
                area: "evaluations",
                roles: READERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "evaluation_get",
                title: "Explain an evaluation",
                description: "Use this to see why a decision answered as it did in a process: which \
                              rules of its table matched in the version of that time, and which cell \
                              kept each other rule from matching.",
                effect: Effect::Read,
                area: "evaluations",
                roles: READERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_simulate",
                title: "Simulate changed rules",
                description: "Use this before publishing changed rules, to see which past cases they \
                              would answer differently, e.g. which of last month's: it asks a draft, \
                              another version or a file that is not saved what processes asked, and \
                              compares. It changes nothing.",
                effect: Effect::Read,
                area: "evaluations",
                roles: READERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.simulate(&ctx, params).await },
        ),
    ]
}
