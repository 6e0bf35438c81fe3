//! The declarations of the execution operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Execution;

const READERS: &[Role] = &Role::ALL;
const STARTERS: &[Role] =
    &[Role::Admin, Role::Designer, Role::Employee, Role::Manager, Role::Developer, Role::Agent];
const OPERATORS: &[Role] = &[Role::Admin, Role::Manager];
const PERFORMERS: &[Role] =
    &[Role::Admin, Role::Employee, Role::Manager, Role::Developer, Role::Agent];
const WORKERS: &[Role] = &[Role::Admin, Role::Developer];
const AUDITORS: &[Role] = &[Role::Admin, Role::Manager, Role::Auditor];
const SENDERS: &[Role] = &[Role::Admin, Role::Manager, Role::Developer, Role::Agent];

/// The operations of the room.
pub fn operations(room: &Arc<Execution>) -> Vec<Operation> {
    let mut operations = instances(room);
    operations.extend(operating(room));
    operations.extend(working(room));
    operations.extend(archiving(room));
    operations
}

fn instances(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "process_start",
                title: "Start a process",
                description: "Use this to start an instance of a published process. Set wait_s to \
                              get the result of a short process in the answer; otherwise look with \
                              instance_get.",
                effect: Effect::Write,
                area: "execution",
                roles: STARTERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.start(&ctx, params).await },
        )
        .answered_again_by(room, |room, ctx, params, recorded| async move {
            room.started(&ctx, params, recorded).await
        }),
        Operation::new(
            Spec {
                name: "instance_search",
                title: "Find instances",
                description: "Use this to find process instances by process, state, business key, \
                              the element where they are, variables, incidents, start or end, the \
                              newest first; each says what it waits for.",
                effect: Effect::Read,
                area: "execution",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.search(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "instance_get",
                title: "Read an instance",
                description: "Use this to see where an instance is, what it waits for and why, its \
                              incidents and result; detailed adds variables, the running elements \
                              with their keys, and every wait with its reason. Takes an id or a \
                              business key.",
                effect: Effect::Read,
                area: "execution",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "instance_timeline",
                title: "Read what happened",
                description: "Use this to see who did what in an instance, on which version of \
                              process and mandates, including what the policies refused. The \
                              journal, oldest first.",
                effect: Effect::Read,
                area: "execution",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.timeline(&ctx, params).await },
        ),
    ]
}

fn operating(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "instance_control",
                title: "Pause, resume, cancel or retry",
                description: "Use this to hold a running instance, let it go on, end it, or try \
                              again whatever its incidents stopped. Cancelling cannot be undone.",
                effect: Effect::Destroy,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.control(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "instance_modify",
                title: "Modify an instance",
                description: "Use this to repair a running instance: set variables, activate, \
                              terminate and move elements, all in one step or not at all. dry_run \
                              says first what would happen.",
                effect: Effect::Write,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.modify(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "instance_modify_all",
                title: "Modify many instances",
                description: "Use this to repair in the same way all running instances of a process \
                              that are at an element, instance by instance. dry_run says first \
                              which they are and what would become of them.",
                effect: Effect::Write,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.modify_many(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "instance_activate",
                title: "Activate elements",
                description: "Use this when an instance waits for somebody to activate elements of \
                              an ad-hoc sub-process: says which of them begin. instance_get with \
                              detailed lists what can.",
                effect: Effect::Write,
                area: "execution",
                roles: PERFORMERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.activate(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "incident_list",
                title: "List incidents",
                description: "Use this to see which instances cannot go on by themselves, where \
                              and why, and which calling instances wait for them.",
                effect: Effect::Read,
                area: "execution",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.incidents(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "incident_resolve",
                title: "Resolve an incident",
                description: "Use this when the cause of an incident is removed, or to set the \
                              variables that were missing: what it stopped is tried again.",
                effect: Effect::Write,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.resolve_incident(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "incident_resolve_all",
                title: "Resolve many incidents",
                description: "Use this when one cause stopped many instances and is removed: what \
                              the incidents stopped is tried again, instance by instance. dry_run \
                              says first which they are.",
                effect: Effect::Write,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Design,
            },
            room,
            |room, ctx, params| async move { room.resolve_incidents(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "message_publish",
                title: "Publish a message",
                description: "Use this to tell waiting instances that something happened outside, \
                              by message name and correlation key; it may also start processes.",
                effect: Effect::Write,
                area: "execution",
                roles: SENDERS,
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.publish_message(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "signal_broadcast",
                title: "Broadcast a signal",
                description: "Use this to tell every instance that waits for a signal, and to \
                              start the processes that begin by it.",
                effect: Effect::Write,
                area: "execution",
                roles: SENDERS,
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.broadcast(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "condition_evaluate",
                title: "Evaluate start conditions",
                description: "Use this when data outside changed: starts every published process \
                              that begins by a condition which holds with these variables, and \
                              says which.",
                effect: Effect::Write,
                area: "execution",
                roles: SENDERS,
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.evaluate_conditions(&ctx, params).await },
        ),
    ]
}

fn working(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "job_claim",
                title: "Claim jobs",
                description: "Use this when you are a worker: takes jobs of one type, which are \
                              yours until the lease ends.",
                effect: Effect::Write,
                area: "execution",
                roles: WORKERS,
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.claim_jobs(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "job_complete",
                title: "Complete a job",
                description: "Use this when a claimed job is done: its results become variables \
                              and the instance goes on.",
                effect: Effect::Write,
                area: "execution",
                roles: &[Role::Admin, Role::Developer, Role::Agent],
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.complete_job(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "job_fail",
                title: "Report a failed job",
                description: "Use this when a claimed job could not be done: with error_code for a \
                              business error that the process can catch, without for a technical \
                              failure to retry.",
                effect: Effect::Write,
                area: "execution",
                roles: &[Role::Admin, Role::Developer, Role::Agent],
                toolset: Toolset::Integrations,
            },
            room,
            |room, ctx, params| async move { room.fail_job(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "job_authorize",
                title: "Ask before a tool call",
                description: "Use this when you are an agent, before you call a tool for a job: \
                              the policies allow or refuse it, and either way it is recorded.",
                effect: Effect::Write,
                area: "execution",
                roles: &[Role::Admin, Role::Agent],
                toolset: Toolset::Agents,
            },
            room,
            |room, ctx, params| async move { room.authorize_tool(&ctx, params).await },
        ),
    ]
}

fn archiving(room: &Arc<Execution>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "instance_archive",
                title: "Archive instances",
                description: "Use this to move instances that ended before a moment out of the \
                              tables into the archive, now rather than when the retention says. \
                              They can still be read there.",
                effect: Effect::Destroy,
                area: "execution",
                roles: OPERATORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.archive(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "archive_search",
                title: "Find archived instances",
                description: "Use this to find instances that were archived, by process, business \
                              key or end, the last ended first.",
                effect: Effect::Read,
                area: "execution",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.search_archived(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "archive_get",
                title: "Read an archived instance",
                description: "Use this to see an archived instance with its tasks and the runs of \
                              its agents. Its journal is checked first, hash by hash and by \
                              replaying it; instance_timeline reads it.",
                effect: Effect::Read,
                area: "execution",
                roles: AUDITORS,
                toolset: Toolset::Admin,
            },
            room,
            |room, ctx, params| async move { room.get_archived(&ctx, params).await },
        ),
    ]
}
