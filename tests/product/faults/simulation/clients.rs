//! What clients do, and what they know to have happened.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::models::{MODELS, name};
use super::node::World;
use crate::proof::Dice;

/// How long a driver or a worker may hold what it took, in milliseconds.
const LEASE: i64 = 10 * 60_000;
/// In so many of a hundred calls whoever asks goes away in the middle, and asks again.
const LEAVES: usize = 4;
/// How often something is asked again, at most.
const AGAIN: usize = 20;
/// How many rounds it takes at most until everything has ended.
const ROUNDS: usize = 200;

/// An error after which nobody knows.
const UNKNOWN: [&str; 3] = ["outcome_unknown", "store_poisoned", "no_answer"];
/// An error after which the same is asked again.
const RETRYABLE: [&str; 2] = ["transaction_lost", "contended"];

pub(super) struct Clients {
    pub(super) world: World,
    pub(super) dice: Dice,
    /// Starts that were acknowledged: the instances, by business key.
    pub(super) started: BTreeMap<String, String>,
    /// Business keys whose start was refused.
    pub(super) refused: BTreeSet<String>,
    /// Jobs whose completion was acknowledged.
    pub(super) completed: BTreeSet<String>,
    /// Jobs that were claimed, which somebody else may hold by now.
    held: Vec<Value>,
    /// The same of agents' work.
    thinking: Vec<Value>,
    calls: usize,
}

impl Clients {
    pub(super) fn new(world: World, dice: Dice) -> Self {
        Self {
            world,
            dice,
            started: BTreeMap::new(),
            refused: BTreeSet::new(),
            completed: BTreeSet::new(),
            held: Vec::new(),
            thinking: Vec::new(),
            calls: 0,
        }
    }

    pub(super) async fn step(&mut self) {
        match self.dice.under(100) {
            0..20 => self.start().await,
            20..34 => self.work().await,
            34..37 => self.claim_work().await,
            37..40 => self.submit_work().await,
            40..46 => {
                let limit = 1 + self.dice.under(3);
                self.claim(limit).await;
            }
            46..52 => self.complete_held().await,
            52..57 => self.fail().await,
            57..66 => self.do_task().await,
            66..74 => self.send().await,
            74..76 => {
                let _ = self.ask("signal_broadcast", json!({ "name": "all" })).await;
            }
            76..80 => self.pause_or_resume().await,
            80..82 => self.modify().await,
            82..85 => self.resolve().await,
            85..88 => self.world.restart().await,
            88..94 => {
                let minutes = *self.dice.one_of(&[0, 1, 7, 45, 120, 26 * 60]);
                let millis = minutes * 60_000 + i64::try_from(self.dice.under(60_000)).unwrap();
                self.world.clock.advance_millis(millis);
                self.world.trace.push_str(&format!("clock +{millis}\n"));
            }
            _ => {
                self.world.turn().await;
            }
        }
        self.world.restart_if_stopped().await;
    }

    /// Asks under a key until there is an answer, or it is given up. The code of the error.
    async fn ask(&mut self, operation: &str, mut arguments: Value) -> Result<Value, String> {
        self.calls += 1;
        arguments["idempotency_key"] = json!(format!("call-{}", self.calls));
        let mut first = None;
        for _ in 0..AGAIN {
            if self.dice.percent(LEAVES) {
                let steps = self.dice.under(40);
                self.world.call_and_leave(operation, arguments.clone(), steps).await;
                self.world.restart_if_stopped().await;
            }
            let answer = self.world.call(operation, arguments.clone()).await;
            let died = self.world.restart_if_stopped().await;
            match answer {
                // The answer is lost on its way, so the same is asked again.
                Ok(value) if first.is_none() && (died || self.dice.percent(5)) => {
                    first = Some(value);
                }
                Ok(value) => {
                    if let Some(first) = first {
                        assert_eq!(first, value, "{operation} {arguments}: another answer");
                    }
                    return Ok(value);
                }
                Err(code) if UNKNOWN.contains(&code.as_str()) => {
                    if self.dice.percent(20) {
                        return Err("no_answer".to_owned());
                    }
                }
                Err(code) if RETRYABLE.contains(&code.as_str()) => {}
                Err(code) => {
                    assert!(first.is_none(), "{operation} {arguments}: done, then {code}");
                    return Err(code);
                }
            }
        }
        Err("no_answer".to_owned())
    }

