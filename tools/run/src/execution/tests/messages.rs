//! Messages and signals.

use super::*;

/// A process that ends when it hears the signal.
fn listener() -> Value {
    json!([
        begin("listen"),
        element(
            "listen",
            "intermediateCatchEvent",
            "done",
            json!({ "event": { "signal": "closing" } })
        ),
        end("done"),
    ])
}

/// Waits for the message `paid` of its order.
fn waiting() -> Value {
    json!([
        begin("wait"),
        element(
            "wait",
            "receiveTask",
            "done",
            json!({ "event": { "message": { "name": "paid", "correlation": "order" } } })
        ),
        end("done"),
    ])
}

fn paid(order: &str) -> Value {
    json!({ "name": "paid", "correlation": order, "variables": { "payer": "me" } })
}

fn delivered(correlated: &[&str], buffered: bool) -> Value {
    json!({ "correlated": correlated, "started": [], "buffered": buffered })
}

#[tokio::test]
async fn a_message_reaches_whoever_waits_for_it() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    let (one, two) = (
        world.start("order", json!({ "order": "1" })).await,
        world.start("order", json!({ "order": "2" })).await,
    );
    assert_eq!(world.answer("message_publish", paid("2")).await, delivered(&[&two], false));
    assert_eq!(
        (world.state(&one).await.as_str(), world.state(&two).await.as_str()),
        ("active", "completed")
    );
    assert_eq!(world.variable(&two, "payer").await, json!("me"));
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn each_process_takes_a_message_once_the_longest_waiting_instance_first() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    world.publish("books", waiting()).await;
    let first = world.start("order", json!({ "order": "1" })).await;
    world.clock.advance_millis(1);
    let second = world.start("order", json!({ "order": "1" })).await;
    let books = world.start("books", json!({ "order": "1" })).await;
    assert_eq!(
        world.answer("message_publish", paid("1")).await,
        delivered(&[&books, &first], false)
    );
    assert_eq!(world.answer("message_publish", paid("1")).await, delivered(&[&second], false));
}

#[tokio::test]
async fn an_early_message_is_kept_for_its_time() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    let mut early = paid("1");
    early["ttl_s"] = json!(600);
    assert_eq!(world.answer("message_publish", early.clone()).await, delivered(&[], true));
    let in_time = world.start("order", json!({ "order": "1" })).await;
    assert_eq!(world.state(&in_time).await, "completed");
    let only_one = world.start("order", json!({ "order": "1" })).await;
    assert_eq!(world.state(&only_one).await, "active");
    world.answer("instance_control", json!({ "id": only_one, "action": "cancel" })).await;

    assert_eq!(world.answer("message_publish", early.clone()).await, delivered(&[], true));
    world.after(11).await;
    let too_late = world.start("order", json!({ "order": "1" })).await;
    assert_eq!(world.state(&too_late).await, "active");
    let kept = world
        .db
        .read_system()
        .await
        .unwrap()
        .query("SELECT id FROM execution_message", &[])
        .await
        .unwrap();
    assert!(kept.is_empty(), "expired messages are forgotten");

    world.answer("instance_control", json!({ "id": too_late, "action": "cancel" })).await;
    early["ttl_s"] = json!(0);
    assert_eq!(world.answer("message_publish", early.clone()).await, delivered(&[], false));
    early["ttl_s"] = json!(2_592_001);
    assert_eq!(world.refusal("message_publish", early).await.code(), "invalid_ttl");
    assert_eq!(world.check_journals().await, 3);
}

#[tokio::test]
async fn a_message_id_is_taken_once() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    let (one, two) = (
        world.start("order", json!({ "order": "1" })).await,
        world.start("order", json!({ "order": "1" })).await,
    );
    let mut message = paid("1");
    message["message_id"] = json!("m-1");
    let first = world.answer("message_publish", message.clone()).await;
    assert_eq!(first, delivered(&[&one], false));
    assert_eq!(world.answer("message_publish", message).await, first, "what became of it then");
    let mut states = [world.state(&one).await, world.state(&two).await];
    states.sort();
    assert_eq!(states, ["active", "completed"]);

    // A call that is repeated with its key before it was answered is the same message.
    let keyed = world.keyed("message_publish", "k1");
    let answer = world.call(&keyed, "message_publish", paid("1")).await.unwrap();
    assert_eq!(answer["correlated"].as_array().unwrap().len(), 1);
    let third = world.start("order", json!({ "order": "1" })).await;
    let again = world.call(&keyed, "message_publish", paid("1")).await.unwrap_err();
    assert_eq!(again.code(), "idempotency_recorded");
    assert_eq!(world.state(&third).await, "active");
}

