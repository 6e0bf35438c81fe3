//! The values of one column, cut at the constants that its cells mention. No test tells the values
//! of one segment apart, so a table over any values is a table over a few segments.
//!
//! Ordered values lie on a line: segment `2i + 1` is the `i`-th constant, the even ones are what lies
//! before, between and behind. Texts that are only tested for equality, and booleans, are a list of
//! constants and one segment for all others. Null is the last segment, where a cell mentions it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dsntk_feel::values::Value as FeelValue;

use super::cell::{Accepts, End, Test};
use super::ranges::Ranges;
use super::value::{Kind, between, compare, is_whole, literal};

/// A column.
#[derive(Clone, Debug)]
pub(in crate::dmn) struct Axis {
    pub(in crate::dmn) kind: Option<Kind>,
    points: Vec<FeelValue>,
    form: Form,
    /// All segments, null included.
    size: u32,
    /// The segments in which there are values, and null where it is mentioned.
    inhabited: Ranges,
    /// Those that are allowed.
    pub(in crate::dmn) universe: Ranges,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Line,
    Names,
    /// Nothing is known but that there are values.
    Opaque,
}

impl Axis {
    /// The axis of a column of the type `type_name` with the different `cells`. `None` when its
    /// constants are not comparable.
    pub(in crate::dmn) fn new<'a>(
        type_name: Option<&str>,
        allowed: &'a Accepts,
        cells: &'a BTreeMap<String, Accepts>,
    ) -> Option<Self> {
        let all = || std::iter::once(allowed).chain(cells.values());
        let constants = || all().flat_map(Accepts::constants);
        let kind = type_name.and_then(Kind::named).or_else(|| constants().find_map(Kind::of));
        let mut points: Vec<FeelValue> = constants()
            .filter(|value| kind.is_some() && Kind::of(value) == kind)
            .cloned()
            .collect();
        if kind == Some(Kind::Boolean) {
            points = vec![FeelValue::Boolean(false), FeelValue::Boolean(true)];
        }
        if !sort(&mut points) {
            return None;
        }
        let form = match kind {
            Some(Kind::Boolean) => Form::Names,
            Some(Kind::Text) if !all().any(has_range) => Form::Names,
            _ => Form::Line,
        };
        let count = u32::try_from(points.len()).ok()?;
        let null = match form {
            Form::Line => 2 * count + 1,
            Form::Names | Form::Opaque => count + 1,
        };
        let mut axis = Self {
            kind,
            points,
            form,
            size: null + 1,
            inhabited: Ranges::default(),
            universe: Ranges::default(),
        };
        let has_null = constants().any(|value| matches!(value, FeelValue::Null(_)));
        let inhabited = (0..null).filter(|segment| axis.is_inhabited(*segment));
        let mut parts: Vec<(u32, u32)> = inhabited.map(|segment| (segment, segment + 1)).collect();
        if has_null {
            parts.push((null, null + 1));
        }
        axis.inhabited = Ranges::from_parts(parts);
        axis.universe = axis.inhabited.clone();
        axis.universe = axis.ranges(allowed).unwrap_or_else(|| axis.inhabited.clone());
        Some(axis)
    }

    /// The axis of a column of which nothing is known: one segment.
    pub(in crate::dmn) fn opaque() -> Self {
        let whole = Ranges::span(0, 1);
        Self {
            kind: None,
            points: Vec::new(),
            form: Form::Opaque,
            size: 2,
            inhabited: whole.clone(),
            universe: whole,
        }
    }

    /// The segments that a cell accepts; `None` when that is unknown.
    pub(in crate::dmn) fn ranges(&self, accepts: &Accepts) -> Option<Ranges> {
        let ranges = match accepts {
            Accepts::Unknown => return None,
            Accepts::Everything => return Some(self.universe.clone()),
            _ if self.form == Form::Opaque => return None,
            Accepts::AnyOf(tests) => self.any_of(tests),
            Accepts::NoneOf(tests) => self.any_of(tests).complement(self.size),
        };
        Some(ranges.intersection(&self.universe))
    }

    /// Tests for inequality hold together, and beside them each other test alone: this is how the
    /// evaluator reads `!= 1, != 2`.
    fn any_of(&self, tests: &[Test]) -> Ranges {
        let (mut accepted, mut refused, mut has_refused) = (Vec::new(), Vec::new(), false);
        for test in tests {
            match test {
                Test::Equal(value) => accepted.extend(self.segment(value).map(|at| (at, at + 1))),
                Test::NotEqual(value) => {
                    has_refused = true;
                    refused.extend(self.segment(value).map(|at| (at, at + 1)));
                }
                Test::Range { low, high } => {
                    accepted.extend(self.span(low.as_ref(), high.as_ref()));
                }
            }
        }
        let accepted = Ranges::from_parts(accepted);
        if !has_refused {
            return accepted;
        }
        accepted.union(&Ranges::from_parts(refused).complement(self.size))
    }

    fn span(&self, low: Option<&End>, high: Option<&End>) -> Option<(u32, u32)> {
        if self.form != Form::Line {
            return None;
        }
        let start = match low {
            None => 0,
            Some(end) => self.segment(&end.value)? + u32::from(!end.is_closed),
        };
        let end = match high {
            None => self.null(),
            Some(end) => self.segment(&end.value)? + u32::from(end.is_closed),
        };
        Some((start, end))
    }

    /// The segment of a constant; `None` for one of another type.
    fn segment(&self, value: &FeelValue) -> Option<u32> {
        if matches!(value, FeelValue::Null(_)) {
            return Some(self.null());
        }
        if Kind::of(value) != self.kind {
            return None;
        }
        let order = |point: &FeelValue| compare(point, value).unwrap_or(Ordering::Less);
        let at = u32::try_from(self.points.binary_search_by(order).ok()?).ok()?;
        Some(match self.form {
            Form::Line => 2 * at + 1,
            Form::Names | Form::Opaque => at,
        })
    }

    /// Whether a constant is among the allowed values. One that no list mentions is taken by a value
    /// of its own segment.
    pub(in crate::dmn) fn allows(&self, value: &FeelValue) -> bool {
        if matches!(value, FeelValue::Null(_)) {
            return true;
        }
        let segment = self.segment(value).or_else(|| self.gap(value));
        segment.is_some_and(|segment| self.universe.contains(segment))
    }

    /// The segment of a value that is none of the constants.
    fn gap(&self, value: &FeelValue) -> Option<u32> {
        if Kind::of(value) != self.kind {
            return None;
        }
        let count = u32::try_from(self.points.len()).ok()?;
        let below = |point: &FeelValue| compare(point, value) == Some(Ordering::Less);
        let before = u32::try_from(self.points.partition_point(below)).ok()?;
        Some(match self.form {
            Form::Line => 2 * before,
            Form::Names | Form::Opaque => count,
        })
    }

    fn null(&self) -> u32 {
        self.size - 1
    }

    fn is_inhabited(&self, segment: u32) -> bool {
        match (self.form, self.kind) {
            (_, None) => true,
            (Form::Names, Some(kind)) => kind != Kind::Boolean || segment < 2,
            (Form::Line | Form::Opaque, Some(_)) => self.sample(segment).is_some(),
        }
    }

    fn point(&self, index: u32) -> Option<&FeelValue> {
        self.points.get(index as usize)
    }

    /// A value of a segment.
    fn sample(&self, segment: u32) -> Option<FeelValue> {
        let kind = self.kind?;
        match self.form {
            Form::Line if segment % 2 == 1 => self.point(segment / 2).cloned(),
            Form::Line => {
                let low = segment.checked_sub(2).and_then(|_| self.point(segment / 2 - 1));
                between(kind, low, self.point(segment / 2))
            }
            Form::Names | Form::Opaque => self.point(segment).cloned().or_else(|| self.other()),
        }
    }

    /// A text that no cell mentions.
    fn other(&self) -> Option<FeelValue> {
        let mut text = "other".to_owned();
        while self.segment(&FeelValue::String(text.clone())).is_some() {
            text.push('_');
        }
        (self.kind == Some(Kind::Text)).then_some(FeelValue::String(text))
    }

    /// A value of one of `segments`, in FEEL.
    pub(in crate::dmn) fn example(&self, segments: &Ranges) -> String {
        let Some(segment) = segments.first() else { return "no value".to_owned() };
        if segment == self.null() {
            return "null".to_owned();
        }
        self.sample(segment).map_or_else(|| "any value".to_owned(), |value| literal(&value))
    }

    /// The cell that accepts exactly `segments`.
    pub(in crate::dmn) fn cell(&self, segments: &Ranges) -> String {
        if *segments == self.universe {
            return "-".to_owned();
        }
        match self.form {
            Form::Line => self.line_cells(segments).join(", "),
            Form::Names | Form::Opaque => self.names_cell(segments),
        }
    }

    fn line_cells(&self, segments: &Ranges) -> Vec<String> {
        let null = self.null();
        let mut texts: Vec<String> = Vec::new();
        let mut open: Option<(u32, u32)> = None;
        for (start, end) in segments.parts() {
            // Null is written as a test of its own.
            let (start, end) = (*start, (*end).min(null));
            if start >= end {
                continue;
            }
            open = Some(match open {
                // Between the days of a calendar there is nothing to leave out.
                Some((first, last)) if !self.inhabited.meets(&Ranges::span(last, start)) => {
                    (first, end)
                }
                Some(range) => {
                    texts.push(self.range_text(range));
                    (start, end)
                }
                None => (start, end),
            });
        }
        texts.extend(open.map(|range| self.range_text(range)));
        if segments.contains(null) {
            texts.push("null".to_owned());
        }
        texts
    }

    fn range_text(&self, (start, end): (u32, u32)) -> String {
        let last = end.saturating_sub(1);
        let low = if start % 2 == 1 { start / 2 } else { (start / 2).wrapping_sub(1) };
        let (low, high) = (self.point(low), self.point(last / 2));
        match (low, high) {
            (Some(point), _) if start == last && start % 2 == 1 => literal(point),
            (None, None) => "not(null)".to_owned(),
            (None, Some(high)) if last % 2 == 1 => format!("<= {}", literal(high)),
            (None, Some(high)) => format!("< {}", literal(high)),
            (Some(low), None) if start % 2 == 1 => format!(">= {}", literal(low)),
            (Some(low), None) => format!("> {}", literal(low)),
            (Some(low), Some(high)) => {
                let open = if start % 2 == 1 { '[' } else { '(' };
                let close = if last % 2 == 1 { ']' } else { ')' };
                format!("{open}{}..{}{close}", literal(low), literal(high))
            }
        }
    }

    fn names_cell(&self, segments: &Ranges) -> String {
        let others = u32::try_from(self.points.len()).unwrap_or(u32::MAX);
        let has_others = segments.contains(others);
        let null = Some((self.null(), FeelValue::Null(None)));
        let points = (0..).zip(self.points.iter().cloned()).chain(null);
        let listed = points
            .filter(|(segment, _)| segments.contains(*segment) != has_others)
            .filter(|(segment, _)| self.universe.contains(*segment))
            .map(|(_, value)| literal(&value));
        let listed = listed.collect::<Vec<_>>().join(", ");
        if has_others { format!("not({listed})") } else { listed }
    }
}

fn has_range(accepts: &Accepts) -> bool {
    match accepts {
        Accepts::AnyOf(tests) | Accepts::NoneOf(tests) => {
            tests.iter().any(|test| matches!(test, Test::Range { .. }))
        }
        Accepts::Everything | Accepts::Unknown => false,
    }
}

/// Sorts constants of one type, each once. False when they are not comparable.
fn sort(points: &mut Vec<FeelValue>) -> bool {
    let is_comparable = points.iter().all(|point| {
        is_whole(point) && points.first().is_some_and(|first| compare(first, point).is_some())
    });
    if !is_comparable {
        return false;
    }
    points.sort_by(|one, other| compare(one, other).unwrap_or(Ordering::Equal));
    points.dedup_by(|one, other| compare(one, other) == Some(Ordering::Equal));
    true
}
