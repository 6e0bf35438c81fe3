//! The declarations of the task operations.

use std::sync::Arc;

use flowmaster_kernel::{Effect, Operation, Role, Spec, Toolset};

use super::Tasks;

const READERS: &[Role] =
    &[Role::Admin, Role::Designer, Role::Employee, Role::Manager, Role::Auditor, Role::Agent];
const WORKERS: &[Role] = &[Role::Admin, Role::Employee, Role::Manager, Role::Agent];

const fn spec(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    toolset: Toolset,
) -> Spec {
    let (scope, roles) = match effect {
        Effect::Read => ("tasks:read", READERS),
        Effect::Write | Effect::Destroy => ("tasks:write", WORKERS),
    };
    Spec { name, title, description, effect, scope, roles, toolset }
}

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
            spec(
                "task_list",
                "List tasks",
                "Use this to see what is to be done: your tasks and those you may claim, the most \
                 urgent first.",
                Effect::Read,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.list(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_get",
                "Read a task",
                "Use this before you do a task: what is asked, the form with the values known so \
                 far, the draft, the comments and who may not do it.",
                Effect::Read,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.get(&ctx, params).await },
        ),
    ]
}

fn holding(room: &Arc<Tasks>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "task_claim",
                "Claim a task",
                "Use this to take a task, so that nobody else does it at the same time.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.claim(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_release",
                "Release a task",
                "Use this to give a claimed task back, so that others may claim it.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.release(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_delegate",
                "Delegate a task",
                "Use this to give a task to a particular person; whoever is excluded by four eyes \
                 cannot get it.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.delegate(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_save_draft",
                "Save a draft",
                "Use this to keep what is filled in so far without completing the task.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.save_draft(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_comment",
                "Comment on a task",
                "Use this to say something about a task that others working on it should read.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.comment(&ctx, params).await },
        ),
    ]
}

fn closing(room: &Arc<Tasks>) -> Vec<Operation> {
    vec![
        Operation::new(
            spec(
                "task_complete",
                "Complete a task",
                "Use this when a task is done. The answer must fit the form; values you change \
                 against the prefilled ones are kept as corrections, and the process goes on.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.complete(&ctx, params).await },
        ),
        Operation::new(
            spec(
                "task_reject",
                "Reject a task",
                "Use this when a task cannot or must not be done, with the reason; the process \
                 goes on where it catches the rejection.",
                Effect::Write,
                Toolset::Core,
            ),
            room,
            |room, ctx, params| async move { room.reject(&ctx, params).await },
        ),
    ]
}
