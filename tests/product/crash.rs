//! kill -9 under load, again and again: what was acknowledged is there exactly once, and replaying
//! the journal gives the stored state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flowmaster_engine::{Event, replay};
use serde_json::{Value, json};

use crate::harness::{Caller, database};
use crate::program::Running;

const KILLS: u64 = 50;
const CLIENTS: u64 = 16;

#[derive(Default)]
struct Acknowledged {
    /// Idempotency key → instance.
    started: BTreeMap<String, String>,
    /// Instances whose task was completed.
    completed: Vec<String>,
    calls: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let mut server = Running::start(folder.path(), database.as_deref());
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    let mut all = Acknowledged::default();
    for round in 0..KILLS {
        let stop = Arc::new(AtomicBool::new(false));
        let progress = Arc::new(AtomicU64::new(0));
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let caller = server.caller(&key);
            let (stop, progress) = (Arc::clone(&stop), Arc::clone(&progress));
            clients.push(tokio::spawn(load(caller, format!("{round}-{client}"), stop, progress)));
        }
        // The moment differs from round to round, but work has always been acknowledged before it.
        let target = 10 + (round * 37) % 60;
        let patience = Instant::now() + Duration::from_secs(20);
        while progress.load(Ordering::Relaxed) < target && Instant::now() < patience {
            tokio::task::yield_now().await;
        }
        server.kill();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            let one = client.await.unwrap();
            all.started.extend(one.started);
            all.completed.extend(one.completed);
            all.calls += one.calls;
        }
        server = Running::start(folder.path(), database.as_deref());
    }
    assert!(all.calls > KILLS * 10, "{} calls were acknowledged", all.calls);
    let caller = server.caller(&key);
    for (key, instance) in &all.started {
        let again = caller.try_call("process_start", start_of(key), Some(key)).await.unwrap();
        assert_eq!(again.unwrap()["id"], json!(instance), "{key}");
        let found = caller.call("instance_search", json!({ "business_key": key })).await.unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{key}: {found}");
    }
    for instance in &all.completed {
        let seen = caller.call("instance_get", json!({ "id": instance })).await.unwrap();
        assert_eq!(seen["state"], "completed", "{instance}");
    }
    for instance in all.started.values().step_by(7) {
        replays(&caller, instance).await;
    }
}

fn start_of(key: &str) -> Value {
    json!({ "process": "load", "business_key": key, "variables": { "amount": 7 } })
}

async fn publish(admin: &Caller) {
    let compact = json!({ "id": "load", "elements": [
        { "id": "s", "type": "startEvent", "next": "double" },
        { "id": "double", "type": "scriptTask", "script": "amount * 2", "result": "double", "next": "look" },
        { "id": "look", "type": "serviceTask", "job": "look", "next": "e" },
        { "id": "e", "type": "endEvent" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "load" })).await.unwrap();
}

/// Starts instances and completes jobs until the server is gone; gives what was acknowledged.
async fn load(
    caller: Caller,
    name: String,
    stop: Arc<AtomicBool>,
    progress: Arc<AtomicU64>,
) -> Acknowledged {
    let mut done = Acknowledged::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{name}-{number}");
        let Ok(Ok(started)) = caller.try_call("process_start", start_of(&key), Some(&key)).await
        else {
            continue;
        };
        done.started.insert(key, started["id"].as_str().unwrap().to_owned());
        let claim = json!({ "job_type": "look" });
        let claimed = caller.try_call("job_claim", claim, None).await;
        let Ok(Ok(jobs)) = claimed else { continue };
        let Some(job) = jobs["jobs"].get(0) else { continue };
        let complete =
            json!({ "id": job["id"], "epoch": job["epoch"], "variables": { "seen": true } });
        if let Ok(Ok(_)) = caller.try_call("job_complete", complete, None).await {
            done.completed.push(job["instance"].as_str().unwrap().to_owned());
        }
        done.calls += 2;
        progress.fetch_add(1, Ordering::Relaxed);
    }
    done
}

/// Replaying the journal of an instance gives the variables and the state that are stored.
pub(crate) async fn replays(caller: &Caller, instance: &str) {
    let timeline = json!({ "id": instance, "response_format": "detailed", "limit": 50 });
    let timeline = caller.call("instance_timeline", timeline).await.unwrap();
    let events: Vec<Event> = timeline["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry["events"].as_array().unwrap())
        .map(|event| serde_json::from_value(event.clone()).unwrap())
        .collect();
    let replayed = replay(instance, &events);
    let detailed = json!({ "id": instance, "response_format": "detailed" });
    let stored = caller.call("instance_get", detailed).await.unwrap();
    assert_eq!(json!(replayed.state.as_str()), stored["state"], "{instance}");
    assert_eq!(
        serde_json::to_value(replayed.variables()).unwrap(),
        stored["variables"],
        "{instance}"
    );
}
