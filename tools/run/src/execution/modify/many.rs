//! The same modification of many instances, each in a step of its own.

use std::collections::BTreeSet;

use flowmaster_engine::Command;
use flowmaster_engine::model::Process;
use flowmaster_kernel::{Ctx, ErrorKind, Result};
use flowmaster_store::WriteSet;

use super::super::error::ExecutionError;
use super::super::instance::Stored;
use super::super::messages::unkeyed;
use super::super::search::{Fits, Scanned, cursor, place, place_of};
use super::super::service::{Execution, Then};
use super::super::store::{Filter, state_name};
use super::super::types::{ModifiedInstances, ModifiedOne, ModifyInstances, Problem};
use super::command;

/// The most instances at once.
const MAX_INSTANCES: u32 = 200;
/// How many that are when the caller does not say.
const INSTANCES: u32 = 50;

impl Execution {
    pub(in super::super) async fn modify_many(
        &self,
        ctx: &Ctx,
        params: ModifyInstances,
    ) -> Result<ModifiedInstances> {
        let limit = params.limit.unwrap_or(INSTANCES);
        if limit == 0 || limit > MAX_INSTANCES {
            return Err(ExecutionError::Choice("at most 200 instances at once").into());
        }
        if params.instructions.iter().any(|it| it.key.is_some() || it.within.is_some()) {
            let what = "keys differ from instance to instance: name elements by their BPMN ids";
            return Err(ExecutionError::Choice(what).into());
        }
        // A process that does not exist is told, rather than that nothing fits.
        self.processes().published(ctx, &params.process, params.process_version).await?;
        let command = command(params.instructions, params.variables, params.reason)?;
        let fits = Fits::new(params.element, Vec::new(), (None, None))?;
        let filter = Filter {
            process: Some(params.process),
            process_version: params.process_version,
            after: params.cursor.map(place).transpose()?,
            ..Filter::default()
        };
        let limit = limit as usize;
        let runs = |stored: &Stored, process: Option<&Process>| {
            !stored.instance.state.is_ended() && fits.holds(stored, process)
        };
        let Scanned { mut found, stopped_at, .. } = self.scan(ctx, filter, limit + 1, runs).await?;
        let is_full = found.len() > limit;
        found.truncate(limit);
        let next = if is_full { found.last().map(place_of) } else { stopped_at };
        let mut items = Vec::with_capacity(found.len());
        for stored in &found {
            let after = match params.dry_run {
                true => {
                    self.modified_so(ctx, stored, command.clone()).await.map(|(after, _)| after)
                }
                false => self.modify_one(ctx, stored, &command).await,
            };
            let instance = stored.instance.id.to_string();
            items.push(match after {
                Ok(after) => standing(instance, &after),
                // What is done already is in the journals.
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Err(error) => {
                    let (code, what) = (error.code().to_owned(), error.body().what.clone());
                    ModifiedOne {
                        instance,
                        state: None,
                        elements: Vec::new(),
                        open_incidents: 0,
                        problem: Some(Problem { code, what }),
                    }
                }
            });
            ctx.progress(items.len(), found.len());
        }
        let next_cursor = next.as_ref().map(cursor);
        let answer = ModifiedInstances { dry_run: params.dry_run, items, next_cursor };
        self.record(ctx, &answer).await?;
        Ok(answer)
    }

    async fn modify_one(&self, ctx: &Ctx, stored: &Stored, command: &Command) -> Result<Stored> {
        let nothing = |_: &_| Ok(WriteSet::new());
        // The key of the call belongs to its answer: until then it is not done.
        let (ctx, id) = (unkeyed(ctx), &stored.instance.id);
        let after = self.execute(&ctx, id, command, Then::also(&nothing)).await?;
        Ok(Stored::clone(&after))
    }
}

fn standing(instance: String, after: &Stored) -> ModifiedOne {
    let running: BTreeSet<String> =
        after.instance.elements().map(|(_, element)| element.element.to_string()).collect();
    ModifiedOne {
        instance,
        state: Some(state_name(&after.instance).to_owned()),
        elements: running.into_iter().collect(),
        open_incidents: after.instance.incidents().count(),
        problem: None,
    }
}
