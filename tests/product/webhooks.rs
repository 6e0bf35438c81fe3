//! What happens is told to who subscribed: at least once, in order per instance, under ids that stay,
//! whatever receivers and servers do meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use flowmaster_reach::testing::{Received, Receiver, Reply};
use futures::StreamExt as _;
use futures::stream;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::harness::{Caller, code, database};
use crate::program::{Running, program};
use crate::proof::{Dice, Proof};
use crate::told::Flag;

/// What each instance of the process tells.
const TELLS: [&str; 4] =
    ["instance.started", "task.created", "task.completed", "instance.completed"];
/// How often an event is sent before it is a dead letter.
const ATTEMPTS: u32 = 3;

/// A server that may reach this machine.
fn start(folder: &Path, database: Option<&str>) -> Running {
    let mut command = Command::new(program());
    command.env("FLOWMASTER_WEBHOOK_NETWORKS", "127.0.0.0/8");
    if let Some(url) = database {
        command.env("FLOWMASTER_DATABASE_URL", url);
    }
    Running::start_by(command, folder).unwrap()
}

/// What a receiver did.
#[derive(Default)]
struct Effects {
    /// Each event that had its effect, in order, with its body.
    events: Vec<(String, String)>,
    bodies: BTreeMap<String, String>,
    tries: BTreeMap<String, u64>,
    faults: usize,
}

