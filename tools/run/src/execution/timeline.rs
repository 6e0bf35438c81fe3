//! The journal in words: who did what, and what followed.

use flowmaster_engine::event::{Change, ChildState, Modified, Proposed, Subscription, Work};
use flowmaster_engine::governance::Action;
use flowmaster_engine::{Event, Key};
use flowmaster_kernel::{Ctx, Cursor, Error, Page, PageRequest, ResponseFormat, Result};
use flowmaster_store::journal::{self, Sealed};
use serde::Deserialize;
use serde_json::Value;

use super::error::ExecutionError;
use super::service::Execution;
use super::store;
use super::types::{GetTimeline, Timeline, TimelineEntry};

/// The most changes of a modification that a sentence names.
const MAX_CHANGES: usize = 20;

/// A row of the journal, read.
#[derive(Deserialize)]
pub(super) struct Recorded {
    pub(super) process: String,
    pub(super) process_version: i64,
    mandates_version: i64,
    #[serde(default)]
    organisation_version: i64,
    pub(super) events: Vec<Event>,
}

impl Recorded {
    fn of(row: &Value) -> Result<Self> {
        Self::deserialize(row).map_err(unreadable)
    }

    pub(super) fn of_text(row: &str) -> Result<Self> {
        serde_json::from_str(row).map_err(unreadable)
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::internal("journal_unreadable", error)
}

impl Execution {
    pub(super) async fn timeline(&self, ctx: &Ctx, params: GetTimeline) -> Result<Timeline> {
        let limit = PageRequest { limit: params.limit, cursor: None }.limit()?;
        let after = match &params.cursor {
            None => 0,
            Some(Cursor(text)) => text.parse().map_err(|_| {
                Error::invalid("invalid_cursor", "the cursor is not one of this list")
                    .fix("start again without a cursor")
            })?,
        };
        // Not found must look the same whether the instance is somebody else's or nobody's.
        let mut session = self.db().read(ctx).await?;
        let entries = if let Some(stored) = store::find(&mut session, &params.id).await? {
            let rows = journal::read(&mut session, &params.id, after, limit + 1).await?;
            if rows.len() <= limit {
                journal::check_end(&params.id, after, &rows, &stored.head)?;
            }
            rows
        } else {
            let record = self.archived(ctx, &params.id).await?;
            let record = record.ok_or(ExecutionError::NotFound(params.id))?;
            let behind = record.journal.into_iter().filter(|row| row.seq > after);
            behind.take(limit + 1).map(Sealed::entry).collect::<Result<_>>()?
        };
        let page = Page::from_overfetched(entries, limit, |entry| entry.seq.to_string());
        let detailed = params.response_format == ResponseFormat::Detailed;
        let items: Result<Vec<_>> =
            page.items.into_iter().map(|row| entry(row, detailed)).collect();
        Ok(Page { items: items?, next_cursor: page.next_cursor })
    }
}

/// The events in a row of the journal.
pub(crate) fn recorded_events(row: &Value) -> Result<Vec<Event>> {
    Recorded::of(row).map(|recorded| recorded.events)
}

fn entry(row: journal::Entry, detailed: bool) -> Result<TimelineEntry> {
    let recorded = Recorded::of(&row.events)?;
    let events = detailed.then(|| row.events.get("events").cloned()).flatten();
    Ok(TimelineEntry {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        process_version: recorded.process_version,
        mandates_version: recorded.mandates_version,
        organisation_version: recorded.organisation_version,
        what: recorded.events.iter().filter_map(sentence).collect(),
        events,
    })
}

/// An event as a sentence; `None` for the mechanics that only the detailed form shows.
pub(super) fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::InstanceStarted { starter, caller: None, .. } => {
            format!("{} started the instance", starter.id)
        }
        Event::InstanceStarted { caller: Some(caller), .. } => {
            format!("the instance was called by {}", caller.instance)
        }
        Event::ElementCompleted { element, .. } => format!("{element} completed"),
        Event::ElementTerminated { element, .. } => format!("{element} was ended"),
        Event::GatewayReset(gateway) => format!("{} began anew", gateway.element),
        Event::ActivationOpened(wait) => {
            format!("{} waits for what is to begin in it", wait.element)
        }
        Event::ActivitiesActivated(begun) => {
            format!("{} began in {}", begun.selected.join(", "), begun.element)
        }
        Event::ActivationClosed { element, .. } => format!("nothing more begins in {element}"),
        Event::VariablesSet { scope, variables } => {
            let names: Vec<&str> = variables.iter().map(|(name, _)| name).collect();
            let place = if *scope == Key::PROCESS { "" } else { " for one element" };
            format!("set {}{place}", names.join(", "))
        }
        Event::DecisionEvaluated { element, decision, .. } => {
            format!("{element} evaluated the decision {decision}")
        }
        Event::WorkRequested { element, work, .. } => match work {
            Work::Human(_) => format!("{element} waits for a person"),
            Work::Job { job_type, .. } => format!("{element} waits for a worker of {job_type}"),
            Work::Agent { agent, .. } => format!("{element} waits for the agent {agent}"),
        },
        Event::WorkCompleted { element, actor, .. } => format!("{} completed {element}", actor.id),
        Event::WorkFailed { element, message, retries, .. } => {
            format!("{element} failed, {retries} attempts are left: {message}")
        }
        Event::WorkRetried { element, .. } => format!("{element} is tried again"),
        Event::WorkCancelled { element, .. } => format!("the work at {element} was taken back"),
        Event::TimerStarted { element, due_at, .. } => format!("{element} waits until {due_at}"),
        Event::TimerFired { element, .. } => format!("the timer {element} fired"),
        Event::SubscriptionOpened { element, subscription, .. } => match subscription {
            Subscription::Message { name, correlation: None } => {
                format!("{element} waits for the message {name}")
            }
            Subscription::Message { name, correlation: Some(key) } => {
                format!("{element} waits for the message {name} for {key:?}")
            }
            Subscription::Signal { name } => format!("{element} waits for the signal {name}"),
        },
        Event::SubscriptionTriggered { element, message_id, .. } => match message_id {
            Some(id) => format!("{element} got the message {id}"),
            None => format!("{element} heard its signal"),
        },
        Event::ConditionOpened { element, .. } => format!("{element} waits for its condition"),
        Event::ConditionChanged { element, holds: true, .. } => {
            format!("the condition of {element} became true")
        }
        Event::ConditionChanged { element, holds: false, .. } => {
            format!("the condition of {element} became false")
        }
        Event::PartArrived(part) => {
            format!("{} has a part of what it waits for", part.element)
        }
        Event::MessageThrown { element, name, .. } => format!("{element} sent the message {name}"),
        Event::SignalThrown { element, name, .. } => format!("{element} sent the signal {name}"),
        Event::ErrorThrown { element, code, message, caught_by, .. } => {
            let detail = message.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            match caught_by {
                Some(by) => format!("{element} threw the error {code}, caught by {by}{detail}"),
                None => format!("{element} threw the error {code}, which nothing catches{detail}"),
            }
        }
        Event::EscalationThrown { element, code, .. } => {
            format!("{element} threw the escalation {code}")
        }
        Event::CompensationThrown(thrown) => {
            let activities = match thrown.activities.len() {
                1 => "one completed activity".to_owned(),
                count => format!("{count} completed activities"),
            };
            format!("{} undoes {activities}", thrown.element)
        }
        Event::CompensationStarted(started) => format!("{} is undone", started.element),
        Event::ChildRequested { element, process, instance, .. } => {
            format!("{element} called the process {process} as {instance}")
        }
        Event::ChildEnded { element, state, .. } => match state {
            ChildState::Completed => format!("the process called by {element} completed"),
            ChildState::Failed => format!("the process called by {element} failed"),
            ChildState::Cancelled => format!("the process called by {element} was cancelled"),
            ChildState::Missing => format!("there is no process for {element} to call"),
        },
        Event::ChildCancelled { element, instance, .. } => {
            format!("{element} took back its call {instance}")
        }
        Event::IncidentRaised { incident, .. } => {
            format!("incident at {}: {}", incident.element, incident.message)
        }
        Event::IncidentResolved { element, actor, .. } => {
            format!("{} resolved the incident at {element}", actor.id)
        }
        Event::ActionRefused(refusal) => {
            let place = refusal.element.as_deref().unwrap_or("the instance");
            let tool = refusal.tool.as_ref().map(|tool| format!(" with {tool}"));
            format!(
                "REFUSED: {} may not {} {place}{}: {} (policy {})",
                refusal.actor.id,
                words(&refusal.action),
                tool.unwrap_or_default(),
                refusal.reason,
                refusal.policy
            )
        }
        Event::WorkProposed(Proposed { element, proposal, .. }) => {
            let whom = match proposal.approvers.as_slice() {
                [] => "another person".to_owned(),
                approvers => approvers.join(", "),
            };
            format!("kept what {} filled in at {element} for {whom} to confirm", proposal.by.id)
        }
        Event::ActionAllowed { action, element, actor, tool, policies } => {
            let place = element.as_deref().unwrap_or("the instance");
            let tool = tool.as_ref().map(|tool| format!(" with {tool}")).unwrap_or_default();
            let asked: Vec<&str> = policies.iter().map(|asked| asked.policy.as_str()).collect();
            let by = match asked.as_slice() {
                [] => "no policy forbids it".to_owned(),
                asked => format!("asked {}", asked.join(", ")),
            };
            format!("allowed {} to {} {place}{tool}: {by}", actor.id, words(action))
        }
        Event::InstancePaused { actor } => format!("{} held the instance", actor.id),
        Event::InstanceResumed { actor } => format!("{} resumed the instance", actor.id),
        Event::InstanceModified(Modified { actor, reason, changes }) => {
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let changes: Vec<String> = changes.iter().take(MAX_CHANGES).map(change).collect();
            let what = match changes.as_slice() {
                [] => "variables".to_owned(),
                changes => changes.join(", "),
            };
            format!("{} modified the instance ({what}){why}", actor.id)
        }
        Event::InstanceCompleted => "the instance completed".to_owned(),
        Event::InstanceCancelled { actor, reason } => {
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{} cancelled the instance{why}", actor.id)
        }
        Event::InstanceFailed { code, .. } => format!("the instance failed with {code}"),
        Event::ElementActivated { .. }
        | Event::FlowTaken { .. }
        | Event::TokenDropped { .. }
        | Event::ResetAwaited(_)
        | Event::ConditionClosed { .. }
        | Event::PartUsed(_)
        | Event::CompensationEnabled(_)
        | Event::CompensationEnded(_)
        | Event::RepetitionStarted { .. }
        | Event::RepetitionResult { .. }
        | Event::TimerCancelled { .. }
        | Event::SubscriptionClosed { .. } => return None,
    })
}

fn change(change: &Change) -> String {
    match change {
        Change::Activated { element } => format!("{element} activated"),
        Change::Terminated { element, .. } => format!("{element} terminated"),
        Change::Moved { element, to, .. } => format!("{element} moved to {to}"),
    }
}

const fn words(action: &Action) -> &'static str {
    match action {
        Action::Complete => "complete",
        Action::ToolCall => "call a tool at",
        Action::SetVariables => "set variables of",
        Action::Start => "start",
        Action::Activate => "activate",
        Action::Deliver => "deliver to",
        Action::Control => "control",
    }
}