#[tokio::test]
async fn a_message_starts_a_process_once() {
    let world = World::new().await;
    let elements = json!([
        element(
            "ordered",
            "startEvent",
            "work",
            json!({ "event": { "message": { "name": "ordered" } } })
        ),
        element("work", "userTask", "done", json!({})),
        end("done"),
    ]);
    world.publish("order", elements).await;
    let ordered = json!({ "name": "ordered", "variables": { "n": 1 }, "message_id": "o-1" });
    let first = world.answer("message_publish", ordered.clone()).await;
    let id = first["started"][0].as_str().unwrap();
    assert_eq!(world.variable(id, "n").await, json!(1));
    let again = world.answer("message_publish", ordered).await;
    assert_eq!(again, first, "what became of it then");
    assert_eq!(world.instances().await.len(), 1);

    world.publish("order", job()).await;
    let gone = world.answer("message_publish", json!({ "name": "ordered" })).await;
    assert_eq!(gone["buffered"], true);
}

#[tokio::test]
async fn processes_send_each_other_messages_and_signals() {
    let world = World::new().await;
    let sender = json!([
        begin("send"),
        element(
            "send",
            "intermediateThrowEvent",
            "shout",
            json!({ "event": { "message": { "name": "paid", "correlation": "order" } } })
        ),
        element("shout", "endEvent", "", json!({ "event": { "signal": "closing" } })),
    ]);
    let woken = json!([
        element("woken", "startEvent", "done", json!({ "event": { "signal": "closing" } })),
        end("done")
    ]);
    world.publish("order", waiting()).await;
    world.publish("sender", sender).await;
    world.publish("listener", listener()).await;
    world.publish("woken", woken).await;
    let order = world.start("order", json!({ "order": "1" })).await;
    let ears = [world.start("listener", json!({})).await, world.start("listener", json!({})).await];
    let sent = world.start("sender", json!({ "order": "1" })).await;
    for id in [&order, &ears[0], &ears[1], &sent] {
        assert_eq!(world.state(id).await, "completed");
    }
    let woken = world.answer("instance_search", json!({ "process": "woken" })).await;
    assert_eq!(texts(&woken["items"], "state"), ["completed"]);
    assert_eq!(world.check_journals().await, 5);
}

#[tokio::test]
async fn a_signal_reaches_more_listeners_than_one_look_finds() {
    let world = World::new().await;
    world.publish("listener", listener()).await;
    let starts = (0..510).map(|_| world.answer("process_start", json!({ "process": "listener" })));
    futures::future::join_all(starts).await;
    let heard = world.answer("signal_broadcast", json!({ "name": "closing" })).await;
    assert_eq!(heard["correlated"].as_array().unwrap().len(), 510);
}

#[tokio::test]
async fn what_arrives_for_a_paused_instance_is_kept() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    let id = world.start("order", json!({ "order": "1" })).await;
    let control = |action: &str| json!({ "id": id, "action": action });
    world.answer("instance_control", control("pause")).await;
    assert_eq!(world.answer("message_publish", paid("1")).await, delivered(&[&id], false));
    world.after(600).await;
    assert_eq!(world.state(&id).await, "paused");
    world.answer("instance_control", control("resume")).await;
    world.settle().await;
    assert_eq!(world.state(&id).await, "completed");
    assert_eq!(world.variable(&id, "payer").await, json!("me"));
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_kept_message_is_found_by_the_sweep_when_nobody_looked() {
    let world = World::new().await;
    world.publish("order", waiting()).await;
    world.settle().await;
    let id = world.start("order", json!({ "order": "1" })).await;
    // As if the node had gone away between opening the subscription and looking.
    let mut tx = world.db.begin(&world.ctx).await.unwrap();
    let now = world.ctx.now();
    let values = flowmaster_store::params!["m", "paid", "1", "{}", now, now.plus_millis(3_600_000)];
    tx.execute(
        "INSERT INTO execution_message (tenant_id, id, name, correlation, variables, received_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &values,
    )
    .await
    .unwrap();
    tx.commit(()).await.unwrap();
    world.after(2).await;
    assert_eq!(world.state(&id).await, "completed");
}

#[tokio::test]
async fn the_processes_of_a_collaboration_find_each_other_by_the_business_key() {
    let world = World::new().await;
    let file = include_str!("../../../../../engine/src/scenario/tests/files/library.bpmn");
    world.answer("process_save", json!({ "xml": file })).await;
    for id in ["reader", "library"] {
        world.answer("process_publish", json!({ "id": id })).await;
    }
    let mut readers = Vec::new();
    for key in ["R-1", "R-2"] {
        let params =
            json!({ "process": "reader", "business_key": key, "variables": { "title": key } });
        readers.push(world.answer("process_start", params).await["id"].clone());
        world.settle().await;
    }
    let asked = json!({ "process": "library", "business_key": "R-2" });
    let asked = texts(&world.answer("instance_search", asked).await["items"], "id");
    assert_eq!(asked.len(), 1);
    assert_eq!(world.variable(&asked[0], "book").await, json!("R-2"));
    // The lane of the task says whose it is.
    let librarian = world.person("lisa", &["librarians"]);
    world.complete(&librarian, &asked[0], "look", json!({ "there": true })).await.unwrap();
    world.settle().await;
    let mut states = Vec::new();
    for reader in &readers {
        states.push(world.state(reader.as_str().unwrap()).await);
    }
    assert_eq!(states, ["active", "completed"]);
    assert_eq!(world.variable(readers[1].as_str().unwrap(), "lent").await, json!(true));
    assert_eq!(world.check_journals().await, 4);
}