/// A receiver that fails 30 %, and does what it is asked in 20 % without saying so. One event of every
/// 40th instance it refuses for good, until it is healed.
async fn faulty(seed: u64, healed: Arc<Flag>) -> (Receiver, Arc<Mutex<Effects>>) {
    let effects = Arc::new(Mutex::new(Effects::default()));
    let noted = Arc::clone(&effects);
    let answer = move |it: &Received| {
        let mut noted = noted.lock();
        let (id, body) = (it.id().to_owned(), it.body.clone());
        let before = noted.bodies.insert(id.clone(), body.clone());
        assert!(before.is_none_or(|before| before == body), "{id} changed");
        let tries = noted.tries.entry(id.clone()).or_default();
        *tries += 1;
        let number = id.bytes().fold(*tries, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        let chance = Dice::of(seed, number).under(100);
        let event = it.event();
        let key = event["data"]["business_key"].as_str().unwrap_or_default();
        let is_poison = event["type"] == "task.created"
            && key.parse::<usize>().is_ok_and(|number| number % 40 == 0);
        if !healed.is_set() && (is_poison || chance < 30) {
            noted.faults += 1;
            return Reply::Status(503, &[]);
        }
        noted.events.push((id, body));
        if !healed.is_set() && chance < 50 {
            noted.faults += 1;
            return Reply::Hangs;
        }
        Reply::Status(200, &[])
    };
    (Receiver::start(answer).await.unwrap(), effects)
}

/// A transaction that saw the outbox and does not end.
async fn long_transaction(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    client.query("SELECT COUNT(*) FROM store_outbox", &[]).await.unwrap();
    client.query("SELECT pg_current_xact_id()", &[]).await.unwrap();
    client
}

async fn publish(admin: &Caller) {
    let compact = json!({ "id": "order", "elements": [
        { "id": "start", "type": "startEvent", "next": "check" },
        { "id": "check", "type": "userTask", "assignment": { "groups": "clerk" }, "next": "end" },
        { "id": "end", "type": "endEvent" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "order" })).await.unwrap();
}

/// Calls again after a collision with others, which says that nothing was done.
async fn done(admin: &Caller, operation: &str, arguments: Value) {
    while let Err((_, error)) = admin.call(operation, arguments.clone()).await {
        assert_eq!(error["retryable"], true, "{operation}: {error}");
    }
}

/// Runs the instances with these numbers to their end.
async fn run(admin: &Caller, numbers: Range<usize>) {
    let mut left = numbers.len();
    let begin = async |number: usize| {
        let start = json!({ "process": "order", "business_key": number.to_string() });
        done(admin, "process_start", start).await;
    };
    stream::iter(numbers).for_each_concurrent(8, begin).await;
    let finish = async |task: Value| {
        done(admin, "task_claim", json!({ "id": task["id"] })).await;
        done(admin, "task_complete", json!({ "id": task["id"] })).await;
    };
    while left > 0 {
        let open = json!({ "filter": "all_open", "limit": 50 });
        let some = |page: &Value| page["items"].get(0).map(|_| page["items"].clone());
        let tasks = admin.until("task_list", open, some).await;
        let tasks = tasks.as_array().unwrap().clone();
        left -= tasks.len();
        stream::iter(tasks).for_each_concurrent(8, finish).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_between_a_server_that_dies_and_a_receiver_that_fails() {
    let proof = Proof::of("R10 webhooks", 1_000, 10_000);
    let instances = proof.size() / TELLS.len();
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let server = start(folder.path(), database.as_deref());
    let key = server.new_key.clone().unwrap();
    let healed = Arc::new(Flag::default());
    let (receiver, effects) = faulty(proof.seed(), Arc::clone(&healed)).await;
    let admin = server.caller(&key);
    let subscribe = json!({ "url": receiver.url, "process": "order", "types": TELLS,
        "max_attempts": ATTEMPTS });
    let saved = admin.call("subscription_save", subscribe).await.unwrap();
    let secret = saved["secret"].as_str().unwrap().to_owned();
    let long = match &database {
        Some(url) => Some(long_transaction(url).await),
        None => None,
    };
    publish(&admin).await;
    run(&admin, 0..instances / 2).await;
    server.kill();
    let server = start(folder.path(), database.as_deref());
    let admin = server.caller(&key);
    run(&admin, instances / 2..instances).await;

    let none = |page: &Value| page["items"].as_array().unwrap().is_empty().then_some(Value::Null);
    let waiting = json!({ "state": "waiting" });
    settled(&admin, &effects, instances * TELLS.len()).await;
    let dead = admin.all("delivery_search", json!({ "limit": 50 })).await;
    let dead: BTreeSet<&str> = dead.iter().map(|it| it["event"].as_str().unwrap()).collect();
    let poisoned = instances.div_ceil(40);
    assert!(dead.len() >= poisoned, "{} dead letters of {poisoned}", dead.len());
    in_order(&effects.lock(), &dead);

    healed.set();
    let again = json!({ "subscription": saved["subscription"]["id"] });
    let mut retried = 0;
    while retried < dead.len() as u64 {
        // Each call takes up to a thousand.
        let some = admin.call("delivery_retry", again.clone()).await.unwrap();
        let some = some["retried"].as_u64().filter(|some| *some > 0);
        retried += some.expect("dead letters that are not retried");
    }
    assert_eq!(retried, dead.len() as u64);
    admin.until("delivery_search", waiting, none).await;
    assert_eq!(admin.all("delivery_search", json!({})).await, Vec::<Value>::new());
    if let Some(long) = long {
        long.batch_execute("COMMIT").await.unwrap();
    }
    let effects = effects.lock();
    complete(&effects, instances);
    assert!(receiver.received().iter().all(|it| it.is_signed_with(&secret)));
    let reached = effects.events.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len() as u64;
    proof.operations(proof.size() as u64, reached);
    proof.faults(effects.faults);
    let faults = proof.size() / 4;
    proof.ends(faults);
}

/// Waits until every event was sent, and none is to be sent again.
async fn settled(admin: &Caller, effects: &Mutex<Effects>, events: usize) {
    loop {
        let page = admin.call("delivery_search", json!({ "state": "waiting" })).await.unwrap();
        let is_over = page["items"].as_array().unwrap().is_empty();
        if is_over && effects.lock().tries.len() >= events {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// The events of an instance had their effects in the order in which they happened, those aside that
/// became dead letters.
fn in_order(effects: &Effects, dead: &BTreeSet<&str>) {
    let mut first: BTreeMap<&str, Vec<(i64, i64, i64)>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (id, _) in &effects.events {
        if dead.contains(id.as_str()) || !seen.insert(id) {
            continue;
        }
        let parts: Vec<&str> = id.split('/').collect();
        let number = |place: usize| parts[place].parse::<i64>().unwrap();
        first.entry(parts[0]).or_default().push((number(1), number(2), number(3)));
    }
    for (instance, order) in first {
        assert!(order.is_sorted(), "{instance}: {order:?}");
    }
}

/// Every instance told everything that it does, and nothing else.
fn complete(effects: &Effects, instances: usize) {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for body in effects.bodies.values() {
        let event: Value = serde_json::from_str(body).unwrap();
        let key = event["data"]["business_key"].as_str().unwrap().to_owned();
        let kind = event["type"].as_str().unwrap().to_owned();
        assert!(told.entry(key).or_default().insert(kind), "twice: {body}");
    }
    assert_eq!(told.len(), instances);
    assert!(told.values().all(|kinds| kinds.len() == TELLS.len()));
    assert!(effects.bodies.keys().all(|id| effects.events.iter().any(|(it, _)| it == id)));
}

#[tokio::test]
async fn what_is_told_is_what_the_documents_say() {
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let server = start(folder.path(), database.as_deref());
    let admin = server.caller(server.new_key.as_ref().unwrap());
    let receiver = Receiver::start(|_| Reply::Status(200, &[])).await.unwrap();
    admin.call("subscription_save", json!({ "url": receiver.url })).await.unwrap();
    publish(&admin).await;
    run(&admin, 0..1).await;
    let compact = json!({ "id": "stops", "elements": [
        { "id": "start", "type": "startEvent", "next": ["ask", "count"] },
        { "id": "ask", "type": "userTask" },
        { "id": "count", "type": "scriptTask", "script": "size + 1", "result": "more" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "stops" })).await.unwrap();
    let start = json!({ "process": "stops" });
    let started = admin.call("process_start", start).await.unwrap();
    for action in ["pause", "resume", "cancel"] {
        let control = json!({ "id": started["id"], "action": action });
        admin.call("instance_control", control).await.unwrap();
    }
    receiver.was_sent(14).await;
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/events.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut kinds = Vec::new();
    for received in receiver.received() {
        let event = received.event();
        let faults: Vec<String> = schema.iter_errors(&event).map(|it| it.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{event}");
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "incident.raised",
            "incident.resolved",
            "instance.cancelled",
            "instance.completed",
            "instance.paused",
            "instance.resumed",
            "instance.started",
            "instance.started",
            "process.published",
            "process.published",
            "task.cancelled",
            "task.completed",
            "task.created",
            "task.created",
        ]
    );
}

#[tokio::test]
async fn nothing_inside_is_reached_unless_the_operator_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let database = database().await;
    let server = Running::start(folder.path(), database.as_deref());
    let admin = server.caller(server.new_key.as_ref().unwrap());
    let receiver = Receiver::start(|_| Reply::Status(200, &[])).await.unwrap();
    let secure = receiver.url.replace("http:", "https:");
    for url in [receiver.url.clone(), secure.clone()] {
        let refused = admin.call("subscription_save", json!({ "url": url })).await;
        assert_eq!(code(&refused), "invalid_url", "{url}");
    }
    let named = json!({ "url": secure.replace("127.0.0.1", "localhost") });
    let saved = admin.call("subscription_save", named).await.unwrap();
    let id = json!({ "id": saved["subscription"]["id"] });
    let delivery = admin.call("subscription_test", id).await.unwrap()["id"].clone();
    let failed = |it: &Value| it["delivery"]["last_error"].as_str().map(|it| json!(it));
    let why = admin.until("delivery_get", json!({ "id": delivery }), failed).await;
    assert_eq!(why, "the address of its host may not be reached");
    assert_eq!(receiver.received().len(), 0);
}
