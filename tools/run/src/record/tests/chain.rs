//! What is changed, removed, added, moved or cut off is found, in the database and in an export.

use flowmaster_store::{Db, Migrations, params};
use serde_json::{Value, json};

use super::independent::is_intact;
use super::{World, found, guarded, seal, sha256};
use crate::record::pages::{Size, page};
use crate::record::types::VerifyRecord;
use crate::record::{KnownSeal, MIGRATIONS, Record, Verified, export_lines, verify_export};

const SEALS: &str = "SELECT seal, body FROM record_seal WHERE tenant_id = $1";
/// How many edits of an export are tried.
const EDITS: u64 = 1_000;

/// A world in which so many attempts were made, each three entries of a seal.
async fn busy(attempts: usize) -> World {
    let world = World::new().await;
    world.publish("order", guarded()).await;
    for at in 0..attempts {
        let id = world.start("order", json!({ "amount": at })).await;
        world.clock.advance_millis(1);
        world.complete(&world.ctx, &id, "approve", json!({ "ok": true })).await.unwrap_err();
        if at % 3 == 2 {
            seal(&world, &world.ctx).await;
        }
    }
    world
}

async fn verified(world: &World, arguments: Value) -> Value {
    world.answer("record_verify", arguments).await
}

async fn tamper(world: &World, sql: &str) {
    let mut tx = world.db.begin(&world.ctx).await.unwrap();
    assert!(tx.execute_dynamic(sql, &[]).await.unwrap() > 0, "{sql}");
    tx.commit(()).await.unwrap();
}

#[tokio::test]
async fn what_is_as_it_was_written_is_said_to_be() {
    let world = busy(8).await;
    let fine = verified(&world, json!({})).await;
    assert_eq!((&fine["intact"], &fine["seals"]), (&json!(true), &json!(2)));
    assert_eq!((&fine["entries"], &fine["unsealed"]), (&json!(6), &json!(2)));
    let known = fine["newest"].clone();
    assert_eq!(seal(&world, &world.ctx).await, 2);
    assert_eq!(seal(&world, &world.ctx).await, 0);
    let later = verified(&world, json!({ "known": known })).await;
    assert_eq!((&later["intact"], &later["newest"]["seal"]), (&json!(true), &json!(3)));
    let entries = found(&world, json!({})).await;
    assert_eq!((&entries[0]["seal"], &entries[7]["seal"]), (&json!(3), &json!(1)));
    let elsewhere = world.refusal("record_verify", json!({ "cursor": "x" })).await;
    assert_eq!(elsewhere.code(), "invalid_cursor");
}

