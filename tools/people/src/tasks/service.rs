//! The verbs of the tasks room.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_kernel::{
    Ctx, Cursor, Error, ErrorKind, Page, PageRequest, Principal, ResponseFormat, Result,
};
use flowmaster_run::execution::{Execution, Proposal, Stored, WorkRef};
use flowmaster_store::{Db, WriteSet};
use serde_json::Value;

use super::error::TaskError;
use super::rules;
use super::store::lists::{self, Part, Whose};
use super::store::{self, TaskRow};
use super::types::{
    ClaimTask, ClosedTask, Comment, CommentTask, CompleteTask, Correction, DelegateTask, GetTask,
    ListTasks, ProposedAnswer, RejectTask, ReleaseTask, SaveDraft, Task, TaskFilter, TaskPage,
    TaskState, TaskSummary,
};

/// The longest comment or reason, in characters.
const MAX_TEXT: usize = 4_000;
/// The longest id of a principal, and the longest error code, in characters.
const MAX_NAME: usize = 200;
/// The error code of a rejection.
const REJECTED: &str = "REJECTED";

/// The tasks room.
pub struct Tasks {
    db: Db,
    execution: Arc<Execution>,
}

impl Tasks {
    /// The room on `db`.
    pub fn new(db: Db, execution: Arc<Execution>) -> Self {
        Self { db, execution }
    }

