//! Three nodes on one database, each killed again and again under load: what one of them
//! acknowledged is known to all, every job is done once, and the others finish what a dead node had
//! begun.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};

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
                Ok(Err((_, error))) if error["retryable"] == true => error.to_string(),
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
        let nodes = Nodes { addresses: Arc::new(RwLock::new(addresses)), key };
        Self { running, folders, database, nodes }
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.folders[number].path().to_owned()
    }

    /// SIGKILL, and a new start on the same data.
    fn kill_and_start(&mut self, number: usize) {
        let folder = self.folder(number);
        self.running.remove(number).kill();
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

/// Starts instances and does jobs until `stop`.
async fn client(
    nodes: Nodes,
    number: usize,
    ledger: Arc<Mutex<Ledger>>,
    (stop, progress): (Arc<AtomicBool>, Arc<AtomicU64>),
) {
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{number}-{turn}");
        let start = json!({ "process": "load", "business_key": key });
        let started = nodes.call(number + turn, "process_start", &start, &key).await;
        let instance = started["id"].as_str().unwrap().to_owned();
        assert!(ledger.lock().started.insert(key.clone(), instance).is_none(), "{key}");
        do_job(&nodes, number + turn + 1, &key, &ledger).await;
        progress.fetch_add(1, Ordering::Relaxed);
    }
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
    let nodes = cluster.nodes.clone();
    publish(&nodes.node(0)).await;
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let (stop, progress) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let signs = (Arc::clone(&stop), Arc::clone(&progress));
            tokio::spawn(client(nodes.clone(), number, Arc::clone(&ledger), signs))
        })
        .collect();
    for kill in 0..KILLS {
        // The moment differs from kill to kill, but there has always been work before it.
        let target = progress.load(Ordering::Relaxed) + 5 + (kill as u64 * 37) % 40;
        let patience = Instant::now() + PATIENCE;
        while progress.load(Ordering::Relaxed) < target {
            assert!(Instant::now() < patience, "the load stands still before kill {kill}");
            tokio::task::yield_now().await;
        }
        cluster.kill_and_start((kill * 7) % NODES);
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert_everything_ended_once(&nodes, &ledger).await;
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
    assert_eq!(count(&nodes.node(0), "instance_search", children).await, started.len());
}

/// How many entries all pages of a list have.
async fn count(caller: &Caller, operation: &str, mut arguments: Value) -> usize {
    let mut entries = 0;
    loop {
        let page = caller.call(operation, arguments.clone()).await.unwrap();
        entries += page["items"].as_array().unwrap().len();
        match page.get("next_cursor").filter(|it| !it.is_null()) {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return entries,
        }
    }
}
