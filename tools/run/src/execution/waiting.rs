//! "What is it waiting for?", in words and in detail: which timer and where it comes from, which
//! message and key, which person, which worker and who has the job, which called instance and what
//! stops it, which flows a join still misses.

use std::collections::HashMap;

use flowmaster_engine::governance::{Asked, asked_of};
use flowmaster_engine::model::{ElementId, Gateway, NodeKind, Process, Text, Trigger};
use flowmaster_engine::wait::{Wait, WaitKind};
use flowmaster_engine::{Key, WaitingJoin, waiting_joins};
use flowmaster_kernel::{Ctx, Result, Timestamp};
use flowmaster_store::jobs::{self, Job};

use super::instance::{Stored, WorkRef};
use super::relatives::Relatives;
use super::service::Execution;
use super::store::state_name;
use super::types::{AskedView, CalledView, FlowView, JobView, JoinView, TimerView, WaitView};
use crate::processes::Published;

/// How many jobs of an instance are looked at.
const MAX_JOBS: usize = 500;

/// Everything `stored` waits for in words, the oldest first, then its joins.
pub(super) fn sentences(stored: &Stored, process: &Process) -> Vec<String> {
    let instance = &stored.instance;
    let waits = instance.waits().map(|(_, wait)| sentence(stored, process, wait));
    let joins = waiting_joins(process, instance);
    waits.chain(joins.iter().map(|join| join_sentence(process, join))).collect()
}

impl Execution {
    /// Everything that an instance waits for, in detail.
    pub(super) async fn waits(
        &self,
        ctx: &Ctx,
        stored: &Stored,
        published: &Published,
        relatives: &mut Relatives<'_>,
    ) -> Result<Vec<WaitView>> {
        let process = published.definition.process();
        let instance = &stored.instance;
        let is_work = instance.waits().any(|(_, wait)| wait.kind.is_work());
        let jobs = match is_work {
            true => self.jobs_of(ctx, &instance.id).await?,
            false => HashMap::new(),
        };
        let mandates = self.mandates(ctx).await?;
        let mut views = Vec::new();
        for (key, wait) in instance.waits() {
            let mut view = described(stored, process, key, wait);
            if wait.kind.is_work() {
                let definition = &published.definition;
                let asked =
                    asked_of(definition, instance, wait.owner, &mandates.authority, ctx.now());
                view.approval = asked.into_iter().map(asked_view).collect();
            }
            if let Some(job) = view.id.as_ref().and_then(|id| jobs.get(id)) {
                view.job = Some(job_view(job, ctx.now()));
            }
            if let WaitKind::Child { process, instance } = &wait.kind {
                view.called = Some(called(relatives, process, instance).await?);
            }
            views.push(view);
        }
        views.extend(waiting_joins(process, instance).iter().map(|it| join_view(process, it)));
        Ok(views)
    }

    async fn jobs_of(&self, ctx: &Ctx, instance: &str) -> Result<HashMap<String, Job>> {
        let mut session = self.db().read(ctx).await?;
        let jobs = jobs::of_instance(&mut session, instance, MAX_JOBS).await?;
        Ok(jobs.into_iter().map(|job| (job.id.clone(), job)).collect())
    }
}

fn name(process: &Process, element: &str) -> String {
    let named = process.find(element).and_then(|ix| process.node(ix).name.clone());
    named.unwrap_or_else(|| element.to_owned())
}

