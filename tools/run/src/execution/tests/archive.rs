//! Instances that ended leave the tables, and are shown again as they were.

use std::fs;
use std::path::PathBuf;

use flowmaster_store::archive;

use super::*;
use crate::execution::Record;

const FAR: &str = "2026-12-31T00:00:00Z";

/// Archives what ended before the clock's present.
async fn archive_all(world: &World) -> Value {
    world.clock.advance_millis(1);
    world.answer("instance_archive", json!({ "ended_before": FAR })).await
}

async fn is_stored(world: &World, id: &str) -> bool {
    world.execution.stored(&world.ctx, id).await.is_ok()
}

fn files(world: &World) -> Vec<PathBuf> {
    archive::files(world.archive.path()).unwrap()
}

/// An approval that is done, with the business key `key`.
async fn approved(world: &World, key: &str) -> String {
    let start = json!({ "process": "order", "variables": { "amount": 1 }, "business_key": key });
    let id = world.answer("process_start", start).await["id"].as_str().unwrap().to_owned();
    world.complete(&world.ctx, &id, "approve", json!({ "ok": true })).await.unwrap();
    world.settle().await;
    id
}

#[tokio::test]
async fn an_archived_instance_is_shown_as_it_was() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = approved(&world, "INV-1").await;
    let detailed = json!({ "id": id, "response_format": "detailed", "limit": 50 });
    let before = world.get(&id).await;
    let timeline = world.answer("instance_timeline", detailed.clone()).await;

    let done = archive_all(&world).await;
    assert_eq!(done, json!({ "archived": [id] }));
    assert!(!is_stored(&world, &id).await);
    assert_eq!(world.instances().await, Vec::<String>::new());
    let mut after = world.get(&id).await;
    assert!(after.as_object_mut().unwrap().remove("archived_at").is_some());
    assert_eq!(after, before);
    assert_eq!(world.get("INV-1").await["id"], json!(id));
    assert_eq!(world.answer("instance_timeline", detailed).await, timeline);
    let second = json!({ "id": id, "limit": 1, "cursor": "1" });
    let page = world.answer("instance_timeline", second).await;
    assert_eq!(page["items"][0]["seq"], 2);

    let found = world.answer("archive_search", json!({ "business_key": "INV-1" })).await;
    assert_eq!(found["items"][0]["id"], json!(id));
    let record = world.answer("archive_get", json!({ "id": id })).await;
    assert_eq!((&record["state"], &record["transitions"]), (&json!("completed"), &json!(2)));
    assert_eq!(record["variables"], before["variables"]);
    let refused = world.refusal("instance_control", json!({ "id": id, "action": "cancel" })).await;
    assert_eq!(refused.code(), "instance_not_found");
    let stranger = world.principal("ten_b", "eve", flowmaster_kernel::PrincipalKind::Person, &[]);
    for operation in ["instance_get", "instance_timeline", "archive_get"] {
        let hidden = world.call(&stranger, operation, json!({ "id": id })).await.unwrap_err();
        assert!(hidden.code().ends_with("not_found"), "{hidden}");
    }
}

#[tokio::test]
async fn what_runs_or_ended_later_stays() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let running = world.start("order", json!({ "amount": 1 })).await;
    let old = approved(&world, "old").await;
    world.after(60).await;
    let between = json!(world.ctx.now());
    let new = approved(&world, "new").await;
    let archived = json!({ "ended_before": between, "process": "order" });
    let other = json!({ "ended_before": FAR, "process": "other" });
    assert_eq!(world.answer("instance_archive", other).await, json!({ "archived": [] }));
    assert_eq!(world.answer("instance_archive", archived).await, json!({ "archived": [old] }));
    assert!(is_stored(&world, &running).await && is_stored(&world, &new).await);
}

/// Calls `inner` for each of `items`, and what it calls waits for a person.
async fn callers(world: &World, waits: bool) {
    let elements = match waits {
        true => approval(),
        false => json!([begin("done"), end("done")]),
    };
    world.publish("inner", elements).await;
    let each = json!({ "process": "inner", "forEach": { "collection": "items", "item": "item" } });
    let call = element("call", "callActivity", "done", each);
    world.publish("outer", json!([begin("call"), call, end("done")])).await;
}