#[tokio::test]
async fn every_way_to_change_the_tables_is_found_and_named() {
    let of_seal = "tenant_id = $1 AND seal = 1";
    let sealed =
        &format!("tenant_id = $1 AND id IN (SELECT id FROM record_sealed WHERE {of_seal})");
    let unsealed = "tenant_id = $1 AND id IN (SELECT id FROM record_unsealed WHERE tenant_id = $1)";
    let copied = &format!(
        "INSERT INTO record_entry SELECT tenant_id, id || 'X', at, instance, process, element,
        actor, outcome, policies, body, sum FROM record_entry WHERE {sealed}"
    );
    let newer =
        "INSERT INTO record_entry SELECT tenant_id, 'rec_Z', at, instance, process, element,
        actor, outcome, policies, body, sum FROM record_entry WHERE tenant_id = $1 LIMIT 1";
    let marked_again = &format!(
        "INSERT INTO record_unsealed (tenant_id, id, hash, characters)
        SELECT tenant_id, id, '', 1 FROM record_sealed WHERE {of_seal}"
    );
    let none = "tenant_id = $1 AND id > ''";
    for (sql, what) in [
        (
            format!("UPDATE record_entry SET body = replace(body, 'ada', 'eve') WHERE {sealed}"),
            "the entry was changed",
        ),
        (format!("UPDATE record_entry SET actor = 'eve' WHERE {sealed}"), "the entry was changed"),
        (
            format!("UPDATE record_entry SET outcome = 'allow' WHERE {sealed}"),
            "the entry was changed",
        ),
        (format!("UPDATE record_entry SET sum = 'x' WHERE {sealed}"), "the entry was changed"),
        (format!("DELETE FROM record_entry WHERE {sealed}"), "the entry is missing"),
        (format!("UPDATE record_sealed SET seal = 2 WHERE {of_seal}"), "the entry is missing"),
        (format!("DELETE FROM record_sealed WHERE {of_seal}"), "the entry is missing"),
        (
            format!("UPDATE record_sealed SET id = id || 'X' WHERE {of_seal}"),
            "the entry is missing",
        ),
        (copied.to_owned(), "the entry was added"),
        (newer.to_owned(), "the entry was added"),
        (marked_again.to_owned(), "the entry is sealed and was marked as unsealed"),
        (
            format!("UPDATE record_seal SET body = replace(body, '2026', '2025') WHERE {of_seal}"),
            "the seal was changed",
        ),
        (format!("UPDATE record_seal SET body = '' WHERE {of_seal}"), "the seal was changed"),
        (format!("DELETE FROM record_seal WHERE {of_seal}"), "the seal is missing"),
        (
            "DELETE FROM record_seal WHERE tenant_id = $1 AND seal = 2".to_owned(),
            "the seal is missing, and what it covers is there",
        ),
        (
            format!("UPDATE record_entry SET body = replace(body, 'ada', 'eve') WHERE {unsealed}"),
            "the entry was changed",
        ),
        (format!("UPDATE record_unsealed SET hash = 'x' WHERE {none}"), "the entry was changed"),
        (format!("DELETE FROM record_entry WHERE {unsealed}"), "the entry is missing"),
        (format!("DELETE FROM record_unsealed WHERE {none}"), "the entry was added"),
    ] {
        let world = busy(7).await;
        tamper(&world, &sql).await;
        let told = verified(&world, json!({})).await;
        assert_eq!(
            (&told["intact"], &told["fault"]["what"]),
            (&json!(false), &json!(what)),
            "{sql}"
        );
        let names = what.starts_with("the entry") == told["fault"]["entry"].is_string();
        assert!(names, "{told}");
    }
}

#[tokio::test]
async fn what_is_cut_off_at_the_end_is_found_by_a_seal_that_was_noted() {
    let world = busy(6).await;
    let known = verified(&world, json!({})).await["newest"].clone();
    let cut = "WHERE tenant_id = $1 AND id IN
        (SELECT id FROM record_sealed WHERE tenant_id = $1 AND seal = 2)";
    tamper(&world, &format!("DELETE FROM record_entry {cut}")).await;
    for table in ["record_seal", "record_sealed"] {
        tamper(&world, &format!("DELETE FROM {table} WHERE tenant_id = $1 AND seal = 2")).await;
    }
    assert_eq!(verified(&world, json!({})).await["intact"], json!(true), "a shorter whole");
    let told = verified(&world, json!({ "known": known })).await;
    assert_eq!(told["fault"], json!({ "seal": 2, "what": "the seals up to 2 are cut off" }));
    seal(&world, &world.ctx).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    world.complete(&world.ctx, &id, "approve", json!({})).await.unwrap_err();
    seal(&world, &world.ctx).await;
    let told = verified(&world, json!({ "known": known })).await;
    assert_eq!(told["fault"]["what"], "it is another seal than the one that was noted");
}

