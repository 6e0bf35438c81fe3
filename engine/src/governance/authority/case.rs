//! One question: what matches it, in which capacities somebody acts, and what each of them comes to.

use std::collections::BTreeSet;

use flowmaster_kernel::Timestamp;

use super::super::decision::MandateRequest;
use super::super::eyes::same_eyes;
use super::super::mandate::{Delegation, Holder, Mandate, Ruling, Segregation};
use super::super::organisation::{Position, in_force};
use super::{ANY_ACTION, Authority};
use crate::instance::ActorRef;

/// A question to an [`Authority`].
pub(super) struct Case<'a> {
    pub(super) authority: &'a Authority,
    pub(super) request: &'a MandateRequest,
    pub(super) now: Timestamp,
    /// The unit of the case and those above it, nearest first; none where it is not known.
    pub(super) line: Option<Vec<&'a str>>,
    /// The mandates about the action at this moment that are not replaced, by level and id.
    pub(super) relevant: Vec<Relevant<'a>>,
}

/// A mandate about the action, and whether it is one for the unit of the case.
pub(super) struct Relevant<'a> {
    pub(super) mandate: &'a Mandate,
    pub(super) fit: Fit,
}

/// Whether the unit of a mandate covers the unit of the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    /// One of the two is not known.
    Unknown,
    No,
}

/// On whose behalf somebody acts.
#[derive(Clone, Debug)]
pub(super) struct Capacity<'a> {
    pub(super) person: Option<&'a str>,
    pub(super) groups: Vec<&'a str>,
    pub(super) positions: Vec<&'a Position>,
    /// The people for whom somebody else acts: their eyes are no other ones.
    pub(super) behind: Vec<&'a str>,
    pub(super) via: Via<'a>,
}

