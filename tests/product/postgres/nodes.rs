//! Three nodes on one database, stopped and killed under load: what one of them acknowledged is known
//! to all, every job is done once, and the others finish what a dead node had begun.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{Caller, database};
use crate::program::Running;

const NODES: usize = 3;
const KILLS: usize = 20;
const CLIENTS: usize = 8;
/// How long a call may look for a node that answers it, and the rest for what dead nodes left.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the nodes are now; a node that was started again has another address.
#[derive(Clone)]
struct Nodes {
    addresses: Arc<RwLock<Vec<String>>>,
    key: String,
    /// How many calls were answered with an error.
    errors: Arc<AtomicU64>,
}

impl Nodes {
    fn node(&self, number: usize) -> Caller {
        let addresses = self.addresses.read();
        Caller::at(&addresses[number % addresses.len()], &self.key)
    }

    /// Calls one node after the other, beginning with `first`, until one answers. The key makes
    /// that safe: whatever a dead node had done is not done again.
    async fn call(&self, first: usize, operation: &str, arguments: &Value, key: &str) -> Value {
        let patience = Instant::now() + PATIENCE;
        for turn in 0.. {
            let node = self.node(first + turn);
            let why = match node.try_call(operation, arguments.clone(), Some(key)).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err((_, error))) if error["retryable"] == true => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    error.to_string()
                }
                Ok(refused) => panic!("{operation} {arguments}: {refused:?}"),
                Err(gone) => gone.to_string(),
            };
            assert!(Instant::now() < patience, "nobody answers {operation}: {why}");
            tokio::task::yield_now().await;
        }
        unreachable!()
    }
}

struct Cluster {
    running: Vec<Running>,
    folders: Vec<tempfile::TempDir>,
    database: String,
    nodes: Nodes,
}

impl Cluster {
    async fn start() -> Self {
        let database = database().await.expect("these tests are about PostgreSQL");
        let folders: Vec<_> = (0..NODES).map(|_| tempfile::tempdir().unwrap()).collect();
        let running: Vec<_> =
            folders.iter().map(|it| Running::start(it.path(), Some(&database))).collect();
        let key = running.iter().find_map(|it| it.new_key.clone()).unwrap();
        let addresses = running.iter().map(|it| it.base.clone()).collect();
        let addresses = Arc::new(RwLock::new(addresses));
        let nodes = Nodes { addresses, key, errors: Arc::default() };
        Self { running, folders, database, nodes }
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.folders[number].path().to_owned()
    }

    /// Ends a node by `end`, and starts one on the same data.
    fn replace(&mut self, number: usize, end: fn(Running)) {
        let folder = self.folder(number);
        end(self.running.remove(number));
        let again = Running::start(&folder, Some(&self.database));
        self.nodes.addresses.write()[number].clone_from(&again.base);
        self.running.insert(number, again);
    }
}

/// What the clients know to have happened.
#[derive(Default)]
struct Ledger {
    /// Business key → instance.
    started: BTreeMap<String, String>,
    /// The jobs whose completion was acknowledged.
    done: BTreeSet<String>,
}

/// A job for a worker, then a called process that waits for a timer: what clients do, and what the
/// nodes do by themselves.
async fn publish(admin: &Caller) {
    let pause = json!({ "id": "pause", "elements": [
        { "id": "s", "type": "startEvent", "next": "rest" },
        { "id": "rest", "type": "intermediateCatchEvent", "event": { "duration": "PT0.05S" }, "next": "e" },
        { "id": "e", "type": "endEvent" }
    ] });
    let load = json!({ "id": "load", "elements": [
        { "id": "s", "type": "startEvent", "next": "work" },
        { "id": "work", "type": "serviceTask", "job": "work", "next": "call" },
        { "id": "call", "type": "callActivity", "process": "pause", "next": "e" },
        { "id": "e", "type": "endEvent" }
    ] });
    for compact in [pause, load] {
        let id = compact["id"].clone();
        admin.call("process_save", json!({ "compact": compact })).await.unwrap();
        admin.call("process_publish", json!({ "id": id })).await.unwrap();
    }
}

