//! From what the engine decided to what is written: one write set a transition.

use std::sync::Arc;

use flowmaster_engine::effect::{AgentWork, EffectKind, HumanTask, Job, WorkItem};
use flowmaster_engine::event::Event;
use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Decided, Definition, Instance, Key, effect};
use flowmaster_kernel::{Ctx, Result, Timestamp};
use flowmaster_store::outbox::{self, NewMessage};
use flowmaster_store::{WriteSet, jobs, journal, timers};
use serde::Serialize;
use serde_json::{Value, json};

use super::calls::Errand;
use super::instance::{Stored, WorkRef};
use super::{HUMAN_TASK_CLOSED, HUMAN_TASK_REQUESTED, store};

/// What one row of the journal holds: the runtime record.
#[derive(Serialize)]
struct Record<'a> {
    process: &'a str,
    process_version: i64,
    mandates_version: i64,
    events: &'a [Event],
}

/// What a transition leads to.
pub(super) struct Written {
    pub(super) writes: WriteSet,
    pub(super) after: Stored,
    /// Message subscriptions that began to wait: a buffered message may fit.
    pub(super) opened: Vec<Key>,
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

/// Makes the write set of a transition from `before`.
pub(super) fn write(
    ctx: &Ctx,
    definition: &Definition,
    before: &Stored,
    decided: Decided,
    mandates_version: i64,
    settles: Settles,
) -> Result<Written> {
    let now = ctx.now();
    let mut writes = WriteSet::new();
    let record = Record {
        process: &before.process,
        process_version: before.process_version,
        mandates_version,
        events: &decided.events,
    };
    let id = Arc::clone(&decided.instance.id);
    let head = journal::append(&mut writes, ctx, &id, &before.head, &record)?;
    let mut outlet =
        Outlet { now, seq: head.seq, sent: 0, settles, before: &before.instance, opened: Vec::new() };
    for (position, event) in (0_u64..).zip(&decided.events) {
        let Some(effect) = effect(definition, &decided.instance, event, position) else { continue };
        outlet.write(&mut writes, &id, effect.kind)?;
    }
    let opened = outlet.opened;
    let ended_at = decided.instance.state.is_ended().then_some(now);
    let after = Stored {
        instance: decided.instance,
        process: Arc::clone(&before.process),
        process_version: before.process_version,
        version: before.version + 1,
        head,
        started_at: before.started_at,
        ended_at,
    };
    store::put(&mut writes, &after)?;
    Ok(Written { writes, after, opened })
}

/// Turns effects into rows.
struct Outlet<'a> {
    now: Timestamp,
    seq: i64,
    sent: u32,
    settles: Settles,
    before: &'a Instance,
    opened: Vec<Key>,
}

impl Outlet<'_> {
    fn write(&mut self, writes: &mut WriteSet, id: &str, effect: EffectKind) -> Result<()> {
        let work = |key: Key| WorkRef { instance: id.to_owned(), key };
        match effect {
            EffectKind::OpenHumanTask(task) => {
                let payload = human_task(&work(task.item.key), &task);
                self.send(writes, id, HUMAN_TASK_REQUESTED, &payload);
            }
            EffectKind::CreateJob(job) => self.create_job(writes, id, &job),
            EffectKind::AskAgent(asked) => self.ask_agent(writes, id, &asked),
            EffectKind::RetryWork { key, retries, retry_at } => {
                let (job, due_at) = (work(key).to_string(), retry_at.unwrap_or(self.now));
                match self.settles {
                    Settles::Job { key: held, epoch } if held == key => {
                        jobs::release(writes, &job, epoch, i64::from(retries), due_at);
                    }
                    _ => jobs::retry(writes, &job, i64::from(retries), due_at),
                }
            }
            EffectKind::CloseWork { key } | EffectKind::CancelWork { key } => {
                self.close(writes, &work(key));
            }
            EffectKind::StartTimer { key, due_at } => {
                let timer = timers::NewTimer {
                    id: &work(key).to_string(),
                    instance: id,
                    element: "",
                    due_at,
                    payload: &Value::Null,
                };
                timers::insert(writes, &timer);
            }
            EffectKind::CancelTimer { key } => timers::cancel(writes, &work(key).to_string()),
            EffectKind::OpenSubscription { key, subscription } => {
                store::subscribe(writes, id, key, &subscription);
                self.opened.push(key);
            }
            EffectKind::CloseSubscription { key } => store::unsubscribe(writes, id, key),
            other => {
                if let Some(errand) = Errand::of(other) {
                    let payload = errand.to_payload()?;
                    self.send(writes, id, Errand::TOPIC, &payload);
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, writes: &mut WriteSet, instance: &str, topic: &str, payload: &Value) {
        // Several messages of one transition keep their order by a place behind the sequence.
        let place = i64::from(self.sent);
        self.sent += 1;
        let message = NewMessage {
            id: &format!("{instance}/{}/{place}", self.seq),
            topic,
            key: instance,
            seq: self.seq * 10_000 + place,
            at: self.now,
            payload,
        };
        outbox::append(writes, &message);
    }

    fn create_job(&self, writes: &mut WriteSet, id: &str, job: &Job) {
        let payload = work_payload(&job.item);
        self.insert_job(writes, id, "service", &job.job_type, job.retries, &job.item, &payload);
    }

    fn ask_agent(&self, writes: &mut WriteSet, id: &str, asked: &AgentWork) {
        let mut payload = work_payload(&asked.item);
        payload["agent"] = Value::from(asked.agent.as_str());
        self.insert_job(writes, id, "agent", &asked.agent, asked.retries, &asked.item, &payload);
    }

    #[expect(clippy::too_many_arguments, reason = "one row, one call")]
    fn insert_job(
        &self,
        writes: &mut WriteSet,
        id: &str,
        kind: &str,
        job_type: &str,
        retries: u32,
        item: &WorkItem,
        payload: &Value,
    ) {
        let work = WorkRef { instance: id.to_owned(), key: item.key };
        let job = jobs::NewJob {
            id: &work.to_string(),
            kind,
            job_type,
            instance: id,
            element: &item.element,
            priority: 0,
            retries: i64::from(retries),
            due_at: self.now,
            created_at: self.now,
            payload,
        };
        jobs::insert(writes, &job);
    }

    fn close(&mut self, writes: &mut WriteSet, work: &WorkRef) {
        match self.settles {
            Settles::HumanTask(key) if key == work.key => return,
            Settles::Job { key, epoch } if key == work.key => {
                return jobs::close(writes, &work.to_string(), epoch);
            }
            _ => {}
        }
        let is_human =
            self.before.wait(work.key).is_some_and(|wait| matches!(wait.kind, WaitKind::Human));
        if is_human {
            let payload = json!({ "id": work.to_string() });
            self.send(writes, &work.instance, HUMAN_TASK_CLOSED, &payload);
        } else {
            jobs::cancel(writes, &work.to_string());
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
    json!({
        "element": &*item.element,
        "name": item.name,
        "documentation": item.documentation,
        "headers": item.headers,
        "variables": item.variables,
    })
}
