//! The declarations of the rule and mandate operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Rules;

const WRITERS: &[Role] = &[Role::Admin, Role::Designer];

/// The operations of the room.
pub fn operations(room: &Arc<Rules>) -> Vec<Operation> {
    let mut operations = decisions(room);
    operations.extend(mandates(room));
    operations
}

fn decisions(room: &Arc<Rules>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "rule_search",
                title: "Find rules",
                description: "Use this to find DMN files by a part of their id or name, or by a \
                              decision they hold. Answers their decisions with the names of the \
                              inputs, ready for rule_evaluate.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_get",
                title: "Read a rule",
                description: "Use this to see a version of a DMN file: its decisions and inputs, \
                              and with response_format detailed its XML, for example to change it \
                              and give it to rule_save.",
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
                name: "rule_save",
                title: "Save a rule",
                description: "Use this to add or change decisions: a DMN file with decision tables \
                              or FEEL expressions. It is checked first; what is wrong comes back \
                              as findings and nothing is saved. A changed file becomes a new \
                              version that is active at once; running processes keep the version \
                              they started with. To go back, save the older content again.",
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
                name: "rule_evaluate",
                title: "Evaluate a decision",
                description: "Use this to see what a decision answers for given inputs, in the \
                              active version or an older one. It changes nothing, so it also \
                              answers what-if questions.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.evaluate(&ctx, params).await },
        ),
    ]
}

fn mandates(room: &Arc<Rules>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "mandate_save",
                title: "Replace the mandates",
                description: "Use this to change who may decide what, up to which amount, and who \
                              stands in for whom. It replaces the whole set: read it with \
                              mandate_get, change it, and save it with its version. Agents and \
                              people are held to it from the next step of any process. What is \
                              wrong comes back as findings and nothing is saved.",
                effect: Effect::Write,
                area: "rules",
                roles: WRITERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.save_mandates(&ctx, params).await },
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
            |room, ctx, params| async move { room.get_mandates(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "mandate_check",
                title: "Check a mandate",
                description: "Use this to ask before acting whether you, or somebody else, may \
                              decide something: allow, deny, escalate (with who could decide \
                              instead) or second_person (four eyes). Nothing is changed. The same \
                              check is made when you act, so asking is never required.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.check_mandate(&ctx, params).await },
        ),
    ]
}