/// What the state and the model tell about a wait.
fn described(stored: &Stored, process: &Process, key: Key, wait: &Wait) -> WaitView {
    let mut view = WaitView {
        id: Some(WorkRef { instance: stored.instance.id.to_string(), key }.to_string()),
        element: wait.element.to_string(),
        kind: kind(&wait.kind).to_owned(),
        waiting_for: sentence(stored, process, wait),
        key: (wait.owner != Key::PROCESS).then_some(wait.owner.0),
        ..WaitView::default()
    };
    let event = process.find(&wait.element).and_then(|ix| process.node(ix).trigger());
    let parts = event.map(Trigger::parts).unwrap_or_default();
    match &wait.kind {
        WaitKind::Human { assignee, candidate_groups, candidate_users, .. } => {
            view.assignee.clone_from(assignee);
            view.candidate_groups.clone_from(candidate_groups);
            view.candidate_users.clone_from(candidate_users);
        }
        WaitKind::Timer { due_at, repeat } => {
            view.due_at = Some(*due_at);
            let mut timers = parts.iter().filter_map(|part| match part {
                Trigger::Timer(timer) => Some(timer),
                _ => None,
            });
            // Of several timers in one event it is not known which one this is.
            if let (Some(timer), None) = (timers.next(), timers.next()) {
                view.timer = Some(TimerView {
                    source: source(&timer.value),
                    left: repeat.as_ref().and_then(|repeat| repeat.left),
                    every: repeat.as_ref().map(|repeat| repeat.every.clone()),
                });
            }
        }
        WaitKind::Message { name, correlation } => {
            view.name = Some(name.clone());
            view.correlation.clone_from(correlation);
        }
        WaitKind::Signal { name } => view.name = Some(name.clone()),
        WaitKind::Condition { part, .. } => {
            if let Some(Trigger::Conditional { condition }) = parts.get(*part as usize) {
                view.condition = Some(condition.text().to_owned());
            }
        }
        WaitKind::Activation { .. } => view.selectable = selectable(stored, process, wait),
        WaitKind::Job { .. }
        | WaitKind::Agent { .. }
        | WaitKind::Arrived { .. }
        | WaitKind::Compensation { .. }
        | WaitKind::Child { .. } => {}
    }
    view
}

/// What can be activated now in the ad-hoc sub-process that waits for it.
fn selectable(stored: &Stored, process: &Process, wait: &Wait) -> Vec<String> {
    let found = flowmaster_engine::selectable(&stored.instance, process, wait);
    found.iter().map(ToString::to_string).collect()
}

const fn kind(kind: &WaitKind) -> &'static str {
    match kind {
        WaitKind::Human { .. } => "person",
        WaitKind::Job { .. } => "worker",
        WaitKind::Agent { .. } => "agent",
        WaitKind::Timer { .. } => "timer",
        WaitKind::Message { .. } => "message",
        WaitKind::Signal { .. } => "signal",
        WaitKind::Condition { .. } => "condition",
        WaitKind::Arrived { .. } => "event",
        WaitKind::Compensation { .. } => "compensation",
        WaitKind::Activation { .. } => "activation",
        WaitKind::Child { .. } => "called_process",
    }
}

fn sentence(stored: &Stored, process: &Process, wait: &Wait) -> String {
    let name = name(process, &wait.element);
    match &wait.kind {
        WaitKind::Human { proposal: Some(proposal), .. } => {
            let whom = match proposal.approvers.as_slice() {
                [] => "another person".to_owned(),
                approvers => approvers.join(", "),
            };
            format!("{whom} to confirm what {} filled in at \"{name}\"", proposal.by.id)
        }
        WaitKind::Human { .. } => format!("a person to do \"{name}\""),
        WaitKind::Job { retries: 0 } | WaitKind::Agent { retries: 0 } => {
            format!("its incident at \"{name}\" to be resolved")
        }
        WaitKind::Job { .. } => format!("a worker to do \"{name}\""),
        WaitKind::Agent { .. } => format!("an agent to do \"{name}\""),
        WaitKind::Timer { due_at, .. } => format!("the timer \"{name}\" at {due_at}"),
        WaitKind::Message { name: message, correlation } => {
            let key = correlation.as_deref().map(|key| format!(" for {key:?}")).unwrap_or_default();
            format!("the message {message:?}{key} at \"{name}\"")
        }
        WaitKind::Signal { name: signal } => format!("the signal {signal:?} at \"{name}\""),
        WaitKind::Condition { .. } => format!("the condition of \"{name}\" to become true"),
        WaitKind::Arrived { .. } => format!("the other parts of \"{name}\""),
        WaitKind::Compensation { .. } => format!("what \"{name}\" undoes to be undone"),
        WaitKind::Activation { .. } => match selectable(stored, process, wait).as_slice() {
            [] => format!("what runs in \"{name}\" to be over: one activity at a time"),
            some => format!("somebody to activate in \"{name}\": {}", some.join(", ")),
        },
        WaitKind::Child { process, instance } => {
            format!("the called process {process} ({instance})")
        }
    }
}

