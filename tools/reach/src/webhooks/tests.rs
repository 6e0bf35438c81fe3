//! Tests through the verbs, on a real database, with receivers on real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use flowmaster_kernel::{
    Catalogue, Clock, Ctx, Error, IdSource, ManualClock, Result, SequenceIds, TenantId, Timestamp,
};
use flowmaster_run::announced::{ANNOUNCED, Announced};
use flowmaster_store::listeners::Audience;
use flowmaster_store::outbox::{self, NewMessage};
use flowmaster_store::{Db, WriteSet};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::events::CloudEvent;
use super::{Deliverer, Networks, SigningKey, Webhooks};
use crate::testing::{Received, Receiver, Reply};

const OK: Reply = Reply::Status(200, &[]);

struct World {
    db: Db,
    clock: Arc<ManualClock>,
    ids: Arc<SequenceIds>,
    room: Arc<Webhooks>,
    ctx: Ctx,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T08:00:00Z").unwrap()));
        let db = Db::temporary(clock.clone()).await;
        db.migrate(&crate::MIGRATIONS).await.unwrap();
        let ids = Arc::new(SequenceIds::default());
        let tenant = TenantId::from_text("ten_a");
        let ctx = Ctx::system(tenant, &(clock.clone() as _), &(ids.clone() as _));
        Self { room: room(&db, "key"), db, clock, ids, ctx }
    }

    async fn call(&self, operation: &str, arguments: Value) -> Result<Value, Error> {
        let mut catalogue = Catalogue::default();
        catalogue.add(crate::catalogue(&self.room)).unwrap();
        catalogue.get(operation).unwrap().call(self.ctx.clone(), arguments).await
    }

    async fn answer(&self, operation: &str, arguments: Value) -> Value {
        self.call(operation, arguments).await.unwrap()
    }

    /// A subscription to everything; its id and its secret.
    async fn subscribe(&self, receiver: &Receiver, fields: Value) -> (String, String) {
        let mut arguments = fields;
        arguments["url"] = json!(receiver.url);
        let saved = self.answer("subscription_save", arguments).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&saved["subscription"]["id"]), text(&saved["secret"]))
    }

    /// Announces that something happened in an instance, which the room hears.
    async fn happened(&self, instance: &str, seq: i64, types: &[&str]) {
        let announced: Vec<Value> = types
            .iter()
            .map(|name| {
                json!({ "type": name, "data": { "instance": instance, "process": "order",
                    "process_version": 1, "business_key": "INV-1", "state": "active" } })
            })
            .collect();
        let message = NewMessage {
            id: &format!("{instance}/{seq}/0"),
            topic: ANNOUNCED,
            key: instance,
            seq: seq * 10_000,
            at: self.clock.now(),
            payload: &json!({ "announced": announced }),
        };
        let mut writes = WriteSet::new();
        outbox::append(&mut writes, &message);
        self.db.submit(&self.ctx, writes).await.unwrap();
        let minute = std::time::Duration::from_secs(60);
        for message in outbox::claim(&self.db, minute, 10).await.unwrap() {
            let mut mark = WriteSet::new();
            outbox::delivered(&mut mark, &message.id, message.epoch);
            self.room.hear(&self.ctx, &message, mark).await.unwrap();
        }
    }

    fn deliver(&self) -> Delivering {
        self.deliver_by("key")
    }

    fn deliver_by(&self, key: &str) -> Delivering {
        let room = if key == "key" { Arc::clone(&self.room) } else { room(&self.db, key) };
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        let deliverer = Deliverer::new(
            room,
            clock as Arc<dyn Clock>,
            ids as Arc<dyn IdSource>,
            format!("node {key}"),
        );
        let (stop, stopping) = watch::channel(false);
        Delivering { stop, running: tokio::spawn(deliverer.run(stopping)) }
    }

    /// Asks again until `pick` finds something.
    async fn until(
        &self,
        operation: &str,
        arguments: Value,
        pick: impl Fn(&Value) -> bool,
    ) -> Value {
        loop {
            let answer = self.answer(operation, arguments.clone()).await;
            if pick(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn nothing_waits(&self) {
        let waiting = json!({ "state": "waiting" });
        self.until("delivery_search", waiting, |page| page["items"] == json!([])).await;
    }
}

fn room(db: &Db, key: &str) -> Arc<Webhooks> {
    let networks = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Arc::new(Webhooks::new(db.clone(), SigningKey::new(key), networks))
}

struct Delivering {
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Delivering {
    async fn end(self) {
        self.stop.send(true).unwrap();
        self.running.await.unwrap();
    }
}

#[tokio::test]
async fn events_are_sent_signed_and_in_order() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| OK).await.unwrap();
    let (_, secret) = world.subscribe(&receiver, json!({})).await;
    world.happened("ins_1", 1, &["instance.started", "instance.paused"]).await;
    world.happened("ins_1", 2, &["instance.resumed"]).await;
    let delivering = world.deliver();
    receiver.was_sent(3).await;
    world.nothing_waits().await;
    delivering.end().await;
    let received = receiver.received();
    let ids: Vec<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids, ["ins_1/1/0/0", "ins_1/1/0/1", "ins_1/2/0/0"]);
    assert!(received.iter().all(|it| it.is_signed_with(&secret)));
    assert!(!received[0].is_signed_with(&secret.replace("whsec_", "whsec_A")));
    let first = &received[0];
    assert_eq!(
        first.event(),
        json!({
            "specversion": "1.0",
            "id": "ins_1/1/0/0",
            "source": "urn:flowmaster:ten_a",
            "subject": "ins_1",
            "time": "2026-07-10T08:00:00Z",
            "datacontenttype": "application/json",
            "type": "instance.started",
            "data": { "instance": "ins_1", "process": "order", "process_version": 1,
                "business_key": "INV-1", "state": "active" }
        })
    );
    assert_eq!(first.headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert_eq!(first.headers["webhook-timestamp"], "1783670400");
}

#[tokio::test]
async fn a_subscription_hears_what_it_wants_and_a_test() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| OK).await.unwrap();
    let types = json!({ "types": ["instance.completed"] });
    let (id, _) = world.subscribe(&receiver, types).await;
    world.subscribe(&receiver, json!({ "process": "other" })).await;
    world.happened("ins_1", 1, &["instance.started", "instance.completed"]).await;
    let tested = world.answer("subscription_test", json!({ "id": id })).await;
    let delivering = world.deliver();
    receiver.was_sent(2).await;
    world.nothing_waits().await;
    let noted = |it: &Value| it["items"][0]["last_delivered_at"] == "2026-07-10T08:00:00Z";
    world.until("subscription_search", json!({ "id": id }), noted).await;
    delivering.end().await;
    let mut types: Vec<Value> =
        receiver.received().iter().map(|it| it.event()["type"].clone()).collect();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, ["instance.completed", "webhook.test"]);
    let gone = world.call("delivery_get", json!({ "id": tested["id"] })).await.unwrap_err();
    assert_eq!(gone.code(), "delivery_not_found");
}

