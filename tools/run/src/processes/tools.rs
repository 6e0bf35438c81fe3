//! The declarations of the process operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Processes;

const READERS: &[Role] = &Role::ALL;
const DESIGNERS: &[Role] = &[Role::Admin, Role::Designer];

/// The operations of the room.
pub fn operations(room: &Arc<Processes>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "process_search",
                title: "Find processes",
                description: "Use this to find the processes that exist, by part of their id or \
                              name, and see which version is active and which are offered as \
                              tools.",
                effect: Effect::Read,
                area: "processes",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "process_get",
                title: "Read a process",
                description: "Use this to read the model of a process: compact JSON to understand \
                              or change it, or BPMN 2.0 XML with its diagram.",
                effect: Effect::Read,
                area: "processes",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "process_save",
                title: "Save a process draft",
                description: "Use this to create, change or import a process. It saves a draft and \
                              answers what would keep it from being published; instances are not \
                              affected until process_publish.",
                effect: Effect::Write,
                area: "processes",
                roles: DESIGNERS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "process_validate",
                title: "Check a process",
                description: "Use this to check a model, or a saved draft, without changing \
                              anything: every finding names the element and how to mend it.",
                effect: Effect::Read,
                area: "processes",
                roles: DESIGNERS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.validate(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "process_publish",
                title: "Publish a process",
                description: "Use this to make the draft the next version, which new instances \
                              then run on. Running instances keep their version. Refused while \
                              there are errors.",
                effect: Effect::Write,
                area: "processes",
                roles: DESIGNERS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.publish(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "rule_usage",
                title: "Find who uses a rule",
                description: "Use this before you change rules, to see which processes ask their \
                              decisions, in which version, and where: business rule tasks, and \
                              policies of elements or of whole processes in the order they are asked.",
                effect: Effect::Read,
                area: "processes",
                roles: READERS,
                toolset: Toolset::Rules,
            },
            room,
            |room, ctx, params| async move { room.usage(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "scenario_run",
                title: "Test a process",
                description: "Use this to test a process before it is published: a scenario in \
                              YAML starts it in memory with a virtual clock, drives it and says \
                              what must be true. Nothing is stored; answers the first difference.",
                effect: Effect::Read,
                area: "processes",
                roles: DESIGNERS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.run_scenario(&ctx, params).await },
        ),
    ]
}
