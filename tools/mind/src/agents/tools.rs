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

const fn spec(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    roles: &'static [Role],
    toolset: Toolset,
) -> Spec {
    let scope = match effect {
        Effect::Read => "agents:read",
        Effect::Write | Effect::Destroy => "agents:write",
    };
    Spec { name, title, description, effect, scope, roles, toolset }
}

fn defining(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "agent_save",
                "Save an agent",
                "Use this to define or change an AI agent: its persona, prompt, tools, budgets, \
                 business groups, and whether clients or this server do its work. Each change is a \
                 new version.",
                Effect::Write,
                DESIGNERS,
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.save(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "agent_search",
                "Find agents",
                "Use this to see which AI agents there are and who does their work.",
                Effect::Read,
                READERS,
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "agent_get",
                "Read an agent",
                "Use this to read the definition of an AI agent, the newest version or an older \
                 one.",
                Effect::Read,
                READERS,
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
    ]
}

fn working(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "work_claim",
                "Take agent work",
                "Use this when you are to do the work of an AI agent: gives you the next piece as \
                 messages, context, allowed tools and an output schema. Answer it with work_submit \
                 before the lease ends.",
                Effect::Write,
                WORKERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.claim(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "work_submit",
                "Hand in agent work",
                "Use this to hand in the answer of work from work_claim. It must fit the output \
                 schema; when it does not, or a policy refuses it, you are told why. Then the \
                 process goes on.",
                Effect::Write,
                WORKERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.submit(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "work_fail",
                "Give agent work back",
                "Use this when you cannot do work from work_claim: give the reason, and error_code \
                 when the process has a way for it, such as work beyond the agent's mandate.",
                Effect::Write,
                WORKERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.fail(&ctx, params).await },
        ),
    ]
}

fn reading(room: &Arc<Agents>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "run_get",
                "Read a run of an agent",
                "Use this to see what an AI agent did at one piece of work: every call of a model \
                 and a tool, the answer, who did it, tokens; detailed adds what was said.",
                Effect::Read,
                READERS,
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.run(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "run_search",
                "Find runs of agents",
                "Use this to find runs of AI agents by process instance, agent or state, the \
                 newest first.",
                Effect::Read,
                READERS,
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.search_runs(&ctx, params).await },
        ),
    ]
}