#[tokio::test]
async fn what_is_refused_holds_up_its_lane_alone_until_its_time_comes() {
    let world = World::new().await;
    let status = Arc::new(AtomicU16::new(503));
    let told = Arc::clone(&status);
    let receiver = Receiver::start(move |it| match it.id().starts_with("ins_1") {
        true if told.load(Ordering::SeqCst) == 503 => Reply::Status(503, &[("retry-after", "60")]),
        _ => OK,
    });
    let receiver = receiver.await.unwrap();
    let (id, _) = world.subscribe(&receiver, json!({})).await;
    world.happened("ins_1", 1, &["instance.started", "instance.paused"]).await;
    world.happened("ins_2", 1, &["instance.started", "instance.paused"]).await;
    let delivering = world.deliver();
    receiver.was_sent(3).await;
    // What comes meanwhile waits behind it.
    let held = |page: &Value| page["items"].get(1).is_some() && page["items"].get(2).is_none();
    let waiting = json!({ "state": "waiting" });
    world.until("delivery_search", waiting.clone(), held).await;
    world.happened("ins_1", 2, &["instance.resumed"]).await;
    let page = world.answer("delivery_search", waiting).await;
    for item in page["items"].as_array().unwrap() {
        assert_eq!(item["next_at"], "2026-07-10T08:01:00Z", "{page}");
    }
    assert_eq!(page["items"][0]["last_error"], "it answered 503");
    assert_eq!(page["items"][0]["attempts"], 1);
    assert_eq!(receiver.received().len(), 3);
    status.store(200, Ordering::SeqCst);
    world.clock.advance_millis(60_000);
    receiver.was_sent(6).await;
    world.nothing_waits().await;
    let one = json!({ "id": id });
    world.until("subscription_search", one, |it| it["items"][0]["failures"] == 0).await;
    delivering.end().await;
    let ids: Vec<String> = receiver.received()[3..].iter().map(|it| it.id().to_owned()).collect();
    assert_eq!(ids, ["ins_1/1/0/0", "ins_1/1/0/1", "ins_1/2/0/0"]);
}

