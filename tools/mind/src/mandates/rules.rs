//! Whether a set of mandates makes sense, by itself and on an organisation. Pure functions.

use std::collections::{BTreeMap, BTreeSet};

use flowmaster_engine::finding::Finding;
use flowmaster_engine::governance::{
    Amount, Chart, Deed, Delegation, Holder, Mandate, MandateSet, Ruling, Segregation,
};
use flowmaster_kernel::Timestamp;

/// The most mandates, delegations and segregations of a tenant, of each.
const MAX_ENTRIES: usize = 2_000;
/// The most names in one list of an entry.
const MAX_LISTED: usize = 50;
/// The most delegations to one principal: each is looked at when the principal acts.
const MAX_DELEGATIONS: usize = 100;
/// How many findings are told at once.
const MAX_FINDINGS: usize = 50;
/// The longest name of anything, in characters.
const MAX_NAME: usize = 100;

/// What is wrong with `mandates`; nothing if they can be kept.
pub(super) fn problems(mandates: &MandateSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, count) in [
        ("mandates", mandates.mandates.len()),
        ("delegations", mandates.delegations.len()),
        ("segregations", mandates.segregations.len()),
    ] {
        if count > MAX_ENTRIES {
            let what = format!("there are {count} {what}, and {MAX_ENTRIES} at most");
            findings.push(Finding::error("too_many", "", what, "give them to groups"));
            return findings;
        }
    }
    let mut ids = BTreeSet::new();
    let by_id: BTreeMap<&str, &Mandate> =
        mandates.mandates.iter().map(|mandate| (mandate.id.as_str(), mandate)).collect();
    for mandate in &mandates.mandates {
        check_id(&mut findings, &mut ids, &mandate.id);
        check_mandate(&mut findings, mandate);
        check_replaced(&mut findings, mandate, &by_id);
    }
    for delegation in &mandates.delegations {
        check_id(&mut findings, &mut ids, &delegation.id);
        check_delegation(&mut findings, delegation);
    }
    check_receivers(&mut findings, &mandates.delegations);
    for segregation in &mandates.segregations {
        check_id(&mut findings, &mut ids, &segregation.id);
        check_segregation(&mut findings, segregation);
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

fn check_id<'a>(findings: &mut Vec<Finding>, ids: &mut BTreeSet<&'a str>, id: &'a str) {
    check_name(findings, id, "id", id);
    if !ids.insert(id) {
        let what = format!("the id {id:?} is used twice");
        let fix = "give each mandate, delegation and segregation an id of its own";
        findings.push(Finding::error("duplicate_id", id, what, fix));
    }
}

