//! Mandates of units: roles on the way up, inheritance, overrides.

use super::*;

fn units() -> Authority {
    authority(json!({
        "mandates": [
            { "id": "heads", "domain": "finance", "action": "pay", "holder": { "role": "head" },
              "authority": "allow", "unit": "company", "inherited": true, "below": 1000, "currency": "EUR", "level": 1 },
            { "id": "ceo", "domain": "finance", "action": "pay", "holder": { "position": "ceo" },
              "authority": "allow", "level": 9 },
            { "id": "less-in-north", "domain": "finance", "action": "pay", "holder": { "role": "head" },
              "authority": "allow", "unit": "north", "replaces": ["heads"], "below": 200, "currency": "EUR", "level": 1 },
            { "id": "not-works", "domain": "finance", "action": "pay", "holder": { "role": "head" },
              "authority": "deny", "unit": "works", "min": 500, "currency": "EUR" },
            { "id": "sales-only", "domain": "finance", "action": "order", "holder": "sam",
              "authority": "allow", "unit": "sales" },
            { "id": "books", "domain": "finance", "action": "book", "holder": { "role": "accountant" },
              "authority": "allow" },
        ],
    }))
}

#[test]
fn a_role_reaches_the_units_on_the_way_up() {
    for (actor, unit, amount, expected) in [
        ("sam", "sales", "999.99", (Outcome::Allow, Some("heads"))),
        ("sam", "sales", "1000", (Outcome::Escalate, None)),
        ("cleo", "sales", "1", (Outcome::Allow, Some("heads"))),
        ("cleo", "sales", "1000", (Outcome::Allow, Some("ceo"))),
        ("nora", "sales", "1", (Outcome::Escalate, None)),
        ("wim", "sales", "1", (Outcome::Escalate, None)),
        ("wim", "works", "499.99", (Outcome::Allow, Some("heads"))),
        ("wim", "works", "500", (Outcome::Deny, Some("not-works"))),
        // The denial is of the heads in works; the chief executive is one of the company.
        ("cleo", "works", "500", (Outcome::Allow, Some("heads"))),
        ("wim", "finance", "500", (Outcome::Escalate, None)),
        // An unknown unit is outside of what allows, and inside of what denies.
        ("sam", "", "1", (Outcome::Escalate, None)),
        ("sam", "nowhere", "1", (Outcome::Escalate, None)),
        ("wim", "", "500", (Outcome::Deny, Some("not-works"))),
        ("cleo", "", "1", (Outcome::Allow, Some("ceo"))),
    ] {
        check(&units(), &pay(actor, unit, amount), expected);
    }
}

#[test]
fn an_override_further_down_replaces_what_is_inherited() {
    for (actor, unit, amount, expected) in [
        ("nora", "north", "199.99", (Outcome::Allow, Some("less-in-north"))),
        ("nora", "north", "200", (Outcome::Escalate, None)),
        // It is for north alone, whose cases the head of sales cannot decide by it.
        ("sam", "north", "1", (Outcome::Escalate, None)),
        ("sam", "sales", "200", (Outcome::Allow, Some("heads"))),
    ] {
        check(&units(), &pay(actor, unit, amount), expected);
    }
}

#[test]
fn a_mandate_that_is_not_inherited_is_of_its_unit_alone() {
    for (unit, outcome) in
        [("sales", Outcome::Allow), ("north", Outcome::Escalate), ("company", Outcome::Escalate)]
    {
        let order = MandateRequest { deed: deed("order"), ..pay("sam", unit, "1") };
        assert_eq!(units().check(&order, july()).outcome, outcome, "{unit}");
    }
}

#[test]
fn people_are_named_from_the_nearest_unit_up() {
    let north = units().check(&pay("wim", "north", "100"), july());
    assert_eq!(north.approvers, ["nora", "cleo"]);
    let sales = units().check(&pay("wim", "sales", "100"), july());
    assert_eq!(sales.approvers, ["sam", "cleo"]);
    assert_eq!(
        sales.reasons,
        ["the mandates of wim for pay in finance are for other units than sales"]
    );
    let unknown = units().check(&pay("wim", "", "100"), july());
    assert_eq!(unknown.approvers, ["cleo"]);
    assert!(
        unknown.reasons[0].ends_with("the unit of the case is not known: say it"),
        "{unknown:?}"
    );
}

#[test]
fn a_ring_of_units_is_followed_and_ends() {
    let ring: Organisation = serde_json::from_value(json!({
        "units": [{ "id": "a", "name": "A", "parent": "b" }, { "id": "b", "name": "B", "parent": "a" }],
        "positions": [{ "id": "p", "title": "P", "unit": "b", "roles": ["head"] }],
        "holders": [{ "person": "sam", "position": "p" }],
    }))
    .unwrap();
    let set = json!({ "mandates": [{ "id": "m", "domain": "finance", "action": "pay", "authority": "allow",
        "holder": { "role": "head" }, "unit": "b", "inherited": true }] });
    let set: MandateSet = serde_json::from_value(set).unwrap();
    let authority = Authority::new(set.into(), Chart::new(ring).into());
    check(&authority, &pay("sam", "a", "1"), (Outcome::Allow, Some("m")));
}

#[test]
fn an_override_replaces_no_denial_and_counts_where_the_unit_is_unknown() {
    let set = authority(json!({
        "mandates": [
            { "id": "all", "domain": "finance", "action": "pay", "holder": "sam", "authority": "allow" },
            { "id": "less", "domain": "finance", "action": "pay", "holder": "sam", "authority": "allow",
              "unit": "north", "replaces": ["all"], "below": 100, "currency": "EUR" },
            { "id": "no-agents", "domain": "finance", "action": "pay", "holder": "agent:a", "authority": "deny",
              "unit": "company", "inherited": true },
            { "id": "agent", "domain": "finance", "action": "pay", "holder": "agent:a", "authority": "allow",
              "unit": "north", "replaces": ["no-agents"] },
        ],
    }));
    for (actor, unit, amount, expected) in [
        ("sam", "sales", "500", (Outcome::Allow, Some("all"))),
        ("sam", "north", "99.99", (Outcome::Allow, Some("less"))),
        ("sam", "north", "500", (Outcome::Escalate, None)),
        ("sam", "", "500", (Outcome::Escalate, None)),
        ("sam", "nowhere", "500", (Outcome::Escalate, None)),
        ("agent:a", "north", "1", (Outcome::Deny, Some("no-agents"))),
    ] {
        check(&set, &pay(actor, unit, amount), expected);
    }
}
