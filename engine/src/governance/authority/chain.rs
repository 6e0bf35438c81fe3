//! Who could decide instead: the approval chain, level by level, with the people whom the
//! organisation knows. Each of them is asked for like an actor, so nobody is named who may not.

use std::collections::BTreeSet;

use super::super::decision::{ChainPerson, ChainStep};
use super::super::mandate::{Holder, Mandate, Ruling};
use super::super::organisation::Position;
use super::case::{Capacity, Case, Verdict, Via};
use crate::instance::ActorRef;

/// The most steps of a chain.
const MAX_STEPS: usize = 20;
/// The most people of a step.
const MAX_PEOPLE: usize = 10;
/// The most people that are looked at for a chain: a role may have thousands of holders.
const MAX_CANDIDATES: usize = 200;
/// The most approvers that are named.
const MAX_APPROVERS: usize = 50;

impl<'a> Case<'a> {
    /// The chain: first to whom `escalating` sends it, then the mandates that would allow it.
    pub(super) fn chain(&self, escalating: Option<&'a Mandate>) -> Vec<ChainStep> {
        let first = escalating.and_then(|it| Some((it, it.escalate_to.as_ref()?)));
        let others = self.allowing().map(|it| (it, &it.holder));
        let mut candidates = MAX_CANDIDATES;
        let steps = first.into_iter().chain(others).take(MAX_STEPS);
        let step = |(mandate, holder): (&'a Mandate, &'a Holder)| ChainStep {
            level: mandate.level,
            mandate: mandate.id.clone(),
            holder: holder.clone(),
            people: self.people(mandate, holder, &mut candidates),
        };
        steps.map(step).collect()
    }

    /// Everybody in `chain` by name; the holder where no people are known.
    pub(super) fn approvers(&self, chain: &[ChainStep]) -> Vec<String> {
        let mut approvers: Vec<String> = Vec::new();
        for step in chain {
            let unknown = step.people.is_empty().then(|| self.unknown(&step.holder)).flatten();
            let people = step.people.iter().map(|it| it.person.clone());
            for name in people.chain(unknown) {
                if !approvers.contains(&name) {
                    approvers.push(name);
                }
            }
        }
        approvers.truncate(MAX_APPROVERS);
        approvers
    }

    /// The name of a holder of whom the organisation knows no people.
    fn unknown(&self, holder: &Holder) -> Option<String> {
        let chart = &self.authority.chart;
        let is_held = |position: &Position| !chart.holders_of(&position.id, self.now).is_empty();
        let is_known = match holder {
            Holder::Named(name) => chart.knows(name) || !self.may_be(name),
            Holder::Person { .. } => true,
            Holder::Group { .. } => false,
            Holder::Role { role } => chart.carrying(role).any(is_held),
            Holder::Position { position } => chart.position(position).is_some_and(is_held),
        };
        (!is_known).then(|| holder.to_string())
    }

    /// The people among the holders of `mandate` who may decide.
    fn people(
        &self,
        mandate: &'a Mandate,
        holder: &'a Holder,
        candidates: &mut usize,
    ) -> Vec<ChainPerson> {
        let mut people: Vec<ChainPerson> = Vec::new();
        for person in self.named(mandate, holder) {
            if *candidates == 0 || people.len() >= MAX_PEOPLE {
                break;
            }
            *candidates -= 1;
            for able in self.able(person) {
                if !people.contains(&able) {
                    people.push(able);
                }
            }
        }
        people.truncate(MAX_PEOPLE);
        people
    }

    /// The people that `holder` names by the organisation, nearest unit first.
    fn named(&self, mandate: &'a Mandate, holder: &'a Holder) -> Vec<&'a str> {
        let chart = &self.authority.chart;
        let holding = |position: &'a Position| chart.holders_of(&position.id, self.now);
        match holder {
            Holder::Named(name) if chart.knows(name) => vec![name],
            Holder::Named(_) | Holder::Group { .. } => Vec::new(),
            Holder::Person { person } => vec![person],
            Holder::Position { position } => {
                chart.position(position).into_iter().flat_map(holding).collect()
            }
            Holder::Role { role } if mandate.authority == Ruling::Allow => {
                self.offices(role, mandate).into_iter().flat_map(holding).collect()
            }
            Holder::Role { role } => self.destination(role).into_iter().flat_map(holding).collect(),
        }
    }

    /// The positions that count for the role to which `mandate` is given, nearest unit first.
    fn offices(&self, role: &str, mandate: &Mandate) -> Vec<&'a Position> {
        let line = self.line.as_deref().unwrap_or_default();
        let distance =
            |it: &Position| line.iter().position(|unit| *unit == it.unit).unwrap_or(usize::MAX);
        let carrying = self.authority.chart.carrying(role);
        let mut offices: Vec<_> = carrying.filter(|it| self.counts(it, mandate)).collect();
        offices.sort_by(|a, b| (distance(a), &a.id).cmp(&(distance(b), &b.id)));
        offices
    }

    /// `person`, or while the person is absent those who stand in, as far as they may decide.
    fn able(&self, person: &'a str) -> Vec<ChainPerson> {
        let substitutes: BTreeSet<&'a str> = self.authority.chart.substitutes_of(person, self.now);
        if substitutes.is_empty() {
            let may = self.may(person, &self.of_person(person, Via::Own));
            return may
                .then(|| ChainPerson { person: person.to_owned(), substitute_for: None })
                .into_iter()
                .collect();
        }
        let able = substitutes.into_iter().filter(|by| {
            let own = self.judge(&ActorRef::named((*by).to_owned()), &self.of_person(by, Via::Own));
            !matches!(own, Verdict::Denied(_))
                && self.may(by, &self.of_person(person, Via::Absence(person)))
        });
        able.map(|by| ChainPerson {
            person: by.to_owned(),
            substitute_for: Some(person.to_owned()),
        })
        .collect()
    }

    /// Whether `name`, a person or a group that the organisation does not know, may decide.
    fn may_be(&self, name: &str) -> bool {
        let capacity = Capacity {
            person: Some(name),
            groups: vec![name],
            positions: Vec::new(),
            behind: Vec::new(),
            via: Via::Own,
        };
        self.may(name, &capacity)
    }

    /// Whether `who`, who is not the actor, may decide in `capacity`.
    fn may(&self, who: &str, capacity: &Capacity<'_>) -> bool {
        who != self.request.actor.id
            && matches!(self.judge(&ActorRef::named(who.to_owned()), capacity), Verdict::Allowed(_))
    }
}
