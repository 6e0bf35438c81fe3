//! Who holds a mandate, amounts, delegations, absences, other eyes.

use super::*;

fn mandates() -> Authority {
    authority(json!({
        "mandates": [
            { "id": "clerk", "domain": "finance", "action": "pay", "holder": "clerk", "authority": "allow",
              "below": 1000, "currency": "EUR", "level": 1 },
            { "id": "manager", "domain": "finance", "action": "pay", "holder": "manager", "authority": "allow",
              "below": 10000, "currency": "EUR", "four_eyes": true, "level": 2 },
            { "id": "director", "domain": "finance", "action": "*", "holder": { "group": "director" },
              "authority": "allow", "four_eyes": true, "level": 3 },
            { "id": "no-agents", "domain": "finance", "action": "pay", "holder": "agents", "authority": "deny",
              "min": 500, "currency": "EUR" },
            { "id": "check", "domain": "finance", "action": "pay", "holder": "trainee",
              "authority": "escalate", "escalate_to": { "role": "accountant" }, "min": 100, "currency": "EUR" },
            { "id": "books", "domain": "finance", "action": "book", "holder": { "role": "accountant" },
              "authority": "allow", "other_eyes_than": [{ "domain": "finance", "action": "pay" }] },
            { "id": "audit", "domain": "finance", "action": "audit", "holder": { "role": "auditor" },
              "authority": "allow" },
        ],
        "delegations": [
            { "id": "holiday", "from": "manager", "to": "dan", "below": 5000, "currency": "EUR",
              "valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-08-01T00:00:00Z" },
            { "id": "early", "from": "manager", "to": "eva", "valid_from": "2026-08-01T00:00:00Z" },
            { "id": "over", "from": "manager", "to": "eva", "valid_until": "2026-07-10T00:00:00Z" },
            { "id": "gone", "from": "manager", "to": "eva", "revoked": true },
            { "id": "law", "from": "manager", "to": "eva", "domains": ["law"] },
            { "id": "north", "from": { "group": "manager" }, "to": "finn", "units": ["sales"] },
            { "id": "further", "from": "finn", "to": "gus" },
            { "id": "books-too", "from": { "position": "books" }, "to": "gus", "actions": ["book"] },
            { "id": "roles", "from": { "role": "accountant" }, "to": "hans" },
        ],
        "segregations": [
            { "id": "order-pay", "actions": [
                { "domain": "finance", "action": "order" }, { "domain": "finance", "action": "pay" } ] },
        ],
    }))
}

fn of(groups: &[&str], request: MandateRequest) -> MandateRequest {
    MandateRequest { groups: groups.iter().map(|&it| it.to_owned()).collect(), ..request }
}

#[test]
fn amounts_at_the_bounds() {
    for (actor, groups, amount, outcome, mandate) in [
        ("anna", &["clerk"][..], "999.99", Outcome::Allow, Some("clerk")),
        ("anna", &["clerk"], "1000", Outcome::Escalate, None),
        ("max", &["manager"], "1000", Outcome::Allow, Some("manager")),
        ("max", &["manager"], "9999.99", Outcome::Allow, Some("manager")),
        ("max", &["manager"], "10000", Outcome::Escalate, None),
        ("dora", &["director"], "10000", Outcome::Allow, Some("director")),
        ("zoe", &[], "1", Outcome::Escalate, None),
        ("bot", &["clerk", "agents"], "499.99", Outcome::Allow, Some("clerk")),
        ("bot", &["clerk", "agents"], "500", Outcome::Deny, Some("no-agents")),
        ("tim", &["clerk", "trainee"], "99.99", Outcome::Allow, Some("clerk")),
        ("tim", &["clerk", "trainee"], "100", Outcome::Escalate, Some("check")),
        // It goes to the accountants, so it does not bind one; that gives her nothing.
        ("mia", &["clerk", "trainee"], "100", Outcome::Allow, Some("clerk")),
        ("mia", &["trainee"], "100", Outcome::Escalate, None),
    ] {
        check(&mandates(), &of(groups, pay(actor, "", amount)), (outcome, mandate));
    }
}

