use std::sync::Arc;

use flowmaster_kernel::{
    Catalogue, Ctx, Error, ManualClock, Principal, PrincipalKind, Result, Role, SequenceIds,
    TenantId, Timestamp,
};
use flowmaster_store::Db;
use serde_json::{Value, json};

use flowmaster_data::entities::{self, Entities};

use super::*;
use crate::rules;

mod guide;

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
        let entities = Arc::new(Entities::new(self.db.clone()));
        Mandates::new(self.db.clone(), entities)
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
    db.migrate(&[entities::MIGRATIONS, rules::MIGRATIONS, MIGRATIONS]).await.unwrap();
    let entities = Arc::new(Entities::new(db.clone()));
    let mandates = Arc::new(Mandates::new(db.clone(), Arc::clone(&entities)));
    let mut catalogue = Catalogue::default();
    catalogue.add(operations(&mandates)).unwrap();
    catalogue.add(entities::operations(&entities)).unwrap();
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

fn deeds(actions: &[&str]) -> Value {
    actions.iter().map(|action| json!({ "domain": "finance", "action": action })).collect()
}

/// The set with its first mandate in the place of others.
fn replacing(replaced: Value) -> Value {
    let mut set = with("mandates", "replaces", replaced);
    set["mandates"][0]["unit"] = json!("sales");
    set
}