/// Clients that start instances and do jobs.
struct Load {
    nodes: Nodes,
    ledger: Arc<Mutex<Ledger>>,
    /// How many jobs they did.
    progress: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    async fn begin(nodes: &Nodes) -> Self {
        publish(&nodes.node(0)).await;
        let mut load = Self {
            nodes: nodes.clone(),
            ledger: Arc::default(),
            progress: Arc::default(),
            stop: Arc::default(),
            clients: Vec::new(),
        };
        for number in 0..CLIENTS {
            let (nodes, ledger) = (nodes.clone(), Arc::clone(&load.ledger));
            let (progress, stop) = (Arc::clone(&load.progress), Arc::clone(&load.stop));
            load.clients.push(tokio::spawn(async move {
                for turn in (0..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                    work(&nodes, number, turn, &ledger).await;
                    progress.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        load
    }

    /// Returns after some more work.
    async fn goes_on(&self, jobs: u64) {
        let target = self.progress.load(Ordering::Relaxed) + jobs;
        let patience = Instant::now() + PATIENCE;
        while self.progress.load(Ordering::Relaxed) < target {
            assert!(Instant::now() < patience, "the load stands still");
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        assert_everything_ended_once(&self.nodes, &self.ledger).await;
    }
}

async fn work(nodes: &Nodes, number: usize, turn: usize, ledger: &Mutex<Ledger>) {
    let key = format!("{number}-{turn}");
    let start = json!({ "process": "load", "business_key": key });
    let started = nodes.call(number + turn, "process_start", &start, &key).await;
    let instance = started["id"].as_str().unwrap().to_owned();
    assert!(ledger.lock().started.insert(key.clone(), instance).is_none(), "{key}");
    do_job(nodes, number + turn + 1, &key, ledger).await;
}

/// Claims a job and completes it; whether there was one.
async fn do_job(nodes: &Nodes, first: usize, key: &str, ledger: &Mutex<Ledger>) -> bool {
    let claim = json!({ "job_type": "work" });
    let claimed = nodes.call(first, "job_claim", &claim, &format!("{key} claim")).await;
    let Some(job) = claimed["jobs"].get(0) else { return false };
    let complete = json!({ "id": job["id"], "epoch": job["epoch"] });
    nodes.call(first + 1, "job_complete", &complete, &format!("{key} complete")).await;
    let id = job["id"].as_str().unwrap().to_owned();
    assert!(ledger.lock().done.insert(id.clone()), "job {id} was done twice");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_and_the_others_finish_their_work() {
    let mut cluster = Cluster::start().await;
    let load = Load::begin(&cluster.nodes).await;
    for kill in 0..KILLS {
        // The moment differs from kill to kill, but there has always been work before it.
        load.goes_on(5 + (kill as u64 * 37) % 40).await;
        cluster.replace((kill * 7) % NODES, Running::kill);
    }
    load.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_no_call() {
    let mut cluster = Cluster::start().await;
    let load = Load::begin(&cluster.nodes).await;
    for number in 0..NODES {
        load.goes_on(20).await;
        cluster.replace(number, Running::stop);
    }
    load.goes_on(20).await;
    load.end().await;
    assert_eq!(cluster.nodes.errors.load(Ordering::Relaxed), 0);
}

/// Does what is left, waits until the nodes have, and looks at every instance.
async fn assert_everything_ended_once(nodes: &Nodes, ledger: &Mutex<Ledger>) {
    let mut turn = 0;
    while do_job(nodes, turn, &format!("rest-{turn}"), ledger).await {
        turn += 1;
    }
    let patience = Instant::now() + PATIENCE;
    for node in 0.. {
        let active = json!({ "state": "active" });
        let left = nodes.node(node).call("instance_search", active).await.unwrap();
        if left["items"].as_array().unwrap().is_empty() {
            break;
        }
        assert!(Instant::now() < patience, "instances that nobody finishes: {left}");
        tokio::task::yield_now().await;
    }
    let (started, done) = {
        let ledger = ledger.lock();
        (ledger.started.clone(), ledger.done.len())
    };
    assert_eq!(started.len(), done, "every instance has one job");
    for (number, (key, instance)) in started.iter().enumerate() {
        let caller = nodes.node(number);
        let asked = json!({ "process": "load", "business_key": key });
        let found = caller.call("instance_search", asked).await.unwrap();
        let found: Vec<_> = found["items"].as_array().unwrap().iter().collect();
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        assert_eq!((&found[0]["id"], &found[0]["state"]), (&json!(instance), &json!("completed")));
    }
    let children = json!({ "process": "pause", "state": "completed" });
    let children = nodes.node(0).all("instance_search", children).await;
    assert_eq!(children.len(), started.len());
}