/// How somebody comes to a capacity.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via<'a> {
    Own,
    Delegation(&'a Delegation),
    /// In place of this person.
    Absence(&'a str),
}

/// What a capacity comes to.
pub(super) enum Verdict<'a> {
    Allowed(&'a Mandate),
    OtherEyes(Needed<'a>),
    Escalated(&'a Mandate),
    Denied(&'a Mandate),
    Nothing,
}

/// Why another person is needed.
pub(super) struct Needed<'a> {
    pub(super) mandate: &'a Mandate,
    pub(super) segregation: Option<&'a Segregation>,
    pub(super) why: String,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        authority: &'a Authority,
        request: &'a MandateRequest,
        now: Timestamp,
    ) -> Self {
        let units = |unit| authority.chart.line(unit).map(|unit| unit.id.as_str()).collect();
        let line: Option<Vec<&str>> = request.unit.as_deref().map(units);
        let line = line.filter(|line| !line.is_empty());
        let mut case = Self { authority, request, now, line, relevant: Vec::new() };
        let concerning = authority.concerning(&request.deed);
        let relevant = concerning.filter(|(_, it)| in_force(it.valid_from, it.valid_until, now));
        let relevant = relevant.filter(|(at, mandate)| !case.is_replaced(*at, mandate));
        let relevant = relevant.map(|(_, mandate)| Relevant { mandate, fit: case.fit(mandate) });
        let mut relevant: Vec<_> = relevant.collect();
        relevant.sort_by(|a, b| {
            (a.mandate.level, &a.mandate.id).cmp(&(b.mandate.level, &b.mandate.id))
        });
        case.relevant = relevant;
        case
    }

    /// Whether the unit of `mandate` covers the unit of the case.
    fn fit(&self, mandate: &Mandate) -> Fit {
        let Some(unit) = mandate.unit.as_deref() else { return Fit::Yes };
        let Some(line) = self.line.as_ref().filter(|_| self.authority.chart.unit(unit).is_some())
        else {
            return Fit::Unknown;
        };
        match line.iter().position(|it| *it == unit) {
            Some(0) => Fit::Yes,
            Some(_) if mandate.inherited => Fit::Yes,
            _ => Fit::No,
        }
    }

    /// Whether a mandate of a unit further down stands in the place of `mandate`. Where it is not
    /// known whether it does, what would allow is left out and what would not is kept.
    fn is_replaced(&self, at: usize, mandate: &Mandate) -> bool {
        mandate.authority != Ruling::Deny
            && self.authority.replacing(at).any(|by| {
                by.authority != Ruling::Deny
                    && by.domain == mandate.domain
                    && (by.action == ANY_ACTION || by.action == self.request.deed.action)
                    && in_force(by.valid_from, by.valid_until, self.now)
                    && self.is_below(by, mandate)
                    && match self.fit(by) {
                        Fit::Yes => true,
                        Fit::Unknown => mandate.authority == Ruling::Allow,
                        Fit::No => false,
                    }
            })
    }

    /// Whether the unit of `mandate` lies below that of `other`.
    fn is_below(&self, mandate: &Mandate, other: &Mandate) -> bool {
        match (&mandate.unit, &other.unit) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(unit), Some(above)) => {
                self.authority.chart.line(unit).skip(1).any(|it| it.id == *above)
            }
        }
    }

    /// The actor's own capacity.
    pub(super) fn own(&self) -> Capacity<'a> {
        let actor = &self.request.actor.id;
        Capacity {
            groups: self.request.groups.iter().map(String::as_str).collect(),
            ..self.of_person(actor, Via::Own)
        }
    }

    /// What `person` is by the organisation alone.
    pub(super) fn of_person(&self, person: &'a str, via: Via<'a>) -> Capacity<'a> {
        let positions = self.authority.chart.positions_of(person, self.now);
        let behind = match via {
            Via::Own => Vec::new(),
            Via::Delegation(_) | Via::Absence(_) => vec![person],
        };
        Capacity { person: Some(person), groups: Vec::new(), positions, behind, via }
    }

    /// The capacities in which the actor stands in for others.
    pub(super) fn stand_ins(&self) -> Vec<Capacity<'a>> {
        let actor = self.request.actor.id.as_str();
        let chart = &self.authority.chart;
        let delegations = self.authority.delegations_to(actor);
        let delegations = delegations.filter(|it| self.lapse(it).is_none());
        let delegated = delegations.filter_map(|it| self.delegated(it));
        let absent = chart.stands_in_for(actor, self.now).into_iter();
        delegated.chain(absent.map(|it| self.of_person(it, Via::Absence(it)))).collect()
    }

    /// Whom `delegation` comes from; nobody for a role, which several hold.
    fn delegated(&self, delegation: &'a Delegation) -> Option<Capacity<'a>> {
        let via = Via::Delegation(delegation);
        let nobody = Capacity {
            person: None,
            groups: Vec::new(),
            positions: Vec::new(),
            behind: Vec::new(),
            via,
        };
        Some(match &delegation.from {
            Holder::Named(name) => {
                Capacity { groups: vec![name.as_str()], ..self.of_person(name, via) }
            }
            Holder::Person { person } => self.of_person(person, via),
            Holder::Group { group } => Capacity { groups: vec![group.as_str()], ..nobody },
            Holder::Position { position } => {
                let chart = &self.authority.chart;
                Capacity {
                    positions: chart.position(position).into_iter().collect(),
                    behind: chart.holders_of(position, self.now).into_iter().collect(),
                    ..nobody
                }
            }
            Holder::Role { .. } => return None,
        })
    }

    /// Why `delegation` does not cover the case; nothing if it does.
    pub(super) fn lapse(&self, delegation: &Delegation) -> Option<String> {
        let Delegation { domains, actions, units, below, currency, .. } = delegation;
        let request = self.request;
        let has = |set: &BTreeSet<String>, one: &str| set.is_empty() || set.contains(one);
        if delegation.revoked {
            return Some("is revoked".to_owned());
        }
        if let Some(from) = delegation.valid_from.filter(|from| self.now < *from) {
            return Some(format!("begins at {from}"));
        }
        if let Some(until) = delegation.valid_until.filter(|until| self.now >= *until) {
            return Some(format!("ended at {until}"));
        }
        if !has(domains, &request.deed.domain) || !has(actions, &request.deed.action) {
            return Some("is for other actions".to_owned());
        }
        let line = self.line.as_deref().unwrap_or_default();
        if !units.is_empty() && !line.iter().any(|unit| units.contains(*unit)) {
            return Some("is for other units".to_owned());
        }
        let limit = (*below)?;
        let is_within = request.amount.is_some_and(|amount| amount < limit);
        let is_within = is_within && *currency == request.currency;
        let currency = currency.as_deref().unwrap_or("(no currency)");
        (!is_within).then(|| format!("covers below {limit} {currency}"))
    }

    /// What `who` comes to in `capacity`.
    pub(super) fn judge(&self, who: &ActorRef, capacity: &Capacity<'a>) -> Verdict<'a> {
        if let Some(mandate) = self.restricted(Ruling::Deny, capacity) {
            return Verdict::Denied(mandate);
        }
        if let Some(mandate) = self.restricted(Ruling::Escalate, capacity) {
            return Verdict::Escalated(mandate);
        }
        let mut segregated = None;
        let mut needed = None;
        for mandate in self.allowing().filter(|it| self.holds(capacity, it)) {
            let segregated = segregated.get_or_insert_with(|| self.segregated(who, capacity));
            match self.other_eyes(mandate, segregated.as_ref(), who, capacity) {
                None => return Verdict::Allowed(mandate),
                Some(eyes) => needed = needed.or(Some(eyes)),
            }
        }
        needed.map_or(Verdict::Nothing, Verdict::OtherEyes)
    }

    /// The mandates that allow the case to whoever holds them.
    pub(super) fn allowing(&self) -> impl Iterator<Item = &'a Mandate> {
        let allowing = self.relevant.iter().filter(|it| it.fit == Fit::Yes).map(|it| it.mandate);
        allowing.filter(|it| it.authority == Ruling::Allow && covers(it, self.request))
    }

    fn restricted(&self, ruling: Ruling, capacity: &Capacity<'a>) -> Option<&'a Mandate> {
        let mut restricting = self.relevant.iter().filter(|it| it.fit != Fit::No);
        let found = restricting.find(|Relevant { mandate, .. }| {
            mandate.authority == ruling
                && covers_or_unknown(mandate, self.request)
                && self.holds(capacity, mandate)
                && !(ruling == Ruling::Escalate && self.is_among(capacity, mandate))
        });
        found.map(|it| it.mandate)
    }

    /// Whether `capacity` holds `mandate` for this case.
    pub(super) fn holds(&self, capacity: &Capacity<'a>, mandate: &Mandate) -> bool {
        match &mandate.holder {
            Holder::Role { role } => {
                let mut carrying = capacity.positions.iter().filter(|it| it.roles.contains(role));
                carrying.any(|it| self.counts(it, mandate))
            }
            other => is_named(capacity, other),
        }
    }

    /// Whether `position` counts for the role to which `mandate` is given.
    pub(super) fn counts(&self, position: &Position, mandate: &Mandate) -> bool {
        let Some(unit) = mandate.unit.as_deref() else { return true };
        let chart = &self.authority.chart;
        match mandate.authority {
            Ruling::Allow => {
                let line = self.line.as_deref().unwrap_or_default();
                let end = line.iter().position(|it| *it == unit);
                let way = end.and_then(|end| line.get(..=end)).unwrap_or_default();
                way.contains(&position.unit.as_str())
            }
            Ruling::Deny | Ruling::Escalate => {
                position.unit == unit
                    || chart.unit(unit).is_none()
                    || (mandate.inherited && chart.line(&position.unit).any(|it| it.id == unit))
            }
        }
    }

    /// Whether `capacity` is among those to whom `mandate` escalates.
    fn is_among(&self, capacity: &Capacity<'a>, mandate: &Mandate) -> bool {
        match &mandate.escalate_to {
            None => false,
            Some(Holder::Role { role }) => {
                let offices = self.destination(role);
                capacity.positions.iter().any(|it| offices.iter().any(|office| office.id == it.id))
            }
            Some(other) => is_named(capacity, other),
        }
    }

    /// The positions with `role` to which something escalates: those over the case, nearest first, or
    /// all of them if there is none.
    pub(super) fn destination(&self, role: &str) -> Vec<&'a Position> {
        let all: Vec<_> = self.authority.chart.carrying(role).collect();
        let line = self.line.as_deref().unwrap_or_default();
        let over = line.iter().flat_map(|unit| all.iter().filter(move |it| it.unit == *unit));
        let over: Vec<_> = over.copied().collect();
        if over.is_empty() { all } else { over }
    }

    /// Which segregation keeps `who` away, and why.
    fn segregated(
        &self,
        who: &ActorRef,
        capacity: &Capacity<'a>,
    ) -> Option<(&'a Segregation, String)> {
        let mut rules: Vec<_> = self.authority.segregations_of(&self.request.deed).collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.into_iter().find_map(|rule| {
            let mut others =
                self.request.done.iter().filter(|done| {
                    done.deed != self.request.deed && rule.actions.contains(&done.deed)
                });
            others.find_map(|done| {
                let same = same_eyes_behind(&done.by, who, capacity)?;
                Some((rule, format!("{same}, with {}", done.deed)))
            })
        })
    }

    /// Why `who` is not enough for `mandate`, which would allow it.
    fn other_eyes(
        &self,
        mandate: &'a Mandate,
        segregated: Option<&(&'a Segregation, String)>,
        who: &ActorRef,
        capacity: &Capacity<'a>,
    ) -> Option<Needed<'a>> {
        if let Some((rule, why)) = segregated {
            let why = format!("would allow it, and segregation {} does not: {why}", rule.id);
            return Some(Needed { mandate, segregation: Some(rule), why });
        }
        let mut involved = self.request.involved.iter().filter(|_| mandate.four_eyes);
        if let Some(why) = involved.find_map(|it| same_eyes_behind(it, who, capacity)) {
            let why = format!("asks for four eyes and {why}");
            return Some(Needed { mandate, segregation: None, why });
        }
        let mut done = self.request.done.iter();
        done.find_map(|done| {
            let named = mandate.other_eyes_than.contains(&done.deed).then_some(&done.by)?;
            let same = same_eyes_behind(named, who, capacity)?;
            let why = format!("wants other eyes than for {} and {same}", done.deed);
            Some(Needed { mandate, segregation: None, why })
        })
    }
}

