//! From what the engine decided to what is written: one write set a transition.

use std::sync::Arc;

use flowmaster_engine::effect::{AgentWork, EffectKind, HumanTask, Job, WorkItem};
use flowmaster_engine::event::Event;
use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Decided, Instance, Key, effect, refusal};
use flowmaster_kernel::{Ctx, Result, Timestamp};
use flowmaster_store::listeners::Audience;
use flowmaster_store::outbox::{self, NewMessage};
use flowmaster_store::{WriteSet, jobs, journal, timers};
use serde::Serialize;
use serde_json::{Value, json};

use super::calls::Errand;
use super::happened;
use super::instance::{Stored, WorkRef};
use super::store::{self, archived, mail};
use super::{HUMAN_TASK_CLOSED, HUMAN_TASK_REQUESTED};
use crate::announced::{self, ANNOUNCED, Announced, MAX_ANNOUNCED};
use crate::evaluations;
use crate::processes::Published;
use crate::record::{self, Committed};

/// What one row of the journal holds.
#[derive(Serialize)]
struct Row<'a> {
    process: &'a str,
    process_version: i64,
    mandates_version: i64,
    #[serde(skip_serializing_if = "is_none_saved")]
    organisation_version: i64,
    events: &'a [Event],
}

fn is_none_saved(version: &i64) -> bool {
    *version == 0
}

/// What a transition leads to.
pub(super) struct Written {
    pub(super) writes: WriteSet,
    pub(super) after: Stored,
    /// Message subscriptions that began to wait: a buffered message may fit.
    pub(super) opened: Vec<Key>,
    /// The size of the state.
    pub(super) bytes: usize,
}

/// The work that whoever gives the command holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settles {
    /// None.
    Nothing,
    /// A human task, which the caller closes itself in the same commit: nobody has to be told.
    HumanTask(Key),
    /// A job, under the lease of this epoch: an older one is refused.
    Job { key: Key, epoch: i64 },
}

/// When a transition happens, under which mandates, and before whom.
pub(super) struct Moment<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) now: Timestamp,
    pub(super) mandates_version: i64,
    pub(super) organisation_version: i64,
    /// Whether what happens is announced.
    pub(super) audience: Audience,
}

impl<'a> Moment<'a> {
    /// What the runtime record says of the step number `seq` from `before`.
    pub(super) fn step(
        &self,
        published: &'a Published,
        before: &'a Stored,
        seq: i64,
    ) -> Committed<'a> {
        let Self { ctx, mandates_version, .. } = *self;
        Committed { ctx, before: &before.instance, published, mandates_version, seq }
    }
}

/// Makes the write set of a transition from `before`.
pub(super) fn write(
    moment: &Moment<'_>,
    published: &Published,
    before: &Stored,
    decided: Decided,
    settles: Settles,
) -> Result<Written> {
    let definition = &published.definition;
    let mut writes = WriteSet::new();
    let row = Row {
        process: &before.process,
        process_version: before.process_version,
        mandates_version: moment.mandates_version,
        organisation_version: moment.organisation_version,
        events: &decided.events,
    };
    let id = Arc::clone(&decided.instance.id);
    let head = journal::append(&mut writes, moment.ctx, &id, &before.head, &row, moment.audience)?;
    let step = moment.step(published, before, head.seq);
    record::append(&mut writes, &step, &decided.hearings)?;
    evaluations::append(&mut writes, &step, &decided.evaluations)?;
    let mut outlet = Outlet {
        id: &id,
        process: &before.process,
        now: moment.now,
        seq: head.seq,
        sent: 0,
        settles,
        is_settled: false,
        before: &before.instance,
        after: &decided.instance,
        opened: Vec::new(),
    };
    for (position, event) in (0_u64..).zip(&decided.events) {
        let Some(effect) = effect(definition, &decided.instance, event, position) else { continue };
        outlet.write(&mut writes, effect.kind)?;
    }
    if refusal(&decided.events).is_none() {
        outlet.keep_from_workers(&mut writes);
        outlet.hold_or_resume(&mut writes)?;
        if moment.audience == Audience::Somebody {
            let happened = happened::of(before, &decided.instance, &decided.events, settles);
            outlet.announce(&mut writes, &happened)?;
        }
    }
    let opened = outlet.opened;
    let was_ended = before.instance.state.is_ended();
    let ended_at = decided.instance.state.is_ended().then_some(moment.now);
    let after = Stored {
        instance: decided.instance,
        process: Arc::clone(&before.process),
        process_version: before.process_version,
        version: before.version + 1,
        head,
        started_at: before.started_at,
        ended_at: before.ended_at.or(ended_at),
    };
    let bytes = store::put(&mut writes, &after)?;
    if !was_ended {
        archived::note_end(&mut writes, &after);
    }
    Ok(Written { writes, after, opened, bytes })
}

