//! The declarations of the task operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Tasks;

const READERS: &[Role] =
    &[Role::Admin, Role::Designer, Role::Employee, Role::Manager, Role::Auditor, Role::Agent];
const WORKERS: &[Role] = &[Role::Admin, Role::Employee, Role::Manager, Role::Agent];

/// The operations of the room.
pub fn operations(room: &Arc<Tasks>) -> Vec<Operation> {
    let mut operations = reading(room);
    operations.extend(holding(room));
    operations.extend(closing(room));
    operations
}

fn reading(room: &Arc<Tasks>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "task_list",
                title: "List tasks",
                description: "Use this to see what is to be done: your tasks and those you may \
                              claim, the most urgent first.",
                effect: Effect::Read,
                area: "tasks",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.list(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_get",
                title: "Read a task",
                description: "Use this before you do a task: what is asked, the form with the \
                              values known so far, the draft, the comments and who may not do it.",
                effect: Effect::Read,
                area: "tasks",
                roles: READERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
    ]
}

fn holding(room: &Arc<Tasks>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "task_claim",
                title: "Claim a task",
                description: "Use this to take a task, so that nobody else does it at the same \
                              time.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.claim(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_release",
                title: "Release a task",
                description: "Use this to give a claimed task back, so that others may claim it.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.release(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_delegate",
                title: "Delegate a task",
                description: "Use this to give a task to a particular person; whoever is excluded \
                              by four eyes cannot get it.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.delegate(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_save_draft",
                title: "Save a draft",
                description: "Use this to keep what is filled in so far without completing the \
                              task.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.save_draft(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_comment",
                title: "Comment on a task",
                description: "Use this to say something about a task that others working on it \
                              should read.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.comment(&ctx, params).await },
        ),
    ]
}

fn closing(room: &Arc<Tasks>) -> Vec<Operation> {
    vec![
        Operation::new(
            Spec {
                name: "task_complete",
                title: "Complete a task",
                description: "Use this when a task is done. The answer must fit the form; values \
                              you change against the prefilled ones are kept as corrections, and \
                              the process goes on.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.complete(&ctx, params).await },
        ),
        Operation::new(
            Spec {
                name: "task_reject",
                title: "Reject a task",
                description: "Use this when a task cannot or must not be done, with the reason; \
                              the process goes on where it catches the rejection.",
                effect: Effect::Write,
                area: "tasks",
                roles: WORKERS,
                toolset: Toolset::Core,
            },
            room,
            |room, ctx, params| async move { room.reject(&ctx, params).await },
        ),
    ]
}
