//! What the server sees to by itself as time passes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flowmaster_kernel::{Clock as _, ManualClock};
use flowmaster_mcp_server::system::SystemClock;
use serde_json::{Value, json};

use crate::harness::{Caller, TestServer};

const DAY_MILLIS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn an_answer_is_kept_for_seven_days_under_its_key_and_then_forgotten() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let server = TestServer::start_with(Arc::clone(&clock) as _).await;
    let admin = &server.admin;
    let compact = json!({ "id": "p", "elements": [
        { "id": "s", "type": "startEvent", "next": "w" },
        { "id": "w", "type": "serviceTask", "job": "w" }
    ] });
    admin.call("process_save", json!({ "compact": compact })).await.unwrap();
    admin.call("process_publish", json!({ "id": "p" })).await.unwrap();

    let old = started(admin, "old").await;
    clock.advance_millis(DAY_MILLIS);
    let new = started(admin, "new").await;
    assert_eq!(started(admin, "old").await, old);
    clock.advance_millis(6 * DAY_MILLIS + 1);
    let patience = Instant::now() + Duration::from_secs(30);
    while started(admin, "old").await == old {
        assert!(Instant::now() < patience, "an answer of seven days ago is still there");
        tokio::task::yield_now().await;
    }
    assert_eq!(started(admin, "new").await, new, "six days are not seven");
    let all = admin.call("instance_search", json!({ "process": "p" })).await.unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
}

/// The instance that a start under `key` answers with.
async fn started(caller: &Caller, key: &str) -> Value {
    let start = json!({ "process": "p" });
    caller.try_call("process_start", start, Some(key)).await.unwrap().unwrap()["id"].clone()
}