    /// The store, for the subscriptions of the room.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    pub(super) async fn list(&self, ctx: &Ctx, params: ListTasks) -> Result<TaskPage> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let Principal { id, groups, .. } = &*ctx.principal;
        let whose = match params.filter {
            TaskFilter::Todo => Whose::Todo(id, groups),
            TaskFilter::Mine => Whose::Mine(id),
            TaskFilter::Claimable => Whose::Claimable(id, groups),
            TaskFilter::AllOpen | TaskFilter::All if !rules::sees_all(&ctx.principal) => {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    "not_a_manager",
                    "only managers see all tasks",
                )
                .fix("use the filter todo, mine or claimable"));
            }
            TaskFilter::AllOpen => Whose::AllOpen,
            TaskFilter::All => Whose::All,
        };
        let after = params.cursor.as_ref().map(|Cursor(text)| {
            text.split_once(' ').ok_or_else(|| {
                Error::invalid("invalid_cursor", "the cursor is not one of this list")
                    .fix("start again without a cursor")
            })
        });
        let after = after.transpose()?;
        let mut session = self.db.read(ctx).await?;
        let part = Part { instance: params.instance.as_deref(), after, limit: limit + 1 };
        let found = lists::list(&mut session, &whose, &part).await?;
        let page =
            Page::from_overfetched(found, limit, |task| format!("{} {}", task.rank, task.id));
        let items = page.items.iter().map(|task| summary(ctx, task)).collect();
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    /// Reads a task with what is needed to do it.
    ///
    /// # Errors
    /// `task_not_found`, also for a task that is not for the caller.
    pub async fn get(&self, ctx: &Ctx, params: GetTask) -> Result<Task> {
        let excluded = self.excluded(ctx, &params.id).await?;
        let mut session = self.db.read(ctx).await?;
        let mut row = visible(ctx, store::find(&mut session, &params.id).await?, &params.id)?;
        row.excluded.extend(excluded);
        let comments = store::comments(&mut session, &params.id).await?;
        Ok(view(ctx, row, comments, params.response_format))
    }

    pub(super) async fn claim(&self, ctx: &Ctx, params: ClaimTask) -> Result<Task> {
        let me = ctx.principal.id.clone();
        self.assign(ctx, &params.id, |row| {
            rules::check_claim(row, &ctx.principal)?;
            Ok(Some(me.clone()))
        })
        .await
    }

    pub(super) async fn release(&self, ctx: &Ctx, params: ReleaseTask) -> Result<Task> {
        self.assign(ctx, &params.id, |row| {
            rules::check_hand_over(row, &ctx.principal, None)?;
            Ok(None)
        })
        .await
    }

    pub(super) async fn delegate(&self, ctx: &Ctx, params: DelegateTask) -> Result<Task> {
        let length = params.to.trim().chars().count();
        if !(1..=MAX_NAME).contains(&length) {
            return Err(TaskError::Text("a task is delegated to the id of a principal").into());
        }
        self.assign(ctx, &params.id, |row| {
            rules::check_hand_over(row, &ctx.principal, Some(&params.to))?;
            Ok(Some(params.to.clone()))
        })
        .await
    }

    async fn assign(
        &self,
        ctx: &Ctx,
        id: &str,
        decide: impl Fn(&TaskRow) -> Result<Option<String>, TaskError>,
    ) -> Result<Task> {
        // Looked up before the transaction, which others wait for.
        let excluded = self.excluded(ctx, id).await?;
        let mut tx = self.db.begin(ctx).await?;
        let mut row = visible(ctx, store::find(&mut tx, id).await?, id)?;
        row.excluded.extend(excluded);
        let to = decide(&row)?;
        let state = rules::open_state(to.as_deref());
        store::assign(&mut tx, &row, to.as_deref(), state).await?;
        let row = TaskRow { state, assignee: to, version: row.version + 1, ..row };
        let comments = store::comments(&mut tx, id).await?;
        tx.commit(view(ctx, row, comments, ResponseFormat::Concise)).await
    }

    pub(super) async fn save_draft(&self, ctx: &Ctx, params: SaveDraft) -> Result<Task> {
        let excluded = self.excluded(ctx, &params.id).await?;
        let mut tx = self.db.begin(ctx).await?;
        let mut row = visible(ctx, store::find(&mut tx, &params.id).await?, &params.id)?;
        row.excluded.extend(excluded);
        rules::check_claim(&row, &ctx.principal)?;
        let (me, draft) = (ctx.principal.id.clone(), Value::Object(params.draft));
        store::save_draft(&mut tx, &row, &draft, &me).await?;
        let row = TaskRow {
            state: TaskState::Reserved,
            assignee: Some(me),
            draft: Some(draft),
            version: row.version + 1,
            ..row
        };
        let comments = store::comments(&mut tx, &params.id).await?;
        tx.commit(view(ctx, row, comments, ResponseFormat::Concise)).await
    }

    /// Completes a task that the caller has or may claim: the answer becomes variables, and the
    /// instance goes on in the same commit. Where the policies send it on, the answer is kept on the
    /// task, which is offered to whoever may confirm it, in the commit of the refusal.
    ///
    /// # Errors
    /// An answer that does not fit the form, a task that is somebody else's, or a policy that
    /// refuses.
    pub async fn complete(&self, ctx: &Ctx, params: CompleteTask) -> Result<ClosedTask> {
        let found = store::find(&mut *self.db.read(ctx).await?, &params.id).await?;
        let row = visible(ctx, found, &params.id)?;
        rules::check_complete(&row, &ctx.principal)?;
        let answer = rules::answer(&row, &ctx.principal, &params.variables);
        rules::check_answer(row.form.as_ref(), &answer)?;
        let corrections = rules::corrections(&row.variables, &answer);
        let work = work_ref(&row)?;
        // While the work is open after it, it was sent on.
        let also = |after: &Stored| match after.instance.wait(work.key) {
            Some(wait) => sent_on(ctx, &row, wait.kind.proposal()),
            None => closing(ctx, &row, TaskState::Completed, &corrections, after),
        };
        let after = self.execution.complete_human_task(ctx, &work, params.variables, &also).await?;
        Ok(closed(&row, TaskState::Completed, &corrections, &after))
    }

    pub(super) async fn reject(&self, ctx: &Ctx, params: RejectTask) -> Result<ClosedTask> {
        check_text(&params.reason, "the reason must have 1 to 4,000 characters")?;
        let code = params.code.as_deref().unwrap_or(REJECTED);
        if !(1..=MAX_NAME).contains(&code.chars().count()) {
            return Err(TaskError::Text("an error code has 1 to 200 characters").into());
        }
        let excluded = self.excluded(ctx, &params.id).await?;
        let found = store::find(&mut *self.db.read(ctx).await?, &params.id).await?;
        let mut row = visible(ctx, found, &params.id)?;
        row.excluded.extend(excluded);
        rules::check_claim(&row, &ctx.principal)?;
        let work = work_ref(&row)?;
        let also = |after: &Stored| closing(ctx, &row, TaskState::Failed, &[], after);
        let after =
            self.execution.reject_human_task(ctx, &work, code, &params.reason, &also).await?;
        Ok(closed(&row, TaskState::Failed, &[], &after))
    }

    pub(super) async fn comment(&self, ctx: &Ctx, params: CommentTask) -> Result<Task> {
        check_text(&params.text, "a comment must have 1 to 4,000 characters")?;
        let mut tx = self.db.begin(ctx).await?;
        let row = visible(ctx, store::find(&mut tx, &params.id).await?, &params.id)?;
        let comment =
            Comment { author: ctx.principal.id.clone(), at: ctx.now(), text: params.text };
        store::add_comment(&mut tx, &ctx.fresh_id(), &params.id, &comment).await?;
        let comments = store::comments(&mut tx, &params.id).await?;
        tx.commit(view(ctx, row, comments, ResponseFormat::Concise)).await
    }

    /// Who may not do the task as things are now: also whoever did their part after it was opened.
    async fn excluded(&self, ctx: &Ctx, id: &str) -> Result<BTreeSet<String>> {
        let Ok(work) = id.parse::<WorkRef>() else { return Ok(BTreeSet::new()) };
        match self.execution.excluded_from(ctx, &work).await {
            // No instance, no task: the caller is told so by who looks for the task.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
            found => found,
        }
    }
}

