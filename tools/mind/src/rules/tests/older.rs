//! Rule files of the time before drafts, when every save was a version.

use flowmaster_store::{Migrations, intact, params};

use super::decisions::dmn;
use super::*;

const ADD: &str = "INSERT INTO rules_decision
    (tenant_id, id, version, hash, name, decisions, author, created_at, dmn)
    VALUES ($1, 'approval', $2, $3, 'Approval', $4, 'dora', $5, $6)";
const HOLD: &str = "INSERT INTO rules_active (tenant_id, decision_id, file, version) VALUES ($1, 'route', 'approval', 2)";

/// A room on a database that was made then, with two versions of the file `approval`.
async fn older_room() -> Room {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T00:00:00Z").unwrap()));
    let db = Db::temporary(clock.clone()).await;
    let (before, since) = MIGRATIONS.steps.split_at(2);
    assert!(since[0].contains("CREATE TABLE rules_file"), "the step that brings drafts");
    db.migrate(&[Migrations { room: MIGRATIONS.room, steps: before }]).await.unwrap();
    let ctx = ctx("ten_a", "dora", &[], &clock);
    let mut tx = db.begin(&ctx).await.unwrap();
    let decisions = json!([{ "id": "route", "name": "route", "inputs": ["amount"] }]).to_string();
    for (version, text) in [(1, "amount * 2"), (2, "amount * 3")] {
        let file = dmn("approval", "route", text);
        let at = Timestamp::from_millis(version * 1_000);
        let values =
            params![version, intact::fingerprint(&file), decisions.as_str(), at, file.as_str()];
        tx.execute(ADD, &values).await.unwrap();
    }
    tx.execute(HOLD, &[]).await.unwrap();
    tx.commit(()).await.unwrap();
    db.migrate(&[MIGRATIONS]).await.unwrap();
    room_on(db, clock)
}

#[tokio::test]
async fn files_from_before_drafts_are_read_and_go_on() {
    let room = older_room().await;
    let read = json!({ "id": "approval", "response_format": "detailed", "form": "xml" });
    let rule = room.answer("rule_get", read).await;
    assert_eq!((&rule["version"], &rule["active_version"]), (&json!(2), &json!(2)));
    assert_eq!((&rule["has_draft"], &rule["tests"]), (&json!(false), &json!([])));
    assert_eq!(rule["dmn"], json!(dmn("approval", "route", "amount * 3")));
    let versions = rule["versions"].as_array().unwrap();
    assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&json!(2), &json!(1)));
    assert_eq!(versions[1]["published_at"], "1970-01-01T00:00:01Z");
    let found = room.answer("rule_search", json!({ "decision": "route" })).await;
    assert_eq!(found["items"][0]["name"], "Approval");
    for (version, expected) in [(json!(null), 30), (json!(1), 20)] {
        let ask = json!({ "decision": "route", "variables": { "amount": 10 }, "version": version });
        assert_eq!(room.answer("rule_evaluate", ask).await["value"], expected);
    }
    let nothing = room.refusal("rule_publish", json!({ "id": "approval" })).await;
    assert_eq!(nothing.code(), "no_draft");
    let tests = json!([{ "name": "ten", "decision": "route", "variables": { "amount": 10 },
        "expected": 40 }]);
    let changed = json!({ "dmn": dmn("approval", "route", "amount * 4"), "tests": tests });
    room.answer("rule_save", changed).await;
    let published = room.answer("rule_publish", json!({ "id": "approval" })).await;
    assert_eq!((&published["version"], &published["tests_passed"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn a_file_from_before_imports_can_be_imported_once_it_is_published_again() {
    let room = older_room().await;
    let importing = dmn("user", "d", "1").replace("urn:test", "urn:user").replace(
        "<inputData",
        r#"<import name="a" namespace="urn:test" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/><inputData"#,
    );
    let saved = room.answer("rule_save", json!({ "dmn": importing })).await;
    assert_eq!(saved["findings"][0]["code"], "import_missing");
    room.answer("rule_save", json!({ "dmn": dmn("approval", "route", "amount * 3") })).await;
    let same = room.answer("rule_publish", json!({ "id": "approval" })).await;
    assert_eq!((&same["version"], &same["is_new"]), (&json!(2), &json!(false)));
    let saved = room.answer("rule_save", json!({ "dmn": importing })).await;
    assert_eq!(saved.get("findings"), None);
}