/// Why `who`, or somebody for whom `who` acts, brings no other eyes than `first`.
fn same_eyes_behind(first: &ActorRef, who: &ActorRef, capacity: &Capacity<'_>) -> Option<String> {
    if let Some(why) = same_eyes(first, who) {
        return Some(why);
    }
    let behind = capacity.behind.iter().find(|person| **person == first.id)?;
    Some(format!("{behind}, for whom {} acts, took part already", who.id))
}

/// Whether `capacity` is what `holder` names, wherever that is.
pub(super) fn is_named(capacity: &Capacity<'_>, holder: &Holder) -> bool {
    match holder {
        Holder::Named(name) => {
            capacity.person == Some(name.as_str()) || capacity.groups.contains(&name.as_str())
        }
        Holder::Person { person } => capacity.person == Some(person.as_str()),
        Holder::Group { group } => capacity.groups.contains(&group.as_str()),
        Holder::Position { position } => capacity.positions.iter().any(|it| it.id == *position),
        Holder::Role { role } => capacity.positions.iter().any(|it| it.roles.contains(role)),
    }
}

fn is_bounded(mandate: &Mandate) -> bool {
    mandate.min.is_some() || mandate.below.is_some()
}

fn covers(mandate: &Mandate, request: &MandateRequest) -> bool {
    if !is_bounded(mandate) {
        return mandate.currency.is_none() || mandate.currency == request.currency;
    }
    let Some(amount) = request.amount else { return false };
    mandate.currency == request.currency
        && mandate.min.is_none_or(|min| amount >= min)
        && mandate.below.is_none_or(|below| amount < below)
}

/// For what restricts, the unknown counts as covered: what cannot be compared is not let through.
fn covers_or_unknown(mandate: &Mandate, request: &MandateRequest) -> bool {
    covers(mandate, request)
        || (mandate.currency.is_some() && request.currency.is_none())
        || (is_bounded(mandate)
            && (request.amount.is_none() || mandate.currency != request.currency))
}

impl Via<'_> {
    /// The own capacity first, then delegations, then absences.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Delegation(_) => 1,
            Self::Absence(_) => 2,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Own => "",
            Self::Delegation(delegation) => &delegation.id,
            Self::Absence(absent) => absent,
        }
    }
}

impl Verdict<'_> {
    /// The best answer first. What is denied to somebody is nothing for who stands in.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Allowed(_) => 0,
            Self::OtherEyes(_) => 1,
            Self::Escalated(_) => 2,
            Self::Denied(_) | Self::Nothing => 3,
        }
    }

    pub(super) fn level(&self) -> u8 {
        match self {
            Self::Allowed(mandate) | Self::Escalated(mandate) | Self::Denied(mandate) => {
                mandate.level
            }
            Self::OtherEyes(needed) => needed.mandate.level,
            Self::Nothing => u8::MAX,
        }
    }
}
