use std::sync::Arc;

use flowmaster_kernel::{
    Catalogue, Ctx, Error, ManualClock, Principal, PrincipalKind, Result, Role, SequenceIds,
    TenantId, Timestamp,
};
use flowmaster_store::Db;
use serde_json::{Value, json};

use super::*;
use crate::rules;

struct Room {
    mandates: Arc<Mandates>,
    catalogue: Catalogue,
    clock: Arc<ManualClock>,
    db: Db,
    ctx: Ctx,
}

impl Room {
    /// A second room on the same database, as another node has it.
    fn on_another_node(&self) -> Mandates {
        Mandates::new(self.db.clone())
    }

    /// Calls an operation with JSON, as every client does.
    async fn call(&self, ctx: &Ctx, operation: &str, arguments: Value) -> Result<Value> {
        self.catalogue.get(operation).unwrap().call(ctx.clone(), arguments).await
    }

    async fn answer(&self, operation: &str, arguments: Value) -> Value {
        self.call(&self.ctx, operation, arguments).await.unwrap()
    }

    async fn refusal(&self, operation: &str, arguments: Value) -> Error {
        self.call(&self.ctx, operation, arguments).await.unwrap_err()
    }
}

async fn room() -> Room {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T00:00:00Z").unwrap()));
    let db = Db::temporary(clock.clone()).await;
    db.migrate(&[rules::MIGRATIONS, MIGRATIONS]).await.unwrap();
    let mandates = Arc::new(Mandates::new(db.clone()));
    let mut catalogue = Catalogue::default();
    catalogue.add(operations(&mandates)).unwrap();
    let ctx = ctx("ten_a", "dora", &["director"], &clock);
    Room { mandates, catalogue, clock, db, ctx }
}

fn ctx(tenant: &str, principal: &str, groups: &[&str], clock: &Arc<ManualClock>) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text(tenant),
        Principal::new(principal, PrincipalKind::Person, &[Role::Designer], groups),
        clock.clone(),
        Arc::new(SequenceIds::default()),
    )
}