#[tokio::test]
async fn a_family_leaves_when_all_of_it_ended_and_called_ones_first() {
    let world = World::new().await;
    callers(&world, true).await;
    let outer = world.start("outer", json!({ "items": [1, 2], "amount": 1 })).await;
    let cancel = json!({ "id": outer, "action": "cancel" });
    world.answer("instance_control", cancel).await;
    // The called ones do not know it yet.
    let kept = archive_all(&world).await;
    assert_eq!(kept["archived"], json!([]));
    assert_eq!(kept["kept"][0]["instance"], json!(outer));
    assert_eq!(kept["kept"][0]["code"], "instance_needed");
    assert_eq!(files(&world), Vec::<PathBuf>::new());
    world.settle().await;
    let done = archive_all(&world).await;
    let archived: Vec<&str> =
        done["archived"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!((archived.len(), archived[2]), (3, outer.as_str()));
    let record = world.answer("archive_get", json!({ "id": outer })).await;
    assert_eq!(record["called"].as_array().unwrap().len(), 2);
    let called = world.answer("archive_get", json!({ "id": archived[0] })).await;
    assert_eq!((&called["called_by"], &called["state"]), (&json!(outer), &json!("cancelled")));
    assert_eq!(world.instances().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_family_larger_than_a_transaction_leaves_piece_by_piece() {
    let world = World::new().await;
    callers(&world, false).await;
    let items: Vec<u32> = (0..220).collect();
    let outer = world.start("outer", json!({ "items": items })).await;
    assert_eq!(world.state(&outer).await, "completed");
    let first = archive_all(&world).await;
    assert!(is_stored(&world, &outer).await, "who called them leaves last");
    let go_on = json!({ "ended_before": FAR, "cursor": first["next_cursor"] });
    let second = world.answer("instance_archive", go_on).await;
    assert_eq!(second.get("next_cursor"), None);
    let count = |answer: &Value| answer["archived"].as_array().unwrap().len();
    assert_eq!(count(&first) + count(&second), 221);
    assert!(count(&second) > 1 && !is_stored(&world, &outer).await);
}

#[tokio::test]
async fn archiving_goes_on_from_page_to_page_and_is_done_once_under_a_key() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(approved(&world, &format!("K-{n}")).await);
        world.after(1).await;
    }
    let keyed = world.keyed("instance_archive", "k1");
    let two = json!({ "ended_before": FAR, "limit": 2 });
    let once = || world.call(&keyed, "instance_archive", two.clone());
    let (one, other) = tokio::join!(world.db.once(&keyed, once), world.db.once(&keyed, once));
    let first = one.unwrap();
    assert_eq!(first, other.unwrap());
    assert_eq!(first["archived"], json!(ids[..2]));
    assert_eq!(world.db.once(&keyed, once).await.unwrap(), first);
    assert_eq!(files(&world).len(), 1, "what did not count is removed");
    let rest = json!({ "ended_before": FAR, "cursor": first["next_cursor"] });
    let rest = world.answer("instance_archive", rest).await;
    assert_eq!(rest, json!({ "archived": ids[2..] }));
    let mut listed = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = json!({ "process": "order", "limit": 2, "cursor": cursor });
        let page = world.answer("archive_search", page).await;
        listed.extend(crate::testing::texts(&page["items"], "id"));
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    listed.reverse();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn two_nodes_that_archive_the_same_lose_and_double_nothing() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    for n in 0..4 {
        approved(&world, &format!("K-{n}")).await;
    }
    world.clock.advance_millis(1);
    let (now, (node, _)) = (world.ctx.now(), world.other_node());
    let (one, two) = tokio::join!(
        world.execution.archive_ended(&world.ctx, now, None),
        node.archive_ended(&world.ctx, now, None),
    );
    assert_eq!(one.unwrap().count + two.unwrap().count, 4);
    let lines: usize = files(&world).iter().map(|file| archive::lines(file).unwrap().count()).sum();
    assert_eq!(lines, 4);
    let next = node.next_tenant_with_ended("").await.unwrap();
    assert_eq!(next, None, "nobody has anything left that ended");
}

#[tokio::test]
async fn a_journal_that_was_changed_stays_as_evidence() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = approved(&world, "K").await;
    let mut tx = world.db.begin(&world.ctx).await.unwrap();
    let tampering = "UPDATE store_journal SET actor = 'eve' WHERE tenant_id = $1 AND seq = 2";
    assert_eq!(tx.execute_dynamic(tampering, &[]).await.unwrap(), 1);
    tx.commit(()).await.unwrap();
    let kept = archive_all(&world).await;
    assert_eq!(kept["kept"][0]["code"], "journal_tampered");
    assert!(is_stored(&world, &id).await);
}

#[tokio::test]
async fn a_file_that_was_changed_or_moved_away_is_told() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = approved(&world, "K").await;
    archive_all(&world).await;
    let file = files(&world).remove(0);
    let line = archive::lines(&file).unwrap().next().unwrap().unwrap();
    for (from, to, code) in [
        ("\"actor\":\"ada\"", "\"actor\":\"eve\"", "journal_tampered"),
        ("\"state\":\"completed\"", "\"state\":\"cancelled\"", "archive_tampered"),
        ("\"amount\":1", "\"amount\":2", "journal_tampered"),
        ("\"process\":\"order\"", "\"process\":\"other\"", "archive_tampered"),
        ("\"form\":1", "\"form\":9", "archive_tampered"),
    ] {
        let forged = Record::read(&line.replacen(from, to, 1)).unwrap_err();
        assert_eq!(forged.code(), code, "{to}");
    }
    let away = file.with_extension("away");
    fs::rename(&file, &away).unwrap();
    let gone = world.refusal("archive_get", json!({ "id": id })).await;
    assert_eq!(gone.code(), "archive_unreadable");
    fs::rename(&away, &file).unwrap();
    assert_eq!(world.answer("archive_get", json!({ "id": id })).await["id"], json!(id));
}

#[tokio::test]
async fn records_of_earlier_releases_are_read() {
    let record = Record::read(include_str!("archived/form-1.json")).unwrap();
    assert_eq!((record.process.as_str(), record.journal.len()), ("order", 2));
}
