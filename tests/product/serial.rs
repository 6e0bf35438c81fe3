//! Two calls at once about one instance: what comes of them is what one after the other gives, in
//! one of the two orders, and who is told to have succeeded has.

use std::sync::Arc;

use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::dmn::Decisions;
use flowmaster_engine::governance::Authority;
use flowmaster_engine::wait::WaitKind;
use flowmaster_engine::{Command, Definition, Env, Instance, Key, VariableMap, advance, replay};
use flowmaster_kernel::{Clock, Ctx, IdSource, ManualClock, Timestamp};
use flowmaster_mcp_server::system::RandomIds;
use flowmaster_store::journal;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::proof::Proof;

/// What is done to the instance.
const ACTIONS: [&str; 8] =
    ["complete a", "complete b", "fail a", "message", "signal", "set", "pause", "cancel"];

fn process() -> Value {
    json!({ "id": "both", "elements": [
        { "id": "start", "type": "startEvent", "next": "fork" },
        { "id": "fork", "type": "parallelGateway", "next": ["a", "b"] },
        { "id": "a", "type": "serviceTask", "job": "=\"a-\" + key", "next": "join" },
        { "id": "stop", "type": "boundaryEvent", "attachedTo": "a", "next": "stopped",
          "event": { "message": { "name": "stop", "correlation": "key" } } },
        { "id": "stopped", "type": "endEvent" },
        { "id": "b", "type": "serviceTask", "job": "=\"b-\" + key", "next": "join" },
        { "id": "join", "type": "parallelGateway", "next": "end" },
        { "id": "end", "type": "endEvent" },
        { "id": "watch", "type": "eventSubProcess", "elements": [
            { "id": "heard", "type": "startEvent", "event": { "signal": "=\"all-\" + key" }, "next": "look" },
            { "id": "look", "type": "serviceTask", "job": "look", "next": "seen" },
            { "id": "seen", "type": "endEvent" }
        ] }
    ] })
}

/// A server, and the same process for the engine alone.
struct Bed {
    server: TestServer,
    definition: Definition,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_calls_at_once_do_what_one_after_the_other_does() {
    let moment = Timestamp::parse("2026-11-23T08:00:00Z").unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(moment));
    let server = TestServer::start_with(Arc::clone(&clock)).await;
    server.admin.call("process_save", json!({ "compact": process() })).await.unwrap();
    server.admin.call("process_publish", json!({ "id": "both" })).await.unwrap();
    let compact: CompactProcess = serde_json::from_value(process()).unwrap();
    let definition = Definition::new(compact.to_process().unwrap(), Arc::new(Decisions::default()));
    let bed = Bed { server, definition, clock, ids: Arc::new(RandomIds) };
    // How often each pair is tried. Where the second of them comes first, both were really at once.
    let proof = Proof::of("I4 pairs at once, in rounds", 3, 300);
    for round in 0..proof.size() {
        for (nth, one) in ACTIONS.iter().enumerate() {
            for other in &ACTIONS[nth..] {
                // Either of them may get a head start.
                let pair = if round.is_multiple_of(2) { [*one, *other] } else { [*other, *one] };
                let key = format!("{round} {}", pair.join(" "));
                proof.faults(bed.at_once(&key, pair).await);
                proof.operation(true);
            }
        }
    }
    let rounds = proof.size();
    proof.ends(rounds);
}

impl Bed {
    fn ctx(&self) -> Ctx {
        self.server.server.owner.ctx("serial".into(), &self.clock, &self.ids)
    }

