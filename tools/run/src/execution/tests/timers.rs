//! Timers in instances, of paused instances, and of processes that begin by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_engine::{Event, InstanceState};
use flowmaster_kernel::Clock as _;
use flowmaster_store::journal;

use super::*;
use crate::execution::Drivers;
use crate::execution::timeline::recorded_events;

fn reminded(event: &Value, interrupting: bool) -> Value {
    json!([
        begin("approve"),
        element("approve", "userTask", "done", json!({})),
        element(
            "late",
            "boundaryEvent",
            "count",
            json!({ "attachedTo": "approve", "interrupting": interrupting, "event": event })
        ),
        element(
            "count",
            "scriptTask",
            "reminded",
            json!({ "script": "count + 1", "result": "count" })
        ),
        end("reminded"),
        end("done"),
    ])
}

#[tokio::test]
async fn an_interrupting_timer_ends_its_task() {
    let world = World::new().await;
    world.publish("order", reminded(&json!({ "duration": "PT1H" }), true)).await;
    let id = world.start("order", json!({ "count": 0 })).await;
    assert_eq!(world.waiting(&id).await, ["approve", "late"]);
    world.after(59).await;
    assert_eq!(world.state(&id).await, "active");
    world.after(1).await;
    assert_eq!(
        (world.state(&id).await.as_str(), world.variable(&id, "count").await),
        ("completed", json!(1))
    );
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_cycle_fires_as_often_as_it_says() {
    let world = World::new().await;
    world.publish("order", reminded(&json!({ "cycle": "R2/PT10M" }), false)).await;
    let id = world.start("order", json!({ "count": 0 })).await;
    for (minutes, count) in [(9, 0), (1, 1), (10, 2), (60, 2)] {
        world.after(minutes).await;
        assert_eq!(world.variable(&id, "count").await, json!(count));
    }
    assert_eq!(world.waiting(&id).await, ["approve"]);
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_paused_instance_has_no_running_timers() {
    let world = World::new().await;
    world.publish("order", reminded(&json!({ "duration": "PT1H" }), true)).await;
    let id = world.start("order", json!({ "count": 0 })).await;
    let control = |action: &str| json!({ "id": id, "action": action });
    world.answer("instance_control", control("pause")).await;
    world.settle().await;
    world.clock.advance_millis(7_200_000);
    assert_eq!(world.settle().await, 0, "the drivers have nothing to do with it");
    assert_eq!(world.state(&id).await, "paused");
    world.answer("instance_control", control("resume")).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_process_begins_by_its_timer() {
    let world = World::new().await;
    let hourly = |cycle: &str| {
        json!([
            element("hourly", "startEvent", "work", json!({ "event": { "cycle": cycle } })),
            element("work", "serviceTask", "done", json!({})),
            end("done"),
        ])
    };
    world.publish("report", hourly("R/PT1H")).await;
    for (minutes, instances) in [(59, 0), (1, 1), (60, 2)] {
        world.after(minutes).await;
        assert_eq!(world.instances().await.len(), instances);
    }
    // Nothing ran for ten hours: what was missed is made up for once, and the rhythm is kept.
    world.after(630).await;
    assert_eq!(world.instances().await.len(), 3);
    world.after(30).await;
    assert_eq!(world.instances().await.len(), 4);

    world.publish("report", hourly("R2/PT3H")).await;
    world.after(60).await;
    assert_eq!(world.instances().await.len(), 4, "the timers of the old version are gone");
    for instances in [5, 6, 6] {
        world.after(180).await;
        assert_eq!(world.instances().await.len(), instances);
    }
    let newest = world.instances().await.remove(0);
    assert_eq!(world.get(&newest).await["process_version"], 2);
    assert_eq!(world.get(&newest).await["started_by"], "flowmaster");
    assert_eq!(world.check_journals().await, 6);
}

#[tokio::test]
async fn a_date_begins_a_process_once_however_often_it_is_published() {
    let world = World::new().await;
    let on_a_date = json!([
        element(
            "when",
            "startEvent",
            "done",
            json!({ "event": { "date": "2026-07-10T09:00:00Z" } })
        ),
        end("done"),
    ]);
    world.publish("jubilee", on_a_date.clone()).await;
    world.after(60).await;
    assert_eq!(world.instances().await.len(), 1);
    world.publish("jubilee", on_a_date).await;
    world.after(60).await;
    assert_eq!(world.instances().await.len(), 1);
}

#[tokio::test]
async fn a_policy_that_refuses_a_start_does_not_stop_the_cycle() {
    let world = World::new().await;
    let elements = json!([
        element("hourly", "startEvent", "done", json!({ "event": { "cycle": "R/PT1H" } })),
        end("done"),
    ]);
    let never = json!([{ "id": "closed", "on": ["start"],
        "rule": { "condition": { "when": "false", "reason": "closed" } } }]);
    world.publish_as(json!({ "id": "report", "elements": elements, "policies": never })).await;
    world.after(60).await;
    assert!(world.instances().await.is_empty());
    let mut session = world.db.read(&world.ctx).await.unwrap();
    let timers = flowmaster_store::timers::list(&mut session, None, None, 10).await.unwrap();
    assert_eq!(timers.len(), 1);
    assert_eq!(timers[0].due_at.to_string(), "2026-07-10T10:00:00Z");
}

/// How many instances of how many timers each.
const MANY: (usize, usize) = (1_000, 10);

#[tokio::test]
async fn ten_thousand_timers_fire_once_and_none_early() {
    let world = World::new().await;
    let inner = json!([
        begin("wait"),
        element(
            "wait",
            "intermediateCatchEvent",
            "done",
            json!({ "event": { "date": "=moment" } })
        ),
        end("done"),
    ]);
    let repeated =
        json!({ "forEach": { "collection": "moments", "item": "moment" }, "elements": inner });
    world
        .publish(
            "moments",
            json!([
                { "id": "first", "type": "startEvent", "next": "each" },
                element("each", "subProcess", "all", repeated),
                end("all"),
            ]),
        )
        .await;
    let mut dice = Dice(11);
    let began = world.clock.now();
    let mut ids = Vec::new();
    for _ in 0..MANY.0 {
        let moments: Vec<String> = (0..MANY.1)
            .map(|_| began.plus_millis(dice.under(30 * 24 * 3_600_000)).to_string())
            .collect();
        let params = json!({ "process": "moments", "variables": { "moments": moments } });
        let started = world.answer("process_start", params).await;
        ids.push(started["id"].as_str().unwrap().to_owned());
    }
    // The clock jumps, and again and again another node, or one that is started anew, goes on.
    let (mut execution, _) = world.other_node();
    let last = began.plus_millis(30 * 24 * 3_600_000);
    while world.clock.now() < last {
        world.clock.advance_millis(dice.under(4 * 24 * 3_600_000));
        if dice.under(3) == 0 {
            (execution, _) = world.other_node();
        }
        let drivers = Drivers::new(Arc::clone(&execution));
        while drivers.turn().await.unwrap() {}
    }
    let mut fired = 0;
    for id in &ids {
        let stored = world.execution.stored(&world.ctx, id).await.unwrap();
        assert_eq!(stored.instance.state, InstanceState::Completed, "{id}: a timer is lost");
        let mut session = world.db.read(&world.ctx).await.unwrap();
        let mut due = BTreeMap::new();
        for row in journal::read(&mut session, id, 0, 1_000).await.unwrap() {
            for event in recorded_events(&row.events).unwrap() {
                match event {
                    Event::TimerStarted { key, due_at, .. } => {
                        due.insert(key, due_at);
                    }
                    Event::TimerFired { key, .. } => {
                        let due_at = due.remove(&key).expect("a timer fires once");
                        assert!(row.at >= due_at, "{id}: a timer fired early");
                        fired += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    assert_eq!(fired, MANY.0 * MANY.1);
}

/// Numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn under(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((drawn ^ (drawn >> 31)) >> 1).unwrap() % limit
    }
}
