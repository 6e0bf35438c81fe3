//! Whether an organisation makes sense, and which part of it is asked for. Pure functions.

use std::collections::{BTreeMap, BTreeSet};

use flowmaster_engine::finding::Finding;
use flowmaster_engine::governance::{
    Chart, MAX_DEPTH, Organisation, Position, PositionHolder, Substitute, Unit,
};
use flowmaster_kernel::Timestamp;

/// The most units, positions, holders and substitutes.
const MAX_UNITS: usize = 5_000;
const MAX_POSITIONS: usize = 20_000;
const MAX_HOLDERS: usize = 50_000;
const MAX_SUBSTITUTES: usize = 50_000;
/// The most roles of a position.
const MAX_ROLES: usize = 20;
/// The most entries of one person among the holders, the absent and those who stand in: each is
/// looked at whenever the person acts.
const MAX_ENTRIES: usize = 100;
/// How many findings are told at once.
const MAX_FINDINGS: usize = 50;
/// The longest name of anything, in characters.
const MAX_NAME: usize = 100;

/// What is wrong with `organisation`; nothing if it can be kept. Findings say where as a JSON pointer
/// into the parameters (RFC 6901), e.g. `/units/3`.
pub(super) fn problems(organisation: &Organisation) -> Vec<Finding> {
    let Organisation { units, positions, holders, substitutes } = organisation;
    let sizes = [
        ("units", units.len(), MAX_UNITS),
        ("positions", positions.len(), MAX_POSITIONS),
        ("holders", holders.len(), MAX_HOLDERS),
        ("substitutes", substitutes.len(), MAX_SUBSTITUTES),
    ];
    if let Some((list, count, most)) = sizes.into_iter().find(|(_, count, most)| count > most) {
        let what = format!("there are {count} {list}, and {most} at most");
        let fix = "leave out what nobody's mandate depends on";
        return vec![Finding::error("too_many", &format!("/{list}"), what, fix)];
    }
    let mut checked = Checked { organisation, findings: Vec::new() };
    checked.units();
    checked.positions();
    checked.holders();
    checked.substitutes();
    checked.findings
}

struct Checked<'a> {
    organisation: &'a Organisation,
    findings: Vec<Finding>,
}

impl<'a> Checked<'a> {
    fn units(&mut self) {
        let mut parents: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (at, Unit { id, name, parent }) in self.organisation.units.iter().enumerate() {
            let place = format!("/units/{at}");
            self.name(&place, "id", id);
            self.name(&place, "name", name);
            if parents.contains_key(id.as_str()) {
                self.twice(&place, "unit", id);
            } else {
                parents.insert(id, parent.as_deref());
            }
        }
        for (at, Unit { id, parent, .. }) in self.organisation.units.iter().enumerate() {
            let place = format!("/units/{at}");
            let Some(parent) = parent else { continue };
            if !parents.contains_key(parent.as_str()) {
                let what = format!("the unit {id:?} lies below {parent:?}, which is no unit");
                self.error("unknown_parent", &place, what, "add that unit, or correct parent");
                continue;
            }
            let above = |unit: &&'a str| parents.get(unit).copied().flatten();
            let line: Vec<&str> =
                std::iter::successors(Some(id.as_str()), above).take(MAX_DEPTH + 1).collect();
            let distinct: BTreeSet<&str> = line.iter().copied().collect();
            let is_in_ring = line.iter().skip(1).any(|it| it == id);
            if is_in_ring {
                let ring: Vec<&str> = line.iter().take(distinct.len()).copied().collect();
                let what = format!("the unit {id:?} lies below itself: {}", ring.join(", "));
                self.error("cycle", &place, what, "give one of them another parent");
            }
            // A line that leads into a ring is as long as it is followed; the ring is told already.
            if line.len() > MAX_DEPTH && distinct.len() == line.len() {
                let what = format!("the unit {id:?} has more than {MAX_DEPTH} units in its line");
                self.error("too_deep", &place, what, "leave out levels in between");
            }
        }
    }

    fn positions(&mut self) {
        let units: BTreeSet<&str> = self.organisation.units.iter().map(|it| &*it.id).collect();
        let mut ids = BTreeSet::new();
        for (at, position) in self.organisation.positions.iter().enumerate() {
            let place = format!("/positions/{at}");
            let Position { id, title, unit, roles } = position;
            self.name(&place, "id", id);
            self.name(&place, "title", title);
            for role in roles {
                self.name(&place, "role", role);
            }
            if roles.len() > MAX_ROLES {
                let what = format!("the position {id:?} carries {} roles", roles.len());
                self.error("too_many_roles", &place, what, "carry 20 roles at most");
            }
            if !ids.insert(id) {
                self.twice(&place, "position", id);
            }
            if !units.contains(unit.as_str()) {
                let what = format!("the position {id:?} is in {unit:?}, which is no unit");
                self.error("unknown_unit", &place, what, "add that unit, or correct unit");
            }
        }
    }

    fn holders(&mut self) {
        let positions: BTreeSet<&str> =
            self.organisation.positions.iter().map(|it| &*it.id).collect();
        let mut entries = BTreeSet::new();
        for (at, holder) in self.organisation.holders.iter().enumerate() {
            let place = format!("/holders/{at}");
            let PositionHolder { person, position, valid_from, valid_until } = holder;
            self.name(&place, "person", person);
            self.dates(&place, *valid_from, *valid_until);
            if !positions.contains(position.as_str()) {
                let what = format!("{person:?} holds {position:?}, which is no position");
                let fix = "add that position, or correct it";
                self.error("unknown_position", &place, what, fix);
            }
            if !entries.insert((person, position, valid_from, valid_until)) {
                self.twice(&place, "holder", person);
            }
        }
        let organisation = self.organisation;
        self.entries("/holders", organisation.holders.iter().map(|it| &*it.person));
    }

