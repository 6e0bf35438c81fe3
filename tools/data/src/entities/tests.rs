use std::sync::Arc;

use flowmaster_kernel::{
    Catalogue, Ctx, Error, Idempotency, ManualClock, Principal, PrincipalKind, Result, Role,
    SequenceIds, TenantId, Timestamp,
};
use flowmaster_store::Db;
use serde_json::{Value, json};

use super::*;

struct Room {
    entities: Arc<Entities>,
    catalogue: Catalogue,
    clock: Arc<ManualClock>,
    db: Db,
    ctx: Ctx,
}

impl Room {
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
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let entities = Arc::new(Entities::new(db.clone()));
    let mut catalogue = Catalogue::default();
    catalogue.add(operations(&entities)).unwrap();
    let ctx = ctx("ten_a", &clock);
    Room { entities, catalogue, clock, db, ctx }
}

fn ctx(tenant: &str, clock: &Arc<ManualClock>) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text(tenant),
        Principal::new("dora", PrincipalKind::Person, &[Role::Designer], &[]),
        clock.clone(),
        Arc::new(SequenceIds::default()),
    )
}

fn company() -> Value {
    json!({
        "units": [
            { "id": "company", "name": "Company" },
            { "id": "sales", "name": "Sales", "parent": "company" },
            { "id": "north", "name": "Sales North", "parent": "sales" },
            { "id": "works", "name": "Works", "parent": "company" },
        ],
        "positions": [
            { "id": "ceo", "title": "CEO", "unit": "company", "roles": ["head"] },
            { "id": "lead", "title": "Head of Sales", "unit": "sales", "roles": ["head"] },
            { "id": "clerk", "title": "Clerk", "unit": "north", "roles": ["clerk", "buyer"] },
        ],
        "holders": [
            { "person": "cleo", "position": "ceo" },
            { "person": "sam", "position": "lead" },
            { "person": "nora", "position": "clerk", "valid_until": "2027-01-01T00:00:00Z" },
            { "person": "otto", "position": "clerk", "valid_until": "2026-07-10T00:00:00Z" },
        ],
        "substitutes": [
            { "absent": "sam", "by": "nora",
              "valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-08-01T00:00:00Z" },
            { "absent": "nora", "by": "sam", "valid_from": "2026-09-01T00:00:00Z" },
        ],
    })
}

/// The company with one member of an entry replaced.
fn with(list: &str, at: usize, field: &str, value: Value) -> Value {
    let mut company = company();
    company[list][at][field] = value;
    company
}

