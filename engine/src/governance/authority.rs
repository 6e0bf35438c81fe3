//! Authority: the mandates in force on the organisation as it is. A pure function of both, of what is
//! asked and of the moment, so that the order in which anything was written never matters.
//!
//! Somebody acts in **capacities**: the own one, and one for each delegation and each absent person
//! that stands behind. A capacity has the person, groups and positions of whom it comes from, and
//! nothing else: neither what was delegated to them nor for whom they stand in.
//!
//! A mandate **matches** where domain, action, dates and unit fit and the capacity holds it. A unit
//! fits the cases of that unit and, if the mandate is inherited, of those below. An allowing mandate
//! of a role and a unit reaches the positions on the way from the unit of the case up to its own; a
//! denying or escalating one reaches all positions in its unit. A mandate that another one of a unit
//! further down replaces does not match where that one fits.
//!
//! In each capacity, strongest first:
//! 1. A denying mandate that matches decides. One of the own capacity decides in all of them.
//! 2. An escalating mandate that matches decides, unless the capacity is among those it goes to.
//! 3. An allowing mandate that matches and holds the amount decides if other eyes are not needed: its
//!    own four eyes, the actions it wants in other hands, and the segregations of the tenant, each
//!    looked at for the actor and for whom the actor acts. Several need not agree: one that
//!    passes is enough.
//! 4. If other eyes are needed for all of those, a second person must decide.
//! 5. Everything else escalates, to the holders of a mandate that would allow it. So does everything
//!    where there is no mandate.
//!
//! Over the capacities the best answer counts: allow, second person, escalate; the own capacity before
//! delegations and these before absences, then the lower level, then the id.
//!
//! What cannot be compared is not let through: an unknown amount, currency or unit is outside of what
//! allows, and inside of what denies or escalates.

mod case;
mod chain;
mod reasons;

use std::collections::BTreeMap;
use std::sync::Arc;

use flowmaster_kernel::Timestamp;

use super::chart::Chart;
use super::decision::{MandateDecision, MandateRequest, Outcome};
use super::mandate::{Deed, Delegation, Mandate, MandateSet, Segregation};
use case::{Capacity, Case, Verdict, Via};

/// The action that stands for all of a domain.
pub const ANY_ACTION: &str = "*";

/// Positions in a list, by domain and action.
type ByDeed = BTreeMap<String, BTreeMap<String, Vec<usize>>>;

/// Mandates and organisation, indexed once when either changes.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    set: Arc<MandateSet>,
    chart: Arc<Chart>,
    mandates: ByDeed,
    /// The mandates that replace each mandate.
    replacing: BTreeMap<usize, Vec<usize>>,
    /// The delegations to each principal.
    delegations: BTreeMap<String, Vec<usize>>,
    segregations: ByDeed,
}