    fn substitutes(&mut self) {
        let mut entries = BTreeSet::new();
        for (at, substitute) in self.organisation.substitutes.iter().enumerate() {
            let place = format!("/substitutes/{at}");
            let Substitute { absent, by, valid_from, valid_until } = substitute;
            self.name(&place, "absent", absent);
            self.name(&place, "by", by);
            self.dates(&place, *valid_from, *valid_until);
            if absent == by {
                let what = format!("{absent:?} would stand in for itself");
                self.error("self_substitute", &place, what, "name another person in by");
            }
            if !entries.insert((absent, by, valid_from, valid_until)) {
                self.twice(&place, "substitute", by);
            }
        }
        let organisation = self.organisation;
        self.entries("/substitutes", organisation.substitutes.iter().map(|it| &*it.absent));
        self.entries("/substitutes", organisation.substitutes.iter().map(|it| &*it.by));
    }

    fn entries(&mut self, list: &str, people: impl Iterator<Item = &'a str>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for person in people {
            *counts.entry(person).or_default() += 1;
        }
        for (person, count) in counts.into_iter().filter(|(_, count)| *count > MAX_ENTRIES) {
            let what = format!("{person:?} has {count} entries, and {MAX_ENTRIES} at most");
            self.error("too_many_entries", list, what, "leave out those that are over");
        }
    }

    fn name(&mut self, place: &str, field: &str, value: &str) {
        let well_formed = (1..=MAX_NAME).contains(&value.chars().count())
            && !value.chars().any(char::is_control)
            && value.trim() == value;
        if !well_formed {
            let what = format!("{field} is empty, too long, or has white space around it");
            self.error("name", place, what, "use 1 to 100 characters");
        }
    }

    fn dates(&mut self, place: &str, from: Option<Timestamp>, until: Option<Timestamp>) {
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            let what = format!("it ends at {until}, not after it begins at {from}");
            self.error("dates", place, what, "make valid_from earlier than valid_until");
        }
    }

    fn twice(&mut self, place: &str, thing: &str, id: &str) {
        let what = format!("the {thing} {id:?} is there twice");
        self.error("duplicate", place, what, "leave one of them out, or give it another id");
    }

    fn error(&mut self, code: &str, place: &str, what: String, fix: &str) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding::error(code, place, what, fix));
        }
    }
}

/// A part of an organisation.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) units: Vec<&'a Unit>,
    pub(super) positions: Vec<&'a Position>,
    pub(super) holders: Vec<&'a PositionHolder>,
    pub(super) substitutes: Vec<&'a Substitute>,
}

/// What lies in `unit` and below, and what has to do with `person`; all of it where neither is asked
/// for.
pub(super) fn part<'a>(chart: &'a Chart, unit: Option<&str>, person: Option<&str>) -> Part<'a> {
    let Organisation { units, positions, holders, substitutes } = chart.organisation();
    let is_below = |id: &str| unit.is_none_or(|unit| chart.line(id).any(|it| it.id == unit));
    let mut part = Part {
        units: units.iter().filter(|it| is_below(&it.id)).collect(),
        positions: positions.iter().filter(|it| is_below(&it.unit)).collect(),
        ..Part::default()
    };
    let ids: BTreeSet<&str> = part.positions.iter().map(|it| &*it.id).collect();
    let is_asked = |id: &str| person.is_none_or(|person| person == id);
    let in_part = |it: &&PositionHolder| ids.contains(&*it.position) && is_asked(&it.person);
    part.holders = holders.iter().filter(in_part).collect();
    if person.is_some() {
        let held: BTreeSet<&str> = part.holders.iter().map(|it| &*it.position).collect();
        part.positions.retain(|it| held.contains(&*it.id));
        let of: BTreeSet<&str> = part.positions.iter().map(|it| &*it.unit).collect();
        part.units.retain(|it| of.contains(&*it.id));
    }
    let people: BTreeSet<&str> = part.holders.iter().map(|it| &*it.person).collect();
    let concerns = |it: &&Substitute| match unit {
        None => is_asked(&it.absent) || is_asked(&it.by),
        Some(_) => people.contains(&*it.absent),
    };
    part.substitutes = substitutes.iter().filter(concerns).collect();
    part
}

impl Part<'_> {
    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.units.len() + self.positions.len() + self.holders.len() + self.substitutes.len()
    }

    /// The entries from `start` on, `limit` at most.
    pub(super) fn page(&self, start: usize, limit: usize) -> Self {
        let mut skip = start;
        let mut left = limit;
        Self {
            units: cut(&self.units, &mut skip, &mut left),
            positions: cut(&self.positions, &mut skip, &mut left),
            holders: cut(&self.holders, &mut skip, &mut left),
            substitutes: cut(&self.substitutes, &mut skip, &mut left),
        }
    }
}

fn cut<'a, T>(list: &[&'a T], skip: &mut usize, left: &mut usize) -> Vec<&'a T> {
    let cut: Vec<&T> = list.iter().skip(*skip).take(*left).copied().collect();
    *skip = skip.saturating_sub(list.len());
    *left -= cut.len();
    cut
}
