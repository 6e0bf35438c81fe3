//! Bounds of a value.

use serde_json::Value;

/// What a value is at most. A value that is no list is a list of one, as in FEEL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    /// How many items.
    pub(crate) len: f64,
    /// The size of the largest item.
    pub(crate) item: f64,
    /// The size of everything: values, and texts by their length.
    pub(crate) total: f64,
    /// The least and the greatest number in it; dates count as days.
    pub(crate) lo: f64,
    pub(crate) hi: f64,
}

/// Bytes of text that cost as much as a value.
const TEXT: f64 = 64.0;

impl Bound {
    pub(crate) const EMPTY: Self =
        Self { len: 0.0, item: 0.0, total: 1.0, lo: f64::INFINITY, hi: f64::NEG_INFINITY };
    pub(crate) const ONE: Self = Self { len: 1.0, item: 1.0, total: 1.0, lo: 0.0, hi: 0.0 };
    pub(crate) const UNKNOWN_NUMBER: Self =
        Self { lo: f64::NEG_INFINITY, hi: f64::INFINITY, ..Self::ONE };

    /// The bound of a variable.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) => Self::ONE,
            Value::Number(number) => Self::number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::text(text),
            Value::Array(items) => {
                items.iter().fold(Self::EMPTY, |list, item| list.with(Self::of(item)))
            }
            Value::Object(entries) => {
                entries.values().fold(Self::EMPTY, |all, entry| all.with(Self::of(entry))).as_one()
            }
        }
    }

    /// What `turns` turns of a loop give, each a value of this size.
    pub(crate) fn results(turns: f64, item: f64) -> Self {
        Self { len: turns, item, total: turns * item, ..Self::UNKNOWN_NUMBER }
    }

    pub(crate) fn number(number: f64) -> Self {
        if number.is_nan() { Self::UNKNOWN_NUMBER } else { Self::ONE.between(number, number) }
    }

    pub(crate) fn text(text: &str) -> Self {
        let size = 1.0 + lossy(text.len()) / TEXT;
        let days = text
            .parse::<jiff::civil::Date>()
            .map_or(0.0, |date| f64::from(date.year()) * 366.0 + f64::from(date.day_of_year()));
        Self::ONE.sized(size).between(days, days)
    }

    /// One value of this size, with these numbers.
    pub(crate) fn sized(self, size: f64) -> Self {
        Self { len: 1.0, item: size, total: size, ..self }
    }

    pub(crate) fn between(self, lo: f64, hi: f64) -> Self {
        // What has no number has none that is too large either; what is undefined may be anything.
        if lo.is_nan() || hi.is_nan() {
            return Self { lo: f64::NEG_INFINITY, hi: f64::INFINITY, ..self };
        }
        Self { lo, hi, ..self }
    }

    /// One of the two.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            len: self.len.max(other.len),
            item: self.item.max(other.item),
            total: self.total.max(other.total),
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
        }
    }

    /// A list with one more item.
    pub(crate) fn with(self, item: Self) -> Self {
        let total = self.total + item.total;
        let len = self.len + 1.0;
        Self { len, item: self.item.max(item.total), total, ..self.or(item) }
    }

    /// The items of both.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self { len: self.len + other.len, total: self.total + other.total, ..self.or(other) }
    }

    /// The same as a single value: a context with these entries.
    pub(crate) fn as_one(self) -> Self {
        self.sized(self.total)
    }

    /// Any of its items, which may be a list.
    pub(crate) fn element(self) -> Self {
        Self { len: self.item, total: self.item, ..self }
    }

    /// An entry of it, or of each of its items.
    pub(crate) fn entry(self) -> Self {
        Self { len: self.len.max(self.item), ..self }
    }

    /// Anything in it, at any depth.
    pub(crate) fn part(self) -> Self {
        Self { len: self.total, item: self.total, ..self }
    }

    pub(crate) fn negated(self) -> Self {
        self.between(-self.hi, -self.lo)
    }

    /// The sum of two numbers, or two texts one after the other.
    pub(crate) fn plus(self, other: Self) -> Self {
        let both = self.sized(self.total + other.total);
        both.between(self.lo + other.lo, self.hi + other.hi)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self::ONE.between(self.lo - other.hi, self.hi - other.lo)
    }

    pub(crate) fn times(self, other: Self) -> Self {
        let ends = [self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi];
        let is_unknown = ends.iter().any(|end| end.is_nan());
        let lo = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if is_unknown { Self::UNKNOWN_NUMBER } else { Self::ONE.between(lo, hi) }
    }

    pub(crate) fn over(self, other: Self) -> Self {
        if other.lo >= 1.0 || other.hi <= -1.0 {
            return Self::ONE.between(-self.largest(), self.largest());
        }
        Self::UNKNOWN_NUMBER
    }

    /// The distance from zero.
    pub(crate) fn largest(self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// The numbers from this one to the other.
    pub(crate) fn up_to(self, end: Self) -> Self {
        let (lo, hi) = (self.lo.min(end.lo), self.hi.max(end.hi));
        let steps = (end.hi - self.lo).abs().max((end.lo - self.hi).abs()) + 1.0;
        let len = if (hi - lo).is_finite() { steps } else { f64::INFINITY };
        Self { len, item: 1.0, total: len, lo, hi }
    }
}

/// Sizes are far below what a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
const fn lossy(size: usize) -> f64 {
    size as f64
}