impl Authority {
    /// Indexes `set` over `chart`.
    #[must_use]
    pub fn new(set: Arc<MandateSet>, chart: Arc<Chart>) -> Self {
        let mut mandates = ByDeed::new();
        let mut ids: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, mandate) in set.mandates.iter().enumerate() {
            ids.entry(&mandate.id).or_default().push(at);
            enter(&mut mandates, &mandate.domain, &mandate.action, at);
        }
        let mut replacing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, mandate) in set.mandates.iter().enumerate() {
            let replaced = mandate.replaces.iter().filter_map(|id| ids.get(id.as_str())).flatten();
            for replaced in replaced {
                replacing.entry(*replaced).or_default().push(at);
            }
        }
        let mut delegations: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, delegation) in set.delegations.iter().enumerate() {
            delegations.entry(delegation.to.clone()).or_default().push(at);
        }
        let mut segregations = ByDeed::new();
        for (at, segregation) in set.segregations.iter().enumerate() {
            for Deed { domain, action } in &segregation.actions {
                enter(&mut segregations, domain, action, at);
            }
        }
        Self { set, chart, mandates, replacing, delegations, segregations }
    }

    /// The organisation.
    #[must_use]
    pub fn chart(&self) -> &Arc<Chart> {
        &self.chart
    }

    /// The mandates.
    #[must_use]
    pub fn set(&self) -> &Arc<MandateSet> {
        &self.set
    }

    /// Decides whether the actor of `request` may do it at `now`.
    #[must_use]
    pub fn check(&self, request: &MandateRequest, now: Timestamp) -> MandateDecision {
        let case = Case::new(self, request, now);
        let own = case.own();
        let verdict = case.judge(&request.actor, &own);
        if let Verdict::Denied(mandate) = verdict {
            let (action, holder) = (&request.deed.action, &mandate.holder);
            let reason = format!("mandate {} denies {action} to {holder}", mandate.id);
            return refused(&case, Outcome::Deny, Some(mandate), &own, reason);
        }
        // Nothing beats an allowance of the own capacity, so the others are not looked at then.
        let is_enough = matches!(verdict, Verdict::Allowed(_));
        let others = if is_enough { Vec::new() } else { case.stand_ins() };
        let mut judged = vec![(verdict, own)];
        judged.extend(others.into_iter().map(|it| (case.judge(&request.actor, &it), it)));
        match judged.iter().min_by(|a, b| order(a).cmp(&order(b))) {
            Some((Verdict::Allowed(mandate), capacity)) => {
                let (action, holder) = (&request.deed.action, &mandate.holder);
                let reason = format!("mandate {} allows {action} to {holder}", mandate.id);
                decision(Outcome::Allow, Some(mandate), capacity, reason)
            }
            Some((Verdict::OtherEyes(needed), capacity)) => {
                let reason = format!("mandate {} {}", needed.mandate.id, needed.why);
                let outcome = Outcome::SecondPerson;
                let decision = refused(&case, outcome, Some(needed.mandate), capacity, reason);
                let segregation = needed.segregation.map(|it| it.id.clone());
                MandateDecision { segregation, ..decision }
            }
            Some((Verdict::Escalated(mandate), capacity)) => {
                let (action, holder) = (&request.deed.action, &mandate.holder);
                let to = mandate.escalate_to.as_ref().map(|to| format!(" to {to}"));
                let to = to.unwrap_or_default();
                let reason = format!("mandate {} escalates {action} of {holder}{to}", mandate.id);
                refused(&case, Outcome::Escalate, Some(mandate), capacity, reason)
            }
            Some((Verdict::Denied(_) | Verdict::Nothing, _)) | None => {
                let reason = case.why_nothing_allows();
                refused(&case, Outcome::Escalate, None, &case.own(), reason)
            }
        }
    }

    /// The mandates that concern `deed`.
    fn concerning(&self, deed: &Deed) -> impl Iterator<Item = (usize, &Mandate)> {
        let of_domain = self.mandates.get(&deed.domain);
        let of = |action: &str| of_domain.and_then(|it| it.get(action)).map_or(&[][..], |it| it);
        // Asked for all actions, what covers all of them counts once.
        let all = if deed.action == ANY_ACTION { &[][..] } else { of(ANY_ACTION) };
        let at = of(&deed.action).iter().chain(all);
        at.filter_map(|at| Some((*at, self.set.mandates.get(*at)?)))
    }

    /// The mandates that replace the one at `at`.
    fn replacing(&self, at: usize) -> impl Iterator<Item = &Mandate> {
        let by = self.replacing.get(&at).map_or(&[][..], Vec::as_slice);
        by.iter().filter_map(|by| self.set.mandates.get(*by))
    }

    fn delegations_to(&self, actor: &str) -> impl Iterator<Item = &Delegation> {
        let at = self.delegations.get(actor).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| self.set.delegations.get(*at))
    }

    fn segregations_of(&self, deed: &Deed) -> impl Iterator<Item = &Segregation> {
        let of_domain = self.segregations.get(&deed.domain);
        let at = of_domain.and_then(|it| it.get(&deed.action)).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| self.set.segregations.get(*at))
    }
}

fn enter(index: &mut ByDeed, domain: &str, action: &str, at: usize) {
    let of_domain = index.entry(domain.to_owned()).or_default();
    of_domain.entry(action.to_owned()).or_default().push(at);
}

/// The best answer first, then the own capacity, the lower level, the id.
fn order<'a>((verdict, by): &'a (Verdict<'_>, Capacity<'_>)) -> (u8, u8, u8, &'a str) {
    (verdict.rank(), by.via.rank(), verdict.level(), by.via.name())
}

fn refused<'a>(
    case: &Case<'a>,
    outcome: Outcome,
    mandate: Option<&'a Mandate>,
    capacity: &Capacity<'_>,
    reason: String,
) -> MandateDecision {
    let mut decision = decision(outcome, mandate, capacity, reason);
    let escalating = mandate.filter(|_| outcome == Outcome::Escalate);
    decision.chain = case.chain(escalating);
    decision.approvers = case.approvers(&decision.chain);
    decision.reasons.extend(case.what_would_help(&decision));
    decision
}

fn decision(
    outcome: Outcome,
    mandate: Option<&Mandate>,
    capacity: &Capacity<'_>,
    reason: String,
) -> MandateDecision {
    let (delegation, substitute_for) = match capacity.via {
        Via::Own => (None, None),
        Via::Delegation(delegation) => (Some(delegation.id.clone()), None),
        Via::Absence(absent) => (None, Some(absent.to_owned())),
    };
    let reason = match &capacity.via {
        Via::Own => reason,
        Via::Delegation(it) => format!("{reason}, delegated by {} ({})", it.from, it.id),
        Via::Absence(absent) => format!("{reason}, in place of {absent}"),
    };
    MandateDecision {
        outcome,
        mandate: mandate.map(|mandate| mandate.id.clone()),
        delegation,
        substitute_for,
        segregation: None,
        four_eyes: mandate.is_some_and(|mandate| mandate.four_eyes),
        approvers: Vec::new(),
        chain: Vec::new(),
        reasons: vec![reason],
    }
}

#[cfg(test)]
mod tests;