    async fn start(&mut self) {
        let key = format!("key-{}", self.calls);
        let process = name(self.dice.under(MODELS));
        let variables = json!({ "key": key, "n": self.dice.under(4), "items": ["a", "b", "c"] });
        let start = json!({ "process": process, "business_key": key, "variables": variables });
        match self.ask("process_start", start).await {
            Ok(started) => {
                self.started.insert(key, started["id"].as_str().unwrap().to_owned());
            }
            Err(code) if UNKNOWN.contains(&code.as_str()) => {}
            Err(_) => {
                self.refused.insert(key);
            }
        }
    }

    async fn claim(&mut self, limit: usize) {
        let claim = json!({ "job_type": "work", "limit": limit, "lease_s": LEASE / 1_000 });
        if let Ok(claimed) = self.ask("job_claim", claim).await {
            self.held.extend(claimed["jobs"].as_array().unwrap().iter().cloned());
        }
    }

    async fn work(&mut self) {
        self.claim(1).await;
        self.complete_held().await;
    }

    /// Completes a job that was claimed some time ago, perhaps once more.
    async fn complete_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let at = self.dice.under(self.held.len());
        let again = self.dice.percent(15);
        let job = if again { self.held[at].clone() } else { self.held.swap_remove(at) };
        let complete = json!({ "id": job["id"], "epoch": job["epoch"],
            "variables": { "n": self.dice.under(4) } });
        if self.ask("job_complete", complete).await.is_ok() {
            let id = job["id"].as_str().unwrap().to_owned();
            assert!(self.completed.insert(id.clone()), "the job {id} was completed twice");
        }
    }

    /// An agent begins to think, perhaps for longer than the work is its own.
    async fn claim_work(&mut self) {
        let lease = *self.dice.one_of(&[10, 60, 600]);
        if let Ok(claimed) = self.ask("work_claim", json!({ "lease_s": lease })).await {
            self.thinking.extend(claimed["work"].as_array().unwrap().iter().cloned());
        }
    }

    /// An agent answers: something else than was asked for, late, twice, or that it cannot.
    async fn submit_work(&mut self) {
        if self.thinking.is_empty() {
            return self.claim_work().await;
        }
        let at = self.dice.under(self.thinking.len());
        let again = self.dice.percent(25);
        let work = if again { self.thinking[at].clone() } else { self.thinking.swap_remove(at) };
        let answer = match self.dice.under(8) {
            0 => json!({ "output": { "n": "many" } }),
            _ => json!({ "output": { "n": self.dice.under(4) } }),
        };
        self.submit(&work, answer).await;
    }

    async fn submit(&mut self, work: &Value, mut answer: Value) {
        answer["id"] = work["id"].clone();
        answer["epoch"] = work["epoch"].clone();
        let is_wrong = answer["output"]["n"].is_string();
        match self.ask("work_submit", answer).await {
            Ok(_) => {
                assert!(!is_wrong, "what does not fit was taken");
                let id = work["id"].as_str().unwrap().to_owned();
                assert!(self.completed.insert(id.clone()), "the work {id} was done twice");
            }
            // Too many answers were handed in: another run begins.
            Err(code) if code == "budget_exceeded" => {
                let fail = json!({ "id": work["id"], "epoch": work["epoch"], "reason": "lost",
                    "retries": 1 });
                let _ = self.ask("work_fail", fail).await;
            }
            Err(_) => {}
        }
    }

    async fn fail(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let at = self.dice.under(self.held.len());
        let job = self.held.swap_remove(at);
        let fail = json!({ "id": job["id"], "epoch": job["epoch"], "message": "no",
            "retries": self.dice.under(2) });
        let _ = self.ask("job_fail", fail).await;
    }

    async fn do_task(&mut self) {
        let Ok(open) = self.world.call("task_list", json!({ "filter": "todo" })).await else {
            return;
        };
        let open = open["items"].as_array().unwrap();
        if open.is_empty() {
            return;
        }
        let id = open[self.dice.under(open.len())]["id"].clone();
        let _ = self.ask("task_claim", json!({ "id": id })).await;
        let _ = self.ask("task_complete", json!({ "id": id, "variables": { "n": 2 } })).await;
    }

    /// A message, perhaps for nobody yet, perhaps the same again under another key.
    async fn send(&mut self) {
        let keys: Vec<&String> = self.started.keys().collect();
        let key = match keys.is_empty() {
            true => format!("key-{}", self.calls + 1),
            false => keys[self.dice.under(keys.len())].clone(),
        };
        let number = self.dice.under(30);
        let message = json!({ "name": "note", "correlation": key, "ttl_s": 3_600,
            "message_id": format!("message-{key}-{number}") });
        let _ = self.ask("message_publish", message.clone()).await;
        if self.dice.percent(30) {
            let _ = self.ask("message_publish", message).await;
        }
    }

    fn any_instance(&mut self) -> Option<String> {
        let ids: Vec<&String> = self.started.values().collect();
        (!ids.is_empty()).then(|| ids[self.dice.under(ids.len())].clone())
    }

    async fn pause_or_resume(&mut self) {
        let Some(id) = self.any_instance() else { return };
        let action = *self.dice.one_of(&["pause", "resume"]);
        let _ = self.ask("instance_control", json!({ "id": id, "action": action })).await;
    }

    async fn modify(&mut self) {
        let Some(id) = self.any_instance() else { return };
        let set = json!({ "id": id, "variables": { "n": self.dice.under(4) } });
        let _ = self.ask("instance_modify", set).await;
    }

    async fn resolve(&mut self) {
        let _ = self.ask("incident_resolve_all", json!({ "kind": "job_failed" })).await;
    }

    /// After all faults: does what can be done until everything has ended.
    pub(super) async fn finish(&mut self) {
        let mut kept = BTreeSet::new();
        for round in 0..ROUNDS {
            self.settle().await;
            let active = self.list("instance_search", json!({ "state": "active" })).await;
            let paused = self.list("instance_search", json!({ "state": "paused" })).await;
            if active.is_empty() && paused.is_empty() {
                return;
            }
            for one in &paused {
                let resume = json!({ "id": one["id"], "action": "resume" });
                self.ask("instance_control", resume).await.unwrap();
            }
            while self.held_after_claim().await {}
            self.thinking.clear();
            self.claim_work().await;
            for work in std::mem::take(&mut self.thinking) {
                self.submit(&work, json!({ "output": { "n": 1 } })).await;
            }
            for task in self.list("task_list", json!({ "filter": "all_open" })).await {
                let _ = self.ask("task_claim", json!({ "id": task["id"] })).await;
                let _ = self.ask("task_complete", json!({ "id": task["id"] })).await;
            }
            self.resolve().await;
            let keys: BTreeSet<&str> =
                active.iter().filter_map(|it| it["business_key"].as_str()).collect();
            for key in keys {
                // One that is kept is taken in a later round.
                if kept.insert(key.to_owned()) || round % 4 == 0 {
                    let message = json!({ "name": "note", "correlation": key });
                    let _ = self.ask("message_publish", message).await;
                }
            }
            self.world.clock.advance_millis(LEASE + 60_000);
        }
        let left = self.list("instance_search", json!({ "state": "active" })).await;
        let trace: Vec<&str> = self.world.trace.lines().rev().take(60).collect();
        panic!("what can end does not: {left:#?}, latest first: {trace:#?}");
    }

    /// Claims what there is and completes it; whether there was anything.
    async fn held_after_claim(&mut self) -> bool {
        self.held.clear();
        self.claim(20).await;
        let found = !self.held.is_empty();
        for job in std::mem::take(&mut self.held) {
            let complete = json!({ "id": job["id"], "epoch": job["epoch"] });
            if self.ask("job_complete", complete).await.is_ok() {
                let id = job["id"].as_str().unwrap().to_owned();
                assert!(self.completed.insert(id.clone()), "the job {id} was completed twice");
            }
        }
        found
    }

    async fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if !self.world.turn().await {
                return;
            }
        }
        panic!("the drivers do not come to rest");
    }

    /// All entries of a list.
    pub(super) async fn list(&mut self, operation: &str, mut arguments: Value) -> Vec<Value> {
        arguments["limit"] = json!(50);
        let mut entries = Vec::new();
        loop {
            let page = self.world.call(operation, arguments.clone()).await.unwrap();
            entries.extend(page["items"].as_array().unwrap().iter().cloned());
            match page.get("next_cursor").filter(|it| !it.is_null()) {
                Some(cursor) => arguments["cursor"] = cursor.clone(),
                None => return entries,
            }
        }
    }
}
