use proptest::prelude::*;
use serde_json::json;

use super::*;

fn mandates() -> MandateSet {
    serde_json::from_value(json!({
        "mandates": [
            { "id": "clerk", "domain": "finance", "action": "pay", "holder": "clerk", "authority": "allow",
              "below": 1000, "currency": "EUR", "level": 1 },
            { "id": "manager", "domain": "finance", "action": "pay", "holder": "manager", "authority": "allow",
              "below": 10000, "currency": "EUR", "four_eyes": true, "level": 2 },
            { "id": "director", "domain": "finance", "action": "*", "holder": "director", "authority": "allow",
              "four_eyes": true, "level": 3 },
            { "id": "no-agents", "domain": "finance", "action": "pay", "holder": "agents", "authority": "deny",
              "min": 500, "currency": "EUR" }
        ],
        "delegations": [
            { "id": "holiday", "from": "manager", "to": "ben", "below": 5000,
              "valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-08-01T00:00:00Z" }
        ]
    }))
    .unwrap()
}

fn request(actor: &str, groups: &[&str], amount: &str) -> MandateRequest {
    MandateRequest {
        actor: actor.to_owned(),
        actor_kind: PrincipalKind::Person,
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        domain: "finance".to_owned(),
        action: "pay".to_owned(),
        amount: Some(amount.parse().unwrap()),
        currency: Some("EUR".to_owned()),
        involved: BTreeSet::new(),
    }
}

fn july() -> Timestamp {
    Timestamp::parse("2026-07-10T00:00:00Z").unwrap()
}

#[test]
fn amounts_at_the_bounds() {
    for (actor, groups, amount, outcome, mandate) in [
        ("anna", &["clerk"][..], "999.99", Outcome::Allow, Some("clerk")),
        ("anna", &["clerk"], "1000", Outcome::Escalate, None),
        ("mia", &["manager"], "1000", Outcome::Allow, Some("manager")),
        ("mia", &["manager"], "9999.99", Outcome::Allow, Some("manager")),
        ("mia", &["manager"], "10000", Outcome::Escalate, None),
        ("dora", &["director"], "10000", Outcome::Allow, Some("director")),
        ("ben", &[], "4999.99", Outcome::Allow, Some("manager")),
        ("ben", &[], "5000", Outcome::Escalate, None),
        ("zoe", &[], "1", Outcome::Escalate, None),
        ("bot", &["clerk", "agents"], "499.99", Outcome::Allow, Some("clerk")),
        ("bot", &["clerk", "agents"], "500", Outcome::Deny, Some("no-agents")),
    ] {
        let decided = check_mandate(&mandates(), &request(actor, groups, amount), july());
        assert_eq!(
            (decided.outcome, decided.mandate.as_deref()),
            (outcome, mandate),
            "{actor} {amount}"
        );
    }
}

#[test]
fn who_took_part_does_not_decide() {
    let mut own = request("mia", &["manager"], "2000");
    own.involved.insert("mia".to_owned());
    assert_eq!(check_mandate(&mandates(), &own, july()).outcome, Outcome::SecondPerson);
}

#[test]
fn escalation_names_the_next_level_first() {
    let decided = check_mandate(&mandates(), &request("anna", &["clerk"], "2000"), july());
    assert_eq!(decided.approvers, ["manager", "director"]);
}

#[test]
fn a_delegation_ends() {
    let august = Timestamp::parse("2026-08-01T00:00:00Z").unwrap();
    assert_eq!(
        check_mandate(&mandates(), &request("ben", &[], "10"), august).outcome,
        Outcome::Escalate
    );
}

#[test]
fn an_unknown_amount_or_currency_is_not_let_through() {
    let mut unknown = request("anna", &["clerk"], "1");
    unknown.amount = None;
    assert_eq!(check_mandate(&mandates(), &unknown, july()).outcome, Outcome::Escalate);
    let mut foreign = request("bot", &["clerk", "agents"], "1");
    foreign.currency = Some("USD".to_owned());
    assert_eq!(check_mandate(&mandates(), &foreign, july()).outcome, Outcome::Deny);
}

proptest! {
    #[test]
    fn order_does_not_matter(seed in any::<u64>(), cents in 0_i64..2_000_000, who in 0_usize..5) {
        let groups: &[&[&str]] = &[&["clerk"], &["manager"], &["director"], &[], &["clerk", "agents"]];
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let asked = request("ben", groups[who], &amount);
        let mut shuffled = mandates();
        let mut state = seed;
        for at in (1..shuffled.mandates.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.mandates.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(
            check_mandate(&mandates(), &asked, july()),
            check_mandate(&shuffled, &asked, july())
        );
    }

    #[test]
    fn a_delegate_never_has_more_than_the_delegator(cents in 0_i64..2_000_000) {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let delegate = check_mandate(&mandates(), &request("ben", &[], &amount), july());
        let delegator = check_mandate(&mandates(), &request("mia", &["manager"], &amount), july());
        prop_assert!(delegate.outcome != Outcome::Allow || delegator.outcome == Outcome::Allow);
    }
}