/// Turns effects into rows.
struct Outlet<'a> {
    id: &'a str,
    process: &'a str,
    now: Timestamp,
    seq: i64,
    sent: u32,
    settles: Settles,
    /// Whether the row of the job that the caller holds was written.
    is_settled: bool,
    before: &'a Instance,
    after: &'a Instance,
    opened: Vec<Key>,
}

/// How a job is offered.
struct Offer<'a> {
    kind: &'a str,
    job_type: &'a str,
    retries: u32,
    priority: i64,
}

impl Outlet<'_> {
    fn write(&mut self, writes: &mut WriteSet, effect: EffectKind) -> Result<()> {
        match effect {
            EffectKind::OpenHumanTask(task) => {
                let payload = human_task(&self.work(task.item.key), &task);
                self.send(writes, HUMAN_TASK_REQUESTED, &payload);
            }
            EffectKind::CreateJob(job) => self.create_job(writes, &job),
            EffectKind::AskAgent(asked) => self.ask_agent(writes, &asked),
            EffectKind::RetryWork { key, retries, retry_at } => {
                let (job, due_at) = (self.work(key).to_string(), retry_at.unwrap_or(self.now));
                match self.settles {
                    Settles::Job { key: held, epoch } if held == key => {
                        self.is_settled = true;
                        jobs::release(writes, &job, epoch, i64::from(retries), due_at);
                    }
                    _ => jobs::retry(writes, &job, i64::from(retries), due_at),
                }
            }
            EffectKind::CloseWork { key } | EffectKind::CancelWork { key } => {
                self.close(writes, &self.work(key));
            }
            // While it is paused its timers do not run: they are set when it is resumed.
            EffectKind::StartTimer { .. } if self.after.paused => {}
            EffectKind::StartTimer { key, due_at } => self.start_timer(writes, key, due_at),
            EffectKind::CancelTimer { key } => timers::cancel(writes, &self.work(key).to_string()),
            EffectKind::OpenSubscription { key, subscription } => {
                mail::subscribe(writes, self.process, self.id, key, &subscription, self.now);
                self.opened.push(key);
            }
            EffectKind::CloseSubscription { key } => mail::unsubscribe(writes, self.id, key),
            other => {
                if let Some(errand) = Errand::of(other) {
                    self.send(writes, Errand::TOPIC, &errand.to_payload()?);
                }
            }
        }
        Ok(())
    }

    fn work(&self, key: Key) -> WorkRef {
        WorkRef { instance: self.id.to_owned(), key }
    }

    fn start_timer(&self, writes: &mut WriteSet, key: Key, due_at: Timestamp) {
        let timer = timers::NewTimer {
            id: &self.work(key).to_string(),
            instance: self.id,
            element: self.after.wait(key).map_or("", |wait| &wait.element),
            due_at,
            payload: &Value::Null,
        };
        timers::insert(writes, &timer);
    }

    /// Takes a job from the workers that ended with an error nobody catches: from then on it
    /// waits for its incident.
    fn keep_from_workers(&mut self, writes: &mut WriteSet) {
        let Settles::Job { key, epoch } = self.settles else { return };
        if !self.is_settled && self.after.wait(key).is_some() {
            jobs::release(writes, &self.work(key).to_string(), epoch, 0, self.now);
        }
    }

    /// Stops the timers and jobs of an instance that is paused now, and starts those of one that
    /// goes on.
    fn hold_or_resume(&mut self, writes: &mut WriteSet) -> Result<()> {
        match (self.before.paused, self.after.paused) {
            (false, true) => {
                timers::cancel_instance(writes, self.id);
                jobs::pause_instance(writes, self.id);
            }
            (true, false) if !self.after.state.is_ended() => {
                jobs::resume_instance(writes, self.id);
                for (key, wait) in self.after.waits() {
                    if let WaitKind::Timer { due_at, .. } = &wait.kind {
                        self.start_timer(writes, key, *due_at);
                    }
                }
                let errand = Errand::Resumed { instance: self.id.to_owned() };
                self.send(writes, Errand::TOPIC, &errand.to_payload()?);
            }
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, writes: &mut WriteSet, topic: &str, payload: &Value) {
        // Several messages of one transition keep their order by a place behind the sequence.
        let place = i64::from(self.sent);
        self.sent += 1;
        let message = NewMessage {
            id: &format!("{}/{}/{place}", self.id, self.seq),
            topic,
            key: self.id,
            seq: self.seq * 10_000 + place,
            at: self.now,
            payload,
        };
        outbox::append(writes, &message);
    }

    /// Tells what happened, in as many messages as it takes.
    fn announce(&mut self, writes: &mut WriteSet, happened: &[Announced]) -> Result<()> {
        for part in happened.chunks(MAX_ANNOUNCED) {
            self.send(writes, ANNOUNCED, &announced::payload(part)?);
        }
        Ok(())
    }

    fn create_job(&self, writes: &mut WriteSet, job: &Job) {
        let payload = work_payload(&job.item);
        let offer = Offer {
            kind: "service",
            job_type: &job.job_type,
            retries: job.retries,
            priority: job.priority,
        };
        self.insert_job(writes, &offer, &job.item, &payload);
    }

    fn ask_agent(&self, writes: &mut WriteSet, asked: &AgentWork) {
        let mut payload = work_payload(&asked.item);
        payload["agent"] = Value::from(asked.agent.as_str());
        let offer = Offer {
            kind: "agent",
            job_type: &asked.agent,
            retries: asked.retries,
            priority: asked.priority,
        };
        self.insert_job(writes, &offer, &asked.item, &payload);
    }

    fn insert_job(
        &self,
        writes: &mut WriteSet,
        offer: &Offer<'_>,
        item: &WorkItem,
        payload: &Value,
    ) {
        let job = jobs::NewJob {
            id: &self.work(item.key).to_string(),
            kind: offer.kind,
            job_type: offer.job_type,
            instance: self.id,
            element: &item.element,
            priority: offer.priority,
            retries: i64::from(offer.retries),
            due_at: self.now,
            created_at: self.now,
            is_paused: self.after.paused,
            payload,
        };
        jobs::insert(writes, &job);
    }

    fn close(&mut self, writes: &mut WriteSet, work: &WorkRef) {
        match self.settles {
            Settles::HumanTask(key) if key == work.key => return,
            Settles::Job { key, epoch } if key == work.key => {
                self.is_settled = true;
                return jobs::close(writes, &work.to_string(), epoch);
            }
            _ => {}
        }
        match self.before.wait(work.key).map(|wait| &wait.kind) {
            Some(WaitKind::Human { .. }) => {
                let payload = json!({ "id": work.to_string() });
                self.send(writes, HUMAN_TASK_CLOSED, &payload);
            }
            Some(_) => jobs::cancel(writes, &work.to_string()),
            // It was opened in this very transition, so nobody knows of it.
            None => {}
        }
    }
}

fn human_task(work: &WorkRef, task: &HumanTask) -> Value {
    let mut payload = work_payload(&task.item);
    payload["id"] = Value::from(work.to_string());
    payload["instance"] = Value::from(work.instance.as_str());
    payload["human"] = json!(task.human);
    payload["form"] = json!(task.form);
    payload["form_key"] = json!(task.form_key);
    payload
}

fn work_payload(item: &WorkItem) -> Value {
    let activities = item.performs.iter().flat_map(|performs| &performs.offered).map(|offered| {
        json!({
            "id": &*offered.element,
            "name": offered.name,
            "documentation": offered.documentation,
        })
    });
    let activities: Vec<Value> = activities.collect();
    json!({
        "element": &*item.element,
        "name": item.name,
        "documentation": item.documentation,
        "headers": item.headers,
        "variables": item.variables,
        "activities": activities,
        "scope": item.performs.as_ref().map(|performs| performs.scope),
    })
}
