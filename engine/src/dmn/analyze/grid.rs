//! Rules as boxes over the axes of their columns: which of them meet, and what none of them covers.
//!
//! The method is that of D. Calvanese, M. Dumas, Ü. Laurson, F. M. Maggi, M. Montali and I. Teinemaa,
//! "Semantics and Analysis of DMN Decision Tables", BPM 2016: a line sweeps over one column after the
//! other and looks only at the rules that it cuts. Added here: parts of a column that the same rules
//! cut are taken together, and where one of these rules accepts all that is left, nothing is looked for.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::Axis;
use super::cell::Accepts;
use super::ranges::Ranges;

/// The most combinations that are remembered as covered.
const MAX_REMEMBERED: usize = 50_000;

/// The most pairs of rules that are kept.
const MAX_PAIRS: usize = 1_000_000;

/// The work that is left. Without a bound, the parts of a space grow with the power of its columns.
#[derive(Debug)]
pub(in crate::dmn) struct Budget(u64);

/// The work was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dmn) struct Exhausted;

impl Budget {
    pub(in crate::dmn) fn new(steps: u64) -> Self {
        Self(steps)
    }

    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(steps as u64).ok_or(Exhausted)?;
        Ok(())
    }
}

/// A column before it is cut.
pub(in crate::dmn) struct Column<'a> {
    pub(in crate::dmn) type_name: Option<&'a str>,
    pub(in crate::dmn) allowed: Option<&'a str>,
    /// The cell of each rule.
    pub(in crate::dmn) cells: Vec<&'a str>,
}

/// The rules of one table, or of several over the same columns.
pub(in crate::dmn) struct Grid {
    pub(in crate::dmn) axes: Vec<Axis>,
    /// What each rule accepts, by column; `None` where that is unknown.
    pub(in crate::dmn) rules: Vec<Vec<Option<Ranges>>>,
    /// What each rule accepts as it is written, by column.
    pub(in crate::dmn) cells: Vec<BTreeMap<String, Accepts>>,
}

/// A part of the space: segments by column.
pub(in crate::dmn) type Space = Vec<Ranges>;