/// The set with actions in different hands.
fn segregating(actions: &[&str]) -> Value {
    let mut set = set();
    set["segregations"] = json!([{ "id": "hands", "actions": deeds(actions) }]);
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
    let nothing = json!({ "version": 4, "mandates": [], "delegations": [], "segregations": [] });
    assert_eq!(now, nothing);
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
        (with("delegations", "from", json!({ "role": "head" })), &["delegation_from_role"]),
        (with("delegations", "below", json!(5)), &["currency_missing"]),
        (with("delegations", "currency", json!("eur")), &["currency"]),
        (with("delegations", "units", json!([""])), &["name"]),
        (with("mandates", "holder", json!({ "position": "" })), &["name"]),
        (with("mandates", "inherited", json!(true)), &["inherited_without_unit"]),
        (with("mandates", "authority", json!("escalate")), &["escalate_to_missing"]),
        (with("mandates", "escalate_to", json!("director")), &["escalate_to"]),
        (with("mandates", "other_eyes_than", deeds(&["*"])), &["actions"]),
        (with("mandates", "replaces", json!(["director"])), &["replaces", "replaces"]),
        (replacing(json!(["nothing"])), &["replaces"]),
        (replacing(json!(["hire"])), &["replaces"]),
        (segregating(&["pay"]), &["actions"]),
        (segregating(&["pay", " order"]), &["name"]),
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
    let crowd: Vec<Value> = (0..101)
        .map(|at| json!({ "id": format!("d{at}"), "from": "clerk", "to": "ben" }))
        .collect();
    let crowd = json!({ "mandates": [], "delegations": crowd });
    assert_eq!(findings(&room.refusal("mandate_save", crowd).await), ["too_many"]);
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
    assert_eq!(room.mandates.in_force(&room.ctx).await.unwrap().version, 0);
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

fn company() -> Value {
    json!({
        "units": [{ "id": "company", "name": "Company" }, { "id": "sales", "name": "Sales", "parent": "company" }],
        "positions": [{ "id": "ceo", "title": "CEO", "unit": "company", "roles": ["head"] },
                      { "id": "lead", "title": "Head of Sales", "unit": "sales", "roles": ["head"] }],
        "holders": [{ "person": "cleo", "position": "ceo" }, { "person": "sam", "position": "lead" }],
        "substitutes": [{ "absent": "sam", "by": "ben" }],
    })
}

fn heads() -> Value {
    json!({
        "mandates": [
            { "id": "heads", "domain": "finance", "action": "pay", "holder": { "role": "head" },
              "authority": "allow", "unit": "company", "inherited": true },
        ],
        "segregations": [{ "id": "hands", "actions": deeds(&["order", "pay"]) }],
    })
}

#[tokio::test]
async fn a_check_knows_the_organisation() {
    let room = room().await;
    room.answer("organisation_save", company()).await;
    room.answer("mandate_save", heads()).await;
    for (actor, extra, outcome, approvers) in [
        ("sam", json!({}), "allow", json!([])),
        ("ben", json!({}), "allow", json!([])),
        ("cleo", json!({}), "allow", json!([])),
        ("sam", json!({ "unit": "company" }), "escalate", json!(["cleo"])),
        ("dan", json!({}), "escalate", json!(["ben", "cleo"])),
        (
            "sam",
            json!({ "done": [{ "by": "sam", "action": "order" }] }),
            "second_person",
            json!(["cleo"]),
        ),
        (
            "sam",
            json!({ "done": [{ "by": "sam", "action": "order", "domain": "law" }] }),
            "allow",
            json!([]),
        ),
    ] {
        let mut arguments =
            json!({ "domain": "finance", "action": "pay", "unit": "sales", "actor": actor });
        for (name, value) in extra.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        let checked = room.answer("mandate_check", arguments).await;
        assert_eq!((&checked["outcome"], &checked["approvers"]), (&json!(outcome), &approvers));
        assert_eq!((&checked["version"], &checked["organisation_version"]), (&json!(1), &json!(1)));
    }
    let too_many: Vec<Value> =
        (0..101).map(|n| json!({ "by": "a", "action": format!("{n}") })).collect();
    let asked = json!({ "domain": "finance", "action": "pay", "done": too_many });
    assert_eq!(room.refusal("mandate_check", asked).await.code(), "too_many_entries");
}

#[tokio::test]
async fn a_change_of_the_organisation_counts_at_once() {
    let room = room().await;
    let check = json!({ "domain": "finance", "action": "pay", "unit": "sales", "actor": "sam" });
    room.answer("mandate_save", heads()).await;
    for (organisation, outcome, version) in [
        (json!({ "units": [] }), "escalate", 0),
        (company(), "allow", 1),
        (json!({ "units": [] }), "escalate", 2),
    ] {
        room.answer("organisation_save", organisation).await;
        let checked = room.answer("mandate_check", check.clone()).await;
        let found = (&checked["outcome"], &checked["organisation_version"]);
        assert_eq!(found, (&json!(outcome), &json!(version)));
    }
}

#[tokio::test]
async fn what_comes_to_nothing_is_told_and_saved() {
    let room = room().await;
    let mut set = heads();
    set["mandates"][0]["escalate_to"] = json!(null);
    set["delegations"] =
        json!([{ "id": "d", "from": { "position": "lead" }, "to": "dan", "units": ["north"] }]);
    let codes = |saved: &Value| -> Vec<String> {
        let warnings = saved["warnings"].as_array().cloned().unwrap_or_default();
        warnings
            .iter()
            .map(|it| {
                format!("{} {}", it["code"].as_str().unwrap(), it["element"].as_str().unwrap())
            })
            .collect()
    };
    let saved = room.answer("mandate_save", set.clone()).await;
    let expected =
        ["unknown_holder heads", "unknown_unit heads", "unknown_holder d", "unknown_unit d"];
    assert_eq!(
        (codes(&saved), &saved["is_new"]),
        (expected.map(str::to_owned).to_vec(), &json!(true))
    );
    room.answer("organisation_save", company()).await;
    let saved = room.answer("mandate_save", set.clone()).await;
    assert_eq!(
        (codes(&saved), &saved["is_new"]),
        (vec!["unknown_unit d".to_owned()], &json!(false))
    );
    set["mandates"] = json!([
        { "id": "north", "domain": "finance", "action": "pay", "holder": "sam", "authority": "allow", "unit": "sales" },
        { "id": "top", "domain": "finance", "action": "pay", "holder": "sam", "authority": "allow",
          "unit": "company", "replaces": ["north"] },
    ]);
    set["delegations"] = json!([]);
    assert_eq!(codes(&room.answer("mandate_save", set).await), ["replaces top"]);
}

#[tokio::test]
async fn the_set_of_the_rules_room_is_taken_over() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
    let db = Db::temporary(clock.clone()).await;
    let (first, later) = rules::MIGRATIONS.steps.split_at(1);
    let before = flowmaster_store::Migrations { room: rules::MIGRATIONS.room, steps: first };
    db.migrate(&[entities::MIGRATIONS, before]).await.unwrap();
    assert!(!later.is_empty());
    let ctx = ctx("ten_a", "dora", &[], &clock);
    let mut tx = db.begin(&ctx).await.unwrap();
    let old = json!({ "mandates": set()["mandates"], "delegations": [] }).to_string();
    let insert = format!(
        "INSERT INTO rules_mandates (tenant_id, version, author, created_at, mandates) VALUES ($1, 7, 'dora', 0, '{old}')"
    );
    tx.execute_dynamic(&insert, &[]).await.unwrap();
    tx.commit(()).await.unwrap();
    db.migrate(&[entities::MIGRATIONS, rules::MIGRATIONS, MIGRATIONS]).await.unwrap();
    let entities = Arc::new(Entities::new(db.clone()));
    let in_force = Mandates::new(db, entities).in_force(&ctx).await.unwrap();
    assert_eq!((in_force.version, in_force.authority.set().mandates.len()), (7, 3));
}
