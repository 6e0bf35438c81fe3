//! Modification of a running instance, done or only foreseen; [`many`] does it to many.

mod many;

use flowmaster_engine::modification::{Instruction, Which};
use flowmaster_engine::{Command, Decided, Event, Key};
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::WriteSet;

use super::error::{ExecutionError, Refused};
use super::instance::Stored;
use super::messages::check_length;
use super::query::summary;
use super::service::{Execution, Then};
use super::timeline::sentence;
use super::types::{ModifiedInstance, ModifyAction, ModifyInstance, ModifyInstruction, Variables};
use crate::processes::Published;

/// The most sentences about what would happen.
const MAX_SENTENCES: usize = 200;

impl Execution {
    pub(super) async fn modify(
        &self,
        ctx: &Ctx,
        params: ModifyInstance,
    ) -> Result<ModifiedInstance> {
        let command = command(params.instructions, params.variables, params.reason)?;
        if params.dry_run {
            return self.foresee_modification(ctx, &params.id, command).await;
        }
        let published = self.published_of(ctx, &*self.newest(ctx, &params.id).await?).await?;
        let also = |after: &Stored| {
            let mut writes = WriteSet::new();
            writes.answer(ctx, &modified(after, &published))?;
            Ok(writes)
        };
        let after = self.execute(ctx, &params.id, &command, Then::also(&also)).await?;
        Ok(modified(&after, &published))
    }

    async fn foresee_modification(
        &self,
        ctx: &Ctx,
        id: &str,
        command: Command,
    ) -> Result<ModifiedInstance> {
        let stored = self.stored(ctx, id).await?;
        let published = self.published_of(ctx, &stored).await?;
        let (after, events) = self.modified_so(ctx, &stored, command).await?;
        let mut would_happen: Vec<String> = events.iter().filter_map(sentence).collect();
        let more = would_happen.len().saturating_sub(MAX_SENTENCES);
        if more > 0 {
            would_happen.truncate(MAX_SENTENCES);
            would_happen.push(format!("and {more} more"));
        }
        let answer =
            ModifiedInstance { dry_run: true, would_happen, ..modified(&after, &published) };
        self.record(ctx, &answer).await?;
        Ok(answer)
    }

    /// The instance as it would be, and what would happen.
    async fn modified_so(
        &self,
        ctx: &Ctx,
        stored: &Stored,
        command: Command,
    ) -> Result<(Stored, Vec<Event>)> {
        let decided = self.foresee(ctx, stored, command).await?;
        if let Some(refused) = Refused::of(&decided) {
            return Err(ExecutionError::Refused(Box::new(refused)).into());
        }
        let Decided { events, instance, .. } = decided;
        let ended_at = instance.state.is_ended().then(|| ctx.now());
        Ok((Stored { instance, ended_at, ..stored.clone() }, events))
    }
}

/// The command that changes what the caller says.
fn command(
    given: Vec<ModifyInstruction>,
    variables: Variables,
    reason: Option<String>,
) -> Result<Command> {
    check_length("the reason", reason.as_deref().unwrap_or_default())?;
    let instructions: Result<Vec<_>, _> =
        (1..).zip(given).map(|(at, given)| instruction(at, given)).collect();
    let mut instructions = instructions?;
    if !variables.is_empty() {
        let variables = variables.into();
        instructions.push(Instruction::SetVariables { scope: Key::PROCESS, variables });
    }
    if instructions.is_empty() {
        let what = "say what to change: variables or instructions";
        return Err(ExecutionError::Choice(what).into());
    }
    Ok(Command::Modify { instructions, reason })
}

fn modified(after: &Stored, published: &Published) -> ModifiedInstance {
    ModifiedInstance {
        summary: summary(after, published),
        dry_run: false,
        would_happen: Vec::new(),
    }
}

/// An instruction of the engine from what the caller says; `at` is its place, from 1.
fn instruction(at: usize, given: ModifyInstruction) -> Result<Instruction, ExecutionError> {
    let ModifyInstruction { action, element, key, to, within, variables } = given;
    let wrong = |needs| ExecutionError::Instruction { at, needs };
    let (within, variables) = (within.map(Key), variables.into());
    let which = match (element, key) {
        (Some(element), None) => Which::Every(element.into()),
        (None, Some(key)) => Which::One(Key(key)),
        _ => return Err(wrong("give either an element or a key")),
    };
    match (action, which, to) {
        (ModifyAction::Activate, Which::Every(element), None) => {
            Ok(Instruction::Activate { element, within, variables })
        }
        (ModifyAction::Activate, ..) => {
            Err(wrong("activate takes an element, and neither a key nor to"))
        }
        (ModifyAction::Terminate, which, None) if within.is_none() && variables.is_empty() => {
            Ok(Instruction::Terminate { which })
        }
        (ModifyAction::Terminate, ..) => {
            Err(wrong("terminate takes an element or a key, and nothing else"))
        }
        (ModifyAction::Move, which, Some(to)) => {
            Ok(Instruction::Move { which, to: to.into(), within, variables })
        }
        (ModifyAction::Move, _, None) => Err(wrong("say with to where it is moved")),
    }
}