#[test]
fn the_unknown_is_not_let_through() {
    let unknown =
        |groups: &[&str]| MandateRequest { amount: None, ..of(groups, pay("x", "", "1")) };
    let dollars = |groups: &[&str]| MandateRequest {
        currency: Some("USD".to_owned()),
        ..of(groups, pay("x", "", "1"))
    };
    for (request, expected) in [
        (unknown(&["clerk"]), (Outcome::Escalate, None)),
        (unknown(&["director"]), (Outcome::Allow, Some("director"))),
        (unknown(&["director", "agents"]), (Outcome::Deny, Some("no-agents"))),
        (unknown(&["director", "trainee"]), (Outcome::Escalate, Some("check"))),
        (dollars(&["clerk"]), (Outcome::Escalate, None)),
        (dollars(&["director", "agents"]), (Outcome::Deny, Some("no-agents"))),
    ] {
        check(&mandates(), &request, expected);
    }
}

#[test]
fn delegations_and_absences() {
    for (actor, unit, amount, expected) in [
        ("dan", "", "4999.99", (Outcome::Allow, Some("holiday"), None)),
        ("dan", "", "5000", (Outcome::Escalate, None, None)),
        ("eva", "", "1", (Outcome::Escalate, None, None)),
        ("finn", "north", "1", (Outcome::Allow, Some("north"), None)),
        ("finn", "works", "1", (Outcome::Escalate, None, None)),
        ("finn", "", "1", (Outcome::Escalate, None, None)),
        ("gus", "north", "1", (Outcome::Escalate, None, None)),
        ("ben", "", "1", (Outcome::Escalate, None, None)),
    ] {
        let decided = mandates().check(&pay(actor, unit, amount), july());
        let by =
            (decided.outcome, decided.delegation.as_deref(), decided.substitute_for.as_deref());
        assert_eq!(by, expected, "{actor} {unit} {amount}");
    }
    for (actor, when, expected) in [
        ("mia", "2026-07-10T00:00:00Z", (Outcome::Allow, None, None)),
        ("ben", "2026-07-10T00:00:00Z", (Outcome::Allow, None, Some("mia"))),
        ("ben", "2026-08-01T00:00:00Z", (Outcome::Escalate, None, None)),
        ("gus", "2026-08-01T00:00:00Z", (Outcome::Allow, Some("books-too"), None)),
        ("hans", "2026-07-10T00:00:00Z", (Outcome::Escalate, None, None)),
        ("otto", "2026-07-10T00:00:00Z", (Outcome::Escalate, None, None)),
        ("otto", "2025-07-10T00:00:00Z", (Outcome::Allow, None, None)),
    ] {
        let book = MandateRequest { deed: deed("book"), ..pay(actor, "", "1") };
        let decided = mandates().check(&book, at(when));
        let by =
            (decided.outcome, decided.delegation.as_deref(), decided.substitute_for.as_deref());
        assert_eq!(by, expected, "{actor} {when}");
    }
}

