//! Sets of segments of an axis: sorted ranges that neither touch nor overlap, ends excluded.

/// A set of segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::dmn) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// The segments from `start` to before `end`.
    pub(in crate::dmn) fn span(start: u32, end: u32) -> Self {
        Self::from_parts(vec![(start, end)])
    }

    /// The union of `parts`, in any order.
    pub(in crate::dmn) fn from_parts(mut parts: Vec<(u32, u32)>) -> Self {
        parts.retain(|(start, end)| start < end);
        parts.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(parts.len());
        for (start, end) in parts {
            match merged.last_mut() {
                Some((_, last)) if start <= *last => *last = end.max(*last),
                _ => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    pub(in crate::dmn) fn parts(&self) -> &[(u32, u32)] {
        &self.0
    }

    pub(in crate::dmn) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first segment.
    pub(in crate::dmn) fn first(&self) -> Option<u32> {
        self.0.first().map(|(start, _)| *start)
    }

    /// The first segment, and the one behind the last.
    pub(in crate::dmn) fn hull(&self) -> Option<(u32, u32)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    pub(in crate::dmn) fn contains(&self, segment: u32) -> bool {
        self.0.iter().any(|(start, end)| (*start..*end).contains(&segment))
    }

    pub(in crate::dmn) fn union(&self, other: &Self) -> Self {
        Self::from_parts(self.0.iter().chain(&other.0).copied().collect())
    }

    pub(in crate::dmn) fn intersection(&self, other: &Self) -> Self {
        Self(overlaps(&self.0, &other.0).collect())
    }

    /// Whether a segment is in both.
    pub(in crate::dmn) fn meets(&self, other: &Self) -> bool {
        overlaps(&self.0, &other.0).next().is_some()
    }

    /// The segments below `size` that are not in it.
    pub(in crate::dmn) fn complement(&self, size: u32) -> Self {
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        let mut at = 0;
        for (start, end) in &self.0 {
            parts.push((at, *start));
            at = *end;
        }
        parts.push((at, size));
        Self::from_parts(parts)
    }
}

/// What lies in a part of `one` and in a part of `other`, in order.
fn overlaps<'a>(
    one: &'a [(u32, u32)],
    other: &'a [(u32, u32)],
) -> impl Iterator<Item = (u32, u32)> + 'a {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    std::iter::from_fn(move || {
        loop {
            let ((from, to), (start, end)) = (*one.peek()?, *other.peek()?);
            let common = ((*from).max(*start), (*to).min(*end));
            // What ends first meets nothing further.
            if to <= end {
                one.next();
            } else {
                other.next();
            }
            if common.0 < common.1 {
                return Some(common);
            }
        }
    })
}