fn source(text: &Text) -> String {
    match text {
        Text::Literal(text) => text.clone(),
        Text::Feel(program) => format!("={}", program.text()),
    }
}

fn asked_view(Asked { policy, what, approvers }: Asked) -> AskedView {
    AskedView { policy, what, approvers }
}

fn job_view(job: &Job, now: Timestamp) -> JobView {
    let is_held = job.lease_until > now;
    JobView {
        job_type: job.job_type.clone(),
        priority: job.priority,
        retries: job.retries,
        not_before: (job.retries > 0 && job.due_at > now).then_some(job.due_at),
        held_by: job.lease_owner.clone().filter(|_| is_held),
        held_until: is_held.then_some(job.lease_until),
    }
}

/// A called instance, and what stops it or what it called.
async fn called(
    relatives: &mut Relatives<'_>,
    process: &str,
    instance: &str,
) -> Result<CalledView> {
    let mut view = CalledView {
        instance: instance.to_owned(),
        process: process.to_owned(),
        state: "starting".to_owned(),
        incidents: Vec::new(),
    };
    let Some(child) = relatives.find(instance).await? else { return Ok(view) };
    state_name(&child.instance).clone_into(&mut view.state);
    for stored in relatives.with_called(child).await? {
        view.incidents.extend(relatives.all_incidents(&stored).await?);
    }
    Ok(view)
}

fn join_view(process: &Process, join: &WaitingJoin) -> WaitView {
    let flows = |ids: &[ElementId]| ids.iter().map(|id| flow_view(process, id)).collect();
    WaitView {
        element: join.gateway.to_string(),
        kind: "join".to_owned(),
        waiting_for: join_sentence(process, join),
        key: (join.scope != Key::PROCESS).then_some(join.scope.0),
        join: Some(JoinView { arrived: flows(&join.arrived), missing: flows(&join.missing) }),
        ..WaitView::default()
    }
}

fn flow_view(process: &Process, id: &str) -> FlowView {
    let flow = process.flows().find(|(_, flow)| &*flow.id == id);
    let from = flow.map(|(_, flow)| process.node(flow.source).id.to_string());
    FlowView { flow: id.to_owned(), from: from.unwrap_or_default() }
}

fn join_sentence(process: &Process, join: &WaitingJoin) -> String {
    let name = name(process, &join.gateway);
    let missing: Vec<String> =
        join.missing.iter().map(|flow| flow_view(process, flow).from).collect();
    let missing = missing.join(", ");
    let node = process.find(&join.gateway).map(|ix| process.node(ix));
    if let Some(activity) = node.filter(|node| node.is_activity()) {
        let tokens =
            (activity.start_quantity > 1).then(|| format!("{} tokens", activity.start_quantity));
        let section = activity.critical_section.as_ref();
        let section = section.map(|it| format!("the critical section {it:?} to be free"));
        let needs: Vec<String> = tokens.into_iter().chain(section).collect();
        return format!("{} at \"{name}\"", needs.join(" and "));
    }
    match node.map(|node| &node.kind) {
        Some(NodeKind::ComplexGateway { .. }) => format!("enough tokens at the join \"{name}\""),
        Some(NodeKind::Gateway(Gateway::Inclusive)) => {
            format!("what can still come of {missing} at the join \"{name}\"")
        }
        _ => format!("{missing} at the join \"{name}\""),
    }
}
