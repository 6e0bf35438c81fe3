//! The organisation made ready to be asked: indexed once when it is loaded, never copied after.
//!
//! What makes no sense is survived, not repaired: a ring of units is followed [`MAX_DEPTH`] steps, of
//! two things with one id the first counts. The room that keeps organisations refuses both.

use std::collections::{BTreeMap, BTreeSet};

use flowmaster_kernel::Timestamp;

use super::organisation::{HEAD, MAX_DEPTH, Organisation, Position, Unit, in_force};

/// An organisation and its indexes.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    organisation: Organisation,
    units: BTreeMap<String, usize>,
    positions: BTreeMap<String, usize>,
    /// The positions that carry a role, by id.
    carrying: BTreeMap<String, Vec<usize>>,
    /// The entries of the holders, by person and by position.
    held_by: BTreeMap<String, Vec<usize>>,
    holding: BTreeMap<String, Vec<usize>>,
    /// The entries of the substitutes, by who is absent and by who stands in.
    absences: BTreeMap<String, Vec<usize>>,
    standing_in: BTreeMap<String, Vec<usize>>,
}

impl Chart {
    /// Indexes `organisation`.
    #[must_use]
    pub fn new(organisation: Organisation) -> Self {
        let units = first_by(&organisation.units, |unit| &unit.id);
        let positions = first_by(&organisation.positions, |position| &position.id);
        let mut carrying: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in positions.values() {
            let Some(position) = organisation.positions.get(*at) else { continue };
            for role in &position.roles {
                carrying.entry(role.clone()).or_default().push(*at);
            }
        }
        let (holders, substitutes) = (&organisation.holders, &organisation.substitutes);
        Self {
            units,
            positions,
            carrying,
            held_by: all_by(holders, |holder| &holder.person),
            holding: all_by(holders, |holder| &holder.position),
            absences: all_by(substitutes, |substitute| &substitute.absent),
            standing_in: all_by(substitutes, |substitute| &substitute.by),
            organisation,
        }
    }

    /// What it was made from.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The unit `id`.
    #[must_use]
    pub fn unit(&self, id: &str) -> Option<&Unit> {
        self.organisation.units.get(*self.units.get(id)?)
    }

    /// The position `id`.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<&Position> {
        self.organisation.positions.get(*self.positions.get(id)?)
    }

    /// The unit `id` and those above it, nearest first; nothing for a unit that there is not.
    pub fn line<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Unit> + use<'a> {
        let above = |unit: &&'a Unit| self.unit(unit.parent.as_deref()?);
        std::iter::successors(self.unit(id), above).take(MAX_DEPTH)
    }

    /// The positions that `person` holds at `now`, by id.
    #[must_use]
    pub fn positions_of(&self, person: &str, now: Timestamp) -> Vec<&Position> {
        let entries = entries(&self.held_by, &self.organisation.holders, person);
        let held = entries.filter(|it| in_force(it.valid_from, it.valid_until, now));
        let ids: BTreeSet<&str> = held.map(|it| it.position.as_str()).collect();
        ids.into_iter().filter_map(|id| self.position(id)).collect()
    }

    /// When `person`, who holds the position `id` at `now`, stops holding it, if that is known.
    #[must_use]
    pub fn held_until(&self, person: &str, id: &str, now: Timestamp) -> Option<Timestamp> {
        let entries = entries(&self.held_by, &self.organisation.holders, person);
        let held = entries.filter(|it| it.position == id);
        let held = held.filter(|it| in_force(it.valid_from, it.valid_until, now));
        // Without an end comes after every end.
        held.map(|it| it.valid_until).max_by_key(|until| (until.is_none(), *until)).flatten()
    }

    /// The positions that carry `role`, by id.
    pub fn carrying(&self, role: &str) -> impl Iterator<Item = &Position> {
        let at = self.carrying.get(role).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| self.organisation.positions.get(*at))
    }

    /// Who holds the position `id` at `now`.
    #[must_use]
    pub fn holders_of(&self, id: &str, now: Timestamp) -> BTreeSet<&str> {
        let entries = entries(&self.holding, &self.organisation.holders, id);
        let held = entries.filter(|it| in_force(it.valid_from, it.valid_until, now));
        held.map(|it| it.person.as_str()).collect()
    }

    /// Who stands in for `person` at `now`; nobody unless the person is absent.
    #[must_use]
    pub fn substitutes_of(&self, person: &str, now: Timestamp) -> BTreeSet<&str> {
        let entries = entries(&self.absences, &self.organisation.substitutes, person);
        let absent = entries.filter(|it| in_force(it.valid_from, it.valid_until, now));
        absent.map(|it| it.by.as_str()).filter(|by| *by != person).collect()
    }

    /// For whom `person` stands in at `now`.
    #[must_use]
    pub fn stands_in_for(&self, person: &str, now: Timestamp) -> BTreeSet<&str> {
        let entries = entries(&self.standing_in, &self.organisation.substitutes, person);
        let absent = entries.filter(|it| in_force(it.valid_from, it.valid_until, now));
        absent.map(|it| it.absent.as_str()).filter(|absent| *absent != person).collect()
    }

    /// Whether anything says that there is a person `id`.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.held_by.contains_key(id)
            || self.absences.contains_key(id)
            || self.standing_in.contains_key(id)
    }

    /// Who leads the units of `person` at `now`, nearest first: the heads of each unit that somebody
    /// else leads, from the units of the person's positions up.
    #[must_use]
    pub fn superiors_of(&self, person: &str, now: Timestamp) -> Vec<&str> {
        let mut superiors = Vec::new();
        for position in self.positions_of(person, now) {
            for unit in self.line(&position.unit) {
                for head in self.heads_of(&unit.id, now) {
                    if head != person && !superiors.contains(&head) {
                        superiors.push(head);
                    }
                }
            }
        }
        superiors
    }

    fn heads_of(&self, unit: &str, now: Timestamp) -> BTreeSet<&str> {
        let leading = self.carrying(HEAD).filter(|position| position.unit == unit);
        leading.flat_map(|position| self.holders_of(&position.id, now)).collect()
    }
}

fn first_by<T>(list: &[T], key: impl Fn(&T) -> &String) -> BTreeMap<String, usize> {
    let mut index = BTreeMap::new();
    for (at, one) in list.iter().enumerate() {
        index.entry(key(one).clone()).or_insert(at);
    }
    index
}

fn all_by<T>(list: &[T], key: impl Fn(&T) -> &String) -> BTreeMap<String, Vec<usize>> {
    let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, one) in list.iter().enumerate() {
        index.entry(key(one).clone()).or_default().push(at);
    }
    index
}

fn entries<'a, T>(
    index: &'a BTreeMap<String, Vec<usize>>,
    list: &'a [T],
    key: &str,
) -> impl Iterator<Item = &'a T> + use<'a, T> {
    let at = index.get(key).map_or(&[][..], Vec::as_slice);
    at.iter().filter_map(|at| list.get(*at))
}