impl Grid {
    pub(in crate::dmn) fn new(columns: &[Column<'_>]) -> Self {
        let count = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
        let mut grid = Self { axes: Vec::new(), rules: vec![Vec::new(); count], cells: Vec::new() };
        for column in columns {
            // The same few texts stand in many cells.
            let cells: BTreeMap<String, Accepts> = column
                .cells
                .iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(|text| ((*text).to_owned(), Accepts::read(text)))
                .collect();
            let allowed = column.allowed.map_or(Accepts::Everything, Accepts::read);
            let axis = Axis::new(column.type_name, &allowed, &cells);
            let axis = axis.unwrap_or_else(Axis::opaque);
            let ranges: BTreeMap<&str, Option<Ranges>> =
                cells.iter().map(|(text, accepts)| (text.as_str(), axis.ranges(accepts))).collect();
            for (rule, text) in grid.rules.iter_mut().zip(&column.cells) {
                rule.push(ranges.get(text).cloned().flatten());
            }
            grid.axes.push(axis);
            grid.cells.push(cells);
        }
        grid
    }

    /// All values of all columns.
    pub(in crate::dmn) fn universe(&self) -> Space {
        self.axes.iter().map(|axis| axis.universe.clone()).collect()
    }

    /// The box of a rule of which everything is known.
    pub(in crate::dmn) fn known(&self, rule: usize) -> Option<Space> {
        self.rules.get(rule)?.iter().cloned().collect()
    }

    /// The box of a rule, where what is unknown is taken to accept everything.
    pub(in crate::dmn) fn at_most(&self, rule: usize) -> Space {
        let cells = self.rules.get(rule).into_iter().flatten().zip(&self.axes);
        cells.map(|(cell, axis)| cell.clone().unwrap_or_else(|| axis.universe.clone())).collect()
    }

    /// What both boxes accept.
    pub(in crate::dmn) fn common(one: &Space, other: &Space) -> Space {
        one.iter().zip(other).map(|(one, other)| one.intersection(other)).collect()
    }

    /// The columns in the order in which a sweep over them narrows the rules down fastest: those in
    /// which the fewest of `boxes` accept everything come first.
    fn order(&self, boxes: &BTreeMap<usize, &Space>) -> Vec<usize> {
        let mut order: Vec<(usize, usize)> = self
            .axes
            .iter()
            .enumerate()
            .map(|(column, axis)| {
                let accepts_all =
                    |space: &&&Space| space.get(column).is_some_and(|it| *it == axis.universe);
                (boxes.values().filter(accepts_all).count(), column)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, column)| column).collect()
    }

    /// Pairs of `boxes` that meet and are wanted, the smaller number first, in order.
    pub(in crate::dmn) fn meetings(
        &self,
        boxes: &BTreeMap<usize, Space>,
        is_wanted: impl Fn(usize, usize) -> bool,
        budget: &mut Budget,
    ) -> Result<Vec<(usize, usize)>, Exhausted> {
        let mut pairs = Vec::new();
        let boxes: Vec<(usize, &Space)> = boxes
            .iter()
            .filter(|(_, space)| !space.iter().any(Ranges::is_empty))
            .map(|(rule, space)| (*rule, space))
            .collect();
        let sweep = self.sweep_column(&boxes);
        let hull = |space: &Space| sweep.and_then(|at| space.get(at)).and_then(Ranges::hull);
        let mut starts: Vec<(u32, u32, usize, &Space)> = boxes
            .iter()
            .map(|(rule, space)| {
                let (start, end) = hull(space).unwrap_or((0, 1));
                (start, end, *rule, *space)
            })
            .collect();
        starts.sort_unstable_by_key(|(start, _, rule, _)| (*start, *rule));
        let mut active: Vec<(u32, usize, &Space)> = Vec::new();
        for (start, end, rule, space) in starts {
            active.retain(|(until, ..)| *until > start);
            budget.spend(active.len() * space.len().max(1))?;
            for (_, other, met) in &active {
                if is_wanted(rule, *other)
                    && space.iter().zip(*met).all(|(one, other)| one.meets(other))
                {
                    pairs.push((rule.min(*other), rule.max(*other)));
                }
            }
            if pairs.len() > MAX_PAIRS {
                return Err(Exhausted);
            }
            active.push((end, rule, space));
        }
        pairs.sort_unstable();
        Ok(pairs)
    }

    /// The column in which the boxes are narrowest.
    fn sweep_column(&self, boxes: &[(usize, &Space)]) -> Option<usize> {
        let width = |column: usize| -> u64 {
            let size = self.axes.get(column).and_then(|axis| axis.universe.hull());
            let size = size.map_or(1, |(start, end)| u64::from(end - start)).max(1);
            let hulls = boxes.iter().filter_map(|(_, space)| space.get(column)?.hull());
            hulls.map(|(start, end)| u64::from(end - start) * 1_000 / size).sum()
        };
        (0..self.axes.len()).min_by_key(|column| width(*column))
    }

    /// The parts of `space` that none of `boxes` covers: at most `limit` of them, and how many there
    /// are.
    pub(in crate::dmn) fn uncovered(
        &self,
        space: &Space,
        boxes: &BTreeMap<usize, &Space>,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<(Vec<Space>, usize), Exhausted> {
        if space.iter().any(Ranges::is_empty) {
            return Ok((Vec::new(), 0));
        }
        let order = self.order(boxes);
        let accepts_rest = boxes
            .iter()
            .map(|(rule, candidate)| {
                let narrow = order.iter().rposition(|column| {
                    let (Some(wanted), Some(accepted)) =
                        (space.get(*column), candidate.get(*column))
                    else {
                        return true;
                    };
                    accepted.intersection(wanted) != *wanted
                });
                (*rule, narrow.map_or(0, |level| level + 1))
            })
            .collect();
        let mut search = Search {
            space,
            boxes,
            order: &order,
            accepts_rest,
            within: space.clone(),
            covered: BTreeSet::new(),
            found: Vec::new(),
            count: 0,
            limit,
            budget,
        };
        let all: Vec<usize> = boxes.keys().copied().collect();
        search.descend(0, &all)?;
        Ok((search.found, search.count))
    }
}

struct Search<'a> {
    space: &'a Space,
    boxes: &'a BTreeMap<usize, &'a Space>,
    /// The columns, in the order in which they are swept.
    order: &'a [usize],
    /// By rule: from which level on it accepts everything.
    accepts_rest: BTreeMap<usize, usize>,
    /// The part of the space that is looked at.
    within: Space,
    /// Levels and rules of which it is known that they cover the rest of the columns.
    covered: BTreeSet<(usize, Vec<usize>)>,
    found: Vec<Space>,
    count: usize,
    limit: usize,
    budget: &'a mut Budget,
}

impl Search<'_> {
    /// Looks for what the rules `active` leave open in the columns from `level` on.
    fn descend(&mut self, level: usize, active: &[usize]) -> Result<(), Exhausted> {
        let accepts_rest =
            |rule: &usize| self.accepts_rest.get(rule).is_some_and(|from| *from <= level);
        if active.iter().any(accepts_rest) {
            return Ok(());
        }
        let Some(column) = self.order.get(level).copied().filter(|_| !active.is_empty()) else {
            self.count += 1;
            self.budget.spend(self.within.len() + 1)?;
            if self.found.len() < self.limit {
                self.found.push(self.within.clone());
            }
            return Ok(());
        };
        let key = (level, active.to_vec());
        if self.covered.contains(&key) {
            return Ok(());
        }
        let before = self.count;
        for (rules, segments) in self.slabs(column, active)? {
            self.put(column, segments);
            self.descend(level + 1, &rules)?;
        }
        self.put(column, self.space.get(column).cloned().unwrap_or_default());
        if self.count == before && self.covered.len() < MAX_REMEMBERED {
            self.covered.insert(key);
        }
        Ok(())
    }