#[tokio::test]
async fn a_dead_letter_lets_its_lane_go_on_and_is_sent_again_on_demand() {
    let world = World::new().await;
    let healthy = Arc::new(AtomicU16::new(0));
    let told = Arc::clone(&healthy);
    let receiver = Receiver::start(move |it| match it.id() {
        "ins_1/1/0/0" if told.load(Ordering::SeqCst) == 0 => Reply::Hangs,
        _ => OK,
    });
    let receiver = receiver.await.unwrap();
    let (id, _) = world.subscribe(&receiver, json!({ "max_attempts": 2 })).await;
    world.happened("ins_1", 1, &["instance.started", "instance.paused"]).await;
    let delivering = world.deliver();
    let tried = |page: &Value| page["items"][0]["attempts"] == 1;
    world.until("delivery_search", json!({ "state": "waiting" }), tried).await;
    world.clock.advance_millis(1_000);
    receiver.was_sent(3).await;
    world.nothing_waits().await;
    let page = world.answer("delivery_search", json!({ "subscription": id })).await;
    let dead = &page["items"][0];
    assert_eq!((&dead["event"], &dead["attempts"]), (&json!("ins_1/1/0/0"), &json!(2)), "{page}");
    let shown = world.answer("delivery_get", json!({ "id": dead["id"] })).await;
    assert_eq!(shown["content"]["type"], "instance.started");
    healthy.store(1, Ordering::SeqCst);
    let retried = world.answer("delivery_retry", json!({ "subscription": id })).await;
    assert_eq!(retried["retried"], 1);
    receiver.was_sent(4).await;
    world.nothing_waits().await;
    delivering.end().await;
    let page = world.answer("delivery_search", json!({})).await;
    assert_eq!(page["items"], json!([]));
    let nothing = world.call("delivery_retry", json!({ "id": dead["id"] })).await.unwrap_err();
    assert_eq!(nothing.code(), "delivery_not_found");
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let world = World::new().await;
    let silent = Receiver::start(|_| Reply::Silence).await.unwrap();
    let other = Receiver::start(|_| OK).await.unwrap();
    world.subscribe(&silent, json!({})).await;
    world.subscribe(&other, json!({})).await;
    for instance in 0..20 {
        world.happened(&format!("ins_{instance}"), 1, &["instance.started"]).await;
    }
    let delivering = world.deliver();
    silent.was_sent(1).await;
    other.was_sent(20).await;
    for instance in 20..40 {
        world.happened(&format!("ins_{instance}"), 1, &["instance.started"]).await;
    }
    other.was_sent(40).await;
    // What is on its way does not hold up the end either.
    delivering.end().await;
}

#[tokio::test]
async fn a_receiver_that_wants_no_more_is_sent_no_more_until_it_is_resumed() {
    let world = World::new().await;
    let status = Arc::new(AtomicU16::new(410));
    let told = Arc::clone(&status);
    let receiver =
        Receiver::start(move |_| Reply::Status(told.load(Ordering::SeqCst), &[])).await.unwrap();
    let (id, _) = world.subscribe(&receiver, json!({})).await;
    world.happened("ins_1", 1, &["instance.started"]).await;
    let delivering = world.deliver();
    let paused = json!({ "state": "paused" });
    let found = world.until("subscription_search", paused, |it| it["items"] != json!([])).await;
    assert_eq!(found["items"][0]["paused_because"], "the receiver wants no more: it answered 410");
    world.happened("ins_1", 2, &["instance.completed"]).await;
    status.store(204, Ordering::SeqCst);
    world.clock.advance_millis(60_000);
    world.answer("subscription_save", json!({ "id": id, "paused": false })).await;
    world.nothing_waits().await;
    delivering.end().await;
    let ids: Vec<String> = receiver.received().iter().map(|it| it.id().to_owned()).collect();
    assert_eq!(ids, ["ins_1/1/0/0", "ins_1/1/0/0", "ins_1/2/0/0"]);
}

#[tokio::test]
async fn a_receiver_that_fails_for_days_is_paused_with_the_reason() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| Reply::Status(500, &[])).await.unwrap();
    let (id, _) = world.subscribe(&receiver, json!({ "max_attempts": 50 })).await;
    for instance in 0..10 {
        world.happened(&format!("ins_{instance}"), 1, &["instance.started"]).await;
    }
    let delivering = world.deliver();
    let one = json!({ "id": id });
    world.until("subscription_search", one.clone(), |it| it["items"][0]["failures"] == 10).await;
    world.clock.advance_millis(3 * 24 * 3_600_000);
    let found =
        world.until("subscription_search", one, |it| it["items"][0]["state"] == "paused").await;
    delivering.end().await;
    let it = &found["items"][0];
    assert_eq!(it["paused_because"], "every sending failed for three days");
    assert_eq!((&it["failures"], &it["last_error"]), (&json!(18), &json!("it answered 500")));
    assert_eq!(receiver.received().len(), 18, "a few events try whether it is there again");
}

