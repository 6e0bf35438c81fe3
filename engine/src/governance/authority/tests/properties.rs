//! What holds for all mandates on all organisations.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;
use crate::governance::{Position, PositionHolder, Ruling, Segregation, Substitute, Unit};

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dan"];
const UNITS: [&str; 5] = ["u0", "u1", "u2", "u3", "u4"];
const POSITIONS: [&str; 5] = ["p0", "p1", "p2", "p3", "p4"];
const ROLES: [&str; 2] = ["head", "accountant"];
const ACTIONS: [&str; 5] = ["pay", "pay", "pay", "order", ANY_ACTION];
const AMOUNTS: [&str; 5] = ["0.01", "99.99", "100", "999.99", "1000"];

/// Mandates, an organisation, and a question.
#[derive(Clone, Debug)]
struct Scene {
    set: MandateSet,
    organisation: Organisation,
    request: MandateRequest,
}

impl Scene {
    fn check(&self) -> MandateDecision {
        let chart = Chart::new(self.organisation.clone());
        Authority::new(self.set.clone().into(), chart.into()).check(&self.request, july())
    }

    fn allows(&self) -> bool {
        self.check().outcome == Outcome::Allow
    }

    /// The same question by somebody of whom no groups are known.
    fn asked_by(&self, who: &str) -> Self {
        let actor = somebody(who);
        let request = MandateRequest { actor, groups: BTreeSet::new(), ..self.request.clone() };
        Self { request, ..self.clone() }
    }
}

fn name(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(of).prop_map(str::to_owned)
}

fn amount() -> impl Strategy<Value = Amount> {
    select(&AMOUNTS[..]).prop_map(|text| text.parse().unwrap())
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![
        name(&PEOPLE).prop_map(Holder::Named),
        name(&PEOPLE).prop_map(|person| Holder::Person { person }),
        Just(Holder::Group { group: "group".to_owned() }),
        name(&ROLES).prop_map(|role| Holder::Role { role }),
        name(&POSITIONS).prop_map(|position| Holder::Position { position }),
    ]
}

/// From before, or not before, the moment of the question.
fn beginning() -> impl Strategy<Value = Option<Timestamp>> {
    let past = at("2026-01-01T00:00:00Z");
    prop_oneof![4 => Just(None), 2 => Just(Some(past)), 1 => Just(Some(at("2027-01-01T00:00:00Z")))]
}

fn ruling() -> impl Strategy<Value = Ruling> {
    prop_oneof![5 => Just(Ruling::Allow), 1 => Just(Ruling::Deny), 1 => Just(Ruling::Escalate)]
}

fn mandate() -> impl Strategy<Value = Mandate> {
    let place = (weighted(0.4, name(&UNITS)), any::<bool>(), weighted(0.2, 0_usize..8));
    let bounds = (weighted(0.2, amount()), weighted(0.3, amount()), any::<bool>(), any::<bool>());
    let rest = (ruling(), of(holder()), 0_u8..4, beginning());
    (name(&ACTIONS), holder(), place, bounds, rest).prop_map(
        |(action, holder, (unit, inherited, replaced), bounds, rest)| {
            let (min, below, four_eyes, other_eyes) = bounds;
            let (authority, escalate_to, level, valid_from) = rest;
            Mandate {
                id: String::new(),
                domain: "finance".to_owned(),
                action,
                holder,
                unit,
                inherited,
                replaces: replaced.map(|at| format!("m{at}")).into_iter().collect(),
                authority,
                escalate_to,
                min,
                below,
                currency: (min.is_some() || below.is_some()).then(|| "EUR".to_owned()),
                four_eyes,
                other_eyes_than: other_eyes.then(|| deed("order")).into_iter().collect(),
                level,
                valid_from,
                valid_until: None,
            }
        },
    )
}

fn delegation() -> impl Strategy<Value = Delegation> {
    let scope =
        (weighted(0.2, name(&ACTIONS[2..4])), weighted(0.2, name(&UNITS)), weighted(0.3, amount()));
    let from = prop_oneof![3 => name(&PEOPLE).prop_map(Holder::Named), 1 => holder()];
    (from, name(&PEOPLE), scope, beginning(), weighted(0.2, Just(()))).prop_map(
        |(from, to, (action, unit, below), valid_from, revoked)| Delegation {
            id: String::new(),
            from,
            to,
            domains: BTreeSet::new(),
            actions: action.into_iter().collect(),
            units: unit.into_iter().collect(),
            below,
            currency: below.map(|_| "EUR".to_owned()),
            valid_from,
            valid_until: None,
            revoked: revoked.is_some(),
        },
    )
}

