//! The declarations of the execution operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Execution;

const READERS: &[Role] = &Role::ALL;
const STARTERS: &[Role] =
    &[Role::Admin, Role::Designer, Role::Employee, Role::Manager, Role::Developer, Role::Agent];
const OPERATORS: &[Role] = &[Role::Admin, Role::Manager];
const WORKERS: &[Role] = &[Role::Admin, Role::Developer];
const SENDERS: &[Role] = &[Role::Admin, Role::Manager, Role::Developer, Role::Agent];

/// The operations of the room.
pub fn operations(room: &Arc<Execution>) -> Vec<Operation> {
    let mut operations = instances(room);
    operations.extend(operating(room));
    operations.extend(working(room));
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
        Effect::Read => "execution:read",
        Effect::Write | Effect::Destroy => "execution:write",
    };
    Spec { name, title, description, effect, scope, roles, toolset }
}

fn instances(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "process_start",
                "Start a process",
                "Use this to start an instance of a published process. Set wait_s to get the \
                 result of a short process in the answer; otherwise look with instance_get.",
                Effect::Write,
                STARTERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.start(&ctx, params).await },
        )
        .answered_again_by(room, |room, ctx, params, recorded| async move {
            room.started(&ctx, params, recorded).await
        }),
        Operation::new(
            spec(
                "instance_search",
                "Find instances",
                "Use this to find process instances by process, state, business key or open \
                 incidents, the newest first; each says what it waits for.",
                Effect::Read,
                READERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "instance_get",
                "Read an instance",
                "Use this to see where an instance is, what it waits for and why, its incidents \
                 and result; detailed adds variables. Takes an id or a business key.",
                Effect::Read,
                READERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "instance_timeline",
                "Read what happened",
                "Use this to see who did what in an instance, on which version of process and \
                 mandates, including what the policies refused. The journal, oldest first.",
                Effect::Read,
                READERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.timeline(&ctx, params).await },
        ),
    ]
}

fn operating(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "instance_control",
                "Pause, resume, cancel or retry",
                "Use this to hold a running instance, let it go on, end it, or try again whatever \
                 its incidents stopped. Cancelling cannot be undone.",
                Effect::Destroy,
                OPERATORS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.control(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "instance_modify",
                "Modify an instance",
                "Use this to repair a running instance: set variables, start an element, or end a \
                 running element. One change a call.",
                Effect::Write,
                OPERATORS,
                Toolset::Design,
            ),
            room,
            |room, ctx, params| async move { room.modify(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "incident_list",
                "List incidents",
                "Use this to see which instances cannot go on by themselves, where and why.",
                Effect::Read,
                READERS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.incidents(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "incident_resolve",
                "Resolve an incident",
                "Use this when the cause of an incident is removed, or to set the variables that \
                 were missing: what it stopped is tried again.",
                Effect::Write,
                OPERATORS,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.resolve_incident(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "message_publish",
                "Publish a message",
                "Use this to tell waiting instances that something happened outside, by message \
                 name and correlation key; it may also start processes.",
                Effect::Write,
                SENDERS,
                Toolset::Integrations,
            ),
            room,
            |room, ctx, params| async move { room.publish_message(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "signal_broadcast",
                "Broadcast a signal",
                "Use this to tell every instance that waits for a signal, and to start the \
                 processes that begin by it.",
                Effect::Write,
                SENDERS,
                Toolset::Integrations,
            ),
            room,
            |room, ctx, params| async move { room.broadcast(&ctx, params).await },
        ),
    ]
}

fn working(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "job_claim",
                "Claim jobs",
                "Use this when you are a worker: takes jobs of one type, which are yours until the \
                 lease ends.",
                Effect::Write,
                WORKERS,
                Toolset::Integrations,
            ),
            room,
            |room, ctx, params| async move { room.claim_jobs(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "job_complete",
                "Complete a job",
                "Use this when a claimed job is done: its results become variables and the \
                 instance goes on.",
                Effect::Write,
                &[Role::Admin, Role::Developer, Role::Agent],
                Toolset::Integrations,
            ),
            room,
            |room, ctx, params| async move { room.complete_job(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "job_fail",
                "Report a failed job",
                "Use this when a claimed job could not be done: with error_code for a business \
                 error that the process can catch, without for a technical failure to retry.",
                Effect::Write,
                &[Role::Admin, Role::Developer, Role::Agent],
                Toolset::Integrations,
            ),
            room,
            |room, ctx, params| async move { room.fail_job(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "job_authorize",
                "Ask before a tool call",
                "Use this when you are an agent, before you call a tool for a job: the policies \
                 allow or refuse it, and either way it is recorded.",
                Effect::Write,
                &[Role::Admin, Role::Agent],
                Toolset::Agents,
            ),
            room,
            |room, ctx, params| async move { room.authorize_tool(&ctx, params).await },
        ),
    ]
}
