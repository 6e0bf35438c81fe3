//! A node that stands still for longer than its lease, clocks an hour apart, and a database that is
//! killed: a job has one completion, and one under an old epoch is refused.

use std::process::Command;
use std::sync::Arc;

use flowmaster_kernel::{Clock, Timestamp};
use flowmaster_mcp_server::config::Secret;
use flowmaster_mcp_server::system::SystemClock;
use serde_json::{Value, json};

use crate::harness::{Caller, TestServer, code, database};
use crate::program::Running;
use crate::proof::Proof;
use crate::told::publish;

/// The shortest lease of a job.
const LEASE_S: u32 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stood_still_completes_nothing_that_is_no_longer_its_own() {
    let proof = Proof::of("R8 pauses past the lease", 20, 300);
    let database = database().await.expect("these tests are about PostgreSQL");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let still = Running::start(folders[0].path(), Some(&database));
    let awake = Running::start(folders[1].path(), Some(&database));
    let key = still.new_key.clone().unwrap();
    let (slow, quick) = (still.caller(&key), awake.caller(&key));
    publish(&quick).await;
    for number in 0..proof.size() {
        let start = json!({ "process": "load", "business_key": format!("pause-{number}") });
        quick.call("process_start", start).await.unwrap();
        let old = claimed(&slow, LEASE_S).await;
        signal(&still, "STOP");
        // It arrives at the node, which does not see it before it goes on.
        let (node, job) = (slow.clone(), old.clone());
        let late = tokio::spawn(async move { complete(&node, &job).await });
        let new = claimed(&quick, 600).await;
        assert_eq!(new["id"], old["id"]);
        assert!(new["epoch"].as_i64() > old["epoch"].as_i64());
        signal(&still, "CONT");
        // A node that stopped in the middle of the call has held its transaction for too long.
        let late = late.await.unwrap();
        assert!(["stale_lease", "transaction_expired"].contains(&late.as_str()), "{late}");
        assert_eq!(complete(&slow, &old).await, "stale_lease");
        let done = complete(&quick, &new).await;
        assert_eq!(done, "ok");
        assert_ne!(complete(&slow, &old).await, "ok");
        proof.operation(done == "ok");
        proof.faults(1);
        let seen = slow.call("instance_get", json!({ "id": new["instance"] })).await.unwrap();
        assert_eq!(seen["state"], "completed");
    }
    let size = proof.size();
    proof.ends(size);
}

/// A clock that is wrong.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_an_hour_apart_give_no_job_two_completions() {
    let proof = Proof::of("R8 clocks an hour apart", 20, 2_000);
    let database = database().await.expect("these tests are about PostgreSQL");
    let mut key = String::new();
    for hours in [-1, 1] {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let on = |at: usize, clock: Arc<dyn Clock>| {
            let database = Some(Secret::new(database.clone()));
            TestServer::on(folders[at].path(), database, clock)
        };
        let right = on(0, Arc::new(SystemClock)).await;
        let off = on(1, Arc::new(Off(hours * 3_600_000))).await;
        if key.is_empty() {
            key.clone_from(&right.admin.key);
            publish(&right.admin).await;
        }
        let nodes = [right.with_key(&key), off.with_key(&key)];
        for number in 0..proof.size() {
            let (first, second) = (&nodes[number % 2], &nodes[(number + 1) % 2]);
            let start = json!({ "process": "load", "business_key": format!("{hours}-{number}") });
            first.call("process_start", start).await.unwrap();
            let old = claimed(first, 60).await;
            let again = second.call("job_claim", json!({ "job_type": "look" })).await.unwrap();
            let outcomes = match again["jobs"].get(0) {
                // For a clock that is ahead the lease has run out.
                Some(new) => [complete(second, new).await, complete(first, &old).await],
                None => [complete(first, &old).await, complete(second, &old).await],
            };
            assert_eq!(outcomes[0], "ok");
            assert_ne!(outcomes[1], "ok");
            proof.operation(true);
            proof.faults(1);
        }
    }
    let size = proof.size();
    proof.ends(size);
}

async fn claimed(caller: &Caller, lease_s: u32) -> Value {
    let claim = json!({ "job_type": "look", "lease_s": lease_s });
    caller.until("job_claim", claim, |answer| answer["jobs"].get(0).cloned()).await
}

/// The code of the answer.
async fn complete(caller: &Caller, job: &Value) -> String {
    let complete = json!({ "id": job["id"], "epoch": job["epoch"] });
    code(&caller.call("job_complete", complete).await).to_owned()
}

fn signal(server: &Running, name: &str) {
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}