    fn put(&mut self, column: usize, segments: Ranges) {
        if let Some(place) = self.within.get_mut(column) {
            *place = segments;
        }
    }

    /// The segments of a column by the rules that accept them.
    fn slabs(
        &mut self,
        column: usize,
        active: &[usize],
    ) -> Result<BTreeMap<Vec<usize>, Ranges>, Exhausted> {
        let Some(wanted) = self.space.get(column) else { return Ok(BTreeMap::new()) };
        // Where rules begin (true) and end; also where what is wanted does, for no rule at all.
        let mut changes: BTreeMap<u32, Vec<(usize, bool)>> = BTreeMap::new();
        for (start, end) in wanted.parts() {
            changes.entry(*start).or_default();
            changes.entry(*end).or_default();
        }
        for rule in active {
            let Some(accepted) = self.boxes.get(rule).and_then(|it| it.get(column)) else {
                continue;
            };
            for (start, end) in accepted.intersection(wanted).parts() {
                changes.entry(*start).or_default().push((*rule, true));
                changes.entry(*end).or_default().push((*rule, false));
            }
        }
        let mut slabs: BTreeMap<Vec<usize>, Vec<(u32, u32)>> = BTreeMap::new();
        let (mut cut, mut from): (BTreeSet<usize>, u32) = (BTreeSet::new(), 0);
        for (at, rules) in changes {
            if wanted.contains(from) && from < at {
                self.budget.spend(cut.len() + 1)?;
                slabs.entry(cut.iter().copied().collect()).or_default().push((from, at));
            }
            for (rule, begins) in rules {
                if begins {
                    cut.insert(rule);
                } else {
                    cut.remove(&rule);
                }
            }
            from = at;
        }
        Ok(slabs.into_iter().map(|(rules, parts)| (rules, Ranges::from_parts(parts))).collect())
    }
}