    /// Does both at once; 0 if that was in the order of asking, and 1 if not.
    async fn at_once(&self, key: &str, pair: [&'static str; 2]) -> usize {
        let admin = &self.server.admin;
        let variables = json!({ "key": key, "x": 0 });
        let start = json!({ "process": "both", "business_key": key, "variables": variables });
        let started = admin.call("process_start", start).await.unwrap();
        let id = started["id"].as_str().unwrap();
        let mut jobs = Vec::new();
        for kind in ["a", "b"] {
            let claim = json!({ "job_type": format!("{kind}-{key}") });
            jobs.push(admin.call("job_claim", claim).await.unwrap()["jobs"][0].clone());
        }
        let before = self.stored(id).await;
        let [one, other] = pair.map(|action| {
            let (operation, arguments) = call(action, id, key, &jobs);
            let admin = admin.clone();
            tokio::spawn(async move { admin.call(operation, arguments).await })
        });
        let answers = [one.await.unwrap(), other.await.unwrap()];
        let after = self.stored(id).await;
        let orders = [[0, 1], [1, 0]];
        let found = orders.iter().position(|order| {
            let mut instance = before.clone();
            let fits = order.iter().all(|nth| {
                let done = self.follow(&mut instance, pair[*nth], key);
                tells(pair[*nth], done, &answers[*nth])
            });
            fits && instance == after
        });
        found.unwrap_or_else(|| {
            panic!("{pair:?}: {answers:#?}\nbefore: {before:#?}\nafter: {after:#?}")
        })
    }

    /// The state as stored, to which its journal leads.
    async fn stored(&self, id: &str) -> Instance {
        let (ctx, rooms) = (self.ctx(), &self.server.server.rooms);
        let stored = rooms.execution.stored(&ctx, id).await.unwrap();
        let mut session = rooms.db.read(&ctx).await.unwrap();
        let rows = journal::read(&mut session, id, 0, journal::MAX_BATCH).await.unwrap();
        let events: Vec<_> = rows
            .iter()
            .flat_map(|row| serde_json::from_value::<Vec<_>>(row.events["events"].clone()).unwrap())
            .collect();
        assert_eq!(replay(id, &events), stored.instance);
        stored.instance.clone()
    }

    /// Has the engine alone do what `action` is, if it can be done.
    fn follow(&self, instance: &mut Instance, action: &str, key: &str) -> bool {
        let Some(command) = command(instance, action, key) else { return false };
        let ctx = self.ctx();
        let authority = Authority::default();
        let env = Env { now: self.clock.now(), actor: &ctx.principal, authority: &authority };
        let decided = advance(&self.definition, instance, command, &env);
        let done = decided.is_ok();
        if let Ok(decided) = decided {
            *instance = decided.instance;
        }
        done
    }
}

fn variables(x: i64) -> VariableMap {
    VariableMap::one("x", json!(x))
}

fn command(instance: &Instance, action: &str, key: &str) -> Option<Command> {
    let at = |element: &str, is_work: bool| {
        let mut waits = instance.waits();
        let found = waits.find(|(_, it)| &*it.element == element && it.kind.is_work() == is_work);
        found.map(|(key, _)| key)
    };
    Some(match action {
        "complete a" => Command::CompleteWork { key: at("a", true)?, variables: variables(1) },
        "complete b" => Command::CompleteWork { key: at("b", true)?, variables: variables(2) },
        "fail a" => {
            let (key, message) = (at("a", true)?, "no".to_owned());
            Command::FailWork { key, message, retries: 0, back_off: None }
        }
        "message" => {
            let key = at("stop", false)?;
            Command::CorrelateMessage { key, variables: variables(3), message_id: None }
        }
        "signal" => {
            let name = format!("all-{key}");
            let is_heard =
                |kind: &WaitKind| matches!(kind, WaitKind::Signal { name: it } if *it == name);
            instance.waits().find(|(_, it)| is_heard(&it.kind))?;
            Command::BroadcastSignal { name, variables: variables(4) }
        }
        "set" => Command::SetVariables { scope: Key::PROCESS, variables: variables(5) },
        "pause" => Command::Pause,
        _ => Command::Cancel { reason: None },
    })
}

fn call(action: &str, id: &str, key: &str, jobs: &[Value]) -> (&'static str, Value) {
    let held = |nth: usize| json!({ "id": jobs[nth]["id"], "epoch": jobs[nth]["epoch"] });
    let with = |mut arguments: Value, name: &str, value: Value| {
        arguments[name] = value;
        arguments
    };
    match action {
        "complete a" => ("job_complete", with(held(0), "variables", json!({ "x": 1 }))),
        "complete b" => ("job_complete", with(held(1), "variables", json!({ "x": 2 }))),
        "fail a" => ("job_fail", with(with(held(0), "message", json!("no")), "retries", json!(0))),
        "message" => (
            "message_publish",
            json!({ "name": "stop", "correlation": key, "variables": { "x": 3 } }),
        ),
        "signal" => {
            ("signal_broadcast", json!({ "name": format!("all-{key}"), "variables": { "x": 4 } }))
        }
        "set" => ("instance_modify", json!({ "id": id, "variables": { "x": 5 } })),
        "pause" => ("instance_control", json!({ "id": id, "action": "pause" })),
        _ => ("instance_control", json!({ "id": id, "action": "cancel" })),
    }
}

/// Whether the answer is true. A message or signal for nobody is none that failed.
fn tells(action: &str, done: bool, answer: &Answer) -> bool {
    match action {
        "message" | "signal" => true,
        _ => answer.is_ok() == done,
    }
}