#[test]
fn other_eyes() {
    let involved = |by: &str, request: MandateRequest| MandateRequest {
        involved: [somebody(by)].into(),
        ..request
    };
    let after = |action: &str, by: &str, request: MandateRequest| MandateRequest {
        done: [did(action, by)].into(),
        ..request
    };
    let book = |actor: &str| MandateRequest { deed: deed("book"), ..pay(actor, "", "1") };
    let manager = |amount: &str| of(&["manager"], pay("max", "", amount));
    let agent = || of(&["manager"], pay("agent:a", "", "1"));
    for (request, outcome, segregation) in [
        (involved("max", manager("2000")), Outcome::SecondPerson, None),
        (involved("eva", manager("2000")), Outcome::Allow, None),
        (involved("max", of(&["manager", "clerk"], pay("max", "", "1"))), Outcome::Allow, None),
        (involved("agent:b", agent()), Outcome::SecondPerson, None),
        (involved("eva", agent()), Outcome::Allow, None),
        (after("order", "max", manager("1")), Outcome::SecondPerson, Some("order-pay")),
        (after("pay", "max", manager("1")), Outcome::Allow, None),
        (after("order", "eva", manager("1")), Outcome::Allow, None),
        (after("pay", "mia", book("mia")), Outcome::SecondPerson, None),
        (after("order", "mia", book("mia")), Outcome::Allow, None),
        // Who stands in brings no other eyes than the person behind.
        (after("pay", "mia", book("ben")), Outcome::SecondPerson, None),
        (after("pay", "ben", book("ben")), Outcome::SecondPerson, None),
        (after("pay", "mia", book("gus")), Outcome::SecondPerson, None),
        (after("pay", "ben", book("gus")), Outcome::Allow, None),
        (after("order", "zoe", pay("zoe", "", "1")), Outcome::Escalate, None),
    ] {
        let decided = mandates().check(&request, july());
        let found = (decided.outcome, decided.segregation.as_deref());
        assert_eq!(found, (outcome, segregation), "{request:?}\n{decided:?}");
    }
}

#[test]
fn who_could_decide_is_named_level_by_level() {
    let book = |actor: &str| MandateRequest { deed: deed("book"), ..pay(actor, "", "1") };
    let audit = MandateRequest { deed: deed("audit"), ..pay("anna", "", "1") };
    let mut own = book("mia");
    own.done.insert(did("pay", "mia"));
    for (request, approvers) in [
        (of(&["clerk"], pay("anna", "", "2000")), &["manager", "group director"][..]),
        (of(&["manager"], pay("max", "", "20000")), &["group director"]),
        // Mia is absent, so ben is asked; he cannot be asked for what mia did.
        (book("anna"), &["ben", "group director"]),
        (own, &["group director"]),
        (audit, &["role auditor", "group director"]),
        (of(&["trainee"], pay("tim", "", "100")), &["clerk", "manager", "group director"]),
    ] {
        assert_eq!(mandates().check(&request, july()).approvers, approvers, "{request:?}");
    }
    let chain = mandates().check(&book("anna"), july()).chain;
    assert_eq!(chain[0].holder, Holder::Role { role: "accountant".to_owned() });
    assert_eq!(chain[0].people[0].substitute_for.as_deref(), Some("mia"));
    assert_eq!(chain.iter().map(|it| it.level).collect::<Vec<_>>(), [0, 3]);
}

#[test]
fn reasons_say_what_would_help() {
    let check = |request: &MandateRequest, expected: &[&str]| {
        assert_eq!(mandates().check(request, july()).reasons, expected);
    };
    let unbound = MandateRequest { amount: None, ..of(&["clerk"], pay("anna", "", "1")) };
    check(
        &of(&["clerk"], pay("anna", "", "1000")),
        &["1000 EUR is outside the mandates of anna for pay in finance"],
    );
    check(
        &unbound,
        &["the mandates of anna for pay in finance have bounds and no amount is known"],
    );
    check(
        &pay("dan", "", "5000"),
        &[
            "dan holds no mandate for pay in finance",
            "delegation holiday from manager covers below 5000 EUR",
        ],
    );
    check(
        &pay("eva", "", "1"),
        &[
            "eva holds no mandate for pay in finance",
            "delegation early from manager begins at 2026-08-01T00:00:00Z",
            "delegation gone from manager is revoked",
            "delegation over from manager ended at 2026-07-10T00:00:00Z",
        ],
    );
    check(
        &MandateRequest {
            deed: Deed { domain: "law".to_owned(), action: "sue".to_owned() },
            ..pay("x", "", "1")
        },
        &[
            "x holds no mandate for sue in law",
            "no mandate in force lets anybody decide it: whoever keeps the mandates can add one",
        ],
    );
}