fn organisation() -> impl Strategy<Value = Organisation> {
    let parents = vec(any::<Index>(), UNITS.len());
    let positions = vec((name(&UNITS), name(&ROLES)), POSITIONS.len());
    let holders = vec((name(&PEOPLE), name(&POSITIONS), beginning()), 0..8);
    let substitutes = vec((name(&PEOPLE), name(&PEOPLE), beginning()), 0..6);
    (parents, positions, holders, substitutes).prop_map(
        |(parents, positions, holders, absences)| {
            let unit = |(at, id): (usize, &&str)| Unit {
                id: (*id).to_owned(),
                name: (*id).to_owned(),
                parent: (at > 0).then(|| UNITS[parents[at].index(at)].to_owned()),
            };
            let position = |(id, (unit, role)): (&&str, (String, String))| Position {
                id: (*id).to_owned(),
                title: (*id).to_owned(),
                unit,
                roles: [role].into(),
            };
            let holder = |(person, position, valid_from)| PositionHolder {
                person,
                position,
                valid_from,
                valid_until: None,
            };
            let absence =
                |(absent, by, valid_from)| Substitute { absent, by, valid_from, valid_until: None };
            Organisation {
                units: UNITS.iter().enumerate().map(unit).collect(),
                positions: POSITIONS.iter().zip(positions).map(position).collect(),
                holders: holders.into_iter().map(holder).collect(),
                substitutes: absences.into_iter().map(absence).collect(),
            }
        },
    )
}