/// The codes of the findings in an error.
fn findings(error: &Error) -> Vec<String> {
    let details = error.body().details.clone().unwrap_or_default();
    let codes = details["findings"].as_array().cloned().unwrap_or_default();
    codes.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn set() -> Value {
    json!({
        "mandates": [
            { "id": "clerk", "domain": "finance", "action": "pay", "holder": "clerk",
              "authority": "allow", "below": 1000, "currency": "EUR", "level": 1 },
            { "id": "director", "domain": "finance", "action": "*", "holder": "director",
              "authority": "allow", "four_eyes": true, "level": 3 },
            { "id": "hire", "domain": "people", "action": "hire", "holder": "director",
              "authority": "allow" }
        ],
        "delegations": [{ "id": "holiday", "from": "clerk", "to": "ben" }]
    })
}

/// The set with one member of its first mandate, or of its delegation, replaced.
fn with(list: &str, field: &str, value: Value) -> Value {
    let mut set = set();
    set[list][0][field] = value;
    set
}

#[tokio::test]
async fn saving_replaces_and_every_change_is_a_version() {
    let room = room().await;
    let mut fewer = set();
    fewer["delegations"] = json!([]);
    for (arguments, version, is_new) in [
        (set(), 1, true),
        (set(), 1, false),
        (with("mandates", "below", json!("1000.00")), 1, false),
        (fewer, 2, true),
        (set(), 3, true),
        (json!({ "mandates": [] }), 4, true),
    ] {
        let saved = room.answer("mandate_save", arguments).await;
        assert_eq!((&saved["version"], &saved["is_new"]), (&json!(version), &json!(is_new)));
    }
    let old = room.answer("mandate_get", json!({ "version": 1 })).await;
    assert_eq!(old["mandates"].as_array().unwrap().len(), 3);
    assert_eq!(old["delegations"][0]["id"], "holiday");
    let now = room.answer("mandate_get", json!({})).await;
    assert_eq!(now, json!({ "version": 4, "mandates": [], "delegations": [] }));
    let unknown = room.refusal("mandate_get", json!({ "version": 5 })).await;
    assert_eq!(unknown.code(), "mandates_not_found");
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused() {
    let room = room().await;
    let at = |version: i64| {
        let mut set = set();
        set["version"] = json!(version);
        set
    };
    assert_eq!(room.answer("mandate_save", at(0)).await["version"], 1);
    assert_eq!(room.refusal("mandate_save", at(0)).await.code(), "mandates_changed");
    assert_eq!(room.answer("mandate_save", at(1)).await["is_new"], false);
}

#[tokio::test]
async fn mandates_that_make_no_sense_are_not_kept() {
    let room = room().await;
    for (arguments, expected) in [
        (with("mandates", "id", json!("director")), &["duplicate_id"][..]),
        (with("delegations", "id", json!("hire")), &["duplicate_id"]),
        (with("mandates", "currency", json!(null)), &["currency_missing"]),
        (with("mandates", "currency", json!("Euro")), &["currency"]),
        (with("mandates", "min", json!(1000)), &["empty_range"]),
        (with("mandates", "min", json!("1000.01")), &["empty_range"]),
        (with("mandates", "domain", json!("")), &["name"]),
        (with("mandates", "action", json!(" pay")), &["name"]),
        (with("mandates", "holder", json!("x".repeat(101))), &["name"]),
        (with("delegations", "from", json!("ben")), &["self_delegation"]),
        (with("delegations", "to", json!("a\nb")), &["name"]),
    ] {
        let refused = room.refusal("mandate_save", arguments.clone()).await;
        assert_eq!(refused.code(), "mandates_invalid", "{arguments}");
        assert_eq!(findings(&refused), expected, "{arguments}");
    }
    for list in ["mandates", "delegations"] {
        let mut dates = with(list, "valid_from", json!("2026-02-01T00:00:00Z"));
        dates[list][0]["valid_until"] = json!("2026-02-01T00:00:00Z");
        assert_eq!(findings(&room.refusal("mandate_save", dates).await), ["dates"]);
    }
    let several = json!({ "mandates": [set()["mandates"][0], set()["mandates"][0], {
        "id": "open", "domain": "", "action": "pay", "holder": "h", "authority": "allow", "min": 1
    }] });
    let several = room.refusal("mandate_save", several).await;
    assert_eq!(findings(&several), ["duplicate_id", "name", "currency_missing"]);
    let many = json!({ "mandates": vec![set()["mandates"][1].clone(); 2_001] });
    assert_eq!(findings(&room.refusal("mandate_save", many).await), ["too_many"]);
    for no_number in ["NaN", "Infinity", "-Infinity", "ten"] {
        let refused = room.refusal("mandate_save", with("mandates", "below", json!(no_number)));
        let code = refused.await.code().to_owned();
        assert!(["mandates_invalid", "invalid_arguments"].contains(&code.as_str()), "{no_number}");
    }
    assert_eq!(room.answer("mandate_get", json!({})).await["version"], 0);
}

#[tokio::test]
async fn a_check_is_made_for_the_caller_or_for_an_actor() {
    let room = room().await;
    room.answer("mandate_save", set()).await;
    let pay = json!({ "domain": "finance", "action": "pay", "amount": 500, "currency": "EUR" });
    let clerk = json!({ "actor": "anna", "groups": ["clerk"] });
    for (extra, outcome, mandate) in [
        (json!({}), "allow", json!("director")),
        (json!({ "involved": ["dora"] }), "second_person", json!("director")),
        (json!({ "actor": "dora" }), "allow", json!("director")),
        (json!({ "actor": "anna" }), "escalate", Value::Null),
        (clerk.clone(), "allow", json!("clerk")),
        (
            json!({ "actor": "anna", "groups": ["clerk"], "amount": "1000" }),
            "escalate",
            Value::Null,
        ),
        (json!({ "actor": "ben" }), "allow", json!("clerk")),
        (json!({ "action": "steal" }), "allow", json!("director")),
        (json!({ "domain": "law" }), "escalate", Value::Null),
    ] {
        let mut arguments = pay.clone();
        for (name, value) in extra.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        let checked = room.answer("mandate_check", arguments).await;
        let mandate_found = checked.get("mandate").cloned().unwrap_or_default();
        assert_eq!((checked["outcome"].as_str().unwrap(), mandate_found), (outcome, mandate));
        assert_eq!(checked["version"], 1);
    }
    let mut groups = pay.clone();
    groups["groups"] = json!(["director"]);
    assert_eq!(room.refusal("mandate_check", groups).await.code(), "groups_without_actor");
}

#[tokio::test]
async fn nothing_is_allowed_before_mandates_are_saved() {
    let room = room().await;
    assert_eq!(*room.mandates.in_force(&room.ctx).await.unwrap(), InForce::default());
    let asked = json!({ "domain": "finance", "action": "pay" });
    let checked = room.answer("mandate_check", asked).await;
    assert_eq!((&checked["outcome"], &checked["version"]), (&json!("escalate"), &json!(0)));
}

#[tokio::test]
async fn a_change_is_seen_at_once_here_and_within_two_seconds_elsewhere() {
    let room = room().await;
    let elsewhere = room.on_another_node();
    room.answer("mandate_save", set()).await;
    let first = elsewhere.in_force(&room.ctx).await.unwrap();
    assert_eq!(first.version, 1);
    room.answer("mandate_save", json!({ "mandates": [] })).await;
    assert_eq!(room.mandates.in_force(&room.ctx).await.unwrap().version, 2);
    room.clock.advance_millis(1_999);
    let trusted = elsewhere.in_force(&room.ctx).await.unwrap();
    assert!(Arc::ptr_eq(&first, &trusted), "read once");
    room.clock.advance_millis(1);
    assert_eq!(elsewhere.in_force(&room.ctx).await.unwrap().version, 2);
    room.clock.advance_millis(-10_000);
    assert_eq!(elsewhere.in_force(&room.ctx).await.unwrap().version, 2);
}

#[tokio::test]
async fn mandates_are_read_in_part() {
    let room = room().await;
    room.answer("mandate_save", set()).await;
    for (filter, mandates, delegations) in [
        (json!({ "domain": "people" }), json!(["hire"]), json!(["holiday"])),
        (json!({ "holder": "director" }), json!(["director", "hire"]), json!([])),
        (json!({ "holder": "director", "domain": "finance" }), json!(["director"]), json!([])),
        (json!({ "holder": "ben" }), json!([]), json!(["holiday"])),
    ] {
        let read = room.answer("mandate_get", filter).await;
        let ids = |list: &str| -> Value {
            read[list].as_array().unwrap().iter().map(|entry| entry["id"].clone()).collect()
        };
        assert_eq!((ids("mandates"), ids("delegations")), (mandates, delegations));
    }
}

#[tokio::test]
async fn tenants_have_their_own_mandates() {
    let room = room().await;
    let theirs = ctx("ten_b", "dora", &["director"], &room.clock);
    room.answer("mandate_save", set()).await;
    room.mandates.in_force(&room.ctx).await.unwrap();
    assert_eq!(room.mandates.in_force(&theirs).await.unwrap().version, 0);
    let asked = json!({ "domain": "finance", "action": "pay" });
    let checked = room.call(&theirs, "mandate_check", asked).await.unwrap();
    assert_eq!(checked["outcome"], "escalate");
    let read = room.call(&theirs, "mandate_get", json!({ "version": 1 })).await;
    assert_eq!(read.unwrap_err().code(), "mandates_not_found");
    let saved = room.call(&theirs, "mandate_save", json!({ "mandates": [] })).await.unwrap();
    assert_eq!(saved["version"], 0, "nothing was there and nothing is");
    assert_eq!(room.mandates.in_force(&room.ctx).await.unwrap().version, 1);
}
