//! Work that keeps a record of what it was told, and checks later that it is so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use flowmaster_kernel::{Clock as _, Timestamp};
use flowmaster_mcp_server::system::SystemClock;
use serde_json::{Value, json};

use crate::harness::{Caller, code};

/// What clients were told about their calls.
#[derive(Default)]
pub(crate) struct Told {
    /// Starts of instances by their idempotency keys.
    pub(crate) starts: BTreeMap<String, Outcome>,
    /// Instances whose job was completed.
    pub(crate) completed: Vec<String>,
    /// When the last of the writes that were acknowledged was sent.
    pub(crate) last_sent: Timestamp,
    /// When what was acknowledged was: starts by their keys, completions by their instances.
    acknowledged: BTreeMap<String, Timestamp>,
}

#[derive(Clone)]
pub(crate) enum Outcome {
    /// This instance.
    Started(String),
    /// With this code: nothing may have happened.
    Refused(String),
    /// The connection ended, or the answer said so.
    Unknown,
}

impl Told {
    pub(crate) fn add(&mut self, other: Self) {
        self.starts.extend(other.starts);
        self.completed.extend(other.completed);
        self.last_sent = self.last_sent.max(other.last_sent);
        self.acknowledged.extend(other.acknowledged);
    }

    /// What was acknowledged before `moment`; what of the rest happened is unknown.
    pub(crate) fn before(&self, moment: Timestamp) -> Self {
        let known = |what: &str| self.acknowledged.get(what).is_some_and(|at| *at < moment);
        let starts = self.starts.iter().map(|(key, outcome)| match outcome {
            Outcome::Started(_) if !known(key) => (key.clone(), Outcome::Unknown),
            outcome => (key.clone(), outcome.clone()),
        });
        let completed = self.completed.iter().filter(|instance| known(instance)).cloned();
        Self { starts: starts.collect(), completed: completed.collect(), ..Self::default() }
    }

    pub(crate) fn started(&self) -> usize {
        self.starts.values().filter(|it| matches!(it, Outcome::Started(_))).count()
    }

    /// Starts an instance, claims a job and completes it; whether all of it was acknowledged.
    pub(crate) async fn work(&mut self, caller: &Caller, key: &str) -> bool {
        self.try_work(caller, key).await.is_some()
    }

    async fn try_work(&mut self, caller: &Caller, key: &str) -> Option<()> {
        let started = self.write(caller, "process_start", start_of(key), Some(key)).await;
        let outcome = match &started {
            Ok(started) => Outcome::Started(started["id"].as_str().unwrap().to_owned()),
            Err(code) if UNKNOWN.contains(&code.as_str()) => Outcome::Unknown,
            Err(code) => Outcome::Refused(code.clone()),
        };
        self.starts.insert(key.to_owned(), outcome);
        started.ok()?;
        self.acknowledged.insert(key.to_owned(), SystemClock.now());
        let claim = json!({ "job_type": "look" });
        let jobs = self.write(caller, "job_claim", claim, None).await.ok()?;
        let Some(job) = jobs["jobs"].get(0) else { return Some(()) };
        let complete = json!({ "id": job["id"], "epoch": job["epoch"] });
        self.write(caller, "job_complete", complete, None).await.ok()?;
        let instance = job["instance"].as_str().unwrap();
        self.acknowledged.insert(instance.to_owned(), SystemClock.now());
        self.completed.push(instance.to_owned());
        Some(())
    }

    /// Calls an operation that writes; the code if it fails.
    async fn write(
        &mut self,
        caller: &Caller,
        operation: &str,
        arguments: Value,
        key: Option<&str>,
    ) -> Result<Value, String> {
        let sent = SystemClock.now();
        match caller.try_call(operation, arguments, key).await {
            Ok(Ok(value)) => {
                self.last_sent = self.last_sent.max(sent);
                Ok(value)
            }
            Ok(refused) => Err(code(&refused).to_owned()),
            Err(_) => Err(NO_ANSWER.to_owned()),
        }
    }

    /// The same by few calls: from the list of all instances, which it gives by their ids.
    pub(crate) async fn hold_together(&self, caller: &Caller) -> BTreeMap<String, Value> {
        let search = json!({ "process": "load", "limit": 50 });
        let all = caller.all("instance_search", search).await;
        let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for item in &all {
            let (key, id) = (item["business_key"].as_str(), item["id"].as_str());
            by_key.entry(key.unwrap()).or_default().push(id.unwrap());
        }
        for (key, found) in &by_key {
            assert_eq!(found.len(), 1, "{key}: {found:?}");
        }
        for (key, outcome) in &self.starts {
            let found = by_key.get(key.as_str()).map(|found| found[0]);
            match outcome {
                Outcome::Started(id) => assert_eq!(found, Some(id.as_str()), "{key}"),
                Outcome::Refused(code) => assert_eq!(found, None, "{key}: {code}"),
                Outcome::Unknown => {}
            }
        }
        let by_id: BTreeMap<String, Value> = all
            .iter()
            .map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone()))
            .collect();
        for instance in &self.completed {
            assert_eq!(by_id[instance]["state"], "completed", "{instance}");
        }
        by_id
    }

    /// What was acknowledged is there once; what was refused is not there; what is unknown has one
    /// effect once it is repeated under its key.
    pub(crate) async fn hold(&self, caller: &Caller) {
        for (key, outcome) in &self.starts {
            let found = instances(caller, key).await;
            match outcome {
                Outcome::Started(id) => assert_eq!(found, [id.as_str()], "{key}"),
                Outcome::Refused(code) => assert!(found.is_empty(), "{key}: {code}, but {found:?}"),
                Outcome::Unknown => assert!(found.len() <= 1, "{key}: {found:?}"),
            }
            let again = caller.try_call("process_start", start_of(key), Some(key)).await.unwrap();
            let id = again.unwrap_or_else(|problem| panic!("{key}: {problem:?}"))["id"].clone();
            assert_eq!(instances(caller, key).await, [id.as_str().unwrap()], "{key}");
        }
        for instance in &self.completed {
            let seen = caller.call("instance_get", json!({ "id": instance })).await.unwrap();
            assert_eq!(seen["state"], "completed", "{instance}");
        }
    }
}

/// The code of a call whose connection ended.
const NO_ANSWER: &str = "no_answer";
/// What leaves open whether there was an effect.
const UNKNOWN: [&str; 2] = ["outcome_unknown", NO_ANSWER];

async fn instances(caller: &Caller, business_key: &str) -> Vec<String> {
    let search = json!({ "business_key": business_key });
    let found = caller.call("instance_search", search).await.unwrap();
    let items = found["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn start_of(key: &str) -> Value {
    json!({ "process": "load", "business_key": key, "variables": { "amount": 7 } })
}

pub(crate) async fn publish(admin: &Caller) {
    let compact = json!({ "id": "load", "elements": [
        { "id": "s", "type": "startEvent", "next": "look" },
        { "id": "look", "type": "serviceTask", "job": "look", "next": "e" },
        { "id": "e", "type": "endEvent" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "load" })).await.unwrap();
}

/// Set once, read by many.
#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