#[tokio::test]
async fn a_record_of_an_earlier_release_is_carried_over() {
    let world = busy(5).await;
    let old = Db::temporary(world.clock.clone()).await;
    let first = Migrations { room: MIGRATIONS.room, steps: &MIGRATIONS.steps[..1] };
    old.migrate(&[first]).await.unwrap();
    let (ctx, mut session) = (&world.ctx, world.db.read(&world.ctx).await.unwrap());
    let mut tx = old.begin(ctx).await.unwrap();
    let entries = "SELECT e.id, e.at, e.instance, e.process, e.element, e.actor, e.outcome,
        e.policies, e.body, COALESCE(s.seal, 0) FROM record_entry e
        LEFT JOIN record_sealed s ON s.id = e.id WHERE e.tenant_id = $1";
    for row in session.query_dynamic(entries, &[]).await.unwrap() {
        let text = |column: usize| row.text(column).unwrap();
        let (hash, seal) = (sha256(&text(8)), row.int(9).unwrap());
        let values = params![
            text(0),
            row.int(1).unwrap(),
            text(2),
            text(3),
            text(4),
            text(5),
            text(6),
            text(7),
            text(8),
            hash,
            seal
        ];
        let add = "INSERT INTO record_entry (tenant_id, id, at, instance, process, element,
            actor, outcome, policies, body, hash, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        tx.execute_dynamic(add, &values).await.unwrap();
    }
    for row in session.query_dynamic(SEALS, &[]).await.unwrap() {
        let values = params![row.int(0).unwrap(), row.text(1).unwrap()];
        tx.execute_dynamic(
            "INSERT INTO record_seal (tenant_id, seal, body) VALUES ($1, $2, $3)",
            &values,
        )
        .await
        .unwrap();
    }
    tx.commit(()).await.unwrap();

    old.migrate(&[MIGRATIONS]).await.unwrap();
    let record = Record::new(old);
    let carried = record.verify(ctx, VerifyRecord::default()).await.unwrap();
    assert_eq!((carried.intact, carried.entries, carried.unsealed), (true, 3, 2), "{carried:?}");
    assert_eq!(record.seal(ctx, None).await.unwrap(), 2);
    let sealed = record.verify(ctx, VerifyRecord::default()).await.unwrap();
    assert_eq!((sealed.intact, sealed.entries, sealed.unsealed), (true, 5, 0), "{sealed:?}");
}

#[tokio::test]
async fn two_who_seal_at_once_make_one_chain() {
    let world = busy(5).await;
    let (one, two) = (Record::new(world.db.clone()), Record::new(world.db.clone()));
    let sealed = tokio::join!(one.seal(&world.ctx, None), two.seal(&world.ctx, None));
    let counts = [sealed.0, sealed.1].map(|sealed| match sealed {
        Ok(count) => count,
        Err(error) => {
            assert_eq!(error.code(), "record_raced");
            0
        }
    });
    assert_eq!(counts.iter().sum::<usize>(), 2);
    assert_eq!(verified(&world, json!({})).await["intact"], json!(true));
}

#[tokio::test]
async fn the_archive_takes_the_instance_and_leaves_the_record() {
    let world = World::new().await;
    world.publish("order", guarded()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let ben = world.person("ben", &[]);
    world.complete(&ben, &id, "approve", json!({ "ok": true })).await.unwrap();
    world.settle().await;
    seal(&world, &world.ctx).await;
    world.clock.advance_millis(1);
    let archived =
        world.answer("instance_archive", json!({ "ended_before": "2027-01-01T00:00:00Z" }));
    assert_eq!(archived.await["archived"], json!([id]));
    assert_eq!(found(&world, json!({ "instance": id })).await.len(), 1);
    assert_eq!(verified(&world, json!({})).await["intact"], json!(true));
}

#[tokio::test]
async fn pages_of_any_size_hold_each_seal_once_with_its_entries() {
    let world = busy(17).await;
    tamper(&world, "DELETE FROM record_sealed WHERE tenant_id = $1 AND seal = 2").await;
    let mut session = world.db.read(&world.ctx).await.unwrap();
    for (seals, entries, expected) in [(1, 1, 5), (2, 99, 3), (5, 99, 1), (9, 3, 5), (9, 4, 3)] {
        let (mut found, mut pages) = (Vec::new(), 0);
        let mut is_last = false;
        while !is_last {
            let after = i64::try_from(found.len()).unwrap();
            let page = page(&mut session, after, Size { seals, entries }).await.unwrap();
            for (stored, number) in page.seals.iter().zip(after + 1..) {
                assert_eq!(stored.seal.as_ref().unwrap().seal, number);
                found.push(stored.rows.len());
            }
            (is_last, pages) = (page.is_last, pages + 1);
        }
        assert_eq!((found, pages), (vec![3, 0, 3, 3, 3], expected), "{seals} {entries}");
    }
}

/// The export of everything that is sealed, page by page.
async fn export(world: &World) -> Vec<u8> {
    let (mut file, mut cursor) = (String::new(), Value::Null);
    loop {
        let page = world.answer("record_export", json!({ "cursor": cursor })).await;
        for line in page["lines"].as_array().unwrap() {
            file.push_str(line.as_str().unwrap());
            file.push('\n');
        }
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => return file.into_bytes(),
        }
    }
}

