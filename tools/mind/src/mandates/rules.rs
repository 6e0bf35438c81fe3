//! Whether a set of mandates makes sense. Pure functions.

use std::collections::BTreeSet;

use flowmaster_engine::finding::Finding;
use flowmaster_engine::governance::{Amount, Delegation, Mandate, MandateSet};
use flowmaster_kernel::Timestamp;

/// The most mandates, and the most delegations, of a tenant.
const MAX_ENTRIES: usize = 2_000;
/// How many findings are told at once.
const MAX_FINDINGS: usize = 50;
/// The longest name of anything, in characters.
const MAX_NAME: usize = 100;

/// What is wrong with `mandates`; nothing if they can be kept.
pub(super) fn problems(mandates: &MandateSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, count) in
        [("mandates", mandates.mandates.len()), ("delegations", mandates.delegations.len())]
    {
        if count > MAX_ENTRIES {
            let what = format!("there are {count} {what}, and {MAX_ENTRIES} at most");
            findings.push(Finding::error("too_many", "", what, "give them to groups"));
            return findings;
        }
    }
    let mut ids = BTreeSet::new();
    for mandate in &mandates.mandates {
        check_id(&mut findings, &mut ids, &mandate.id);
        check_mandate(&mut findings, mandate);
    }
    for delegation in &mandates.delegations {
        check_id(&mut findings, &mut ids, &delegation.id);
        check_delegation(&mut findings, delegation);
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

fn check_id<'a>(findings: &mut Vec<Finding>, ids: &mut BTreeSet<&'a str>, id: &'a str) {
    check_name(findings, id, "id", id);
    if !ids.insert(id) {
        let what = format!("the id {id:?} is used twice");
        let fix = "give each mandate and each delegation an id of its own";
        findings.push(Finding::error("duplicate_id", id, what, fix));
    }
}

fn check_mandate(findings: &mut Vec<Finding>, mandate: &Mandate) {
    let id = &mandate.id;
    for (field, value) in
        [("domain", &mandate.domain), ("action", &mandate.action), ("holder", &mandate.holder)]
    {
        check_name(findings, id, field, value);
    }
    let bounds = [("min", mandate.min), ("below", mandate.below)];
    for (field, bound) in bounds {
        check_amount(findings, id, field, bound);
    }
    let is_bounded = mandate.min.is_some() || mandate.below.is_some();
    if is_bounded && mandate.currency.is_none() {
        let fix = "add the ISO 4217 code of the currency, e.g. EUR";
        findings.push(Finding::error("currency_missing", id, "it has bounds and no currency", fix));
    }
    if let Some(currency) = &mandate.currency
        && !is_currency(currency)
    {
        let what = format!("{currency:?} is not a currency");
        let fix = "use the ISO 4217 code, three capital letters, e.g. EUR";
        findings.push(Finding::error("currency", id, what, fix));
    }
    if let (Some(min), Some(below)) = (mandate.min, mandate.below)
        && min >= below
    {
        let what = format!("no amount is from {min} to below {below}");
        findings.push(Finding::error("empty_range", id, what, "make min less than below"));
    }
    check_dates(findings, id, mandate.valid_from, mandate.valid_until);
}

fn check_delegation(findings: &mut Vec<Finding>, delegation: &Delegation) {
    let id = &delegation.id;
    for (field, value) in [("from", &delegation.from), ("to", &delegation.to)] {
        check_name(findings, id, field, value);
    }
    if delegation.from == delegation.to {
        let what = format!("{} would stand in for itself", delegation.from);
        findings.push(Finding::error("self_delegation", id, what, "name another principal in to"));
    }
    check_amount(findings, id, "below", delegation.below);
    check_dates(findings, id, delegation.valid_from, delegation.valid_until);
}

fn check_name(findings: &mut Vec<Finding>, id: &str, field: &str, value: &str) {
    let well_formed = (1..=MAX_NAME).contains(&value.chars().count())
        && !value.chars().any(char::is_control)
        && value.trim() == value;
    if !well_formed {
        let what = format!("{field} is empty, too long, or has white space around it");
        let fix = format!("use 1 to {MAX_NAME} characters");
        let id: String = id.chars().take(MAX_NAME).collect();
        findings.push(Finding::error("name", &id, what, fix));
    }
}

/// Decimal arithmetic knows infinities and what is not a number; a bound is neither.
fn check_amount(findings: &mut Vec<Finding>, id: &str, field: &str, amount: Option<Amount>) {
    let Some(amount) = amount else { return };
    let text = amount.to_string();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b".+-Ee".contains(&byte)) {
        let what = format!("{field} is {text}, which is no amount");
        findings.push(Finding::error("amount", id, what, "use a decimal number"));
    }
}

fn check_dates(
    findings: &mut Vec<Finding>,
    id: &str,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) {
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        let what = format!("it ends at {until}, not after it begins at {from}");
        findings.push(Finding::error(
            "dates",
            id,
            what,
            "make valid_from earlier than valid_until",
        ));
    }
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
