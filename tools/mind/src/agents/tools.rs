//! The declarations of the agents operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Agents;

const READERS: &[Role] = &Role::ALL;
const DESIGNERS: &[Role] = &[Role::Admin, Role::Designer];
const WORKERS: &[Role] = &[Role::Admin, Role::Employee, Role::Developer, Role::Agent];

/// The operations of the room.
pub fn operations(room: &Arc<Agents>) -> Vec<Operation> {
    let mut operations = defining(room);
    operations.extend(working(room));
    operations.extend(reading(room));
    operations
}

fn defining(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "agent_save",
                title: "Save an agent",
                description: "Use this to define or change an AI agent: its persona, prompt, \
                              tools, budgets, business groups, and whether clients or this server \
                              do its work. Each change is a new version.",
                effect: Effect::Write,
                area: "agents",
                roles: DESIGNERS,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "agent_search",
                title: "Find agents",
                description: "Use this to see which AI agents there are and who does their work.",
                effect: Effect::Read,
                area: "agents",
                roles: READERS,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "agent_get",
                title: "Read an agent",
                description: "Use this to read the definition of an AI agent, the newest version \
                              or an older one.",
                effect: Effect::Read,
                area: "agents",
                roles: READERS,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
    ]
}

fn working(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "work_claim",
                title: "Take agent work",
                description: "Use this when you are to do the work of an AI agent: gives you the \
                              next piece as messages, context, allowed tools and an output schema. \
                              Answer it with work_submit before the lease ends.",
                effect: Effect::Write,
                area: "agents",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.claim(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "work_submit",
                title: "Hand in agent work",
                description: "Use this to hand in the answer of work from work_claim. It must fit \
                              the output schema; when it does not, or a policy refuses it, you are \
                              told why. Then the process goes on.",
                effect: Effect::Write,
                area: "agents",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.submit(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "work_fail",
                title: "Give agent work back",
                description: "Use this when you cannot do work from work_claim: give the reason, \
                              and error_code when the process has a way for it, such as work \
                              beyond the agent's mandate.",
                effect: Effect::Write,
                area: "agents",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.fail(&ctx, params).await },
        ),
    ]
}

fn reading(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "run_get",
                title: "Read a run of an agent",
                description: "Use this to see what an AI agent did at one piece of work: every \
                              call of a model and a tool, the answer, who did it, tokens; detailed \
                              adds what was said.",
                effect: Effect::Read,
                area: "agents",
                roles: READERS,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.run(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "run_search",
                title: "Find runs of agents",
                description: "Use this to find runs of AI agents by process instance, agent or \
                              state, the newest first.",
                effect: Effect::Read,
                area: "agents",
                roles: READERS,
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.search_runs(&ctx, params).await },
        ),
    ]
}