#[tokio::test]
async fn saving_replaces_and_every_change_is_a_version() {
    let room = room().await;
    for (arguments, version, is_new) in [
        (json!({ "units": [] }), 0, false),
        (company(), 1, true),
        (company(), 1, false),
        (with("units", 0, "name", json!("Firm")), 2, true),
        (company(), 3, true),
    ] {
        let saved = room.answer("organisation_save", arguments).await;
        assert_eq!((&saved["version"], &saved["is_new"]), (&json!(version), &json!(is_new)));
    }
    let old = room.answer("organisation_get", json!({ "version": 2 })).await;
    assert_eq!((&old["units"][0]["name"], &old["version"]), (&json!("Firm"), &json!(2)));
    let now = room.answer("organisation_get", json!({})).await;
    assert_eq!((&now["holders"], &now["version"]), (&company()["holders"], &json!(3)));
    let unknown = room.refusal("organisation_get", json!({ "version": 4 })).await;
    assert_eq!(unknown.code(), "organisation_version_not_found");
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused() {
    let room = room().await;
    let at = |version: i64| {
        let mut company = company();
        company["version"] = json!(version);
        company
    };
    assert_eq!(room.answer("organisation_save", at(0)).await["version"], 1);
    assert_eq!(room.refusal("organisation_save", at(0)).await.code(), "organisation_changed");
    assert_eq!(room.answer("organisation_save", at(1)).await["is_new"], false);
}

#[tokio::test]
async fn one_key_has_one_effect() {
    let room = room().await;
    let call = Idempotency {
        key: "k".to_owned(),
        operation: "organisation_save".to_owned(),
        body_hash: "body".to_owned(),
    };
    let keyed = Ctx { idempotency: Some(Arc::new(call)), ..room.ctx.clone() };
    let first = room.call(&keyed, "organisation_save", company()).await.unwrap();
    let again = room.call(&keyed, "organisation_save", company()).await;
    assert_eq!(first["version"], 1);
    assert!(again.is_err() || again.unwrap()["version"] == 1);
    assert_eq!(room.answer("organisation_get", json!({})).await["version"], 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_not_kept() {
    let room = room().await;
    let deep: Vec<Value> = (0..=20)
        .map(|at| match at {
            0 => json!({ "id": "u0", "name": "U" }),
            at => json!({ "id": format!("u{at}"), "name": "U", "parent": format!("u{}", at - 1) }),
        })
        .collect();
    let many = vec![json!({ "id": "u", "name": "U" }); 5_001];
    let crowd: Vec<Value> =
        (0..101).map(|at| json!({ "absent": format!("p{at}"), "by": "sam" })).collect();
    let mut crowded = company();
    crowded["substitutes"] = json!(crowd);
    let mut ring = with("units", 1, "parent", json!("north"));
    ring["units"][0]["parent"] = json!("company");
    for (arguments, expected) in [
        (
            with("units", 1, "id", json!("company")),
            &["duplicate /units/1", "unknown_parent /units/2", "unknown_unit /positions/1"][..],
        ),
        (with("units", 1, "parent", json!("nowhere")), &["unknown_parent /units/1"]),
        (ring, &["cycle /units/0", "cycle /units/1", "cycle /units/2"]),
        (json!({ "units": deep }), &["too_deep /units/20"]),
        (json!({ "units": many }), &["too_many /units"]),
        (crowded, &["too_many_entries /substitutes"]),
        (with("units", 3, "id", json!(" x")), &["name /units/3"]),
        (with("positions", 2, "unit", json!("nowhere")), &["unknown_unit /positions/2"]),
        (with("positions", 2, "roles", json!([""])), &["name /positions/2"]),
        (
            with("positions", 0, "id", json!("lead")),
            &["duplicate /positions/1", "unknown_position /holders/0"],
        ),
        (with("holders", 0, "position", json!("nothing")), &["unknown_position /holders/0"]),
        (with("holders", 2, "valid_from", json!("2027-01-01T00:00:00Z")), &["dates /holders/2"]),
        (with("holders", 1, "person", json!("a\nb")), &["name /holders/1"]),
        (with("substitutes", 0, "by", json!("sam")), &["self_substitute /substitutes/0"]),
        (
            with("substitutes", 0, "valid_until", json!("2026-07-01T00:00:00Z")),
            &["dates /substitutes/0"],
        ),
    ] {
        let refused = room.refusal("organisation_save", arguments.clone()).await;
        assert_eq!(refused.code(), "organisation_invalid", "{arguments}");
        let details = refused.body().details.clone().unwrap();
        let findings = details["findings"].as_array().unwrap().iter();
        let told: Vec<String> = findings
            .map(|it| {
                format!("{} {}", it["code"].as_str().unwrap(), it["element"].as_str().unwrap())
            })
            .collect();
        assert_eq!(told, expected, "{arguments}");
    }
    assert_eq!(room.answer("organisation_get", json!({})).await["version"], 0);
}

#[tokio::test]
async fn the_organisation_is_read_in_part_and_page_by_page() {
    let room = room().await;
    room.answer("organisation_save", company()).await;
    let ids = |page: &Value| {
        let list = |list: &str, field: &str| {
            page[list].as_array().unwrap().iter().map(|it| it[field].clone()).collect::<Value>()
        };
        json!([
            list("units", "id"),
            list("positions", "id"),
            list("holders", "person"),
            list("substitutes", "absent")
        ])
    };
    for (filter, expected) in [
        (
            json!({ "unit": "sales" }),
            json!([
                ["sales", "north"],
                ["lead", "clerk"],
                ["sam", "nora", "otto"],
                ["sam", "nora"]
            ]),
        ),
        (json!({ "unit": "works" }), json!([["works"], [], [], []])),
        (json!({ "person": "nora" }), json!([["north"], ["clerk"], ["nora"], ["sam", "nora"]])),
        (json!({ "person": "nobody" }), json!([[], [], [], []])),
        (json!({ "unit": "sales", "person": "cleo" }), json!([[], [], [], []])),
        (json!({ "limit": 3 }), json!([["company", "sales", "north"], [], [], []])),
    ] {
        assert_eq!(
            ids(&room.answer("organisation_get", filter.clone()).await),
            expected,
            "{filter}"
        );
    }
    let mut seen = Vec::new();
    let mut arguments = json!({ "limit": 5 });
    loop {
        let page = room.answer("organisation_get", arguments.clone()).await;
        // Pages are of one version, whatever is saved meanwhile.
        room.answer("organisation_save", with("units", 0, "name", json!("Firm"))).await;
        assert_eq!(page["version"], 1);
        seen.extend(
            ids(&page).as_array().unwrap().iter().flat_map(|it| it.as_array().unwrap().clone()),
        );
        let Some(next) = page.get("next_cursor").filter(|it| !it.is_null()) else { break };
        arguments["cursor"] = next.clone();
    }
    let all = [
        "company", "sales", "north", "works", "ceo", "lead", "clerk", "cleo", "sam", "nora",
        "otto", "sam", "nora",
    ];
    assert_eq!(seen, all);
    for (arguments, code) in [
        (json!({ "cursor": "x" }), "invalid_cursor"),
        (json!({ "cursor": "1.0", "version": 2 }), "invalid_cursor"),
        (json!({ "cursor": "9.0" }), "organisation_version_not_found"),
        (json!({ "unit": "nowhere" }), "unit_not_found"),
        (json!({ "limit": 0 }), "invalid_limit"),
        (json!({ "limit": 1001 }), "invalid_limit"),
    ] {
        assert_eq!(room.refusal("organisation_get", arguments).await.code(), code);
    }
}

#[tokio::test]
async fn who_somebody_is_now() {
    let room = room().await;
    room.answer("organisation_save", company()).await;
    let nora = room.answer("person_get", json!({ "person": "nora" })).await;
    assert_eq!(
        nora,
        json!({
            "person": "nora",
            "version": 1,
            "positions": [{ "id": "clerk", "title": "Clerk", "unit": "north", "roles": ["buyer", "clerk"],
                "units": ["north", "sales", "company"], "valid_until": "2027-01-01T00:00:00Z" }],
            "roles": ["buyer", "clerk"],
            "superiors": ["sam", "cleo"],
            "substitutes": [],
            "stands_in_for": ["sam"],
        })
    );
    for (person, field, expected) in [
        ("sam", "superiors", json!(["cleo"])),
        ("sam", "substitutes", json!(["nora"])),
        ("cleo", "superiors", json!([])),
        ("otto", "positions", json!([])),
        ("stranger", "superiors", json!([])),
    ] {
        let found = room.answer("person_get", json!({ "person": person })).await;
        assert_eq!(found[field], expected, "{person} {field}");
    }
    assert_eq!(room.answer("person_get", json!({})).await["person"], "dora");
}

#[tokio::test]
async fn a_change_is_seen_at_once_here_and_within_two_seconds_elsewhere() {
    let room = room().await;
    let elsewhere = Entities::new(room.db.clone());
    room.answer("organisation_save", company()).await;
    let first = elsewhere.in_force(&room.ctx).await.unwrap();
    assert_eq!(first.number, 1);
    room.answer("organisation_save", json!({ "units": [] })).await;
    assert_eq!(room.entities.in_force(&room.ctx).await.unwrap().number, 2);
    room.clock.advance_millis(1_999);
    let trusted = elsewhere.in_force(&room.ctx).await.unwrap();
    assert!(Arc::ptr_eq(&first, &trusted), "read once");
    room.clock.advance_millis(1);
    assert_eq!(elsewhere.in_force(&room.ctx).await.unwrap().number, 2);
}

#[tokio::test]
async fn tenants_have_their_own_organisation() {
    let room = room().await;
    let theirs = ctx("ten_b", &room.clock);
    room.answer("organisation_save", company()).await;
    for arguments in [json!({}), json!({ "person": "sam" })] {
        let read = room.call(&theirs, "organisation_get", arguments).await.unwrap();
        assert_eq!((&read["version"], &read["units"]), (&json!(0), &json!([])));
    }
    let unknown = room.call(&theirs, "organisation_get", json!({ "version": 1 })).await;
    assert_eq!(unknown.unwrap_err().code(), "organisation_version_not_found");
    let person = room.call(&theirs, "person_get", json!({ "person": "sam" })).await.unwrap();
    assert_eq!(person["positions"], json!([]));
    assert_eq!(room.entities.in_force(&room.ctx).await.unwrap().number, 1);
}