#[tokio::test]
async fn a_server_with_another_key_signs_nothing() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| OK).await.unwrap();
    let (id, first) = world.subscribe(&receiver, json!({})).await;
    world.happened("ins_1", 1, &["instance.started"]).await;
    let other = world.deliver_by("other");
    let paused = json!({ "state": "paused" });
    world.until("subscription_search", paused, |it| it["items"] != json!([])).await;
    other.end().await;
    assert_eq!(receiver.received().len(), 0);
    let renewed = json!({ "id": id, "new_secret": true, "paused": false });
    let second = world.answer("subscription_save", renewed).await;
    assert_eq!(second["subscription"]["secret_number"], 2);
    let delivering = world.deliver();
    receiver.was_sent(1).await;
    delivering.end().await;
    let received = receiver.received();
    assert!(received[0].is_signed_with(second["secret"].as_str().unwrap()));
    assert!(!received[0].is_signed_with(&first));
}

#[tokio::test]
async fn a_tenant_is_listened_to_as_long_as_it_has_a_subscription() {
    let world = World::new().await;
    let believed = async || world.db.look_at_audience(&world.ctx).await.unwrap();
    let receiver = Receiver::start(|_| OK).await.unwrap();
    assert_eq!(believed().await, Audience::Nobody);
    let (first, _) = world.subscribe(&receiver, json!({})).await;
    let (second, _) = world.subscribe(&receiver, json!({ "paused": true })).await;
    world.happened("ins_1", 1, &["instance.started"]).await;
    for (id, audience) in [(first, Audience::Somebody), (second, Audience::Nobody)] {
        let removed = world.answer("subscription_remove", json!({ "id": id })).await;
        assert_eq!(removed["removed_deliveries"], 1);
        assert_eq!(believed().await, audience);
    }
    let waiting = json!({ "state": "waiting" });
    assert_eq!(world.answer("delivery_search", waiting).await["items"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::new().await;
    for (operation, arguments, code) in [
        ("subscription_save", json!({}), "invalid_webhook"),
        ("subscription_save", json!({ "url": "http://10.0.0.1/" }), "invalid_url"),
        ("subscription_save", json!({ "url": "https://192.168.1.1/" }), "invalid_url"),
        ("subscription_save", json!({ "id": "sub_none" }), "subscription_not_found"),
        ("subscription_save", json!({ "id": "" }), "subscription_not_found"),
        (
            "subscription_save",
            json!({ "url": "https://example.com/", "max_attempts": 51 }),
            "invalid_webhook",
        ),
        (
            "subscription_save",
            json!({ "url": "https://example.com/", "description": "x".repeat(501) }),
            "invalid_webhook",
        ),
        ("subscription_save", json!({ "types": ["instance.exploded"] }), "invalid_arguments"),
        ("subscription_remove", json!({ "id": "sub_none" }), "subscription_not_found"),
        ("subscription_test", json!({ "id": "sub_none" }), "subscription_not_found"),
        ("delivery_get", json!({ "id": "sub_none/x" }), "delivery_not_found"),
        ("delivery_get", json!({ "id": "x" }), "delivery_not_found"),
        ("delivery_retry", json!({}), "invalid_webhook"),
        ("delivery_retry", json!({ "id": "x/y", "subscription": "z" }), "invalid_webhook"),
        ("delivery_retry", json!({ "subscription": "sub_none" }), "subscription_not_found"),
        ("delivery_search", json!({ "cursor": "x" }), "invalid_cursor"),
        ("delivery_search", json!({ "limit": 51 }), "invalid_limit"),
    ] {
        let refused = world.call(operation, arguments.clone()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{operation} {arguments}");
    }
    for _ in 0..20 {
        world.answer("subscription_save", json!({ "url": "https://example.com/" })).await;
    }
    let many = json!({ "url": "https://example.com/" });
    let refused = world.call("subscription_save", many).await.unwrap_err();
    assert_eq!(refused.code(), "too_many_subscriptions");
}

#[tokio::test]
async fn events_are_forgotten_after_thirty_days() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| OK).await.unwrap();
    world.subscribe(&receiver, json!({ "paused": true })).await;
    world.happened("ins_1", 1, &["instance.started"]).await;
    world.clock.advance_millis(30 * 24 * 3_600_000);
    world.happened("ins_2", 1, &["instance.started"]).await;
    world.clock.advance_millis(1);
    let delivering = world.deliver();
    let one = |page: &Value| page["items"].get(1).is_none();
    let page = world.until("delivery_search", json!({ "state": "waiting" }), one).await;
    delivering.end().await;
    assert_eq!(page["items"][0]["subject"], "ins_2");
}

#[test]
fn the_published_schema_is_that_of_the_events() {
    let schema = schemars::schema_for!(CloudEvent<'static, Announced>);
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert!(
        include_str!("../../../../docs/events.schema.json") == schema,
        "docs/events.schema.json should be\n{schema}"
    );
}
