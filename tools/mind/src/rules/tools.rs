//! The declarations of the rule operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Rules;

const WRITERS: &[Role] = &[Role::Admin, Role::Designer];

/// The operations of the room.
pub fn operations(room: &Arc<Rules>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "rule_search",
                title: "Find rules",
                description: "Use this to find rule files by a part of their id or name, or by a \
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
                description: "Use this to see a version of a rule file, or its draft: its \
                              decisions and inputs, and with response_format detailed its tests and \
                              its DMN XML, for example to change it and give it to rule_save.",
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
                title: "Save a rule draft",
                description: "Use this to create or change decisions and their tests: a rule file \
                              with decision tables or FEEL expressions, in the compact form (rules) \
                              or as DMN XML. It saves a draft and answers what would keep it from \
                              being published, and gaps, overlaps and the like; processes are not \
                              affected until rule_publish.",
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
                name: "rule_publish",
                title: "Publish a rule",
                description: "Use this to make the draft of a rule file its next version, which \
                              processes take when they are published next; those that are published \
                              keep theirs. Refused while there are errors or tests that fail. To go \
                              back, save the older content and publish it.",
                effect: Effect::Write,
                area: "rules",
                roles: WRITERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.publish(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_test",
                title: "Test a rule",
                description: "Use this to run the test table of a rule file, or tests that you give, \
                              on a version or the draft: which decisions do not answer what is \
                              expected, which rules matched, and which rules no test covers.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.test(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_analyze",
                title: "Analyse decision tables",
                description: "Use this to find what is wrong with decision tables without running \
                              them, in a saved rule file or one that you are writing: inputs that no \
                              rule covers, rules that overlap, contradict each other or can never be \
                              reached, cells outside of the allowed values. Each finding names the \
                              rules, an example, and how to mend it.",
                effect: Effect::Read,
                area: "rules",
                roles: &Role::ALL,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.analyze(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_evaluate",
                title: "Evaluate a decision",
                description: "Use this to see what a decision answers for given inputs, in the \
                              active version or an older one, and with response_format detailed why: \
                              which rules of the table matched and what kept the others from it. It \
                              changes nothing, so it also answers what-if questions.",
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