/// The rows that close a task in the commit that moves the instance on.
fn closing(
    ctx: &Ctx,
    row: &TaskRow,
    state: TaskState,
    corrections: &[Correction],
    after: &Stored,
) -> Result<WriteSet> {
    let mut writes = WriteSet::new();
    store::close(&mut writes, row, state, &ctx.principal.id, ctx.now(), corrections)?;
    writes.answer(ctx, &closed(row, state, corrections, after))?;
    Ok(writes)
}

/// The rows that offer a task to whoever may confirm what was filled in, in the commit that refuses to
/// complete it.
fn sent_on(ctx: &Ctx, row: &TaskRow, proposal: Option<&Proposal>) -> Result<WriteSet> {
    let mut writes = WriteSet::new();
    if let Some(proposal) = proposal {
        let proposed = ProposedAnswer {
            by: proposal.by.id.clone(),
            at: ctx.now(),
            policy: proposal.policy.clone(),
            reason: proposal.reason.clone(),
            approvers: proposal.approvers.clone(),
            variables: proposal.variables.to_json(),
        };
        store::propose(&mut writes, &rules::offered(row, proposed))?;
    }
    Ok(writes)
}

fn closed(
    row: &TaskRow,
    state: TaskState,
    corrections: &[Correction],
    after: &Stored,
) -> ClosedTask {
    ClosedTask {
        id: row.id.clone(),
        state,
        corrections: corrections.to_vec(),
        instance: row.instance.clone(),
        instance_state: after.instance.state.as_str().to_owned(),
    }
}

fn work_ref(row: &TaskRow) -> Result<WorkRef> {
    row.id.parse().map_err(|()| TaskError::NotFound(row.id.clone()).into())
}

fn visible(ctx: &Ctx, row: Option<TaskRow>, id: &str) -> Result<TaskRow> {
    row.filter(|row| rules::may_see(row, &ctx.principal))
        .ok_or_else(|| TaskError::NotFound(id.to_owned()).into())
}

fn check_text(text: &str, what: &'static str) -> Result<(), TaskError> {
    let length = text.trim().chars().count();
    if (1..=MAX_TEXT).contains(&length) { Ok(()) } else { Err(TaskError::Text(what)) }
}

fn summary(ctx: &Ctx, row: &TaskRow) -> TaskSummary {
    TaskSummary {
        id: row.id.clone(),
        name: row.name.clone(),
        state: row.state,
        assignee: row.assignee.clone(),
        groups: row.groups.clone(),
        priority: row.priority,
        due_at: row.due_at,
        is_overdue: row.state.is_open() && row.due_at.is_some_and(|due_at| ctx.now() > due_at),
        instance: row.instance.clone(),
        element: row.element.clone(),
        created_at: row.created_at,
    }
}

fn view(ctx: &Ctx, row: TaskRow, comments: Vec<Comment>, format: ResponseFormat) -> Task {
    Task {
        summary: summary(ctx, &row),
        prefill: rules::prefill(&row),
        documentation: row.documentation,
        form: row.form,
        draft: row.draft,
        proposal: row.proposal,
        excluded: row.excluded,
        variables: (format == ResponseFormat::Detailed).then_some(row.variables),
        comments,
        closed_by: row.closed_by,
        closed_at: row.closed_at,
        corrections: row.corrections,
    }
}
