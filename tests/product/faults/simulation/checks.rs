//! What must hold when everything has ended.

use std::collections::BTreeMap;

use flowmaster_engine::{Event, Key, replay};
use flowmaster_kernel::Timestamp;
use flowmaster_store::{jobs, journal, timers};
use serde_json::{Value, json};

use super::clients::Clients;
use super::models::CHILD;

pub(super) async fn hold(clients: &mut Clients) {
    let all = clients.list("instance_search", json!({})).await;
    let mut by_key: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for instance in &all {
        assert_ne!(instance["state"], "active", "{instance}");
        // Those that are called have the key of the caller.
        if let Some(key) = instance["business_key"].as_str()
            && instance["process"] != CHILD
        {
            by_key.entry(key).or_default().push(instance);
        }
    }
    for (key, instance) in &clients.started {
        let found: Vec<_> =
            by_key[key.as_str()].iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(found, [instance], "{key} was started once");
    }
    for (key, found) in &by_key {
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        assert!(!clients.refused.contains(*key), "{key} was refused, and started all the same");
    }
    let mut completions = 0;
    for instance in &all {
        completions += of_instance(clients, instance["id"].as_str().unwrap()).await;
    }
    assert!(completions >= clients.completed.len(), "{completions} completions");
    let tasks = clients.list("task_list", json!({ "filter": "all" })).await;
    for task in &tasks {
        assert!(task["state"] != "ready" && task["state"] != "reserved", "left open: {task}");
    }
    let mut session = clients.world.node().rooms.db.read(&clients.world.ctx()).await.unwrap();
    assert_eq!(timers::list(&mut session, None, None, 10).await.unwrap(), []);
    assert!(jobs::list(&mut session, None, None, None, 10).await.unwrap().is_empty());
    drop(session);
    for operation in ["instance_search", "task_list"] {
        let seen = clients.world.call_as_stranger(operation, json!({})).await;
        assert_eq!(seen["items"], json!([]), "{operation}: of another tenant");
    }
}

/// Its journal is whole and leads to its state; its timers fired once, and not early. Says how
/// many waits of it were completed.
async fn of_instance(clients: &Clients, id: &str) -> usize {
    let node = clients.world.node();
    let ctx = clients.world.ctx();
    let stored = node.rooms.execution.stored(&ctx, id).await.unwrap();
    let mut session = node.rooms.db.read(&ctx).await.unwrap();
    journal::verify(&mut session, &ctx.tenant, id, Some(&stored.head)).await.unwrap();
    let rows = journal::read(&mut session, id, 0, journal::MAX_BATCH).await.unwrap();
    let mut events: Vec<Event> = Vec::new();
    let mut due: BTreeMap<Key, Timestamp> = BTreeMap::new();
    let mut completions = 0;
    for row in &rows {
        let of_row: Vec<Event> = serde_json::from_value(row.events["events"].clone()).unwrap();
        for event in &of_row {
            match event {
                Event::TimerStarted { key, due_at: at, .. } => {
                    due.insert(*key, *at);
                }
                Event::TimerFired { key, .. } => {
                    let due = due.remove(key).unwrap_or_else(|| panic!("{id}: {key} fired twice"));
                    assert!(due <= row.at, "{id}: {key} is due at {due:?}, fired at {:?}", row.at);
                }
                Event::WorkCompleted { .. } => completions += 1,
                _ => {}
            }
        }
        events.extend(of_row);
    }
    assert_eq!(replay(id, &events), stored.instance, "{id}: the journal leads to another state");
    completions
}