fn request() -> impl Strategy<Value = MandateRequest> {
    let who = (name(&PEOPLE), any::<bool>(), of(name(&PEOPLE)), of(name(&PEOPLE)));
    let what = (name(&ACTIONS[..4]), weighted(0.7, name(&UNITS)), weighted(0.8, amount()));
    (who, what).prop_map(|((actor, in_group, involved, orderer), (action, unit, amount))| {
        MandateRequest {
            actor: somebody(&actor),
            groups: in_group.then(|| "group".to_owned()).into_iter().collect(),
            deed: deed(&action),
            unit,
            amount,
            currency: Some("EUR".to_owned()),
            involved: involved.iter().map(|it| somebody(it)).collect(),
            done: orderer.iter().map(|it| did("order", it)).collect(),
        }
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let lists = (vec(mandate(), 0..10), vec(delegation(), 0..6), any::<bool>());
    (lists, organisation(), request()).prop_map(
        |((mut mandates, mut delegations, is_segregated), organisation, request)| {
            for (at, mandate) in mandates.iter_mut().enumerate() {
                mandate.id = format!("m{at}");
            }
            for (at, delegation) in delegations.iter_mut().enumerate() {
                delegation.id = format!("d{at}");
            }
            let actions = BTreeSet::from([deed("order"), deed("pay")]);
            let segregation = Segregation { id: "s".to_owned(), actions };
            let segregations = is_segregated.then_some(segregation).into_iter().collect();
            let set = MandateSet { mandates, delegations, segregations };
            Scene { set, organisation, request }
        },
    )
}

fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..list.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        list.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

/// Without this the properties could hold because nothing ever happens.
#[test]
fn the_scenes_reach_every_answer() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..2_000 {
        let scene = scene().new_tree(&mut runner).unwrap().current();
        let decided = scene.check();
        let by = scene.set.mandates.iter().find(|it| Some(&it.id) == decided.mandate.as_ref());
        let is_inherited = by.is_some_and(|it| it.inherited && it.unit != scene.request.unit);
        let is_named = decided.chain.iter().any(|step| !step.people.is_empty());
        let is_allowed = decided.outcome == Outcome::Allow;
        for (what, is_so) in [
            ("allowed", is_allowed),
            ("allowed by inheritance", is_allowed && is_inherited),
            ("allowed by delegation", is_allowed && decided.delegation.is_some()),
            ("allowed in an absence", is_allowed && decided.substitute_for.is_some()),
            ("denied", decided.outcome == Outcome::Deny),
            ("escalated", decided.outcome == Outcome::Escalate && by.is_some()),
            ("another person", decided.outcome == Outcome::SecondPerson),
            ("segregated", decided.segregation.is_some()),
            ("people named", is_named),
        ] {
            *seen.entry(what).or_default() += usize::from(is_so);
        }
    }
    assert!(seen.values().all(|count| *count >= 20), "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn order_does_not_matter(scene in scene(), seed in any::<u64>()) {
        let mut other = scene.clone();
        shuffle(&mut other.set.mandates, seed);
        shuffle(&mut other.set.delegations, seed);
        shuffle(&mut other.organisation.units, seed);
        shuffle(&mut other.organisation.positions, seed);
        shuffle(&mut other.organisation.holders, seed);
        shuffle(&mut other.organisation.substitutes, seed);
        prop_assert_eq!(scene.check(), other.check());
    }

    #[test]
    fn without_mandates_everything_escalates(mut scene in scene()) {
        scene.set.mandates.clear();
        let decided = scene.check();
        prop_assert_eq!((decided.outcome, decided.approvers), (Outcome::Escalate, Vec::new()));
    }

    #[test]
    fn who_stands_in_never_has_more_than_the_person_behind(scene in scene()) {
        let decided = scene.check();
        let delegation = scene.set.delegations.iter().find(|it| Some(&it.id) == decided.delegation.as_ref());
        let delegator = delegation.and_then(|it| match &it.from {
            Holder::Named(person) | Holder::Person { person } => Some(person.clone()),
            _ => None,
        });
        if let Some(behind) = decided.substitute_for.or(delegator)
            && decided.outcome == Outcome::Allow
        {
            prop_assert!(scene.asked_by(&behind).allows(), "{}", behind);
        }
    }

    #[test]
    fn a_delegation_covers_no_more_than_it_says(scene in scene()) {
        let decided = scene.check();
        let mut delegations = scene.set.delegations.iter();
        if let Some(it) = delegations.find(|it| Some(&it.id) == decided.delegation.as_ref()) {
            let request = &scene.request;
            prop_assert!(!it.revoked && it.valid_from.is_none_or(|from| from <= july()));
            prop_assert!(it.actions.is_empty() || it.actions.contains(&request.deed.action));
            prop_assert!(it.below.is_none_or(|below| request.amount.unwrap() < below));
        }
    }

    #[test]
    fn inheritance_does_not_leave_the_unit(scene in scene()) {
        let decided = scene.check();
        let by = scene.set.mandates.iter().find(|it| Some(&it.id) == decided.mandate.as_ref());
        if let Some((mandate, unit)) = by.and_then(|it| Some((it, it.unit.as_ref()?)))
            && decided.outcome == Outcome::Allow
        {
            let of_case = scene.request.unit.as_ref().unwrap();
            let chart = Chart::new(scene.organisation.clone());
            prop_assert!(chart.line(of_case).any(|it| it.id == *unit));
            prop_assert!(mandate.inherited || unit == of_case);
            prop_assert!(mandate.below.is_none_or(|below| scene.request.amount.unwrap() < below));
        }
    }

    #[test]
    fn what_is_inherited_holds_where_it_comes_from(mut scene in scene()) {
        scene.set.mandates.retain(|it| it.authority == Ruling::Allow);
        for mandate in &mut scene.set.mandates {
            mandate.replaces.clear();
        }
        scene.set.delegations.clear();
        scene.organisation.substitutes.clear();
        let decided = scene.check();
        let by = scene.set.mandates.iter().find(|it| Some(&it.id) == decided.mandate.as_ref());
        let of_role = by.is_some_and(|it| matches!(it.holder, Holder::Role { .. }));
        if let Some(unit) = by.and_then(|it| it.unit.clone())
            && !of_role && decided.outcome == Outcome::Allow
        {
            scene.request.unit = Some(unit);
            prop_assert!(scene.allows());
        }
    }

    #[test]
    fn less_inheritance_allows_no_more(scene in scene()) {
        let mut other = scene.clone();
        let allowing = other.set.mandates.iter_mut().filter(|it| it.authority == Ruling::Allow);
        for mandate in allowing.filter(|it| it.replaces.is_empty()) {
            mandate.inherited = false;
        }
        prop_assert!(scene.allows() || !other.allows());
    }

    #[test]
    fn taking_away_an_allowance_or_a_delegation_allows_no_more(scene in scene(), at in any::<Index>()) {
        let mut other = scene.clone();
        let allowing = scene.set.mandates.iter().enumerate();
        let allowing = allowing.filter(|(_, it)| it.authority == Ruling::Allow && it.replaces.is_empty());
        let allowing: Vec<usize> = allowing.map(|(at, _)| at).collect();
        if !allowing.is_empty() {
            other.set.mandates.remove(*at.get(&allowing));
            prop_assert!(scene.allows() || !other.allows());
        }
        if !other.set.delegations.is_empty() {
            other.set.delegations.remove(at.index(scene.set.delegations.len()));
            prop_assert!(scene.allows() || !other.allows());
        }
    }

    #[test]
    fn another_denial_allows_no_more(scene in scene(), mut denial in mandate()) {
        denial.authority = Ruling::Deny;
        denial.id = "denial".to_owned();
        let mut other = scene.clone();
        other.set.mandates.push(denial);
        let (before, after) = (scene.check().outcome, other.check().outcome);
        prop_assert!(before == Outcome::Allow || after != Outcome::Allow);
        prop_assert!(before != Outcome::Deny || after == Outcome::Deny);
    }

    #[test]
    fn who_is_named_may(scene in scene()) {
        for step in scene.check().chain {
            for it in step.people {
                let asked = scene.asked_by(&it.person).check();
                prop_assert_eq!(asked.outcome, Outcome::Allow, "{:?}", it);
            }
        }
    }
}
