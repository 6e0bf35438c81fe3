use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::governance::{Amount, Done, Holder, Organisation};
use crate::instance::ActorRef;

mod mandates;
mod properties;
mod units;

/// A company: sales with the region north, works, and finance. In July mia is absent and ben stands in.
fn company() -> Organisation {
    serde_json::from_value(json!({
        "units": [
            { "id": "company", "name": "Company" },
            { "id": "sales", "name": "Sales", "parent": "company" },
            { "id": "north", "name": "Sales North", "parent": "sales" },
            { "id": "works", "name": "Works", "parent": "company" },
            { "id": "finance", "name": "Finance", "parent": "company" },
        ],
        "positions": [
            { "id": "ceo", "title": "CEO", "unit": "company", "roles": ["head"] },
            { "id": "head-sales", "title": "Head of Sales", "unit": "sales", "roles": ["head"] },
            { "id": "head-north", "title": "Head of North", "unit": "north", "roles": ["head"] },
            { "id": "head-works", "title": "Head of Works", "unit": "works", "roles": ["head"] },
            { "id": "books", "title": "Accountant", "unit": "finance", "roles": ["accountant"] },
            { "id": "vacant", "title": "Auditor", "unit": "finance", "roles": ["auditor"] },
        ],
        "holders": [
            { "person": "cleo", "position": "ceo" },
            { "person": "sam", "position": "head-sales" },
            { "person": "nora", "position": "head-north" },
            { "person": "wim", "position": "head-works" },
            { "person": "mia", "position": "books" },
            { "person": "otto", "position": "books", "valid_until": "2026-01-01T00:00:00Z" },
        ],
        "substitutes": [
            { "absent": "mia", "by": "ben",
              "valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-08-01T00:00:00Z" },
        ],
    }))
    .unwrap()
}

fn authority(set: Value) -> Authority {
    let set: MandateSet = serde_json::from_value(set).unwrap();
    Authority::new(set.into(), Chart::new(company()).into())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn july() -> Timestamp {
    at("2026-07-10T00:00:00Z")
}

/// `actor` wants to pay `amount` EUR for a case of `unit`, where it is not empty.
fn pay(actor: &str, unit: &str, amount: &str) -> MandateRequest {
    MandateRequest {
        actor: somebody(actor),
        groups: BTreeSet::new(),
        deed: deed("pay"),
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        amount: Some(amount.parse().unwrap()),
        currency: Some("EUR".to_owned()),
        involved: BTreeSet::new(),
        done: BTreeSet::new(),
    }
}

fn somebody(id: &str) -> ActorRef {
    ActorRef::named(id.to_owned())
}

fn deed(action: &str) -> Deed {
    Deed { domain: "finance".to_owned(), action: action.to_owned() }
}

fn did(action: &str, by: &str) -> Done {
    Done { deed: deed(action), by: somebody(by) }
}

/// What is answered in July: the outcome, and the mandate that decided.
#[track_caller]
fn check(authority: &Authority, request: &MandateRequest, expected: (Outcome, Option<&str>)) {
    let decided = authority.check(request, july());
    assert_eq!((decided.outcome, decided.mandate.as_deref()), expected, "{request:?}\n{decided:?}");
    let is_named = !decided.approvers.is_empty() || !decided.chain.is_empty();
    assert!(decided.outcome != Outcome::Allow || !is_named, "{decided:?}");
}