fn check(file: &[u8], known: Option<&KnownSeal>) -> Verified {
    // What is no text or no line is as good as a fault.
    verify_export(export_lines(file), known).unwrap_or_default()
}

#[tokio::test]
async fn every_one_of_a_thousand_edits_of_an_export_is_found_by_two_implementations() {
    let world = busy(60).await;
    let file = export(&world).await;
    let fine = check(&file, None);
    assert!(fine.intact && fine.entries == 60 && fine.seals == 20, "{fine:?}");
    let known = fine.newest.unwrap();
    let noted = Some((known.seal, known.hash.as_str()));
    assert!(check(&file, Some(&known)).intact && is_intact(&file, noted));
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let mut random = 7_u64;
    let mut below = |limit: usize| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    for edit in 0..EDITS {
        let mut edited: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
        let kind = ["flip", "delete", "reorder", "repeat", "cut"][below(5)];
        let at = below(edited.len());
        match kind {
            "flip" => {
                let (byte, bit) = (below(edited[at].len()), below(8));
                edited[at][byte] ^= 1 << bit;
            }
            "delete" => drop(edited.remove(at)),
            "reorder" => {
                let other = (at + 1 + below(edited.len() - 1)) % edited.len();
                edited.swap(at, other);
            }
            "repeat" => edited.insert(at, edited[at].clone()),
            _ => {
                // Also with a last line as an export has it.
                edited.truncate(at.min(lines.len() - 2));
                if below(2) == 0
                    && let Some(seal) = edited.last().filter(|line| line.starts_with(b"{\"seal\""))
                {
                    let seal: Value = serde_json::from_slice(seal).unwrap();
                    let end = format!("{{\"end\":{},\"hash\":{}}}\n", seal["seal"], seal["hash"]);
                    edited.push(end.into_bytes());
                }
            }
        }
        let edited = edited.concat();
        assert!(!check(&edited, Some(&known)).intact, "edit {edit}: {kind} at line {at}");
        assert!(!is_intact(&edited, noted), "edit {edit}: {kind} at line {at}");
    }
}

#[tokio::test]
async fn the_first_entry_that_is_otherwise_is_named() {
    let world = busy(6).await;
    let text = String::from_utf8(export(&world).await).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let id = |at: usize| serde_json::from_str::<Value>(&lines[at]).unwrap()["id"].clone();
    type Edit = fn(&mut Vec<String>);
    let edits: [(Edit, Value, &str); 7] = [
        (|it| it.swap(1, 2), id(2), "the entry is in another place"),
        (|it| drop(it.remove(2)), id(2), "the entry is missing"),
        (|it| it[2] = it[2].replace("ada", "eve"), id(2), "the entry was changed"),
        (|it| it.insert(1, it[6].clone()), id(6), "the entry was added"),
        (|it| drop(it.remove(4)), Value::Null, "the seal is missing"),
        (|it| drop(it.pop()), Value::Null, "the end is cut off"),
        (|it| it.truncate(5), Value::Null, "the end is cut off"),
    ];
    for (edit, id, what) in edits {
        let mut edited = lines.clone();
        edit(&mut edited);
        let file: String = edited.iter().map(|line| format!("{line}\n")).collect();
        let fault = check(file.as_bytes(), None).fault.unwrap();
        assert_eq!((json!(fault.entry), fault.what.as_str()), (id, what));
    }
}