fn check_mandate(findings: &mut Vec<Finding>, mandate: &Mandate) {
    let id = &mandate.id;
    for (field, value) in [("domain", &mandate.domain), ("action", &mandate.action)] {
        check_name(findings, id, field, value);
    }
    check_name(findings, id, "holder", mandate.holder.name());
    if let Some(unit) = &mandate.unit {
        check_name(findings, id, "unit", unit);
    }
    if mandate.inherited && mandate.unit.is_none() {
        let what = "it is inherited and has no unit to be inherited from";
        let fix = "name the unit, or leave out inherited: it covers every unit already";
        findings.push(Finding::error("inherited_without_unit", id, what, fix));
    }
    check_escalation(findings, mandate);
    check_deeds(findings, id, &mandate.other_eyes_than);
    if !mandate.other_eyes_than.is_empty() && mandate.authority != Ruling::Allow {
        let what = "it wants other eyes and allows nothing";
        let fix = "leave out other_eyes_than, or let authority be allow";
        findings.push(Finding::error("other_eyes", id, what, fix));
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
    check_currency(findings, id, mandate.currency.as_deref());
    if let (Some(min), Some(below)) = (mandate.min, mandate.below)
        && min >= below
    {
        let what = format!("no amount is from {min} to below {below}");
        findings.push(Finding::error("empty_range", id, what, "make min less than below"));
    }
    check_dates(findings, id, mandate.valid_from, mandate.valid_until);
}

fn check_escalation(findings: &mut Vec<Finding>, mandate: &Mandate) {
    let (id, to) = (&mandate.id, mandate.escalate_to.as_ref());
    if let Some(to) = to {
        check_name(findings, id, "escalate_to", to.name());
    }
    match (mandate.authority, to) {
        (Ruling::Escalate, None) => {
            let what = "it escalates and does not say to whom";
            let fix = "add escalate_to, e.g. {\"role\": \"head\"}";
            findings.push(Finding::error("escalate_to_missing", id, what, fix));
        }
        (Ruling::Escalate, Some(to)) if *to == mandate.holder => {
            let what = format!("it escalates from {to} to {to}");
            let fix = "name somebody else in escalate_to";
            findings.push(Finding::error("escalate_to", id, what, fix));
        }
        (Ruling::Allow | Ruling::Deny, Some(_)) => {
            let what = "it says to whom it escalates and does not escalate";
            let fix = "leave out escalate_to, or let authority be escalate";
            findings.push(Finding::error("escalate_to", id, what, fix));
        }
        _ => {}
    }
}

/// What `mandate` replaces, as far as no organisation has to be known for it.
fn check_replaced(
    findings: &mut Vec<Finding>,
    mandate: &Mandate,
    by_id: &BTreeMap<&str, &Mandate>,
) {
    let id = &mandate.id;
    check_length(findings, id, "replaces", mandate.replaces.len());
    if mandate.replaces.is_empty() {
        return;
    }
    if mandate.unit.is_none() || mandate.authority == Ruling::Deny {
        let what = "it replaces others, and is a denial or has no unit in which it does";
        let fix = "name the unit; a denial holds beside the others and needs no replaces";
        findings.push(Finding::error("replaces", id, what, fix));
    }
    for replaced in &mandate.replaces {
        let what = match by_id.get(replaced.as_str()) {
            None => format!("it replaces {replaced:?}, which is no mandate"),
            Some(it) if it.authority == Ruling::Deny => {
                format!("it replaces {replaced:?}, which is a denial")
            }
            Some(it) if it.domain != mandate.domain => {
                format!("it replaces {replaced:?}, which is of the domain {:?}", it.domain)
            }
            Some(it) if it.unit == mandate.unit => {
                format!("it replaces {replaced:?}, which is of the same unit")
            }
            Some(_) => continue,
        };
        let fix = "name mandates of units above or of none that allow or escalate";
        findings.push(Finding::error("replaces", id, what, fix));
    }
}

fn check_segregation(findings: &mut Vec<Finding>, segregation: &Segregation) {
    let Segregation { id, actions } = segregation;
    check_deeds(findings, id, actions);
    if actions.len() < 2 {
        let what = format!("it has {} actions, and one alone cannot be segregated", actions.len());
        let fix = "name two or more actions that must be in different hands";
        findings.push(Finding::error("actions", id, what, fix));
    }
}

/// Actions by name: a star would keep people away from what they did themselves.
fn check_deeds(findings: &mut Vec<Finding>, id: &str, deeds: &BTreeSet<Deed>) {
    check_length(findings, id, "actions", deeds.len());
    for Deed { domain, action } in deeds {
        check_name(findings, id, "domain", domain);
        check_name(findings, id, "action", action);
        if action == "*" {
            let what = "\"*\" stands for no action in particular";
            findings.push(Finding::error("actions", id, what, "name each action"));
        }
    }
}

fn check_delegation(findings: &mut Vec<Finding>, delegation: &Delegation) {
    let id = &delegation.id;
    for (field, value) in [("from", delegation.from.name()), ("to", delegation.to.as_str())] {
        check_name(findings, id, field, value);
    }
    for (field, list) in [
        ("domains", &delegation.domains),
        ("actions", &delegation.actions),
        ("units", &delegation.units),
    ] {
        check_length(findings, id, field, list.len());
        for name in list {
            check_name(findings, id, field, name);
        }
    }
    check_currency(findings, id, delegation.currency.as_deref());
    if delegation.below.is_some() && delegation.currency.is_none() {
        let fix = "add the ISO 4217 code of the currency, e.g. EUR";
        findings.push(Finding::error(
            "currency_missing",
            id,
            "it has a limit and no currency",
            fix,
        ));
    }
    if let Holder::Role { role } = &delegation.from {
        let what = format!("it comes from the role {role:?}, which several hold");
        let fix = "name the person, the group or the position that delegates";
        findings.push(Finding::error("delegation_from_role", id, what, fix));
    }
    let from_person = matches!(delegation.from, Holder::Named(_) | Holder::Person { .. });
    if from_person && delegation.from.name() == delegation.to {
        let what = format!("{} would stand in for itself", delegation.from);
        findings.push(Finding::error("self_delegation", id, what, "name another principal in to"));
    }
    check_amount(findings, id, "below", delegation.below);
    check_dates(findings, id, delegation.valid_from, delegation.valid_until);
}

fn check_receivers(findings: &mut Vec<Finding>, delegations: &[Delegation]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for delegation in delegations {
        *counts.entry(&delegation.to).or_default() += 1;
    }
    for (to, count) in counts.into_iter().filter(|(_, count)| *count > MAX_DELEGATIONS) {
        let what = format!("{to:?} has {count} delegations, and {MAX_DELEGATIONS} at most");
        findings.push(Finding::error("too_many", "", what, "leave out those that are over"));
    }
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

fn check_currency(findings: &mut Vec<Finding>, id: &str, currency: Option<&str>) {
    if let Some(currency) = currency.filter(|currency| !is_currency(currency)) {
        let what = format!("{currency:?} is not a currency");
        let fix = "use the ISO 4217 code, three capital letters, e.g. EUR";
        findings.push(Finding::error("currency", id, what, fix));
    }
}

fn check_length(findings: &mut Vec<Finding>, id: &str, field: &str, count: usize) {
    if count > MAX_LISTED {
        let what = format!("{field} has {count} entries, and {MAX_LISTED} at most");
        findings.push(Finding::error("too_many", id, what, "split it into several"));
    }
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What of `set` comes to nothing on the organisation as it is.
pub(super) fn warnings(set: &MandateSet, chart: &Chart) -> Vec<Finding> {
    let mut findings = Vec::new();
    let units: BTreeMap<&str, Option<&str>> =
        set.mandates.iter().map(|it| (it.id.as_str(), it.unit.as_deref())).collect();
    for mandate in &set.mandates {
        let id = &mandate.id;
        warn_of_holder(&mut findings, id, &mandate.holder, chart);
        if let Some(to) = &mandate.escalate_to {
            warn_of_holder(&mut findings, id, to, chart);
        }
        let Some(unit) = &mandate.unit else { continue };
        warn_of_unit(&mut findings, id, unit, chart);
        for replaced in &mandate.replaces {
            let above = units.get(replaced.as_str()).copied().flatten();
            if above.is_some_and(|above| !chart.line(unit).skip(1).any(|it| it.id == above)) {
                let what = format!("it replaces {replaced:?}, whose unit is not above {unit:?}");
                let fix = "name mandates of units above, or move the unit";
                findings.push(Finding::warning("replaces", id, what, fix));
            }
        }
    }
    for delegation in &set.delegations {
        warn_of_holder(&mut findings, &delegation.id, &delegation.from, chart);
        for unit in &delegation.units {
            warn_of_unit(&mut findings, &delegation.id, unit, chart);
        }
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

fn warn_of_holder(findings: &mut Vec<Finding>, id: &str, holder: &Holder, chart: &Chart) {
    let what = match holder {
        Holder::Role { role } if chart.carrying(role).next().is_none() => {
            format!("no position carries the role {role:?}")
        }
        Holder::Position { position } if chart.position(position).is_none() => {
            format!("the organisation has no position {position:?}")
        }
        _ => return,
    };
    let fix = "add it with organisation_save, or name another holder";
    findings.push(Finding::warning("unknown_holder", id, what, fix));
}

fn warn_of_unit(findings: &mut Vec<Finding>, id: &str, unit: &str, chart: &Chart) {
    if chart.unit(unit).is_none() {
        let what = format!("the organisation has no unit {unit:?}");
        let fix = "add it with organisation_save, or name another unit";
        findings.push(Finding::warning("unknown_unit", id, what, fix));
    }
}
